import { formatter } from './formatter.js';

/** A text in the forms that a language has for numbers (`Intl.PluralRules`); English has `one` and `other`. */
export type PluralText = Partial<Record<Intl.LDMLPluralRule, string>> & { other: string };

/** All that the panel says. `{…}` stands for what is put in. */
export interface SessionAlertsTexts {
  /** Name of the bell and of the panel. */
  heading: string;
  /** The bell, with its number of alerts: `{count}`. */
  bellOpen: PluralText;
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

  severities: {
    critical: string;
    warning: string;
    info: string;
    /** Of an alert that says nothing of its severity. */
    none: string;
  };
  justNow: string;
  runbook: string;
  dismiss: string;
  /** The button's full name, `{title}`; it should begin with `dismiss`. */
  dismissAlert: string;
  /** `{title}` */
  dismissFailed: string;
  /** Above what else fires behind an alert. */
  also: string;
  /** `{count}` */
  showMore: PluralText;
  /** What is open and not listed: `{count}`. */
  andMore: PluralText;

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

  /** Said aloud only: `{count}`, `{titles}`. */
  announceNew: PluralText;
  /** Of alerts that have become graver. */
  announceGraver: PluralText;
  announceEnded: PluralText;
  announceDismissed: string;
}

/** The texts that a page replaces; the others stay English. */
export type SessionAlertsTextsOverride = Partial<Omit<SessionAlertsTexts, 'severities' | 'reasons'>> & {
  severities?: Partial<SessionAlertsTexts['severities']>;
  reasons?: Partial<SessionAlertsTexts['reasons']>;
};

export const ENGLISH: SessionAlertsTexts = {
  heading: 'Alerts',
  bellOpen: { one: 'Alerts: {count} open', other: 'Alerts: {count} open' },
  bellNone: 'Alerts: none',
  bellUnknown: 'Alerts: not known',
  close: 'Close',

  loading: 'Looking for alerts…',
  unknown: 'It is not known whether there are alerts.',
  none: 'No alerts',
  noneHint: 'Should your session get into trouble, you will see it here.',
  outOfDate: 'Alerts may be out of date.',
  outOfDateSince: 'Alerts may be out of date since {time}.',

  severities: { critical: 'Critical', warning: 'Warning', info: 'Info', none: 'Notice' },
  justNow: 'just now',
  runbook: 'What to do',
  dismiss: 'Dismiss',
  dismissAlert: 'Dismiss: {title}',
  dismissFailed: '“{title}” could not be dismissed. Please try again.',
  also: 'Also:',
  showMore: { one: 'Show {count} more', other: 'Show {count} more' },
  andMore: { one: 'and {count} more, less grave or older', other: 'and {count} more, less grave or older' },

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
  announceGraver: { one: 'Now {titles}', other: '{count} alerts are graver now: {titles}' },
  announceEnded: { one: 'Alert ended: {titles}', other: '{count} alerts ended: {titles}' },
  announceDismissed: 'Dismissed: {title}',
};

/** English, with what a page has replaced. */
export function completeTexts(override: SessionAlertsTextsOverride): SessionAlertsTexts {
  return {
    ...ENGLISH,
    ...override,
    severities: { ...ENGLISH.severities, ...override.severities },
    reasons: { ...ENGLISH.reasons, ...override.reasons },
  };
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
