import { Injectable } from '@nestjs/common';
import { nodeResponse } from '../http/http-request.js';
import type { HttpResponse } from '../http/http-request.js';
import { DatabaseClock } from './database-clock.js';

/** How far (ms) this machine's clock may be from the database's before an answer's `Date` is not this machine's. */
const MOST_APART = 1_000;

/**
 * What time it is, on a machine whose own clock may be wrong.
 *
 * What expires by somebody's clock is judged by three: this machine's, the database's and the issuer's. The one in the
 * middle counts, so that one that is wrong, whichever it is, changes nothing.
 */
@Injectable()
export class TrustedClock {
  /** What has to be added to a local moment (`performance.now()`, ms). */
  private issuersOffset: number | undefined;

  constructor(private readonly databaseClock: DatabaseClock) {}

  /**
   * Takes note of the issuer's time.
   * @param moment local, when it was that (`performance.now()`, ms)
   */
  learnIssuers(time: Date, moment: number): void {
    this.issuersOffset = time.getTime() - moment;
  }

  /** ms since 1970 */
  now(): number {
    const [own, moment] = [Date.now(), performance.now()];
    if (!this.databaseClock.isSet) return own;
    const databases = this.databaseClock.at(moment) / 1000;
    // Of two nobody is in the middle; the database's is that of all the other replicas.
    if (this.issuersOffset === undefined) return databases;
    const issuers = this.issuersOffset + moment;
    return Math.max(Math.min(own, databases), Math.min(Math.max(own, databases), issuers));
  }

  /** Lets an answer say the time as alerts have it, which is the database's: pages tell by it how old they are. */
  tell(response: HttpResponse): void {
    if (!this.databaseClock.isSet) return;
    const time = this.databaseClock.at(performance.now()) / 1000;
    if (Math.abs(time - Date.now()) <= MOST_APART) return;
    nodeResponse(response).setHeader('Date', new Date(time).toUTCString());
  }
}
