import type { SettingsTexts } from './settings-texts.js';

export const TEXTS: SettingsTexts = {
  settings: 'Settings',
  back: 'Back to the alerts',
  loading: 'Looking for your settings…',
  loadFailed: 'Your settings cannot be shown at the moment.',

  mute: 'Mute',
  muteAlert: 'Mute: {title}',
  unmute: 'Unmute',
  unmuteAlert: 'Unmute: {title}',
  muteWhich: 'Mute alerts of this kind',
  muteHere: 'In this session',
  muteEverywhere: 'In all my sessions',
  muteHour: 'For one hour',
  muteTomorrow: 'Until tomorrow',
  muteForGood: 'For good',
  announceMuted: 'Muted: {title}',
  announceUnmuted: 'No longer muted: {title}',
  muteFailed: 'That could not be saved for “{title}”. Please try again.',

  channels: 'Tell me when I am not looking',
  noChannels: 'There is nothing here that could tell you of alerts outside of this page.',
  email: 'E-mail',
  emailTo: 'It goes to {address}.',
  emailUnknown:
    'It cannot be turned on, as no verified address of yours is known. Verify your e-mail address in your account, then sign in again.',
  webPush: 'Notifications of the browser',
  from: 'From severity',
  fromOf: '{channel}: from severity',

  pushOn: 'Turn on in this browser',
  pushOff: 'Turn off in this browser',
  pushIsOn: 'On in this browser.',
  pushIsOff: 'Off in this browser.',
  pushElsewhere: { one: 'On in {count} other browser.', other: 'On in {count} other browsers.' },
  pushObstacles: {
    noWorker: 'This page is not made for it.',
    insecure: 'Browsers allow it only in pages whose address begins with https.',
    notInstalled:
      'On iPhone and iPad, first add this page to the Home Screen (Share, Add to Home Screen), and open it from there.',
    unsupported: 'This browser cannot do it.',
    denied:
      'Your browser does not let this page notify you. Allow it in the browser’s settings for this page, then come back.',
  },
  pushNotAllowed: 'The browser was not given your permission. Turn it on again to be asked once more.',
  pushFailed: 'The browser could not be subscribed. Please try again later.',

  quiet: 'Quiet hours',
  quietOn: 'Leave me alone each day',
  quietFrom: 'From',
  quietTo: 'To',
  timeZone: 'Time zone',
  criticalPasses: 'Still tell me of critical alerts',
  quietMissing: 'Enter when the quiet hours begin and end.',

  mutes: 'Muted alerts',
  mutesNone: 'Nothing is muted.',
  muteOf: 'In session {session}',
  muteOfAll: 'In all sessions',

  save: 'Save',
  saved: 'Saved.',
  saveFailed: 'It could not be saved. What you entered is still here: please try again.',
  saveRefused:
    'The server does not take it. What you entered is still here: check it, or go back and open the settings again.',
};
