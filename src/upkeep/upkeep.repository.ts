import { Injectable } from '@nestjs/common';
import type { FiringObservation } from '../alerts/observation.js';
import { AlertsDatabase } from '../database/alerts-database.js';
import * as statements from './upkeep.statements.js';
import type { Deadlines } from './upkeep.statements.js';

/** A series that fires behind an open alert. */
export interface FiringSeries {
  seriesKey: number;
  seriesFingerprint: string;
  /** That of its alert. */
  fingerprint: number;
  userId: string;
  sessionName: string;
  /** How long ago it, or its alert, was last seen (ms). */
  unseenFor: number;
}

/** The same as it is read: `pg` reads a bigint as text. */
type StoredFiringSeries = {
  [Name in keyof FiringSeries]: FiringSeries[Name] extends number ? string : FiringSeries[Name];
};

/** Reads and writes what nobody asked for. */
@Injectable()
export class UpkeepRepository {
  constructor(private readonly database: AlertsDatabase) {}

  now(): Promise<Date> {
    return this.database.now();
  }

  /** At most so many open alerts that are overdue. */
  findOverdue(deadlines: Deadlines, most: number): Promise<{ id: string; user_id: string }[]> {
    return this.database.query(statements.findOverdue(deadlines, most));
  }

  /** Writes to the open alerts not seen for so long (ms) when their series were last sighted. */
  async carryOverSightings(unseenFor: number): Promise<void> {
    const carryOver = (since: Date, userIds?: string[]) =>
      this.database.run(statements.carryOverSightings(since, userIds), { joinsMany: true });
    const since = before(await this.now(), unseenFor);
    if (!(await this.database.isDistributed())) {
      await carryOver(since);
      return;
    }
    const unseen = await this.database.query<{ userId: string }>(statements.usersUnseen(since));
    await this.database.byUsers(
      unseen.map(({ userId }) => userId),
      (userIds) => carryOver(since, userIds),
    );
  }

  /** Deletes, at most so many, sightings from longer ago than `retention` (ms); returns how many went. */
  async deleteSightings(retention: number, most: number): Promise<number> {
    const [row] = await this.database.run<{ deleted: string }>((now) =>
      statements.deleteSightings(before(now, retention), most),
    );
    return Number(row?.deleted);
  }

  /** Deletes, at most so many, alerts that were closed longer ago than `retention` (ms); returns how many went. */
  async deleteEnded(retention: number, most: number): Promise<number> {
    const [row] = await this.database.run<{ deleted: string }>((now) =>
      statements.deleteEnded(before(now, retention), most),
    );
    return Number(row?.deleted);
  }

  /** The firing series behind open alerts that came from Alertmanager. */
  async listFiringSeries(): Promise<FiringSeries[]> {
    const rows = await this.database.run<StoredFiringSeries>((now) => statements.listFiringSeries(now), {
      joinsMany: true,
    });
    return rows.map((row) => ({
      ...row,
      seriesKey: Number(row.seriesKey),
      fingerprint: Number(row.fingerprint),
      unseenFor: Number(row.unseenFor),
    }));
  }

  /** How many of these follow upon an alert of the same identity that a silence closed. */
  async countAfterSilence(opened: FiringObservation[]): Promise<number> {
    if (opened.length === 0) return 0;
    const users = opened.map(({ userId }) => userId);
    const counts = await this.database.byUsers(users, async (userIds) => {
      const own = opened.filter(({ userId }) => userIds.includes(userId));
      const [row] = await this.database.query<{ count: string }>(statements.countAfterSilence(own));
      return Number(row?.count);
    });
    return counts.reduce((sum, count) => sum + count, 0);
  }

  async countOpen(): Promise<number> {
    const [row] = await this.database.query<{ open: string }>(statements.COUNT_OPEN);
    return Number(row?.open);
  }

  /**
   * Runs the work unless another replica is at the same job just now.
   * @returns whether it ran here
   */
  exclusively(job: number, work: () => Promise<void>): Promise<boolean> {
    return this.database.exclusively(job, work);
  }

  /**
   * Whether it is this replica's turn to reconcile; then it counts as done now. One replica goes on doing it every
   * `interval` (ms); when it is late, another takes over.
   */
  async takeTurn(replica: string, interval: number): Promise<boolean> {
    return (await this.database.run(statements.takeTurn(replica, interval))).length > 0;
  }

  /** Says when the turn ended, from where the interval counts: just now, or so long ago that anybody may take over. */
  async endTurn(replica: string, { isLast = false } = {}): Promise<void> {
    await this.database.run(statements.endTurn(replica, isLast));
  }
}

/** The moment so many ms before another. */
function before(now: Date, duration: number): Date {
  return new Date(now.getTime() - duration);
}
