const MINUTE = 60_000;

/** How many there were since the last line, and how the next one says so. */
interface Untold {
  count: number;
  line: (count: number) => string;
}

/**
 * Log lines that callers can cause, as many as they please: the first of a reason is written at once, and then at most
 * one a minute, with how many there were. Reasons are few, and none is of a caller's making.
 */
export class OnceAMinute {
  private readonly untold = new Map<string, Untold>();

  constructor(private readonly write: (line: string) => void) {}

  /** Whether a line of that reason was written within the last minute. */
  hasSaid(reason: string): boolean {
    return this.untold.has(reason);
  }

  /** @param line what to write, knowing how many it stands for */
  say(reason: string, line: Untold['line'], count = 1): void {
    const untold = this.untold.get(reason);
    if (untold) {
      untold.count += count;
      untold.line = line;
      return;
    }
    this.write(line(count));
    this.wait(reason);
  }

  private wait(reason: string): void {
    const untold: Untold = { count: 0, line: () => '' };
    this.untold.set(reason, untold);
    setTimeout(() => {
      this.untold.delete(reason);
      if (untold.count === 0) return;
      this.write(untold.line(untold.count));
      this.wait(reason);
    }, MINUTE).unref();
  }
}
