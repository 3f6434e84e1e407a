/** NaN where there are no values. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

/** NaN where there are no values. */
export function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle)] ?? NaN)) / 2;
}

/**
 * Between which of the values the median of all that could be measured lies, at 95 %; whatever their distribution is.
 * @returns undefined of fewer than six, which do not tell
 */
export function boundsOfMedian(values: readonly number[]): [least: number, most: number] | undefined {
  // So few of the values are below it with a chance of 2.5 % at most: each is with one half.
  let below = -1;
  let chance = 0.5 ** values.length;
  for (let sum = chance; sum <= 0.025; sum += chance) {
    below += 1;
    chance *= (values.length - below) / (below + 1);
  }
  const sorted = Float64Array.from(values).sort();
  const [least, most] = [sorted[below], sorted[values.length - 1 - below]];
  return least === undefined || most === undefined ? undefined : [least, most];
}

/** NaN where there are no values. */
export function mean(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0) / values.length;
}
