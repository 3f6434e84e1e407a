import type { SettingsTexts } from './settings-texts.js';

export const TEXTS: SettingsTexts = {
  settings: 'Réglages',
  back: 'Retour aux alertes',
  loading: 'Recherche de vos réglages…',
  loadFailed: 'Vos réglages ne peuvent pas être affichés pour le moment.',

  mute: 'Mettre en sourdine',
  muteAlert: 'Mettre en sourdine : {title}',
  unmute: 'Rétablir',
  unmuteAlert: 'Rétablir : {title}',
  muteWhich: 'Mettre en sourdine les alertes de ce type',
  muteHere: 'Dans cette session',
  muteEverywhere: 'Dans toutes mes sessions',
  muteHour: 'Pendant une heure',
  muteTomorrow: 'Jusqu’à demain',
  muteForGood: 'Définitivement',
  announceMuted: 'Mise en sourdine : {title}',
  announceUnmuted: 'N’est plus en sourdine : {title}',
  muteFailed: 'Cela n’a pas pu être enregistré pour « {title} ». Veuillez réessayer.',

  channels: 'M’avertir quand je ne regarde pas',
  noChannels: 'Rien ici ne peut vous avertir en dehors de cette page.',
  email: 'Courriel',
  emailTo: 'Il est envoyé à {address}.',
  emailUnknown:
    'Il ne peut pas être activé, car aucune adresse vérifiée n’est connue. Vérifiez votre adresse électronique dans votre compte, puis reconnectez-vous.',
  webPush: 'Notifications du navigateur',
  from: 'À partir de la gravité',
  fromOf: '{channel} : à partir de la gravité',

  pushOn: 'Activer dans ce navigateur',
  pushOff: 'Désactiver dans ce navigateur',
  pushIsOn: 'Activées dans ce navigateur.',
  pushIsOff: 'Désactivées dans ce navigateur.',
  pushElsewhere: {
    one: 'Activées dans {count} autre navigateur.',
    other: 'Activées dans {count} autres navigateurs.',
  },
  pushObstacles: {
    noWorker: 'Cette page n’est pas prévue pour cela.',
    insecure: 'Les navigateurs ne le permettent que sur les pages dont l’adresse commence par https.',
    notInstalled:
      'Sur iPhone et iPad, ajoutez d’abord cette page à l’écran d’accueil (Partager, Sur l’écran d’accueil), puis ouvrez-la à partir de là.',
    unsupported: 'Ce navigateur n’en est pas capable.',
    denied:
      'Votre navigateur ne permet pas à cette page de vous avertir. Autorisez-le dans ses réglages pour cette page, puis revenez ici.',
  },
  pushNotAllowed:
    'Vous ne l’avez pas permis au navigateur. Activez-les de nouveau pour que la question vous soit reposée.',
  pushFailed: 'Le navigateur n’a pas pu être abonné. Veuillez réessayer plus tard.',

  quiet: 'Heures calmes',
  quietOn: 'Ne pas me déranger, chaque jour',
  quietFrom: 'De',
  quietTo: 'À',
  timeZone: 'Fuseau horaire',
  criticalPasses: 'M’avertir malgré tout de ce qui est critique',
  quietMissing: 'Indiquez quand les heures calmes commencent et finissent.',

  mutes: 'Alertes en sourdine',
  mutesNone: 'Rien n’est en sourdine.',
  muteOf: 'Dans la session {session}',
  muteOfAll: 'Dans toutes les sessions',

  save: 'Enregistrer',
  saved: 'Enregistré.',
  saveFailed: 'L’enregistrement a échoué. Ce que vous avez saisi est toujours là : veuillez réessayer.',
  saveRefused:
    'Le serveur ne l’accepte pas. Ce que vous avez saisi est toujours là : vérifiez-le, ou revenez en arrière et rouvrez les réglages.',
};
