/** How grave an alert is, as far as the panel tells by colour and icon. */
export type Severity = 'critical' | 'warning' | 'info' | 'other';

/** What Prometheus's rules call `severity` is free text; three words of it are understood. */
export function severityOf(text: string | null): Severity {
  const word = text?.trim().toLowerCase();
  return word === 'critical' || word === 'warning' || word === 'info' ? word : 'other';
}

const GRAVEST_FIRST: readonly Severity[] = ['critical', 'warning', 'info', 'other'];

/** The gravest of some severities; `other` of none. */
export function gravest(severities: readonly Severity[]): Severity {
  return GRAVEST_FIRST.find((severity) => severities.includes(severity)) ?? 'other';
}
