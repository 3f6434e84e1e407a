import { withFields } from './log-fields.js';
import type { LogLine } from './log-fields.js';
import { currentTraceId } from './trace-context.js';

const MINUTE = 60_000;

/** How many there were of each reason. */
export type Counts = [reason: string, count: number][];

/** How many there were since the last line, how the next one says so, and the trace of the last of them. */
interface Untold {
  count: number;
  line: (counts: Counts) => string | LogLine;
  traceId: string | undefined;
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
  say(reason: string, line: (count: number) => string | LogLine, count = 1): void {
    this.sayAll([[reason, count]], (counts) => line(counts.reduce((sum, [, more]) => sum + more, 0)));
  }

  /**
   * Several reasons in one line, save those of which one was written within the last minute.
   * @param line what to write, knowing which it is of and how many it stands for
   */
  sayAll(counts: Counts, line: Untold['line']): void {
    if (counts.length === 0) return;
    const traceId = currentTraceId();
    const due: Counts = [];
    for (const [reason, count] of counts) {
      const untold = this.untold.get(reason);
      if (untold) Object.assign(untold, { count: untold.count + count, line, traceId });
      else due.push([reason, count]);
    }
    if (due.length > 0) this.tell(line(due), traceId);
    for (const [reason] of due) this.wait(reason);
  }

  private tell(line: string | LogLine, traceId: string | undefined): void {
    const { message, fields } = typeof line === 'string' ? { message: line, fields: {} } : line;
    withFields({ trace_id: traceId, ...fields }, () => {
      this.write(message);
    });
  }

  private wait(reason: string): void {
    const untold: Untold = { count: 0, line: () => '', traceId: undefined };
    this.untold.set(reason, untold);
    setTimeout(() => {
      this.untold.delete(reason);
      if (untold.count === 0) return;
      this.tell(untold.line([[reason, untold.count]]), untold.traceId);
      this.wait(reason);
    }, MINUTE).unref();
  }
}
