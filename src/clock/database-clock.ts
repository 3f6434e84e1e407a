import { Injectable } from '@nestjs/common';

/** By how much (µs) the database's time may have gone on beyond what has passed here. */
const JUMP = 2_000_000;

/**
 * Tells when, by the database's clock, something happened here, without asking. Replicas whose own clocks
 * disagree so agree on the order in which requests arrived (rule 7).
 *
 * The offset is moved only when an answer proves it wrong: the database's time was read between sending and
 * receiving, so two moments of one process keep their order.
 */
@Injectable()
export class DatabaseClock {
  private offset: number | undefined;
  private jumpedAt = -Infinity;

  /** Whether the database has told its time yet. */
  get isSet(): boolean {
    return this.offset !== undefined;
  }

  /**
   * Since when it has not gone on by more than has passed here (`performance.now()`, ms): where it has, this machine may
   * have slept, of which its own clock for what has passed says nothing.
   */
  get steadySince(): number {
    return this.jumpedAt;
  }

  /**
   * Learns from one answer.
   * @param sentAt,receivedAt local moments around the query (`performance.now()`, ms)
   * @param databaseTime the clock that the answer carries (µs since 1970)
   */
  learn(sentAt: number, receivedAt: number, databaseTime: number): void {
    const lowest = databaseTime - receivedAt * 1000;
    const highest = databaseTime - sentAt * 1000;
    if (this.offset !== undefined && lowest - this.offset > JUMP) this.jumpedAt = receivedAt;
    this.offset = Math.min(Math.max(this.offset ?? lowest, lowest), highest);
  }

  /** The database's time (µs since 1970) of a local moment (`performance.now()`, ms). */
  at(moment: number): number {
    if (this.offset === undefined) throw new Error('The database has not told its time yet');
    return Math.round(this.offset + moment * 1000);
  }
}
