import type { SettingsTexts } from './settings-texts.js';

export const TEXTS: SettingsTexts = {
  settings: 'Impostazioni',
  back: 'Torna agli avvisi',
  loading: 'Ricerca delle sue impostazioni…',
  loadFailed: 'Al momento le sue impostazioni non possono essere mostrate.',

  mute: 'Silenzia',
  muteAlert: 'Silenzia: {title}',
  unmute: 'Riattiva',
  unmuteAlert: 'Riattiva: {title}',
  muteWhich: 'Silenzia gli avvisi di questo tipo',
  muteHere: 'In questa sessione',
  muteEverywhere: 'In tutte le mie sessioni',
  muteHour: 'Per un’ora',
  muteTomorrow: 'Fino a domani',
  muteForGood: 'Per sempre',
  announceMuted: 'Silenziato: {title}',
  announceUnmuted: 'Non più silenziato: {title}',
  muteFailed: 'Non è stato possibile salvarlo per «{title}». Riprovi.',

  channels: 'Avvisami quando non guardo',
  noChannels: 'Qui non c’è nulla che possa avvisarla fuori da questa pagina.',
  email: 'E-mail',
  emailTo: 'Va a {address}.',
  emailUnknown:
    'Non può essere attivata, perché non è noto alcun suo indirizzo verificato. Verifichi l’indirizzo e-mail nel suo account, poi acceda di nuovo.',
  webPush: 'Notifiche del browser',
  from: 'A partire dalla gravità',
  fromOf: '{channel}: a partire dalla gravità',

  pushOn: 'Attiva in questo browser',
  pushOff: 'Disattiva in questo browser',
  pushIsOn: 'Attive in questo browser.',
  pushIsOff: 'Non attive in questo browser.',
  pushElsewhere: {
    one: 'Attive in {count} altro browser.',
    other: 'Attive in {count} altri browser.',
  },
  pushObstacles: {
    noWorker: 'Questa pagina non è predisposta.',
    insecure: 'I browser lo permettono solo nelle pagine il cui indirizzo comincia con https.',
    notInstalled:
      'Su iPhone e iPad aggiunga prima questa pagina alla schermata Home (Condividi, Aggiungi alla schermata Home) e la apra da lì.',
    unsupported: 'Questo browser non ne è capace.',
    denied:
      'Il browser non permette a questa pagina di avvisarla. Lo consenta nelle sue impostazioni per questa pagina, poi torni qui.',
  },
  pushNotAllowed: 'Non ha dato il permesso al browser. Le attivi di nuovo perché la domanda sia riproposta.',
  pushFailed: 'Non è stato possibile abbonare il browser. Riprovi più tardi.',

  quiet: 'Ore di quiete',
  quietOn: 'Non disturbarmi, ogni giorno',
  quietFrom: 'Dalle',
  quietTo: 'Alle',
  timeZone: 'Fuso orario',
  criticalPasses: 'Avvisami comunque di ciò che è critico',
  quietMissing: 'Indichi quando cominciano e finiscono le ore di quiete.',

  mutes: 'Avvisi silenziati',
  mutesNone: 'Nulla è silenziato.',
  muteOf: 'Nella sessione {session}',
  muteOfAll: 'In tutte le sessioni',

  save: 'Salva',
  saved: 'Salvato.',
  saveFailed: 'Non è stato possibile salvare. Quanto ha inserito è ancora qui: riprovi.',
  saveRefused:
    'Il server non lo accetta. Quanto ha inserito è ancora qui: lo controlli, oppure torni indietro e riapra le impostazioni.',
};
