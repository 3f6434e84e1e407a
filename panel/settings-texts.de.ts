import type { SettingsTexts } from './settings-texts.js';

export const TEXTS: SettingsTexts = {
  settings: 'Einstellungen',
  back: 'Zurück zu den Meldungen',
  loading: 'Ihre Einstellungen werden gesucht …',
  loadFailed: 'Ihre Einstellungen können gerade nicht gezeigt werden.',

  mute: 'Stummschalten',
  muteAlert: 'Stummschalten: {title}',
  unmute: 'Nicht mehr stumm',
  unmuteAlert: 'Nicht mehr stumm: {title}',
  muteWhich: 'Meldungen dieser Art stummschalten',
  muteHere: 'In dieser Sitzung',
  muteEverywhere: 'In allen meinen Sitzungen',
  muteHour: 'Für eine Stunde',
  muteTomorrow: 'Bis morgen',
  muteForGood: 'Für immer',
  announceMuted: 'Stummgeschaltet: {title}',
  announceUnmuted: 'Nicht mehr stumm: {title}',
  muteFailed: 'Das konnte für „{title}“ nicht gespeichert werden. Bitte versuchen Sie es noch einmal.',

  channels: 'Benachrichtigen, wenn ich nicht hinsehe',
  noChannels: 'Hier gibt es nichts, das Sie außerhalb dieser Seite benachrichtigen könnte.',
  email: 'E-Mail',
  emailTo: 'Sie geht an {address}.',
  emailUnknown:
    'Das lässt sich nicht einschalten, da keine bestätigte Adresse von Ihnen bekannt ist. Bestätigen Sie die E-Mail-Adresse in Ihrem Konto und melden Sie sich danach neu an.',
  webPush: 'Mitteilungen des Browsers',
  from: 'Ab Schweregrad',
  fromOf: '{channel}: ab Schweregrad',

  pushOn: 'In diesem Browser einschalten',
  pushOff: 'In diesem Browser ausschalten',
  pushIsOn: 'In diesem Browser eingeschaltet.',
  pushIsOff: 'In diesem Browser ausgeschaltet.',
  pushElsewhere: {
    one: 'In {count} weiteren Browser eingeschaltet.',
    other: 'In {count} weiteren Browsern eingeschaltet.',
  },
  pushObstacles: {
    noWorker: 'Diese Seite ist nicht dafür eingerichtet.',
    insecure: 'Browser erlauben das nur auf Seiten, deren Adresse mit https beginnt.',
    notInstalled:
      'Fügen Sie auf iPhone und iPad diese Seite zuerst zum Home-Bildschirm hinzu (Teilen, Zum Home-Bildschirm), und öffnen Sie sie von dort aus.',
    unsupported: 'Dieser Browser kann das nicht.',
    denied:
      'Ihr Browser lässt nicht zu, dass diese Seite Sie benachrichtigt. Erlauben Sie es in seinen Einstellungen für diese Seite, und kommen Sie dann zurück.',
  },
  pushNotAllowed:
    'Sie haben es dem Browser nicht erlaubt. Schalten Sie es noch einmal ein, um wieder gefragt zu werden.',
  pushFailed: 'Der Browser konnte nicht angemeldet werden. Bitte versuchen Sie es später noch einmal.',

  quiet: 'Ruhezeit',
  quietOn: 'Jeden Tag in Ruhe lassen',
  quietFrom: 'Von',
  quietTo: 'Bis',
  timeZone: 'Zeitzone',
  criticalPasses: 'Kritisches trotzdem mitteilen',
  quietMissing: 'Geben Sie ein, wann die Ruhezeit beginnt und endet.',

  mutes: 'Stummgeschaltete Meldungen',
  mutesNone: 'Nichts ist stummgeschaltet.',
  muteOf: 'In der Sitzung {session}',
  muteOfAll: 'In allen Sitzungen',

  save: 'Speichern',
  saved: 'Gespeichert.',
  saveFailed:
    'Es konnte nicht gespeichert werden. Was Sie eingegeben haben, ist noch da: Bitte versuchen Sie es noch einmal.',
  saveRefused:
    'Der Server nimmt es nicht an. Was Sie eingegeben haben, ist noch da: Prüfen Sie es, oder gehen Sie zurück und öffnen Sie die Einstellungen neu.',
};
