const SECONDS = { y: 31_536_000, w: 604_800, d: 86_400, h: 3_600, m: 60, s: 1, ms: 0.001 };

/** A duration as Prometheus writes it, in seconds; `undefined` for what is none, or nothing. */
export function parseDuration(text: string): number | undefined {
  if (!/^(\d+y)?(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?$/.test(text)) return undefined;
  let sum = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)(ms|[ywdhms])/g)) {
    sum += Number(count) * SECONDS[unit as keyof typeof SECONDS];
  }
  return sum > 0 ? sum : undefined;
}
