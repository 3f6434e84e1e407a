/** How grave an alert is, as far as the panel tells by colour. */
export type Severity = 'critical' | 'error' | 'warning' | 'minor' | 'info' | 'other';

/** What rules call `severity` is free text; these are the words that people use, in the API's order. */
const KNOWN = {
  critical: 'critical',
  page: 'error',
  error: 'error',
  major: 'error',
  high: 'error',
  warning: 'warning',
  minor: 'minor',
  info: 'info',
  none: 'other',
} as const satisfies Record<string, Severity>;

/** A severity that the panel has a word and an icon for. */
export type KnownSeverity = keyof typeof KNOWN;

/** The severity that a text says; undefined where it says none, or one that the panel does not know. */
export function knownSeverity(text: string | null): KnownSeverity | undefined {
  const word = text?.trim().toLowerCase() ?? '';
  return Object.hasOwn(KNOWN, word) ? (word as KnownSeverity) : undefined;
}

export function severityOf(text: string | null): Severity {
  const known = knownSeverity(text);
  return known === undefined ? 'other' : KNOWN[known];
}

const GRAVEST_FIRST: readonly Severity[] = ['critical', 'error', 'warning', 'minor', 'other', 'info'];

/** The gravest of some severities; `other` of none. */
export function gravest(severities: readonly Severity[]): Severity {
  return GRAVEST_FIRST.find((severity) => severities.includes(severity)) ?? 'other';
}
