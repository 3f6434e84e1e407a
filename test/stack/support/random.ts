/** Random numbers that can be had again: the seed is the environment's SEED, or a new one. */
export class Random {
  private state: number;

  constructor(readonly seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31))) {
    this.state = seed;
  }

  /** From 0 up to 1 (Mulberry32). */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from `lowest` to `highest`. */
  between(lowest: number, highest: number): number {
    return lowest + Math.floor(this.next() * (highest - lowest + 1));
  }

  /** @throws RangeError there are none */
  oneOf<T>(items: readonly T[]): T {
    if (items.length === 0) throw new RangeError('There is nothing to choose from');
    return items[this.between(0, items.length - 1)] as T;
  }

  /** So many of them, none twice. */
  some<T>(items: readonly T[], count: number): T[] {
    const left = [...items];
    return Array.from({ length: Math.min(count, left.length) }, () =>
      left.splice(this.between(0, left.length - 1), 1),
    ).flat();
  }
}
