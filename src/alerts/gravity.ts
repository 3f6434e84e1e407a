/** The severities that people use, in their order; of those that say the same, each is as grave. */
const GRAVITIES: ReadonlyMap<string, number> = new Map([
  ['critical', 4],
  ['error', 3],
  ['page', 3],
  ['major', 3],
  ['high', 3],
  ['warning', 2],
  ['info', 0],
  ['none', 0],
]);
/** Graver than what says of itself that it is nothing. */
const UNKNOWN = 1;

/** How grave an alert of that severity is: a higher number is graver. */
export function gravityOf(severity: string | null): number {
  return (severity === null ? undefined : GRAVITIES.get(severity.toLowerCase())) ?? UNKNOWN;
}
