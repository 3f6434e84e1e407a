import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@nestjs/common';
import { messagesOf } from '../http/error-messages.js';

/** The database, which has just been asked for, is there by then (ms). */
const FIRST_WAIT = 5_000;

/** The longest time (ms) that a timer holds; with a longer one it fires at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** Work that is done again and again, never twice at once, and goes on after a failure. */
export class PeriodicJob {
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;
  private isFailing = false;

  /**
   * @param name how the log calls it
   * @param interval ms from the end of one run to the start of the next
   */
  constructor(
    private readonly name: string,
    private readonly interval: number,
    private readonly logger: Logger,
    private readonly work: (signal: AbortSignal) => Promise<void>,
  ) {}

  start(): void {
    this.running = this.run();
  }

  /** Waits for the run that is under way. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    for (let wait = Math.min(this.interval, FIRST_WAIT); ; wait = this.interval) {
      // Replicas that started together shall not ask together.
      await waitFor(wait * (0.9 + 0.2 * Math.random()), signal);
      if (signal.aborted) return;
      await this.runOnce(signal);
    }
  }

  private async runOnce(signal: AbortSignal): Promise<void> {
    try {
      await this.work(signal);
      if (this.isFailing) this.logger.log(`${this.name} works again`);
      this.isFailing = false;
    } catch (error) {
      if (signal.aborted) return;
      // Said once, not at every interval of a long outage.
      if (!this.isFailing) this.logger.warn(`${this.name} failed, and is tried again: ${messagesOf(error)}`);
      this.isFailing = true;
    }
  }
}

/** However long that is (ms); until it shall stop. */
async function waitFor(time: number, signal: AbortSignal): Promise<void> {
  for (let left = time; left > 0 && !signal.aborted; left -= LONGEST_TIMER) {
    await sleep(Math.min(left, LONGEST_TIMER), undefined, { signal, ref: false }).catch(() => undefined);
  }
}
