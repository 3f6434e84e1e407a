import type { DeliveryTexts } from './texts.js';

export const GERMAN: DeliveryTexts = {
  severities: {
    critical: 'kritisch',
    page: 'dringend',
    error: 'Fehler',
    major: 'schwer',
    high: 'hoch',
    warning: 'Warnung',
    minor: 'gering',
    info: 'Info',
    none: 'Hinweis',
  },
  subject: '{title} (Sitzung {session})',
  subjectOfMore: { one: '{count} Meldung: {subject}', other: '{count} Meldungen: {subject}' },
  subjectOver: 'Vorbei: {subject}',
  subjectOfMoreOver: {
    one: '{count} Meldung vorbei: {subject}',
    other: '{count} Meldungen vorbei: {subject}',
  },
  transitions: { opened: 'Neu', escalated: 'Jetzt schwerer', over: 'Vorbei' },
  session: 'Sitzung {session}',
  since: 'seit {time}',
  period: 'von {from} bis {to}',
  openSession: 'Sitzung öffnen',
  runbook: 'Was zu tun ist',
  andMore: { one: 'und {count} weitere', other: 'und {count} weitere' },
  why: 'Sie erhalten diese E-Mail an {address}, weil E-Mail in Ihren Einstellungen für Meldungen eingeschaltet ist.',
  turnOff: 'E-Mail ausschalten',
  offTitle: 'E-Mail über Meldungen ausschalten',
  offQuestion:
    'Sie erhalten keine E-Mails über Meldungen mehr. Auf der Seite Ihrer Sitzung sehen Sie sie weiterhin.',
  offDone: 'E-Mail über Meldungen ist ausgeschaltet',
  offDoneHint:
    'In den Einstellungen für Meldungen auf der Seite Ihrer Sitzung können Sie sie wieder einschalten.',
  offUnknown: 'Diese Adresse ist nicht gültig',
  offUnknownHint:
    'Es wurde nichts geändert. E-Mail lässt sich auch in den Einstellungen für Meldungen auf der Seite Ihrer Sitzung ausschalten.',
};
