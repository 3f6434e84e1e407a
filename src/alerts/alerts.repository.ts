import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import type { DataSource, QueryRunner } from 'typeorm';
import { ALERTS_DATA_SOURCE } from '../alerts.module-definition.js';
import { newAlertId } from './alert-id.js';
import { AlertLife, SILENCING_REASONS } from './alert-life.js';
import type { AlertState, LifeChanges, ResolvedReason, SeriesState } from './alert-life.js';
import { AlertsClock } from './alerts-clock.js';
import type { AlertRow } from './alerts.dto.js';
import { AlertsMetrics } from '../metrics/alerts-metrics.service.js';
import { DatabaseClock } from './database-clock.js';
import { asDatabaseError, isConcurrencyFailure } from './database-errors.js';
import type { Observation, Outcome } from './observation.js';

/** An alert that an administrator opens through the API. */
export type NewAlert = Pick<
  AlertState,
  'fingerprint' | 'userId' | 'sessionName' | 'eventType' | 'title' | 'message' | 'severity'
>;

/** Which closed alerts to list. */
export interface HistoryPage {
  sessionName?: string | undefined;
  since?: Date | undefined;
  limit: number;
  after?: { id: string; resolved_date: Date | null } | undefined;
}

/** A series that fires behind an open alert. */
export interface FiringSeries {
  seriesId: string;
  seriesFingerprint: string;
  userId: string;
  sessionName: string;
  /** How long ago its alert was last seen (ms). */
  unseenFor: number;
}

/** The classes of our advisory locks: the gate that every writer passes, and the users behind it. */
const GATE = 0x5e551001;
const USERS = 0x5e551002;

/** The class of the session-level locks under which one replica at a time does a job. */
const JOBS = 0x5e551004;

/** Beyond this many users a batch closes the gate instead of locking each (a lock costs shared memory). */
const MOST_USER_LOCKS = 64;
const MOST_TRIES = 5;

/** What the API shows of an alert, under the API's names. */
const SHOWN = `id, title, message, event_type, user_id, session_name, creation_date, resolved_date,
  severity, kind, updated_date, runbook_url, resolved_reason`;

/**
 * Every SQL statement of the module. Writers take advisory locks on the users whom they touch, in one order,
 * before they read what they decide on; so decisions never interleave and locks never cross.
 */
@Injectable()
export class AlertsRepository {
  private readonly databaseClock = new DatabaseClock();

  constructor(
    @Inject(ALERTS_DATA_SOURCE) private readonly dataSource: DataSource,
    private readonly clock: AlertsClock,
    private readonly metrics: AlertsMetrics,
  ) {}

  /**
   * Applies a batch in one transaction and a constant number of round trips.
   * @param arrivedAt when the request that brought it arrived (`performance.now()`, ms)
   * @param endingReason why an alert closes whose last series ends
   * @returns what became of each observation, in their order, and what changed; all is committed
   */
  async apply(
    observations: Observation[],
    arrivedAt: number,
    endingReason?: ResolvedReason,
  ): Promise<{ outcomes: Outcome[]; changes: LifeChanges }> {
    const userIds = observations.map((observation) => observation.userId);
    return this.transaction(userIds, async (runner, now) => {
      const decision = await this.decide(runner, now, observations, arrivedAt, endingReason);
      await this.write(runner, decision.changes);
      return decision;
    });
  }

  /** What `apply` would do now; writes nothing. */
  async preview(observations: Observation[], arrivedAt: number): Promise<Outcome[]> {
    return this.withRunner(async (runner) => {
      const now = await this.readClock(runner);
      return (await this.decide(runner, now, observations, arrivedAt)).outcomes;
    });
  }

  /** Opens an alert by hand; `undefined` where the same alert is open already. */
  async create(alert: NewAlert): Promise<AlertRow | undefined> {
    return this.transaction([alert.userId], async (runner, now) => {
      const rows = await query<AlertRow>(
        runner,
        `INSERT INTO session_alerts.alerts
           (id, fingerprint, user_id, session_name, event_type, title, message, severity, kind, source,
            creation_date, updated_date, last_seen)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'condition', 'api', $9, $9, $9)
         ON CONFLICT (fingerprint) WHERE resolved_date IS NULL DO NOTHING
         RETURNING ${SHOWN}`,
        [
          newAlertId(now.getTime()),
          alert.fingerprint,
          alert.userId,
          alert.sessionName,
          alert.eventType,
          alert.title,
          alert.message,
          alert.severity,
          now,
        ],
      );
      return rows[0];
    });
  }

  /** A user's open alerts, newest first. */
  async listOpen(userId: string, sessionName?: string): Promise<AlertRow[]> {
    return this.withRunner((runner) =>
      query<AlertRow>(
        runner,
        `SELECT ${SHOWN}
           FROM session_alerts.alerts
          WHERE user_id = $1 AND resolved_date IS NULL AND ($2::text IS NULL OR session_name = $2)
          ORDER BY creation_date DESC, id DESC`,
        [userId, sessionName ?? null],
      ),
    );
  }

  /** A page of a user's closed alerts, the last closed first; `after` is the last of the page before. */
  async listResolved(userId: string, page: HistoryPage): Promise<AlertRow[]> {
    return this.withRunner((runner) =>
      query<AlertRow>(
        runner,
        `SELECT ${SHOWN}
           FROM session_alerts.alerts
          WHERE user_id = $1 AND resolved_date IS NOT NULL
            AND ($2::text IS NULL OR session_name = $2)
            AND ($3::timestamptz IS NULL OR resolved_date >= $3)
            AND ($4::timestamptz IS NULL OR (resolved_date, id) < ($4, $5))
          ORDER BY resolved_date DESC, id DESC
          LIMIT $6`,
        [
          userId,
          page.sessionName ?? null,
          page.since ?? null,
          page.after?.resolved_date ?? null,
          page.after?.id ?? null,
          page.limit,
        ],
      ),
    );
  }

  async find(id: string): Promise<AlertRow | undefined> {
    return this.withRunner(async (runner) => {
      const rows = await query<AlertRow>(runner, `SELECT ${SHOWN} FROM session_alerts.alerts WHERE id = $1`, [
        id,
      ]);
      return rows[0];
    });
  }

  /** Closes an open alert; `undefined` where it is closed already, and stays as it is. */
  async close(alert: { id: string; user_id: string }, reason: ResolvedReason): Promise<AlertRow | undefined> {
    const closed = await this.transaction([alert.user_id], (runner, now) =>
      this.closeAlerts(runner, now, [alert.id], reason),
    );
    return closed[0];
  }

  /** Closes all open alerts of a session, of all its users or of one. */
  async closeForSession(sessionName: string, userId?: string): Promise<AlertRow[]> {
    const open = await this.withRunner((runner) =>
      query<{ user_id: string }>(
        runner,
        `SELECT DISTINCT user_id
           FROM session_alerts.alerts
          WHERE session_name = $1 AND resolved_date IS NULL AND ($2::text IS NULL OR user_id = $2)`,
        [sessionName, userId ?? null],
      ),
    );
    const userIds = open.map((alert) => alert.user_id);
    if (userIds.length === 0) return [];
    return this.transaction(userIds, async (runner, now) => {
      const alerts = await query<{ id: string }>(
        runner,
        `SELECT id
           FROM session_alerts.alerts
          WHERE session_name = $1 AND resolved_date IS NULL AND user_id = ANY ($2::text[])`,
        [sessionName, userIds],
      );
      return this.closeAlerts(runner, now, idsOf(alerts), 'session_ended');
    });
  }

  /**
   * Closes, at most so many at a time, the open alerts that nothing has refreshed for too long: conditions
   * after `expireAfter` (rule 9), events after `eventTtl` (rule 10); both in ms.
   */
  async closeOverdue(limits: { expireAfter: number; eventTtl: number }, most: number): Promise<AlertRow[]> {
    const overdue = `resolved_date IS NULL AND source = 'alertmanager'
      AND last_seen < CASE kind WHEN 'event' THEN $2::timestamptz ELSE $1::timestamptz END`;
    const deadlines = (now: Date): Date[] => [
      new Date(now.getTime() - limits.expireAfter),
      new Date(now.getTime() - limits.eventTtl),
    ];
    const candidates = await this.withRunner(async (runner) =>
      query<{ id: string; user_id: string }>(
        runner,
        `SELECT id, user_id FROM session_alerts.alerts WHERE ${overdue} ORDER BY last_seen LIMIT $3`,
        [...deadlines(await this.readClock(runner)), most],
      ),
    );
    if (candidates.length === 0) return [];
    const userIds = candidates.map((alert) => alert.user_id);
    return this.transaction(userIds, async (runner, now) => {
      // A webhook may have refreshed one since.
      const still = await query<{ id: string }>(
        runner,
        `SELECT id FROM session_alerts.alerts WHERE id = ANY ($3::text[]) AND ${overdue}`,
        [...deadlines(now), idsOf(candidates)],
      );
      return this.closeAlerts(runner, now, idsOf(still), 'expired');
    });
  }

  /**
   * Deletes, at most so many, alerts that were closed longer ago than `retention` (ms), and as many series
   * that stand behind none.
   * @returns how many alerts and series went
   */
  async deleteOld(retention: number, most: number): Promise<number> {
    return this.withRunner(async (runner) => {
      const before = new Date((await this.readClock(runner)).getTime() - retention);
      const [row] = await query<{ deleted: string }>(
        runner,
        `WITH old_alerts AS (
           DELETE FROM session_alerts.alerts
            WHERE id IN (SELECT id FROM session_alerts.alerts
                          WHERE resolved_date < $1 ORDER BY resolved_date LIMIT $3)
           RETURNING 1
         ), stray_series AS (
           DELETE FROM session_alerts.alert_series
            WHERE id IN (SELECT id FROM session_alerts.alert_series
                          WHERE alert_id IS NULL AND arrival < $2 ORDER BY arrival LIMIT $3)
              AND alert_id IS NULL
           RETURNING 1
         )
         SELECT (SELECT count(*) FROM old_alerts) + (SELECT count(*) FROM stray_series) AS deleted`,
        [before, before.getTime() * 1000, most],
      );
      return Number(row?.deleted);
    });
  }

  /** Deletes all that is kept about a user; returns how many alerts that was. */
  async deleteForUser(userId: string): Promise<number> {
    return this.transaction([userId], async (runner) => {
      const [row] = await query<{ deleted: string }>(
        runner,
        `WITH deleted AS (DELETE FROM session_alerts.alerts WHERE user_id = $1 RETURNING 1)
         SELECT count(*) AS deleted FROM deleted`,
        [userId],
      );
      return Number(row?.deleted);
    });
  }

  /** The firing series behind open alerts that came from Alertmanager. */
  async listFiringSeries(): Promise<FiringSeries[]> {
    return this.withRunner(async (runner) =>
      query<FiringSeries>(
        runner,
        `SELECT series.id AS "seriesId", series.fingerprint AS "seriesFingerprint",
                alert.user_id AS "userId", alert.session_name AS "sessionName",
                (extract(epoch FROM $1::timestamptz - alert.last_seen) * 1000)::float8 AS "unseenFor"
           FROM session_alerts.alerts AS alert
           JOIN session_alerts.alert_series AS series ON series.alert_id = alert.id
          WHERE alert.resolved_date IS NULL AND alert.source = 'alertmanager' AND series.firing`,
        [await this.readClock(runner)],
      ),
    );
  }

  /** Which of these series a person has closed, and the start of the episode that stays silent. */
  async listSilencedSeries(seriesIds: string[]): Promise<{ id: string; startsAt: Date }[]> {
    return this.withRunner((runner) =>
      query<{ id: string; startsAt: Date }>(
        runner,
        `SELECT id, starts_at AS "startsAt"
           FROM session_alerts.alert_series
          WHERE id = ANY ($1::uuid[]) AND closed_by_hand`,
        [seriesIds],
      ),
    );
  }

  /** Notes that the watchdog alert came. */
  async recordFeed(): Promise<void> {
    await this.withRunner(async (runner) =>
      query(
        runner,
        `INSERT INTO session_alerts.feed AS feed (id, last_seen) VALUES (1, $1)
         ON CONFLICT (id) DO UPDATE SET last_seen = greatest(feed.last_seen, excluded.last_seen)`,
        [await this.readClock(runner)],
      ),
    );
  }

  /** When the watchdog alert last came, and the moment of asking. */
  async readFeed(): Promise<{ lastSeen: Date | null; now: Date }> {
    return this.withRunner(async (runner) => {
      const now = await this.readClock(runner);
      const [row] = await query<{ lastSeen: Date }>(
        runner,
        `SELECT last_seen AS "lastSeen" FROM session_alerts.feed WHERE id = 1`,
      );
      return { lastSeen: row?.lastSeen ?? null, now };
    });
  }

  async countOpen(): Promise<number> {
    return this.withRunner(async (runner) => {
      const [row] = await query<{ open: string }>(
        runner,
        `SELECT count(*) AS open FROM session_alerts.alerts WHERE resolved_date IS NULL`,
      );
      return Number(row?.open);
    });
  }

  /**
   * Runs the work unless another replica is at the same job just now.
   * @returns whether it ran here
   */
  async exclusively(job: number, work: () => Promise<void>): Promise<boolean> {
    return this.withRunner(async (runner) => {
      const [row] = await query<{ locked: boolean }>(
        runner,
        `SELECT pg_try_advisory_lock($1, $2) AS locked`,
        [JOBS, job],
      );
      if (!row?.locked) return false;
      try {
        await work();
      } finally {
        await query(runner, `SELECT pg_advisory_unlock($1, $2)`, [JOBS, job]);
      }
      return true;
    });
  }

  /** Whether the database answers and has our tables. */
  async ping(): Promise<void> {
    await this.withRunner((runner) => query(runner, `SELECT 1 FROM session_alerts.alerts LIMIT 1`));
  }

  private async closeAlerts(
    runner: QueryRunner,
    now: Date,
    ids: string[],
    reason: ResolvedReason,
  ): Promise<AlertRow[]> {
    return query<AlertRow>(
      runner,
      `WITH closed AS (
         UPDATE session_alerts.alerts
            SET resolved_date = $2, updated_date = $2, resolved_reason = $3
          WHERE id = ANY ($1::text[]) AND resolved_date IS NULL
         RETURNING ${SHOWN}
       ), ended AS (
         UPDATE session_alerts.alert_series AS series
            SET closed_by_hand = $4::boolean, firing = series.firing AND $4::boolean
           FROM closed
          WHERE series.alert_id = closed.id
       )
       SELECT * FROM closed`,
      [ids, now, reason, SILENCING_REASONS.has(reason)],
    );
  }

  private async decide(
    runner: QueryRunner,
    now: Date,
    observations: Observation[],
    arrivedAt: number,
    endingReason?: ResolvedReason,
  ): Promise<{ outcomes: Outcome[]; changes: LifeChanges }> {
    const seriesIds = [...new Set(observations.map((observation) => observation.seriesId))];
    const fingerprints = new Set<string>();
    for (const seen of observations) if (seen.status === 'firing') fingerprints.add(seen.fingerprint);

    const alerts = await this.readOpenAlerts(runner, seriesIds, [...fingerprints]);
    const series = await this.readSeries(
      runner,
      seriesIds,
      alerts.map((alert) => alert.id),
    );
    const life = new AlertLife(now, alerts, series, endingReason);
    const arrival = this.databaseClock.at(arrivedAt);
    const outcomes = observations.map((observation) => life.observe(observation, arrival));
    return { outcomes, changes: life.changes() };
  }

  private async readClock(runner: QueryRunner): Promise<Date> {
    const sentAt = performance.now();
    const [row] = await query<{ now: string }>(
      runner,
      `SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now`,
    );
    const now = Number(row?.now);
    this.databaseClock.learn(sentAt, performance.now(), now);
    return new Date(Math.floor(now / 1000) + this.clock.ahead);
  }

  private async readOpenAlerts(
    runner: QueryRunner,
    seriesIds: string[],
    fingerprints: string[],
  ): Promise<AlertState[]> {
    return query<AlertState>(
      runner,
      `SELECT id, fingerprint, user_id AS "userId", session_name AS "sessionName",
              event_type AS "eventType", title, message, severity, kind, source,
              runbook_url AS "runbookUrl", creation_date AS "creationDate",
              updated_date AS "updatedDate", last_seen AS "lastSeen",
              resolved_date AS "resolvedDate", resolved_reason AS "resolvedReason"
         FROM session_alerts.alerts
        WHERE resolved_date IS NULL
          AND (fingerprint = ANY ($2::uuid[])
               OR id = ANY (ARRAY(SELECT alert_id FROM session_alerts.alert_series
                                   WHERE id = ANY ($1::uuid[]))))`,
      [seriesIds, fingerprints],
    );
  }

  private async readSeries(
    runner: QueryRunner,
    seriesIds: string[],
    alertIds: string[],
  ): Promise<SeriesState[]> {
    const rows = await query<Omit<SeriesState, 'arrival'> & { arrival: string }>(
      runner,
      `SELECT id, fingerprint, alert_id AS "alertId", firing, closed_by_hand AS "closedByHand",
              starts_at AS "startsAt", ends_at AS "endsAt", arrival
         FROM session_alerts.alert_series
        WHERE id = ANY ($1::uuid[]) OR alert_id = ANY ($2::text[])`,
      [seriesIds, alertIds],
    );
    return rows.map((row) => ({ ...row, arrival: Number(row.arrival) }));
  }

  /** Closings go first: they free the fingerprint for an alert that opens in the same batch. */
  private async write(runner: QueryRunner, changes: LifeChanges): Promise<void> {
    if (changes.changed.length > 0) await this.updateAlerts(runner, changes.changed);
    if (changes.opened.length > 0) await this.insertAlerts(runner, changes.opened);
    if (changes.series.length > 0) await this.upsertSeries(runner, changes.series);
  }

  private async updateAlerts(runner: QueryRunner, alerts: AlertState[]): Promise<void> {
    await query(
      runner,
      `UPDATE session_alerts.alerts AS alert
          SET title = changed.title, message = changed.message, severity = changed.severity,
              kind = changed.kind, runbook_url = changed.runbook_url,
              updated_date = changed.updated_date, last_seen = changed.last_seen,
              resolved_date = changed.resolved_date, resolved_reason = changed.resolved_reason
         FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
                     $7::timestamptz[], $8::timestamptz[], $9::timestamptz[], $10::text[])
           AS changed (id, title, message, severity, kind, runbook_url,
                       updated_date, last_seen, resolved_date, resolved_reason)
        WHERE alert.id = changed.id`,
      [
        alerts.map((alert) => alert.id),
        alerts.map((alert) => alert.title),
        alerts.map((alert) => alert.message),
        alerts.map((alert) => alert.severity),
        alerts.map((alert) => alert.kind),
        alerts.map((alert) => alert.runbookUrl),
        alerts.map((alert) => alert.updatedDate),
        alerts.map((alert) => alert.lastSeen),
        alerts.map((alert) => alert.resolvedDate),
        alerts.map((alert) => alert.resolvedReason),
      ],
    );
  }

  private async insertAlerts(runner: QueryRunner, alerts: AlertState[]): Promise<void> {
    await query(
      runner,
      `INSERT INTO session_alerts.alerts
         (id, fingerprint, user_id, session_name, event_type, title, message, severity, kind, source,
          runbook_url, creation_date, updated_date, last_seen, resolved_date, resolved_reason)
       SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[],
                            $7::text[], $8::text[], $9::text[], $10::text[], $11::text[],
                            $12::timestamptz[], $13::timestamptz[], $14::timestamptz[],
                            $15::timestamptz[], $16::text[])`,
      [
        alerts.map((alert) => alert.id),
        alerts.map((alert) => alert.fingerprint),
        alerts.map((alert) => alert.userId),
        alerts.map((alert) => alert.sessionName),
        alerts.map((alert) => alert.eventType),
        alerts.map((alert) => alert.title),
        alerts.map((alert) => alert.message),
        alerts.map((alert) => alert.severity),
        alerts.map((alert) => alert.kind),
        alerts.map((alert) => alert.source),
        alerts.map((alert) => alert.runbookUrl),
        alerts.map((alert) => alert.creationDate),
        alerts.map((alert) => alert.updatedDate),
        alerts.map((alert) => alert.lastSeen),
        alerts.map((alert) => alert.resolvedDate),
        alerts.map((alert) => alert.resolvedReason),
      ],
    );
  }

  private async upsertSeries(runner: QueryRunner, series: SeriesState[]): Promise<void> {
    await query(
      runner,
      `INSERT INTO session_alerts.alert_series
         (id, fingerprint, alert_id, firing, closed_by_hand, starts_at, ends_at, arrival)
       SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::boolean[], $5::boolean[],
                            $6::timestamptz[], $7::timestamptz[], $8::bigint[])
       ON CONFLICT (id) DO UPDATE
          SET alert_id = excluded.alert_id, firing = excluded.firing,
              closed_by_hand = excluded.closed_by_hand, starts_at = excluded.starts_at,
              ends_at = excluded.ends_at, arrival = excluded.arrival`,
      [
        series.map((one) => one.id),
        series.map((one) => one.fingerprint),
        series.map((one) => one.alertId),
        series.map((one) => one.firing),
        series.map((one) => one.closedByHand),
        series.map((one) => one.startsAt),
        series.map((one) => one.endsAt),
        series.map((one) => one.arrival),
      ],
    );
  }

  /** READ COMMITTED, so that what is read after the locks is what the writers before us left. */
  private async transaction<T>(
    userIds: string[],
    work: (runner: QueryRunner, now: Date) => Promise<T>,
  ): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.withRunner(async (runner) => {
          await query(runner, `BEGIN ISOLATION LEVEL READ COMMITTED`);
          try {
            await this.lockUsers(runner, userIds);
            const result = await work(runner, await this.readClock(runner));
            await query(runner, `COMMIT`);
            return result;
          } catch (error) {
            // The connection may be what failed; then there is nothing left to roll back.
            await query(runner, `ROLLBACK`).catch(() => undefined);
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

  private async lockUsers(runner: QueryRunner, userIds: string[]): Promise<void> {
    const keys = [...new Set(userIds.map(lockKey))].sort((a, b) => a - b);
    if (keys.length > MOST_USER_LOCKS) {
      await query(runner, `SELECT pg_advisory_xact_lock($1, 0)`, [GATE]);
      return;
    }
    await query(
      runner,
      `WITH gate AS MATERIALIZED (SELECT pg_advisory_xact_lock_shared($1, 0))
       SELECT pg_advisory_xact_lock($2, key) FROM gate, unnest($3::int[]) AS key`,
      [GATE, USERS, keys],
    );
  }

  private async withRunner<T>(work: (runner: QueryRunner) => Promise<T>): Promise<T> {
    const runner = this.dataSource.createQueryRunner();
    try {
      return await work(runner);
    } finally {
      await runner.release();
    }
  }
}

/** @throws DatabaseUnavailableError */
async function query<Row = unknown>(
  runner: QueryRunner,
  sql: string,
  parameters?: unknown[],
): Promise<Row[]> {
  try {
    return (await runner.query(sql, parameters)) as Row[];
  } catch (error) {
    throw asDatabaseError(error);
  }
}

function idsOf(alerts: { id: string }[]): string[] {
  return alerts.map((alert) => alert.id);
}

function lockKey(userId: string): number {
  return createHash('sha256').update(userId).digest().readInt32BE();
}
