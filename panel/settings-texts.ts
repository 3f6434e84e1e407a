import type { PluralText } from './plural-text.js';

/** What the settings say. `{…}` stands for what is put in. */
export interface SettingsTexts {
  /** Name of the button that opens them, and of what it opens. */
  settings: string;
  /** Leads back to the alerts. */
  back: string;
  loading: string;
  /** Where they cannot be loaded. */
  loadFailed: string;

  mute: string;
  /** The button's full name, `{title}`; it should begin with `mute`. */
  muteAlert: string;
  unmute: string;
  /** As `muteAlert`, of `unmute`. */
  unmuteAlert: string;
  /** Above which alerts are muted, and for how long. */
  muteWhich: string;
  muteHere: string;
  muteEverywhere: string;
  muteHour: string;
  muteTomorrow: string;
  muteForGood: string;
  /** Said aloud: `{title}`. */
  announceMuted: string;
  announceUnmuted: string;
  /** `{title}` */
  muteFailed: string;

  /** Above the channels. */
  channels: string;
  noChannels: string;
  email: string;
  /** `{address}` */
  emailTo: string;
  emailUnknown: string;
  webPush: string;
  /** From which severity a channel tells. */
  from: string;
  /** The same as a full name: `{channel}`. */
  fromOf: string;

  pushOn: string;
  pushOff: string;
  pushIsOn: string;
  pushIsOff: string;
  /** `{count}` */
  pushElsewhere: PluralText;
  pushObstacles: {
    noWorker: string;
    insecure: string;
    notInstalled: string;
    unsupported: string;
    denied: string;
  };
  /** Where the browser's question was not answered. */
  pushNotAllowed: string;
  pushFailed: string;

  quiet: string;
  quietOn: string;
  quietFrom: string;
  quietTo: string;
  timeZone: string;
  criticalPasses: string;
  quietMissing: string;

  /** Above what is muted. */
  mutes: string;
  mutesNone: string;
  /** `{session}` */
  muteOf: string;
  muteOfAll: string;

  save: string;
  saved: string;
  saveFailed: string;
  /** Where the server does not take it. */
  saveRefused: string;
}
