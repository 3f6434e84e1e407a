import { formatter } from './formatter.js';
import type { PluralText } from './plural-text.js';
import type { SettingsTexts } from './settings-texts.js';
import type { KnownSeverity } from './severity.js';

export type { PluralText };

/** All that the panel says. `{…}` stands for what is put in. */
export interface SessionAlertsTexts {
  /** Name of the bell and of the panel. */
  heading: string;
  /** The bell, with its number of alerts: `{count}`. */
  bellOpen: PluralText;
  /** The bell, with `{open}` as `bellOpen` says it, and the number of those that were not seen yet: `{count}`. */
  bellNew: PluralText;
  bellNone: string;
  bellUnknown: string;
  close: string;

  loading: string;
  unknown: string;
  none: string;
  noneHint: string;
  outOfDate: string;
  /** `{time}` */
  outOfDateSince: string;

  /** What the words for `severity` are called, as in a sentence; where they stand alone they begin with a capital. */
  severities: Record<KnownSeverity, string>;
  justNow: string;
  /** Of an alert that its person has muted for good, and for a time: `{time}`. */
  muted: string;
  mutedUntil: string;
  /** Heading of a session's alerts: `{session}`. */
  session: string;
  /** Heading of alerts that belong to no session. */
  noSession: string;
  runbook: string;
  /** Full name of a link: `{label}`, `{title}`, `{newTab}`. */
  linkOf: string;
  /** Of links, that they lead to another tab. */
  newTab: string;
  dismiss: string;
  /** The button's full name, `{title}`; it should begin with `dismiss`. */
  dismissAlert: string;
  /** `{title}` */
  dismissFailed: string;
  /** In place of what can be done with an alert, once it was dismissed. */
  dismissed: string;
  undo: string;
  /** `{title}` */
  undoAlert: string;
  /** Dismisses those that were on screen: `{count}`. */
  dismissAll: PluralText;
  /** The button's full name where it is for one session: `{count}`, `{session}`. */
  dismissAllOf: PluralText;
  undoAll: string;
  showAll: string;
  /** `{title}` */
  showAllOf: string;
  /** Above what else fires behind an alert. */
  also: string;
  /** `{count}` */
  showMore: PluralText;
  /** What is open and not listed: `{count}`. */
  andMore: PluralText;

  /** Turns on notifications of the desktop. */
  notify: string;
  notifyDenied: string;

  /** What ended in the last 24 hours. */
  earlier: string;
  earlierLoading: string;
  earlierNone: string;
  earlierFailed: string;
  /** `{count}` */
  earlierCapped: PluralText;
  tryAgain: string;
  /** Why an alert ended, by the API's `resolved_reason`. */
  reasons: {
    resolved: string;
    manual: string;
    dismissed: string;
    expired: string;
    session_ended: string;
    reconciled: string;
    silenced: string;
    /** Of a reason that the panel does not know. */
    other: string;
  };

  /** Said aloud, and by notifications: `{count}`, `{titles}`, and of one `{severity}` and `{title}`. */
  announceNew: PluralText;
  /** Of alerts that have become graver. */
  announceGraver: PluralText;
  announceEnded: PluralText;
  announceDismissed: string;

  /** What the settings say, where that is to be other than the panel has it, or is in another language. */
  settings?: Partial<SettingsTexts>;
}

/** The texts that a page replaces; the others stay as the panel has them. */
export type SessionAlertsTextsOverride = Partial<Omit<SessionAlertsTexts, 'severities' | 'reasons'>> & {
  severities?: Partial<SessionAlertsTexts['severities']>;
  reasons?: Partial<SessionAlertsTexts['reasons']>;
};

export const ENGLISH: SessionAlertsTexts = {
  heading: 'Alerts',
  bellOpen: { one: 'Alerts: {count} open', other: 'Alerts: {count} open' },
  bellNew: { one: '{open}, {count} new', other: '{open}, {count} new' },
  bellNone: 'Alerts: none',
  bellUnknown: 'Alerts: not known',
  close: 'Close',

  loading: 'Looking for alerts…',
  unknown: 'It is not known whether there are alerts.',
  none: 'No alerts',
  noneHint: 'Should your session get into trouble, you will see it here.',
  outOfDate: 'Alerts may be out of date.',
  outOfDateSince: 'Alerts may be out of date since {time}.',

  severities: {
    critical: 'critical',
    page: 'urgent',
    error: 'error',
    major: 'major',
    high: 'high',
    warning: 'warning',
    minor: 'minor',
    info: 'info',
    none: 'notice',
  },
  justNow: 'just now',
  muted: 'Muted',
  mutedUntil: 'Muted until {time}',
  session: 'Session {session}',
  noSession: 'Of no session',
  runbook: 'What to do',
  linkOf: '{label}: {title} {newTab}',
  newTab: '(opens in a new tab)',
  dismiss: 'Dismiss',
  dismissAlert: 'Dismiss: {title}',
  dismissFailed: '“{title}” could not be dismissed. Please try again.',
  dismissed: 'Dismissed',
  undo: 'Undo',
  undoAlert: 'Undo: {title}',
  dismissAll: { one: 'Dismiss all read ({count})', other: 'Dismiss all read ({count})' },
  dismissAllOf: {
    one: 'Dismiss all read ({count}): {session}',
    other: 'Dismiss all read ({count}): {session}',
  },
  undoAll: 'Undo all',
  showAll: 'Show all',
  showAllOf: 'Show all: {title}',
  also: 'Also:',
  showMore: { one: 'Show {count} more', other: 'Show {count} more' },
  andMore: { one: 'and {count} more, less grave or older', other: 'and {count} more, less grave or older' },

  notify: 'Notify me while this tab is hidden',
  notifyDenied:
    'Your browser does not let this page notify you. You can allow it in the browser’s settings for this page.',

  earlier: 'Earlier',
  earlierLoading: 'Looking for what ended…',
  earlierNone: 'Nothing ended in the last 24 hours.',
  earlierFailed: 'What ended earlier cannot be shown at the moment.',
  earlierCapped: { other: 'Only the last {count} are shown.' },
  tryAgain: 'Try again',
  reasons: {
    resolved: 'Over',
    manual: 'Closed by an administrator',
    dismissed: 'Dismissed by you',
    expired: 'No longer reported',
    session_ended: 'Session ended',
    reconciled: 'No longer reported',
    silenced: 'Silenced by an administrator',
    other: 'Ended',
  },

  announceNew: { one: 'New alert: {titles}', other: '{count} new alerts: {titles}' },
  announceGraver: { one: 'Now {severity}: {title}', other: '{count} alerts are graver now: {titles}' },
  announceEnded: { one: 'Alert ended: {titles}', other: '{count} alerts ended: {titles}' },
  announceDismissed: 'Dismissed: {title}',
};

/** A language's texts, with what a page has replaced; what the language does not have is in English. */
export function completeTexts(
  texts: SessionAlertsTexts,
  override: SessionAlertsTextsOverride,
): SessionAlertsTexts {
  return {
    ...ENGLISH,
    ...texts,
    ...override,
    severities: { ...texts.severities, ...override.severities },
    reasons: { ...texts.reasons, ...override.reasons },
  };
}

/** A text as it stands alone: with a capital. */
export function capitalized(text: string, language: string | undefined): string {
  const [first = ''] = text;
  return first.toLocaleUpperCase(language) + text.slice(first.length);
}

/** Puts values in where a text names them. */
export function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (placeholder, name: string) => String(values[name] ?? placeholder));
}

/** The form of a text for a number, which `{count}` in it stands for. */
export function fillPlural(
  forms: PluralText,
  count: number,
  language: string | undefined,
  values: Record<string, string> = {},
): string {
  const form = forms[pluralRule(count, language)] ?? forms.other;
  return fill(form, { ...values, count: formatter(Intl.NumberFormat, language, {}).format(count) });
}

function pluralRule(count: number, language: string | undefined): Intl.LDMLPluralRule {
  try {
    return new Intl.PluralRules(language).select(count);
  } catch {
    // What the page names is no language.
    return 'other';
  }
}
