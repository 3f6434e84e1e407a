import type { AlertState, LifeChanges, OpenedAlert, SeriesState, Sighting } from './alert-life.js';
import type { Observation } from './observation.js';

/** A statement as `pg` takes it; one with a name is planned once a connection. */
export interface Statement {
  name?: string;
  text: string;
  values?: unknown[];
}

/** The classes of our advisory locks: the gate that every writer passes, and the users behind it. */
const GATE = 0x5e551001;
const USERS = 0x5e551002;

/**
 * What the API shows of an alert, under the API's names; moments in ms since 1970. How PostgreSQL writes a date, and how
 * `pg` reads it, depends on settings that may be an application's own. Numbers are cheaper besides.
 */
export const SHOWN = `id, title, message, event_type, user_id, session_name,
  (extract(epoch FROM creation_date) * 1000)::bigint AS creation_date,
  (extract(epoch FROM resolved_date) * 1000)::bigint AS resolved_date,
  severity, kind, (extract(epoch FROM updated_date) * 1000)::bigint AS updated_date, runbook_url,
  resolved_reason`;

const NOW = `(extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now`;

/** READ COMMITTED, so that what is read after the locks is what the writers before us left. */
export const BEGIN: Statement = { text: 'BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE' };
export const COMMIT: Statement = { text: 'COMMIT' };
export const ROLLBACK: Statement = { text: 'ROLLBACK' };

/** Until the transaction ends. */
export const ALLOW_HASH_JOINS: Statement = { text: 'SET LOCAL enable_hashjoin = on' };

/** The database's clock (µs since 1970). */
export const READ_CLOCK: Statement = { name: 'session_alerts_read_clock', text: `SELECT ${NOW}` };

/**
 * Until the transaction ends: NULL in an array is NULL, and what is committed is stored. Connections of an application
 * are as it has made them, and stay so.
 */
const DEPENDED_ON = `
  CASE current_setting('array_nulls') WHEN 'off' THEN set_config('array_nulls', 'on', true) END,
  CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'on', true) END`;

/** Waits until no other writer has these users, and tells the time then. */
export function lockUsers(keys: number[]): Statement {
  return {
    name: 'session_alerts_lock_users',
    text: `
      WITH gate AS MATERIALIZED (SELECT pg_advisory_xact_lock_shared($1, 0)),
           locked AS MATERIALIZED (SELECT pg_advisory_xact_lock($2, key) FROM gate, unnest($3::int[]) AS key)
      SELECT ${NOW}, ${DEPENDED_ON} FROM (SELECT count(*) FROM locked) AS all_locked`,
    values: [GATE, USERS, keys],
  };
}

/** Waits until there is no other writer, and tells the time then. */
export function lockAll(): Statement {
  return {
    name: 'session_alerts_lock_all',
    text: `
      WITH gate AS MATERIALIZED (SELECT pg_advisory_xact_lock($1, 0))
      SELECT ${NOW}, ${DEPENDED_ON} FROM (SELECT count(*) FROM gate) AS locked`,
    values: [GATE],
  };
}

/**
 * All that a decision about these observations needs to know, in three statements: the open alerts that they can
 * touch; their series, and all behind the alerts that they may end; and which of those series requests saw
 * that arrived later. The first two answer one row with all in JSON, which is read several times as fast as rows are.
 * @param since when the first of them arrived (µs, the database's clock)
 */
export function readState(observations: Observation[], since: number): [Statement, Statement, Statement] {
  const seriesIds = new Set<string>();
  const fingerprints = new Set<string>();
  const ending = new Set<string>();
  for (const seen of observations) {
    seriesIds.add(seen.seriesId);
    if (seen.status === 'firing') fingerprints.add(seen.fingerprint);
    else ending.add(seen.seriesId);
  }
  // A series that fires and ends in one batch may end the alert that it only now stands behind.
  const endingFingerprints = new Set<string>();
  if (ending.size > 0) {
    for (const seen of observations) {
      if (seen.status === 'firing' && ending.has(seen.seriesId)) endingFingerprints.add(seen.fingerprint);
    }
  }
  const ids = plainArray([...seriesIds]);
  return [
    {
      name: 'session_alerts_read_open_alerts',
      // Said so that no plan can take an index over open alerts and look through all of it.
      text: `
        SELECT coalesce(json_agg(alert), '[]') AS rows
          FROM (SELECT id, fingerprint, user_id AS "userId", title, message, severity, kind, source,
                       runbook_url AS "runbookUrl"
                  FROM session_alerts.alerts
                 WHERE id = ANY (ARRAY(SELECT id FROM session_alerts.alerts
                                        WHERE fingerprint = ANY ($2::uuid[]) AND resolved_date IS NULL
                                       UNION
                                       SELECT alert_id FROM session_alerts.alert_series
                                        WHERE id = ANY ($1::uuid[])))
                   AND coalesce(resolved_date, 'infinity') = 'infinity') AS alert`,
      values: [ids, plainArray([...fingerprints])],
    },
    {
      name: 'session_alerts_read_series',
      text: `
        SELECT coalesce(json_agg(series), '[]') AS rows
          FROM (SELECT id, fingerprint, alert_id AS "alertId", firing, closed_by_hand AS "closedByHand",
                       extract(epoch FROM starts_at) * 1000 AS "startsAt",
                       extract(epoch FROM ends_at) * 1000 AS "endsAt", arrival
                  FROM session_alerts.alert_series
                 WHERE id = ANY ($1::uuid[])
                    OR alert_id = ANY (ARRAY(SELECT alert_id FROM session_alerts.alert_series
                                              WHERE id = ANY ($2::uuid[])
                                             UNION ALL
                                             SELECT id FROM session_alerts.alerts
                                              WHERE fingerprint = ANY ($3::uuid[])
                                                AND resolved_date IS NULL))) AS series`,
      values: [ids, plainArray([...ending]), plainArray([...endingFingerprints])],
    },
    {
      name: 'session_alerts_read_sightings',
      // IS TRUE keeps the planner from a nested loop over two arrays: the ids are hashed once.
      text: `
        SELECT sighted.id AS "seriesId", max(sightings.arrival) AS arrival
          FROM session_alerts.sightings CROSS JOIN unnest(sightings.series) AS sighted (id)
         WHERE sightings.arrival > $2 AND (sighted.id IN (SELECT unnest($1::uuid[]))) IS TRUE
         GROUP BY sighted.id`,
      values: [ids, since],
    },
  ];
}

/**
 * The statements that write what a batch changes, none for what it does not. Closings go before openings:
 * they free the fingerprint for an alert that opens in the same batch.
 */
export function writeChanges({ now, updated, closed, opened, series, sightings }: LifeChanges): Statement[] {
  return [
    ...(updated.length > 0 ? [updateAlerts(updated, now)] : []),
    ...(closed.length > 0 ? [closeAlerts(closed, now)] : []),
    ...(opened.length > 0 ? [insertAlerts(opened, now)] : []),
    ...(series.length > 0 ? [upsertSeries(series)] : []),
    ...(sightings.length > 0 ? [insertSightings(sightings)] : []),
  ];
}

function updateAlerts(alerts: AlertState[], now: Date): Statement {
  return {
    name: 'session_alerts_update_alerts',
    text: `
      UPDATE session_alerts.alerts AS alert
         SET title = changed.title, message = changed.message, severity = changed.severity,
             kind = changed.kind, runbook_url = changed.runbook_url, updated_date = $7, last_seen = $7
        FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
          AS changed (id, title, message, severity, kind, runbook_url)
       WHERE alert.id = changed.id`,
    values: [
      alerts.map((alert) => alert.id),
      alerts.map((alert) => alert.title),
      alerts.map((alert) => alert.message),
      alerts.map((alert) => alert.severity),
      alerts.map((alert) => alert.kind),
      alerts.map((alert) => alert.runbookUrl),
      now,
    ],
  };
}

function closeAlerts(closed: LifeChanges['closed'], now: Date): Statement {
  return {
    name: 'session_alerts_close_alerts',
    text: `
      UPDATE session_alerts.alerts AS alert
         SET resolved_date = $3, updated_date = $3, resolved_reason = closed.reason
        FROM unnest($1::text[], $2::text[]) AS closed (id, reason)
       WHERE alert.id = closed.id`,
    values: [closed.map(({ id }) => id), closed.map(({ reason }) => reason), now],
  };
}

function insertAlerts(alerts: OpenedAlert[], now: Date): Statement {
  return {
    name: 'session_alerts_insert_alerts',
    text: `
      INSERT INTO session_alerts.alerts
        (id, fingerprint, user_id, session_name, event_type, title, message, severity, kind, source,
         runbook_url, creation_date, updated_date, last_seen, resolved_date, resolved_reason)
      SELECT id, fingerprint, user_id, session_name, event_type, title, message, severity, kind, source,
             runbook_url, $13::timestamptz, $13::timestamptz, $13::timestamptz,
             CASE WHEN resolved_reason IS NOT NULL THEN $13::timestamptz END, resolved_reason
        FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                    $8::text[], $9::text[], $10::text[], $11::text[], $12::text[])
          AS opened (id, fingerprint, user_id, session_name, event_type, title, message,
                     severity, kind, source, runbook_url, resolved_reason)`,
    values: [
      plainArray(alerts.map((alert) => alert.id)),
      plainArray(alerts.map((alert) => alert.fingerprint)),
      alerts.map((alert) => alert.userId),
      alerts.map((alert) => alert.sessionName),
      alerts.map((alert) => alert.eventType),
      alerts.map((alert) => alert.title),
      alerts.map((alert) => alert.message),
      alerts.map((alert) => alert.severity),
      alerts.map((alert) => alert.kind),
      alerts.map((alert) => alert.source),
      alerts.map((alert) => alert.runbookUrl),
      alerts.map((alert) => alert.resolvedReason),
      now,
    ],
  };
}

function upsertSeries(series: SeriesState[]): Statement {
  return {
    name: 'session_alerts_upsert_series',
    text: `
      INSERT INTO session_alerts.alert_series
        (id, fingerprint, alert_id, firing, closed_by_hand, starts_at, ends_at, arrival)
      SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::boolean[], $5::boolean[],
                           $6::timestamptz[], $7::timestamptz[], $8::bigint[])
      ON CONFLICT (id) DO UPDATE
         SET alert_id = excluded.alert_id, firing = excluded.firing,
             closed_by_hand = excluded.closed_by_hand, starts_at = excluded.starts_at,
             ends_at = excluded.ends_at, arrival = excluded.arrival`,
    values: [
      plainArray(series.map((one) => one.id)),
      series.map((one) => one.fingerprint),
      series.map((one) => one.alertId),
      plainArray(series.map((one) => one.firing)),
      plainArray(series.map((one) => one.closedByHand)),
      series.map((one) => momentOf(one.startsAt)),
      series.map((one) => one.endsAt && momentOf(one.endsAt)),
      plainArray(series.map((one) => one.arrival)),
    ],
  };
}

/**
 * PostgreSQL's text of an array whose elements need no quotes: ids that are ours, numbers, booleans. pg looks at every
 * element for what it may have to quote.
 */
function plainArray(values: (string | number | boolean)[]): string {
  return `{${values.join(',')}}`;
}

/** As text, which costs pg a fraction of a Date; it cannot say years before 1 and after 9999 as PostgreSQL reads them. */
function momentOf(date: Date): string | Date {
  const year = date.getUTCFullYear();
  return year >= 1 && year <= 9999 ? date.toISOString() : date;
}

function insertSightings(sightings: Sighting[]): Statement {
  return {
    name: 'session_alerts_insert_sightings',
    text: `
      INSERT INTO session_alerts.sightings (arrival, request, series)
      SELECT arrival, gen_random_uuid(), array_agg(series_id)
        FROM unnest($1::bigint[], $2::uuid[]) AS seen (arrival, series_id)
       GROUP BY arrival`,
    values: [
      plainArray(sightings.map(({ arrival }) => arrival)),
      plainArray(sightings.map(({ seriesId }) => seriesId)),
    ],
  };
}

/** Where replicas tell each other whose open alerts have changed. */
export const CHANNEL = 'session_alerts';

/** In a notice instead of ids: everybody's. For those who change the tables past us. */
export const EVERYBODY = '*';

/** PostgreSQL takes less than 8,000 bytes. */
const LONGEST_NOTICE = 7_900;

/** Whose open alerts a batch changes, as they see them. */
export function usersOf({ opened, updated, closed }: LifeChanges): Set<string> {
  return new Set([...opened, ...updated, ...closed].map(({ userId }) => userId));
}

/**
 * Tells all replicas, when the transaction commits, whose open alerts it changes; nothing where it changes none. A
 * notice is the process that sends it and the users' ids, with spaces between: an id has none.
 */
export function notifyChange(process: string, userIds: ReadonlySet<string>): Statement[] {
  if (userIds.size === 0) return [];
  const notices: string[] = [];
  let notice = [process];
  let length = process.length;
  for (const userId of userIds) {
    const added = Buffer.byteLength(userId) + 1;
    if (length + added > LONGEST_NOTICE) {
      notices.push(notice.join(' '));
      notice = [process];
      length = process.length;
    }
    notice.push(userId);
    length += added;
  }
  return [
    {
      name: 'session_alerts_notify_change',
      text: `SELECT pg_notify('${CHANNEL}', notice) FROM unnest($1::text[]) AS notice`,
      values: [[...notices, notice.join(' ')]],
    },
  ];
}

/** Several users' open alerts, newest first. */
export function listOpen(userIds: string[]): Statement {
  return {
    name: 'session_alerts_list_open',
    text: `
      SELECT ${SHOWN}
        FROM session_alerts.alerts
       WHERE user_id = ANY ($1::text[]) AND resolved_date IS NULL
       ORDER BY alerts.creation_date DESC, id DESC`,
    values: [userIds],
  };
}

/** Which closed alerts to list. */
export interface HistoryPage {
  sessionName?: string | undefined;
  since?: Date | undefined;
  limit: number;
  after?: { id: string; resolved_date: Date | null } | undefined;
}

/** A page of a user's closed alerts, the last closed first; `after` is the last of the page before. */
export function listResolved(userId: string, page: HistoryPage): Statement {
  return page.sessionName === undefined
    ? {
        name: 'session_alerts_list_resolved',
        text: `
          SELECT ${SHOWN}
            FROM session_alerts.alerts
           WHERE user_id = $1 AND resolved_date IS NOT NULL
             AND resolved_date >= $2
             AND (resolved_date, id) < ($3, $4)
           ORDER BY alerts.resolved_date DESC, id DESC
           LIMIT $5`,
        values: [userId, ...valuesOf(page)],
      }
    : {
        name: 'session_alerts_list_resolved_of_session',
        // Said so that no plan can take the index over all that the user ever had, and look through it.
        text: `
          SELECT ${SHOWN}
            FROM session_alerts.alerts
           WHERE user_id = $1 AND session_name = $6 AND resolved_reason IS NOT NULL
             AND coalesce(resolved_date, 'infinity') >= $2
             AND (coalesce(resolved_date, 'infinity'), id) < ($3, $4)
           ORDER BY alerts.resolved_date DESC, id DESC
           LIMIT $5`,
        values: [userId, ...valuesOf(page), page.sessionName],
      };
}

function valuesOf({ since, after, limit }: HistoryPage): unknown[] {
  return [since ?? '-infinity', after?.resolved_date ?? 'infinity', after?.id ?? '', limit];
}
