/**
 * Waits that grow with each failure, each drawn evenly from nothing to its bound ("full jitter"), so that many pages
 * that lost the same server do not come back at the same moment.
 */
export class BackOff {
  private failures = 0;

  /**
   * @param first bound of the first wait (ms)
   * @param cap bound that no wait exceeds (ms)
   */
  constructor(
    public first: number,
    private readonly cap: number,
  ) {}

  /** The next wait (ms). */
  next(): number {
    const bound = Math.min(this.cap, this.first * 2 ** this.failures);
    this.failures += 1;
    return Math.random() * bound;
  }

  /** All went well: the next wait is a first one again. */
  reset(): void {
    this.failures = 0;
  }
}

/** A time (ms) and up to a fifth more or less, so that many pages do not keep step. */
export function about(time: number): number {
  return time * (0.8 + 0.4 * Math.random());
}
