import type { DeliveryTexts } from './texts.js';

export const ITALIAN: DeliveryTexts = {
  severities: {
    critical: 'critico',
    page: 'urgente',
    error: 'errore',
    major: 'grave',
    high: 'elevato',
    warning: 'avvertimento',
    minor: 'lieve',
    info: 'info',
    none: 'nota',
  },
  subject: '{title} (sessione {session})',
  subjectOfMore: { one: '{count} avviso: {subject}', other: '{count} avvisi: {subject}' },
  subjectOver: 'Terminato: {subject}',
  subjectOfMoreOver: {
    one: '{count} avviso terminato: {subject}',
    other: '{count} avvisi terminati: {subject}',
  },
  transitions: { opened: 'Nuovo', escalated: 'Ora più grave', over: 'Terminato' },
  session: 'Sessione {session}',
  since: 'inizio: {time}',
  period: '{from} – {to}',
  openSession: 'Apri la sessione',
  runbook: 'Che cosa fare',
  andMore: { one: 'e {count} altro', other: 'e altri {count}' },
  why: 'Riceve questo messaggio all’indirizzo {address} perché l’e-mail è attivata nelle sue impostazioni degli avvisi.',
  turnOff: 'Disattiva l’e-mail',
  offTitle: 'Disattivare le e-mail sugli avvisi',
  offQuestion:
    'Non riceverà più e-mail sugli avvisi. Nella pagina della sua sessione continueranno a essere mostrati.',
  offDone: 'Le e-mail sugli avvisi sono disattivate',
  offDoneHint: 'Può riattivarle nelle impostazioni degli avvisi della pagina della sua sessione.',
  offUnknown: 'Questo indirizzo non è valido',
  offUnknownHint:
    'Non è stato modificato nulla. L’e-mail si può disattivare anche nelle impostazioni degli avvisi della pagina della sua sessione.',
};
