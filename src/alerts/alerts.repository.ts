import { hash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { Subject } from 'rxjs';
import type { Observable } from 'rxjs';
import type { DataSource } from 'typeorm';
import { ALERTS_DATA_SOURCE } from '../alerts.module-definition.js';
import { AlertsMetrics } from '../metrics/alerts-metrics.service.js';
import { firstAlertId, newAlertId } from './alert-id.js';
import { AlertLife } from './alert-life.js';
import type { LifeChanges, OpenedAlert, ResolvedReason } from './alert-life.js';
import { AlertsClock } from './alerts-clock.js';
import { momentOf, toAlertRow } from './alerts.dto.js';
import type { AlertRow, StoredAlert } from './alerts.dto.js';
import * as statements from './alerts.statements.js';
import { MOST_SHOWN, SHOWN } from './alerts.statements.js';
import type { HistoryPage, ReportedSeries, Statement } from './alerts.statements.js';
import { Connection } from './connection.js';
import { DatabaseClock } from './database-clock.js';
import { isConcurrencyFailure } from './database-errors.js';
import { findProblems } from './database-problems.js';
import type { DatabaseProblem } from './database-problems.js';
import { gravityOf } from './gravity.js';
import type { FiringObservation, Observation, Outcome } from './observation.js';

/** What one request reports. */
export interface Report {
  observations: Observation[];
  /** When the request arrived (`performance.now()`, ms). */
  arrivedAt: number;
  /** Why an alert closes whose last series the report ends. */
  endingReason: ResolvedReason;
  /** External URL of the Alertmanager that reports, where it may be none of those that reconciling asks. */
  alertmanager?: string | undefined;
}

/** Which Alertmanagers are asked, and which post here; addresses without a slash at their end. */
export interface AlertmanagersNote {
  /** Those that are asked. What follows counts for these only. */
  addresses: string[];
  /** By what other external URLs they post here. */
  knownAs: string[];
  /** External URLs of those that post here and are not asked. */
  unasked: string[];
}

/** What became of each report's observations, what changed, and the rows of that. */
export interface Applied {
  outcomes: Outcome[][];
  changes: LifeChanges;
  rows: AlertRow[];
}

/** An alert that an administrator opens through the API. */
export type NewAlert = Pick<
  OpenedAlert,
  'fingerprint' | 'userId' | 'sessionName' | 'eventType' | 'title' | 'message' | 'severity'
>;

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

/** The class of the session-level locks under which one replica at a time does a job. */
const JOBS = 0x5e551004;

/** Beyond this many users a batch closes the gate instead of locking each (a lock costs shared memory). */
const MOST_USER_LOCKS = 64;
const MOST_TRIES = 5;

/** A user's open alerts: as many as an answer carries, and how many there are. */
export interface OpenList {
  alerts: AlertRow[];
  total: number;
}

/** All open alerts, so said that `alerts_open` has them. */
const OPEN = `resolved_date IS NULL AND user_id > ''`;

/** Statements that write, whose open alerts they may change, and how their rows become the answer. */
interface Writes<T> {
  writes: Statement[];
  users: ReadonlySet<string>;
  answer: (rows: unknown[][]) => T;
}

/**
 * Reads and writes what is kept. Writers take advisory locks on the users whom they touch, in one order, before
 * they read what they decide on; so decisions never interleave and locks never cross.
 */
@Injectable()
export class AlertsRepository {
  private processId: string = randomUUID();
  private readonly committed = new Subject<ReadonlySet<string>>();

  /** Whose open alerts this process has changed, when it is committed and before it is answered. */
  readonly userChanges: Observable<ReadonlySet<string>> = this.committed.asObservable();
  private readonly databaseClock = new DatabaseClock();

  /** Tells this process's notices from those of other replicas. */
  get process(): string {
    return this.processId;
  }

  constructor(
    @Inject(ALERTS_DATA_SOURCE) private readonly dataSource: DataSource,
    private readonly clock: AlertsClock,
    private readonly metrics: AlertsMetrics,
  ) {}

  /**
   * Applies reports in one transaction and a constant number of round trips.
   * @param wanted whether the rows of alerts that change are wanted as well
   * @param isDecided called when all is sent, and only the commit is waited for
   * @returns what became of each report's observations, in their order, and what changed; all is committed
   */
  async apply(reports: Report[], wanted: { rows: boolean }, isDecided?: () => void): Promise<Applied> {
    const arrivals = await this.arrivalsOf(reports);
    const observations = reports.flatMap((report) => report.observations);
    const userIds = observations.map((observation) => observation.userId);
    const reads = statements.readState(observations, Math.min(...arrivals));
    const plan = (now: Date, state: unknown[][]): Writes<Applied> => {
      const { outcomes, changes } = decide(now, reports, arrivals, state);
      const unasked = reportsOfUnasked(reports, arrivals, outcomes);
      const writes = [
        ...statements.writeChanges(changes),
        ...(unasked.length > 0 ? [statements.insertReports(unasked)] : []),
      ];
      const users = statements.usersOf(changes);
      const changedIds = [...changes.rewritten.filter(({ isUpdated }) => isUpdated), ...changes.closed].map(
        ({ alert }) => alert.id,
      );
      if (!wanted.rows || changedIds.length === 0)
        return { writes, users, answer: () => ({ outcomes, changes, rows: [] }) };
      return {
        writes: [...writes, findAlerts(changedIds)],
        users,
        answer: (rows) => ({ outcomes, changes, rows: shown(rows[writes.length]) }),
      };
    };
    return this.transaction(userIds, reads, plan, isDecided);
  }

  /** What `apply` would do now; writes nothing. */
  async preview(report: Report): Promise<Outcome[]> {
    const arrivals = await this.arrivalsOf([report]);
    return this.withConnection(async (connection) => {
      const now = await this.readClock(connection);
      const reads = statements.readState(report.observations, Math.min(...arrivals));
      const [outcomes = []] = decide(now, [report], arrivals, await connection.send(reads)).outcomes;
      return outcomes;
    });
  }

  /** Opens an alert by hand; `undefined` where the same alert is open already. */
  async create(alert: NewAlert): Promise<AlertRow | undefined> {
    return this.transaction([alert.userId], [], (now) => ({
      writes: [
        {
          text: `
            INSERT INTO session_alerts.alerts
              (id, fingerprint, user_id, session_name, event_type, title, message, severity, gravity, is_event,
               by_hand, creation_date)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, false, true, $10)
            ON CONFLICT (user_id, session_name, fingerprint) WHERE resolved_date IS NULL DO NOTHING
            RETURNING ${SHOWN}`,
          values: [
            newAlertId(now.getTime()),
            alert.fingerprint,
            alert.userId,
            alert.sessionName,
            alert.eventType,
            alert.title,
            alert.message,
            alert.severity,
            gravityOf(alert.severity),
            now,
          ],
        },
      ],
      users: new Set([alert.userId]),
      answer: ([created]) => shown(created)[0],
    }));
  }

  /** The open alerts of each of these users, gravest first, then newest. */
  async listOpen(userIds: string[]): Promise<OpenList[]> {
    const few = new Map<string, StoredAlert[]>(userIds.map((userId) => [userId, []]));
    const rows = await this.query<StoredAlert>(statements.listFewOpen(userIds));
    for (const row of rows) few.get(row.user_id)?.push(row);
    const withMany = userIds.filter((userId) => !statements.areFew(few.get(userId) ?? []));
    const many = withMany.length > 0 ? await this.listMany(withMany) : undefined;
    return userIds.map((userId) => many?.get(userId) ?? allOf(few.get(userId) ?? []));
  }

  /** Those of users who may have more than an answer carries. */
  private async listMany(userIds: string[]): Promise<Map<string, OpenList>> {
    const byUser = new Map<string, OpenList>(userIds.map((userId) => [userId, { alerts: [], total: 0 }]));
    for (const row of await this.query<FoundAlert>(statements.listOpen(userIds))) {
      const list = byUser.get(row.user_id);
      if (!list) continue;
      list.alerts.push(toAlertRow(row));
      list.total = Number(row.found);
    }
    for (const [userId, list] of byUser) await this.completeTotal(list, userId);
    return byUser;
  }

  /** Those of one of a user's sessions. */
  async listOpenOfSession(userId: string, sessionName: string): Promise<OpenList> {
    const rows = await this.query<FoundAlert>(statements.listOpenOfSession(userId, sessionName));
    const list = { alerts: rows.map(toAlertRow), total: Number(rows[0]?.found ?? 0) };
    await this.completeTotal(list, userId, sessionName);
    return list;
  }

  /** Only where there are more than an answer carries they have to be counted. */
  private async completeTotal(list: OpenList, userId: string, sessionName?: string): Promise<void> {
    if (list.total <= MOST_SHOWN) return;
    const [row] = await this.query<{ total: number }>(statements.countOpenOf(userId, sessionName));
    list.total = Math.max(row?.total ?? 0, list.alerts.length);
  }

  /** A page of a user's closed alerts, the last closed first; `after` is the last of the page before. */
  async listResolved(userId: string, page: HistoryPage): Promise<AlertRow[]> {
    return (await this.query<StoredAlert>(statements.listResolved(userId, page))).map(toAlertRow);
  }

  async find(id: string): Promise<AlertRow | undefined> {
    return shown(await this.query(findAlerts([id])))[0];
  }

  /** Closes an open alert; `undefined` where it is closed already, and stays as it is. */
  async close(alert: { id: string; user_id: string }, reason: ResolvedReason): Promise<AlertRow | undefined> {
    const [closed] = await this.transaction([alert.user_id], [], (now) =>
      closing([alert.id], [alert.user_id], now, reason),
    );
    return closed;
  }

  /** Closes all open alerts of a session, of all its users or of one. */
  async closeForSession(sessionName: string, userId?: string): Promise<AlertRow[]> {
    const open = await this.query<{ user_id: string }>({
      text: `
        SELECT DISTINCT user_id
          FROM session_alerts.alerts
         WHERE session_name = $1 AND ${OPEN} AND ($2::text IS NULL OR user_id = $2)`,
      values: [sessionName, userId ?? null],
    });
    if (open.length === 0) return [];
    const userIds = open.map((alert) => alert.user_id);
    const read: Statement = {
      text: `
        SELECT id
          FROM session_alerts.alerts
         WHERE session_name = $1 AND resolved_date IS NULL AND user_id = ANY ($2::text[])`,
      values: [sessionName, userIds],
    };
    return this.transaction(userIds, [read], (now, [alerts]) =>
      closing(idsOf(alerts), userIds, now, 'session_ended'),
    );
  }

  /**
   * Closes, at most so many at a time, the open alerts that nothing has refreshed for too long: conditions
   * after `expireAfter` (rule 9), events after `eventTtl` (rule 10); both in ms. What was only sighted since
   * counts where `carryOverSightings` has been done.
   */
  async closeOverdue(limits: { expireAfter: number; eventTtl: number }, most: number): Promise<AlertRow[]> {
    const now = await this.withConnection((connection) => this.readClock(connection));
    const deadlines = [limits.expireAfter, limits.eventTtl].map((limit) => new Date(now.getTime() - limit));
    const overdue = `${OPEN} AND NOT by_hand
      AND coalesce(last_seen, creation_date) < CASE WHEN is_event THEN $2::timestamptz ELSE $1::timestamptz END`;
    const candidates = await this.query<{ id: string; user_id: string }>({
      text: `
        SELECT id, user_id
          FROM session_alerts.alerts
         WHERE ${overdue}
         ORDER BY coalesce(last_seen, creation_date)
         LIMIT $3`,
      values: [...deadlines, most],
    });
    if (candidates.length === 0) return [];
    const userIds = candidates.map((alert) => alert.user_id);
    // A webhook may have refreshed one since.
    const stillOverdue: Statement = {
      text: `
        SELECT id
          FROM session_alerts.alerts AS alert
         WHERE id = ANY ($3::text[]) AND ${overdue}
           AND id NOT IN (SELECT behind.id
                            FROM (SELECT alert.id, ${KEY} AS key
                                    FROM session_alerts.alerts AS alert
                                   CROSS JOIN LATERAL ${SERIES_BEHIND}
                                   WHERE id = ANY ($3::text[])) AS behind
                            JOIN (${SIGHTED} WHERE sightings.arrival >= $4) AS sighted USING (key))`,
      values: [...deadlines, idsOf(candidates), microseconds(deadlines[0])],
    };
    return this.transaction(userIds, [statements.ALLOW_HASH_JOINS, stillOverdue], (closedAt, [, alerts]) =>
      closing(idsOf(alerts), userIds, closedAt, 'expired'),
    );
  }

  /**
   * Writes to the open alerts not seen for so long (ms) when their series were last sighted. It skips what
   * somebody else is writing, so that it waits for nobody.
   */
  async carryOverSightings(unseenFor: number): Promise<void> {
    await this.withConnection(async (connection) => {
      const now = await this.readClock(connection);
      await this.queryMany(connection, {
        text: `
          WITH unseen AS MATERIALIZED (
            SELECT id, user_id, session_name, series, ends_at, other_series
              FROM session_alerts.alerts
             WHERE ${OPEN} AND coalesce(last_seen, creation_date) < $1
               FOR NO KEY UPDATE SKIP LOCKED
          ), behind AS MATERIALIZED (
            SELECT alert.id, alert.user_id, ${KEY} AS key
              FROM unseen AS alert
             CROSS JOIN LATERAL ${SERIES_BEHIND}
          ), seen AS (
            SELECT id, user_id, to_timestamp(max(sighted.arrival) / 1e6) AS last_seen
              FROM (${SIGHTED}) AS sighted
              JOIN behind USING (key)
             GROUP BY id, user_id
          )
          UPDATE session_alerts.alerts AS alert
             SET last_seen = seen.last_seen
            FROM seen
           WHERE alert.id = seen.id AND alert.user_id = seen.user_id
             AND coalesce(alert.last_seen, alert.creation_date) < seen.last_seen`,
        values: [new Date(now.getTime() - unseenFor)],
      });
    });
  }

  /** Deletes, at most so many, sightings from longer ago than `retention` (ms); returns how many went. */
  async deleteSightings(retention: number, most: number): Promise<number> {
    return this.withConnection(async (connection) => {
      const now = await this.readClock(connection);
      const [row] = await this.inTransaction<{ deleted: string }>(connection, {
        text: `
          WITH deleted AS (
            DELETE FROM session_alerts.sightings
             WHERE (arrival, request) IN (SELECT arrival, request FROM session_alerts.sightings
                                           WHERE arrival < $1 ORDER BY arrival LIMIT $2)
            RETURNING 1
          )
          SELECT count(*) AS deleted FROM deleted`,
        values: [microseconds(now) - retention * 1000, most],
      });
      return Number(row?.deleted);
    });
  }

  /** Deletes, at most so many, alerts that were closed longer ago than `retention` (ms); returns how many went. */
  async deleteOld(retention: number, most: number): Promise<number> {
    return this.withConnection(async (connection) => {
      const now = await this.readClock(connection);
      const before = new Date(now.getTime() - retention);
      const [row] = await this.inTransaction<{ deleted: string }>(connection, {
        // No alert is closed before it is opened, and ids carry the time of opening.
        text: `
          WITH deleted AS (
            DELETE FROM session_alerts.alerts
             WHERE (id, user_id) IN (SELECT id, user_id FROM session_alerts.alerts
                                      WHERE id < $2 AND resolved_date < $1 ORDER BY id LIMIT $3)
            RETURNING 1
          )
          SELECT count(*) AS deleted FROM deleted`,
        values: [before, firstAlertId(before.getTime()), most],
      });
      return Number(row?.deleted);
    });
  }

  /** Deletes all that is kept about a user; returns how many alerts that was. */
  async deleteForUser(userId: string): Promise<number> {
    return this.transaction([userId], [], () => ({
      writes: [
        {
          text: `
            WITH deleted AS (DELETE FROM session_alerts.alerts WHERE user_id = $1 RETURNING 1)
            SELECT count(*) AS deleted FROM deleted`,
          values: [userId],
        },
      ],
      users: new Set([userId]),
      answer: ([rows]) => Number((rows as { deleted: string }[])[0]?.deleted),
    }));
  }

  /** The firing series behind open alerts that came from Alertmanager. */
  async listFiringSeries(): Promise<FiringSeries[]> {
    return this.withConnection(async (connection) => {
      const rows = await this.queryMany<StoredFiringSeries>(connection, {
        text: `
          WITH sighted AS (
            SELECT key, to_timestamp(max(arrival) / 1e6) AS last_seen FROM (${SIGHTED}) AS one GROUP BY key
          ), firing AS (
            SELECT ${KEY} AS key, behind.fingerprint AS series, alert.fingerprint, alert.user_id, alert.session_name,
                   coalesce(alert.last_seen, alert.creation_date) AS last_seen
              FROM session_alerts.alerts AS alert
             CROSS JOIN LATERAL ${SERIES_BEHIND}
             WHERE ${OPEN} AND NOT alert.by_hand AND behind.is_firing
          )
          SELECT key AS "seriesKey", series AS "seriesFingerprint", fingerprint, user_id AS "userId",
                 session_name AS "sessionName",
                 (extract(epoch FROM $1::timestamptz - greatest(firing.last_seen, sighted.last_seen))
                   * 1000)::bigint AS "unseenFor"
            FROM firing
            LEFT JOIN sighted USING (key)`,
        values: [await this.readClock(connection)],
      });
      return rows.map((row) => ({
        ...row,
        seriesKey: Number(row.seriesKey),
        fingerprint: Number(row.fingerprint),
        unseenFor: Number(row.unseenFor),
      }));
    });
  }

  /** Which series Alertmanagers have reported of late that reconciling may not ask. */
  async listReported(): Promise<Omit<ReportedSeries, 'arrival'>[]> {
    return this.withConnection(async (connection) => {
      const rows = await this.queryMany<{ seriesKey: string; alertmanager: string }>(connection, {
        text: `
          SELECT DISTINCT seen.key AS "seriesKey", sightings.alertmanager
            FROM session_alerts.sightings CROSS JOIN unnest(sightings.series) AS seen (key)
           WHERE sightings.alertmanager IS NOT NULL`,
      });
      return rows.map(({ seriesKey, alertmanager }) => ({ seriesKey: Number(seriesKey), alertmanager }));
    });
  }

  async readAlertmanagers(): Promise<AlertmanagersNote> {
    const [row] = await this.query<AlertmanagersNote>({
      text: `
        SELECT to_json(addresses) AS addresses, to_json(known_as) AS "knownAs", to_json(unasked) AS unasked
          FROM session_alerts.reconciling WHERE id = 1`,
    });
    return row ?? { addresses: [], knownAs: [], unasked: [] };
  }

  async noteAlertmanagers(
    replica: string,
    { addresses, knownAs, unasked }: AlertmanagersNote,
  ): Promise<void> {
    await this.withConnection((connection) =>
      this.inTransaction(connection, {
        text: `
          INSERT INTO session_alerts.reconciling (id, replica, last_run, addresses, known_as, unasked)
          VALUES (1, $1::uuid, '-infinity', $2::text[], $3::text[], $4::text[])
          ON CONFLICT (id) DO UPDATE SET addresses = excluded.addresses, known_as = excluded.known_as,
                                         unasked = excluded.unasked`,
        values: [replica, addresses, knownAs, unasked],
      }),
    );
  }

  /** How many of these follow upon an alert of the same identity that a silence closed. */
  async countAfterSilence(opened: FiringObservation[]): Promise<number> {
    if (opened.length === 0) return 0;
    const [row] = await this.query<{ count: string }>(statements.countAfterSilence(opened));
    return Number(row?.count);
  }

  /** Notes that the watchdog alert came. */
  async recordFeed(): Promise<void> {
    await this.withConnection(async (connection) =>
      this.inTransaction(connection, {
        text: `
          INSERT INTO session_alerts.feed AS feed (id, last_seen) VALUES (1, $1)
          ON CONFLICT (id) DO UPDATE SET last_seen = greatest(feed.last_seen, excluded.last_seen)`,
        values: [await this.readClock(connection)],
      }),
    );
  }

  /** When the watchdog alert last came, and the moment of asking. */
  async readFeed(): Promise<{ lastSeen: Date | null; now: Date }> {
    return this.withConnection(async (connection) => {
      const now = await this.readClock(connection);
      const [row] = await connection.query<{ lastSeen: string }>({
        text: `
          SELECT (extract(epoch FROM last_seen) * 1000)::bigint AS "lastSeen"
            FROM session_alerts.feed WHERE id = 1`,
      });
      return { lastSeen: row ? momentOf(row.lastSeen) : null, now };
    });
  }

  async countOpen(): Promise<number> {
    const [row] = await this.query<{ open: string }>({
      text: `SELECT count(*) AS open FROM session_alerts.alerts WHERE ${OPEN}`,
    });
    return Number(row?.open);
  }

  /**
   * Runs the work unless another replica is at the same job just now.
   * @returns whether it ran here
   */
  async exclusively(job: number, work: () => Promise<void>): Promise<boolean> {
    return this.withConnection(async (connection) => {
      // The lock is the connection's, which is idle meanwhile.
      const [row] = await connection.query<{ locked: boolean; limit: string }>({
        text: `
          SELECT locked, current_setting('idle_session_timeout') AS limit,
                 CASE WHEN locked THEN set_config('idle_session_timeout', '0', false) END
            FROM (SELECT pg_try_advisory_lock($1, $2) AS locked) AS attempt`,
        values: [JOBS, job],
      });
      if (!row?.locked) return false;
      try {
        await work();
      } finally {
        await connection.query({
          text: `SELECT pg_advisory_unlock($1, $2), set_config('idle_session_timeout', $3, false)`,
          values: [JOBS, job, row.limit],
        });
      }
      return true;
    });
  }

  /**
   * Whether it is this replica's turn to reconcile; then it counts as done now. One replica goes on doing it every
   * `interval` (ms); when it is late, another takes over.
   */
  async takeTurn(replica: string, interval: number): Promise<boolean> {
    return this.withConnection(async (connection) => {
      // A last run well in the future is of a clock that was set back since.
      const taken = await this.inTransaction(connection, {
        text: `
          INSERT INTO session_alerts.reconciling AS turn (id, replica, last_run)
          SELECT 1, $1::uuid, clock_timestamp()
          ON CONFLICT (id) DO UPDATE SET replica = excluded.replica, last_run = excluded.last_run
           WHERE turn.last_run <= excluded.last_run
                   - make_interval(secs => $2 * CASE WHEN turn.replica = excluded.replica THEN 0.85 ELSE 1.25 END)
              OR turn.last_run > excluded.last_run + make_interval(secs => $2)
          RETURNING 1`,
        values: [replica, interval / 1000],
      });
      return taken.length > 0;
    });
  }

  /** Says when the turn ended, from where the interval counts: just now, or so long ago that anybody may take over. */
  async endTurn(replica: string, { isLast = false } = {}): Promise<void> {
    await this.withConnection((connection) =>
      this.inTransaction(connection, {
        text: `
          UPDATE session_alerts.reconciling SET last_run = CASE WHEN $2 THEN '-infinity' ELSE clock_timestamp() END
           WHERE id = 1 AND replica = $1::uuid`,
        values: [replica, isLast],
      }),
    );
  }

  /**
   * Why the database, which answers, cannot serve as it is.
   * @param listeningBackend the database's process that serves the connection that hears of changes
   * @throws DatabaseUnavailableError
   */
  async findProblems(listeningBackend: number | undefined): Promise<DatabaseProblem[]> {
    return this.withConnection((connection) => findProblems(connection, listeningBackend));
  }

  /** In the database's time (µs), as tests have moved it. */
  private async arrivalsOf(reports: Report[]): Promise<number[]> {
    if (!this.databaseClock.isSet) await this.withConnection((connection) => this.readClock(connection));
    return reports.map((report) => this.databaseClock.at(report.arrivedAt) + this.clock.ahead * 1000);
  }

  private async readClock(connection: Connection): Promise<Date> {
    const sentAt = performance.now();
    const rows = await connection.query<ClockRow>(statements.READ_CLOCK);
    return this.learnClock(sentAt, rows);
  }

  private learnClock(sentAt: number, [row]: ClockRow[]): Date {
    const now = Number(row?.now);
    this.databaseClock.learn(sentAt, performance.now(), now);
    return new Date(Math.floor(now / 1000) + this.clock.ahead);
  }

  /**
   * Two round trips where the connection pipelines: one that locks and reads, one that writes and commits.
   * @param plan says what to write, knowing the time and the rows of each of the reads
   * @param isDecided called when all is sent, and only the commit is waited for; not where that notifies: such commits
   * go one after the other in PostgreSQL, each with its flush, and another would only wait for its turn
   */
  private async transaction<T>(
    userIds: string[],
    reads: Statement[],
    plan: (now: Date, rows: unknown[][]) => Writes<T>,
    isDecided?: () => void,
  ): Promise<T> {
    const lock = lockOn(userIds);
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.withConnection(async (connection) => {
          try {
            const sentAt = performance.now();
            const [, clock, ...rows] = await connection.send([statements.BEGIN, lock, ...reads]);
            const { writes, users, answer } = plan(this.learnClock(sentAt, clock as ClockRow[]), rows);
            const notices = statements.notifyChange(this.process, users);
            const writing = connection.send([...writes, ...notices, statements.COMMIT]);
            if (users.size === 0) isDecided?.();
            const written = await writing.catch((error: unknown) => {
              if (!isConcurrencyFailure(error)) this.doubt(users);
              throw error;
            });
            if (users.size > 0) this.committed.next(users);
            return answer(written);
          } catch (error) {
            // The connection may be what failed; then there is nothing left to roll back.
            await connection.query(statements.ROLLBACK).catch(() => undefined);
            throw error;
          }
        });
      } catch (error) {
        if (attempt === MOST_TRIES || !isConcurrencyFailure(error)) throw error;
        this.metrics.retries.inc();
        await sleep(Math.random() * 20 * attempt);
      }
    }
  }

  /**
   * The answer to a COMMIT may be all that was lost, and its work done, now or soon. What has been heard of it was
   * taken for our own; what is yet to be heard is not.
   */
  private doubt(users: ReadonlySet<string>): void {
    this.processId = randomUUID();
    if (users.size > 0) this.committed.next(users);
  }

  /** For a statement that joins many rows with many, which the server's own connections do not plan for. */
  private queryMany<Row>(connection: Connection, statement: Statement): Promise<Row[]> {
    return this.inTransaction(connection, statement, [statements.ALLOW_HASH_JOINS]);
  }

  /** A transaction that says of what kind it is, whatever the connection's default. */
  private async inTransaction<Row>(
    connection: Connection,
    statement: Statement,
    before: Statement[] = [],
  ): Promise<Row[]> {
    try {
      const results = await connection.send([statements.BEGIN, ...before, statement, statements.COMMIT]);
      return results[1 + before.length] as Row[];
    } catch (error) {
      await connection.query(statements.ROLLBACK).catch(() => undefined);
      throw error;
    }
  }

  private query<Row>(statement: Statement): Promise<Row[]> {
    return this.withConnection((connection) => connection.query<Row>(statement));
  }

  private async withConnection<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    const runner = this.dataSource.createQueryRunner();
    try {
      return await work(await Connection.of(runner));
    } finally {
      await runner.release();
    }
  }
}

interface ClockRow {
  /** µs since 1970 */
  now: string;
}

/** As `listOpen` answers it. */
type FoundAlert = StoredAlert & { found: string };

/** The series behind `alert`. */
const SERIES_BEHIND = `(
  SELECT encode(alert.series, 'hex') AS fingerprint, alert.ends_at IS NULL AS is_firing
   WHERE alert.series IS NOT NULL
  UNION ALL
  SELECT other ->> 'fingerprint', other ->> 'endsAt' IS NULL
    FROM json_array_elements(alert.other_series) AS other) AS behind`;

/** The key of one of them, under which sightings have it. */
const KEY = `session_alerts.series_key(alert.user_id, alert.session_name, behind.fingerprint)`;

/** What was seen firing. */
const SIGHTED = `
  SELECT seen.key, sightings.arrival
    FROM session_alerts.sightings CROSS JOIN unnest(sightings.series) AS seen (key)`;

/** Lets the rules decide about reports, whose arrivals (µs, the database's clock) stand beside them. */
function decide(
  now: Date,
  reports: Report[],
  arrivals: number[],
  rows: unknown[][],
): { outcomes: Outcome[][]; changes: LifeChanges } {
  const observations = reports.flatMap((report) => report.observations);
  const life = new AlertLife(now, statements.knownState(observations, rows));
  const outcomes: Outcome[][] = [];
  const inOrder = reports.map((report, index) => ({ report, index, arrival: arrivals[index] ?? 0 }));
  for (const { report, index, arrival } of inOrder.sort((one, other) => one.arrival - other.arrival)) {
    outcomes[index] = report.observations.map((seen) => life.observe(seen, arrival, report.endingReason));
  }
  return { outcomes, changes: life.changes() };
}

/** What was stored of the reports of Alertmanagers that reconciling may not ask. */
function reportsOfUnasked(reports: Report[], arrivals: number[], outcomes: Outcome[][]): ReportedSeries[] {
  return reports.flatMap(({ alertmanager, observations }, index) =>
    alertmanager === undefined
      ? []
      : observations
          .filter((_, at) => ['opened', 'refreshed'].includes(outcomes[index]?.[at]?.result ?? ''))
          .map(({ seriesKey }) => ({ seriesKey, arrival: arrivals[index] ?? 0, alertmanager })),
  );
}

function closing(ids: string[], userIds: string[], now: Date, reason: ResolvedReason): Writes<AlertRow[]> {
  const close: Statement = {
    text: `
      UPDATE session_alerts.alerts
         SET resolved_date = $3, updated_date = $3, resolved_reason = $4
       WHERE id = ANY ($1::text[]) AND user_id = ANY ($2::text[]) AND resolved_date IS NULL
      RETURNING ${SHOWN}`,
    values: [ids, userIds, now, reason],
  };
  return { writes: [close], users: new Set(userIds), answer: ([closed]) => shown(closed) };
}

function findAlerts(ids: string[]): Statement {
  return { text: `SELECT ${SHOWN} FROM session_alerts.alerts WHERE id = ANY ($1::text[])`, values: [ids] };
}

function shown(rows: unknown): AlertRow[] {
  return (rows as StoredAlert[]).map(toAlertRow);
}

/** A list that leaves nothing out. */
function allOf(stored: StoredAlert[]): OpenList {
  return { alerts: stored.map(toAlertRow), total: stored.length };
}

function idsOf(alerts: unknown[] | undefined): string[] {
  return (alerts as { id: string }[]).map(({ id }) => id);
}

function microseconds(moment: Date | undefined): number {
  return (moment?.getTime() ?? NaN) * 1000;
}

function lockOn(userIds: string[]): Statement {
  const users = new Set(userIds);
  if (users.size > MOST_USER_LOCKS) return statements.lockAll();
  return statements.lockUsers([...new Set(Array.from(users, lockKey))].sort((a, b) => a - b));
}

function lockKey(userId: string): number {
  return hash('sha256', userId, 'buffer').readInt32BE();
}
