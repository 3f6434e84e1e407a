import { Inject, Injectable, Logger } from '@nestjs/common';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import { ALERTS_SETTINGS } from '../options/alerts-settings.js';
import type { AlertsSettings } from '../options/alerts-settings.js';
import { AlertsClock } from '../clock/alerts-clock.js';
import { DatabaseClock } from '../clock/database-clock.js';
import { Standstill } from '../http/standstill.service.js';
import { AlertsService } from '../alerts/alerts.service.js';
import { PeriodicJob } from './periodic-job.js';
import { UpkeepRepository } from './upkeep.repository.js';
import { stillOverdue } from './upkeep.statements.js';

/** Number of the job among those that one replica at a time does. */
const UPKEEP_JOB = 1;
/** How many alerts one transaction closes or deletes: locks are short. */
const BATCH = 500;

const SIGHTINGS_BATCH = 10_000;
/** For so long (ms) a request may be under way whose place in the order of arrival sightings tell. */
const LONGEST_REQUEST = 15 * 60_000;
/** By then (ms) Alertmanager has tried again what it could not tell us. */
const LONGEST_RETRY = 10 * 60_000;

/** Closes what nothing has refreshed for too long and deletes what is old enough, on one replica at a time. */
@Injectable()
export class UpkeepService implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(UpkeepService.name);
  private readonly job: PeriodicJob;
  /** Since when webhooks have been stored, as far as this process knows (ms). */
  private hearingSince = Infinity;

  constructor(
    @Inject(ALERTS_SETTINGS) private readonly settings: AlertsSettings,
    private readonly alerts: AlertsService,
    private readonly repository: UpkeepRepository,
    private readonly clock: AlertsClock,
    private readonly databaseClock: DatabaseClock,
    private readonly standstill: Standstill,
  ) {
    this.job = new PeriodicJob('Upkeep', settings.upkeep.interval, this.logger, (signal) => this.run(signal));
  }

  onApplicationBootstrap(): void {
    this.hearingSince = this.now();
    this.job.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.job.stop();
  }

  /** Does what is due now; nothing where another replica is at it. */
  async run(signal?: AbortSignal): Promise<void> {
    try {
      await this.repository.exclusively(UPKEEP_JOB, () => this.expire(signal));
    } catch (error) {
      this.hearingSince = this.now();
      throw error;
    }
    await this.repository.exclusively(UPKEEP_JOB, () => this.deleteOld(signal));
  }

  private async expire(signal?: AbortSignal): Promise<void> {
    const { upkeep } = this.settings;
    await this.repository.carryOverSightings(upkeep.expireAfter);
    // The database's clock tells whether this machine has slept.
    await this.repository.now();
    // However long we or the database were away, or stood still: what still fires is repeated first.
    if (this.heardFor() < Math.min(upkeep.expireAfter, LONGEST_RETRY)) return;
    const expired = await inBatches(() => this.closeOverdue(), signal);
    if (expired > 0) {
      this.logger.log(`Closed ${expired} alerts that nothing has refreshed: their resolves were lost`);
    }
  }

  /**
   * Closes, at most so many at a time, conditions that nothing has refreshed for `expireAfter` (rule 9), and events for
   * `eventTtl` (rule 10). What was only sighted since counts where `carryOverSightings` has been done.
   */
  private async closeOverdue(): Promise<number> {
    const { expireAfter, eventTtl } = this.settings.upkeep;
    const now = (await this.repository.now()).getTime();
    const deadlines = { conditions: new Date(now - expireAfter), events: new Date(now - eventTtl) };
    const overdue = await this.repository.findOverdue(deadlines, BATCH);
    if (overdue.length === 0) return 0;
    const users = overdue.map(({ user_id }) => user_id);
    const ids = overdue.map(({ id }) => id);
    // A webhook may have refreshed one since.
    return this.alerts.closeNamed(users, (some) => stillOverdue(deadlines, ids, some), 'expired');
  }

  private async deleteOld(signal?: AbortSignal): Promise<void> {
    const { expireAfter, retention } = this.settings.upkeep;
    const deleted = await inBatches(() => this.repository.deleteEnded(retention, BATCH), signal);
    if (deleted > 0) this.logger.log(`Deleted ${deleted} rows of alerts that ended long ago`);
    const countedAlready = expireAfter + LONGEST_REQUEST;
    await inBatches(() => this.repository.deleteSightings(countedAlready, SIGHTINGS_BATCH), signal);
  }

  /** For how long (ms) webhooks have been stored, as far as this process knows. */
  private heardFor(): number {
    const brokenOffAt = Math.max(this.standstill.runningSince, this.databaseClock.steadySince);
    return this.now() - Math.max(this.hearingSince, brokenOffAt);
  }

  /** By a clock that nobody sets, and that tests move (ms). */
  private now(): number {
    return performance.now() + this.clock.ahead;
  }
}

/** Repeats until a batch finds nothing; returns the sum. */
async function inBatches(work: () => Promise<number>, signal?: AbortSignal): Promise<number> {
  let sum = 0;
  while (!signal?.aborted) {
    const done = await work();
    if (done === 0) break;
    sum += done;
  }
  return sum;
}
