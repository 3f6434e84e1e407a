/** A text in the forms that a language has for numbers (`Intl.PluralRules`), which `{count}` in it stands for. */
export type PluralText = Partial<Record<Intl.LDMLPluralRule, string>> & { other: string };

/** Severities that there are words for. */
export type KnownSeverity =
  'critical' | 'page' | 'error' | 'major' | 'high' | 'warning' | 'minor' | 'info' | 'none';

/** All that mail and its pages say. `{…}` stands for what is put in. */
export interface DeliveryTexts {
  severities: Record<KnownSeverity, string>;
  /** What a message says first, by its gravest alert: `{title}`, `{session}`. */
  subject: string;
  /** Of several: `{subject}` is that of the gravest. */
  subjectOfMore: PluralText;
  /** `{subject}` */
  subjectOver: string;
  subjectOfMoreOver: PluralText;
  /** What has become of an alert. */
  transitions: { opened: string; escalated: string; over: string };
  /** `{session}` */
  session: string;
  /** `{time}`, which is in UTC. */
  since: string;
  /** Of what is over: `{from}`, `{to}`. */
  period: string;
  openSession: string;
  runbook: string;
  /** `{count}` */
  andMore: PluralText;
  /** Why somebody gets mail: `{address}`. */
  why: string;
  turnOff: string;

  /** The page on which e-mail is turned off. */
  offTitle: string;
  offQuestion: string;
  offDone: string;
  offDoneHint: string;
  offUnknown: string;
  offUnknownHint: string;
}

export const ENGLISH: DeliveryTexts = {
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
  subject: '{title} (session {session})',
  subjectOfMore: { one: '{count} alert: {subject}', other: '{count} alerts: {subject}' },
  subjectOver: 'Over: {subject}',
  subjectOfMoreOver: { one: '{count} alert over: {subject}', other: '{count} alerts over: {subject}' },
  transitions: { opened: 'New', escalated: 'Now graver', over: 'Over' },
  session: 'Session {session}',
  since: 'since {time}',
  period: 'from {from} to {to}',
  openSession: 'Open the session',
  runbook: 'What to do',
  andMore: { one: 'and {count} more', other: 'and {count} more' },
  why: 'You get this mail at {address} because e-mail is turned on in your alert settings.',
  turnOff: 'Turn e-mail off',
  offTitle: 'Turn off e-mail about alerts',
  offQuestion: 'You will get no more mail about alerts. In your session page they are still shown.',
  offDone: 'E-mail about alerts is turned off',
  offDoneHint: 'You can turn it on again in the alert settings of your session page.',
  offUnknown: 'This address is not valid',
  offUnknownHint:
    'Nothing was changed. E-mail can be turned off in the alert settings of your session page, too.',
};

/** Puts values in where a text names them. */
export function fill(text: string, values: Record<string, string>): string {
  return text.replace(/\{(\w+)\}/g, (placeholder, name: string) => values[name] ?? placeholder);
}

/** The form of a text for a number. */
export function fillPlural(
  forms: PluralText,
  count: number,
  language: string,
  values: Record<string, string> = {},
): string {
  const form = forms[new Intl.PluralRules(language).select(count)] ?? forms.other;
  return fill(form, { ...values, count: new Intl.NumberFormat(language).format(count) });
}
