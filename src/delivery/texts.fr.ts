import type { DeliveryTexts } from './texts.js';

export const FRENCH: DeliveryTexts = {
  severities: {
    critical: 'critique',
    page: 'urgent',
    error: 'erreur',
    major: 'majeure',
    high: 'élevée',
    warning: 'avertissement',
    minor: 'mineure',
    info: 'info',
    none: 'avis',
  },
  subject: '{title} (session {session})',
  subjectOfMore: { one: '{count} alerte : {subject}', other: '{count} alertes : {subject}' },
  subjectOver: 'Terminée : {subject}',
  subjectOfMoreOver: {
    one: '{count} alerte terminée : {subject}',
    other: '{count} alertes terminées : {subject}',
  },
  transitions: { opened: 'Nouvelle', escalated: 'Désormais plus grave', over: 'Terminée' },
  session: 'Session {session}',
  since: 'depuis le {time}',
  period: 'du {from} au {to}',
  openSession: 'Ouvrir la session',
  runbook: 'Que faire',
  andMore: { one: 'et {count} autre', other: 'et {count} autres' },
  why: 'Vous recevez ce message à l’adresse {address}, car l’e-mail est activé dans vos réglages des alertes.',
  turnOff: 'Désactiver l’e-mail',
  offTitle: 'Désactiver les e-mails d’alerte',
  offQuestion:
    'Vous ne recevrez plus d’e-mails à propos des alertes. Elles restent affichées sur la page de votre session.',
  offDone: 'Les e-mails d’alerte sont désactivés',
  offDoneHint: 'Vous pouvez les réactiver dans les réglages des alertes sur la page de votre session.',
  offUnknown: 'Cette adresse n’est pas valable',
  offUnknownHint:
    'Rien n’a été modifié. L’e-mail peut aussi être désactivé dans les réglages des alertes sur la page de votre session.',
};
