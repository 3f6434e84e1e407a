import type { IncomingMessage } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { OnModuleDestroy, OnModuleInit } from '@nestjs/common';
import { RetryLaterException } from './http-exceptions.js';

const BEAT = 500;
/** After so long (ms) without a beat the process has stood still: it was stopped, or its machine. */
const STANDSTILL = 5_000;
/** For how long (ms) it then reads what was sent meanwhile. */
const AFTERMATH = 30_000;

/**
 * Notices that the process has stood still. What was sent meanwhile waits in the system's buffers, and looks as if it
 * came now; but who sent it may have given up, and have it stored elsewhere, and newer things after it (rule 7).
 */
@Injectable()
export class Standstill implements OnModuleInit, OnModuleDestroy {
  private beatAt = performance.now();
  private overAt = -Infinity;
  private beat: NodeJS.Timeout | undefined;

  onModuleInit(): void {
    this.beatAt = performance.now();
    this.beat = setInterval(() => {
      this.noteBeat();
    }, BEAT).unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.beat);
  }

  /** Whether a request may have been sent long before it was read. */
  get isRecent(): boolean {
    const now = performance.now();
    return now - this.beatAt > STANDSTILL || now - this.overAt < AFTERMATH;
  }

  /** Since when it has been running without a break, as far as it knows (`performance.now()`, ms). */
  get runningSince(): number {
    const now = performance.now();
    return now - this.beatAt > STANDSTILL ? now : this.overAt;
  }

  /**
   * Waits until it is known whether somebody still waits for the answer to a request that has been read to its end.
   * @throws RetryLaterException nobody does
   */
  async refuseAbandoned({ socket }: IncomingMessage): Promise<void> {
    // The end of the connection is read the next time that the system is asked.
    await setImmediate();
    await setImmediate();
    if (socket.readableEnded || socket.destroyed) {
      throw new RetryLaterException('Who sent this has given up meanwhile. Send it again.', 1);
    }
  }

  private noteBeat(): void {
    const now = performance.now();
    if (now - this.beatAt > STANDSTILL) this.overAt = now;
    this.beatAt = now;
  }
}
