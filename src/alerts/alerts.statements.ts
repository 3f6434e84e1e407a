import { firingSeries, SILENCING_REASONS } from './alert-life.js';
import type {
  AlertState,
  ClosedAlert,
  KnownState,
  LifeChanges,
  OpenedAlert,
  PastSeries,
  RewrittenAlert,
  SeriesState,
  Sighting,
  Words,
} from './alert-life.js';
import type { StoredAlert } from './alerts.dto.js';
import { gravityOf } from './gravity.js';
import type { FiringObservation, Observation } from './observation.js';

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
 * What the API shows of an alert, under the API's names, and beside it what it shows of its series; moments in ms since
 * 1970. How PostgreSQL writes a date, and how `pg` reads it, depends on settings that may be an application's own.
 * Numbers are cheaper besides.
 */
export const SHOWN = `id, title, message, event_type, user_id, session_name,
  (extract(epoch FROM creation_date) * 1000)::bigint AS creation_date,
  (extract(epoch FROM resolved_date) * 1000)::bigint AS resolved_date, severity,
  CASE WHEN is_event THEN 'event' ELSE 'condition' END AS kind,
  (extract(epoch FROM coalesce(updated_date, creation_date)) * 1000)::bigint AS updated_date,
  (extract(epoch FROM escalated_date) * 1000)::bigint AS escalated_date, runbook_url, resolved_reason,
  (extract(epoch FROM starts_at) * 1000)::bigint AS starts_at,
  (extract(epoch FROM ends_at) * 1000)::bigint AS ends_at, other_series`;

/** The names of `SHOWN`. */
const SHOWN_COLUMNS = `id, title, message, event_type, user_id, session_name, creation_date, resolved_date, severity,
  kind, updated_date, escalated_date, runbook_url, resolved_reason, starts_at, ends_at, other_series`;

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

/** Its fingerprint as hex digits, whatever a connection's bytea_output says; and of its episode what the rules ask for. */
const FIRST_SERIES = `encode(alert.series, 'hex') AS series, extract(epoch FROM alert.starts_at) * 1000 AS "startsAt",
  extract(epoch FROM alert.ends_at) * 1000 AS "endsAt", alert.arrival, alert.other_series AS "otherSeries"`;

/** What is read of an open alert, as `AlertState` has it, with its first series in its own columns. */
const STATE = `alert.id, alert.fingerprint, alert.title, alert.message, alert.severity,
  alert.runbook_url AS "runbookUrl", alert.is_event AS "isEvent", alert.by_hand AS "byHand", ${FIRST_SERIES}`;

/** What is read of a closed one. */
const PAST = `${FIRST_SERIES}, alert.resolved_reason AS reason`;

const SILENT = `resolved_reason IN (${SILENCING_REASONS.map((reason) => `'${reason}'`).join(', ')})`;

/** Observations that ask for the same: of one identity, or without a name and of one session. */
type Asked = [Observation, ...Observation[]];

/** Each is asked for once: many series may be about one alert, which is read with all that stand behind it. */
function askedOf(observations: Observation[]): Asked[] {
  const asked = new Map<string, Asked>();
  for (const seen of observations) {
    const { userId, sessionName, fingerprint, isNamed } = seen;
    const key = `${isNamed ? (fingerprint ?? '') : ''} ${userId} ${sessionName}`;
    const same = asked.get(key);
    if (same) same.push(seen);
    else asked.set(key, [seen]);
  }
  return [...asked.values()];
}

function isNamed([seen]: Asked): boolean {
  return seen.isNamed;
}

/** Matches no series: what is known of several is read whichever is shown. */
const ANY_SERIES = '';

/**
 * All that a decision about these observations needs to know, in one statement: of each identity the open alert; where
 * a series that fires is not the one that it shows, the alerts of that identity that a person closed, and those that
 * were closed since the observations arrived; and what requests saw of their series that arrived later. It answers one
 * row with all in JSON, which is read several times as fast as rows are. Behind those without a name stand all alerts
 * of their sessions, in a statement of its own.
 * @param since when the first of them arrived (µs, the database's clock)
 */
export function readState(observations: Observation[], since: number): Statement[] {
  const asked = askedOf(observations);
  const named = asked.filter(isNamed);
  return [
    {
      name: 'session_alerts_read_state',
      // OFFSET 0 keeps the planner from joining in another order.
      text: `
        SELECT (SELECT coalesce(json_agg(known), '[]')
                  FROM (SELECT asked.place, open.*, past.alerts AS past
                          FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::boolean[])
                               WITH ORDINALITY
                            AS asked (user_id, session_name, fingerprint, series, is_firing, place)
                          LEFT JOIN LATERAL (
                            SELECT ${STATE}
                              FROM session_alerts.alerts AS alert
                             WHERE alert.user_id = asked.user_id AND alert.session_name = asked.session_name
                               AND alert.fingerprint = asked.fingerprint AND alert.resolved_date IS NULL
                            OFFSET 0) AS open ON true
                          LEFT JOIN LATERAL (
                            SELECT json_agg(closed) AS alerts
                              FROM (SELECT ${PAST}
                                      FROM session_alerts.alerts AS alert
                                     WHERE asked.is_firing AND open.series IS DISTINCT FROM asked.series
                                       AND alert.user_id = asked.user_id
                                       AND alert.session_name = asked.session_name
                                       AND alert.fingerprint = asked.fingerprint AND alert.${SILENT}
                                    UNION ALL
                                    SELECT ${PAST}
                                      FROM session_alerts.alerts AS alert
                                     WHERE asked.is_firing AND open.series IS DISTINCT FROM asked.series
                                       AND alert.user_id = asked.user_id AND alert.resolved_date >= $7
                                       AND alert.session_name = asked.session_name
                                       AND alert.fingerprint = asked.fingerprint) AS closed) AS past ON true
                         WHERE open.id IS NOT NULL OR past.alerts IS NOT NULL) AS known) AS alerts,
               (SELECT coalesce(json_agg(sighted), '[]')
                  FROM (SELECT sighted.series AS "seriesKey", sightings.arrival,
                               extract(epoch FROM sighted.ends_at) * 1000 AS "endsAt"
                          FROM session_alerts.sightings
                         CROSS JOIN unnest(sightings.series, sightings.ends_at) AS sighted (series, ends_at)
                         WHERE sightings.arrival > $6
                           AND (sighted.series IN (SELECT unnest($8::bigint[]))) IS TRUE) AS sighted) AS sightings`,
      values: [
        textArray(named.map(([{ userId }]) => userId)),
        textArray(named.map(([{ sessionName }]) => sessionName)),
        plainArray(named.map(([{ fingerprint }]) => fingerprint ?? 0)),
        textArray(
          named.map(([one, ...others]) => (others.length === 0 ? one.seriesFingerprint : ANY_SERIES)),
        ),
        plainArray(named.map((same) => same.some(({ status }) => status === 'firing'))),
        since,
        new Date(Math.floor(since / 1000)),
        plainArray(observations.map(({ seriesKey }) => seriesKey)),
      ],
    },
    ...(named.length === asked.length ? [] : [readUnnamed(asked, since)]),
  ];
}

/** All open alerts of the sessions of those observations that have no name, and the closed ones that count. */
function readUnnamed(asked: Asked[], since: number): Statement {
  const unnamed = asked.filter((same) => !isNamed(same));
  return {
    name: 'session_alerts_read_unnamed',
    text: `
      SELECT coalesce(json_agg(known), '[]') AS alerts
        FROM (SELECT asked.place, found.*
                FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS asked (user_id, session_name, place)
               CROSS JOIN LATERAL (
                 SELECT ${STATE}, NULL::json AS past
                   FROM session_alerts.alerts AS alert
                  WHERE alert.user_id = asked.user_id AND alert.session_name = asked.session_name
                    AND alert.resolved_date IS NULL
                 UNION ALL
                 SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
                        json_agg(closed)
                   FROM (SELECT ${PAST}
                           FROM session_alerts.alerts AS alert
                          WHERE alert.user_id = asked.user_id AND alert.session_name = asked.session_name
                            AND alert.${SILENT}
                         UNION ALL
                         SELECT ${PAST}
                           FROM session_alerts.alerts AS alert
                          WHERE alert.user_id = asked.user_id AND alert.resolved_date >= $3
                            AND alert.session_name = asked.session_name) AS closed) AS found) AS known`,
    values: [
      textArray(unnamed.map(([{ userId }]) => userId)),
      textArray(unnamed.map(([{ sessionName }]) => sessionName)),
      new Date(Math.floor(since / 1000)),
    ],
  };
}

/** A series as an alert's columns have it, beside its words. */
interface SeriesColumns {
  /** Alertmanager's fingerprint, 16 hex digits. */
  series: string | null;
  startsAt: number;
  endsAt: number | null;
  arrival: number;
  otherSeries: SeriesState[] | null;
}

/** What `readState` reads of one identity: columns are null where no alert is open. */
interface KnownRow extends Words, SeriesColumns {
  /** The how manieth of those that the statement asks for it is, from 1. */
  place: number;
  id: string | null;
  fingerprint: number;
  isEvent: boolean;
  byHand: boolean;
  past: (SeriesColumns & { reason: string })[] | null;
}

/** What the rules need to know, from the rows that the statements of `readState` answer for these observations. */
export function knownState(observations: Observation[], answers: unknown[][]): KnownState {
  const alerts = new Map<string, AlertState>();
  const past: PastSeries[] = [];
  const [named, unnamed] = answers as [
    [{ alerts: KnownRow[]; sightings: Sighting[] }],
    [{ alerts: KnownRow[] }]?,
  ];
  const asked = askedOf(observations);
  const add = (rows: KnownRow[], askedFor: Asked[]): void => {
    for (const row of rows) {
      const same = askedFor[row.place - 1];
      if (!same) continue;
      if (row.id !== null && !alerts.has(row.id)) alerts.set(row.id, alertStateOf(row, row.id, same[0]));
      for (const closed of row.past ?? []) past.push(...pastOf(closed, row, same));
    }
  };
  add(named[0].alerts, asked.filter(isNamed));
  if (unnamed)
    add(
      unnamed[0].alerts,
      asked.filter((same) => !isNamed(same)),
    );
  return { alerts: [...alerts.values()], past, sightings: named[0].sightings };
}

/** Of a closed alert those series that are asked for and not shown. */
function pastOf(
  closed: SeriesColumns & { reason: string },
  { series: shown }: KnownRow,
  same: Asked,
): PastSeries[] {
  const byFingerprint = new Map(seriesOf(closed, NO_WORDS).map((one) => [one.fingerprint, one]));
  const isSilent = (SILENCING_REASONS as readonly string[]).includes(closed.reason);
  return same.flatMap(({ isNamed, status, seriesKey, seriesFingerprint }) => {
    if (isNamed && (status !== 'firing' || seriesFingerprint === shown)) return [];
    const series = byFingerprint.get(seriesFingerprint);
    if (!series) return [];
    const { startsAt, endsAt, arrival } = series;
    return [{ seriesKey, startsAt, endsAt, arrival, isSilent }];
  });
}

const NO_WORDS = { title: '', message: '', severity: null, runbookUrl: null };

function alertStateOf(row: KnownRow, id: string, { userId, sessionName }: Observation): AlertState {
  return {
    id,
    fingerprint: row.fingerprint,
    userId,
    sessionName,
    title: row.title,
    message: row.message,
    severity: row.severity,
    runbookUrl: row.runbookUrl,
    kind: row.isEvent ? 'event' : 'condition',
    source: row.byHand ? 'api' : 'alertmanager',
    series: seriesOf(row, row),
  };
}

/** The first series has the words of its alert. */
function seriesOf(columns: SeriesColumns, { title, message, severity, runbookUrl }: Words): SeriesState[] {
  const { series, startsAt, endsAt, arrival, otherSeries } = columns;
  if (series === null) return otherSeries ?? [];
  const first = { fingerprint: series, title, message, severity, runbookUrl, startsAt, endsAt, arrival };
  return otherSeries === null ? [first] : [...otherSeries, first];
}

/** An array of bytea, of hex digits. */
function byteaArray(values: (string | null)[]): string {
  return plainArray(values.map((hex) => hex && `"\\\\x${hex}"`));
}

/**
 * The statements that write what a batch changes, none for what it does not. Closings go before openings:
 * they free the fingerprint for an alert that opens in the same batch.
 */
export function writeChanges({ now, rewritten, closed, opened, sightings }: LifeChanges): Statement[] {
  return [
    ...(rewritten.length > 0 ? [rewriteAlerts(rewritten, now)] : []),
    ...(closed.length > 0 ? [closeAlerts(closed, now)] : []),
    ...(opened.length > 0 ? [insertAlerts(opened, now)] : []),
    ...(sightings.length > 0 ? [insertSightings(sightings)] : []),
  ];
}

/** The values of the columns that tell an alert's series, for `SERIES_COLUMNS`. */
function seriesValues(alerts: AlertState[]): unknown[] {
  const firsts = alerts.map(firstSeries);
  return [
    byteaArray(firsts.map((first) => first && first.fingerprint)),
    plainArray(firsts.map((first) => first && momentOf(first.startsAt))),
    plainArray(firsts.map((first) => (first?.endsAt == null ? null : momentOf(first.endsAt)))),
    plainArray(firsts.map((first) => first && first.arrival)),
    textArray(alerts.map(({ series }, index) => othersThan(firsts[index], series))),
  ];
}

/** The series whose words the alert shows. Of series that have all ended it is the last. */
function firstSeries({ series }: AlertState): SeriesState | null {
  if (series.length <= 1) return series[0] ?? null;
  return firingSeries({ series })[0] ?? series.at(-1) ?? null;
}

/** The others as JSON. */
function othersThan(first: SeriesState | null | undefined, series: SeriesState[]): string | null {
  return series.length <= 1 ? null : JSON.stringify(series.filter((one) => one !== first));
}

/** The types of `seriesValues`, whose first parameter has that number. */
function seriesTypes(first: number): string {
  const types = ['bytea', 'timestamptz', 'timestamptz', 'bigint', 'json'];
  return types.map((type, index) => `$${first + index}::${type}[]`).join(', ');
}

const SERIES_COLUMNS = 'series, starts_at, ends_at, arrival, other_series';

const SET_SERIES = `series = changed.series, starts_at = changed.starts_at, ends_at = changed.ends_at,
             arrival = changed.arrival, other_series = changed.other_series`;

function rewriteAlerts(rewritten: RewrittenAlert[], now: Date): Statement {
  const alerts = rewritten.map(({ alert }) => alert);
  return {
    name: 'session_alerts_rewrite_alerts',
    text: `
      UPDATE session_alerts.alerts AS alert
         SET title = changed.title, message = changed.message, severity = changed.severity,
             gravity = changed.gravity, is_event = changed.is_event, runbook_url = changed.runbook_url,
             updated_date = CASE WHEN changed.is_updated THEN $12 ELSE alert.updated_date END,
             escalated_date = CASE WHEN changed.is_escalated THEN $12 ELSE alert.escalated_date END,
             last_seen = CASE WHEN changed.is_seen THEN $12 ELSE alert.last_seen END,
             ${SET_SERIES}
        FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::smallint[], $7::boolean[],
                    $8::text[], $9::boolean[], $10::boolean[], $11::boolean[], ${seriesTypes(13)})
          AS changed (id, user_id, title, message, severity, gravity, is_event, runbook_url, is_updated,
                      is_escalated, is_seen, ${SERIES_COLUMNS})
       WHERE alert.id = changed.id AND alert.user_id = changed.user_id`,
    values: [
      plainArray(alerts.map((alert) => alert.id)),
      textArray(alerts.map((alert) => alert.userId)),
      textArray(alerts.map((alert) => alert.title)),
      textArray(alerts.map((alert) => alert.message)),
      textArray(alerts.map((alert) => alert.severity)),
      plainArray(alerts.map((alert) => gravityOf(alert.severity))),
      plainArray(alerts.map((alert) => alert.kind === 'event')),
      textArray(alerts.map((alert) => alert.runbookUrl)),
      plainArray(rewritten.map(({ isUpdated }) => isUpdated)),
      plainArray(rewritten.map(({ isEscalated }) => isEscalated)),
      plainArray(rewritten.map(({ isSeen }) => isSeen)),
      now,
      ...seriesValues(alerts),
    ],
  };
}

function closeAlerts(closed: ClosedAlert[], now: Date): Statement {
  const alerts = closed.map(({ alert }) => alert);
  return {
    name: 'session_alerts_close_alerts',
    text: `
      UPDATE session_alerts.alerts AS alert
         SET resolved_date = $4, updated_date = $4, resolved_reason = changed.reason,
             ${SET_SERIES}
        FROM unnest($1::text[], $2::text[], $3::text[], ${seriesTypes(5)})
          AS changed (id, user_id, reason, ${SERIES_COLUMNS})
       WHERE alert.id = changed.id AND alert.user_id = changed.user_id`,
    values: [
      plainArray(alerts.map((alert) => alert.id)),
      textArray(alerts.map((alert) => alert.userId)),
      plainArray(closed.map(({ reason }) => reason)),
      now,
      ...seriesValues(alerts),
    ],
  };
}

function insertAlerts(alerts: OpenedAlert[], now: Date): Statement {
  return {
    name: 'session_alerts_insert_alerts',
    text: `
      INSERT INTO session_alerts.alerts
        (id, fingerprint, user_id, session_name, event_type, title, message, severity, gravity, is_event, by_hand,
         runbook_url, creation_date, resolved_date, resolved_reason, ${SERIES_COLUMNS})
      SELECT id, fingerprint, user_id, session_name, event_type, title, message, severity, gravity, is_event, false,
             runbook_url, $13::timestamptz, CASE WHEN resolved_reason IS NOT NULL THEN $13::timestamptz END,
             resolved_reason, ${SERIES_COLUMNS}
        FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                    $8::text[], $9::smallint[], $10::boolean[], $11::text[], $12::text[], ${seriesTypes(14)})
          AS opened (id, fingerprint, user_id, session_name, event_type, title, message,
                     severity, gravity, is_event, runbook_url, resolved_reason, ${SERIES_COLUMNS})`,
    values: [
      plainArray(alerts.map((alert) => alert.id)),
      plainArray(alerts.map((alert) => alert.fingerprint)),
      textArray(alerts.map((alert) => alert.userId)),
      textArray(alerts.map((alert) => alert.sessionName)),
      textArray(alerts.map((alert) => alert.eventType)),
      textArray(alerts.map((alert) => alert.title)),
      textArray(alerts.map((alert) => alert.message)),
      textArray(alerts.map((alert) => alert.severity)),
      plainArray(alerts.map((alert) => gravityOf(alert.severity))),
      plainArray(alerts.map((alert) => alert.kind === 'event')),
      textArray(alerts.map((alert) => alert.runbookUrl)),
      textArray(alerts.map((alert) => alert.resolvedReason)),
      now,
      ...seriesValues(alerts),
    ],
  };
}

/**
 * PostgreSQL's text of an array whose elements need no quotes: ids that are ours, numbers, booleans. pg looks at every
 * element for what it may have to quote.
 */
function plainArray(values: (string | number | boolean | null)[]): string {
  return `{${values.map((value) => value ?? 'NULL').join(',')}}`;
}

/** Any text. pg writes the same, with two regular expressions for each element. */
function textArray(values: (string | null)[]): string {
  return plainArray(
    values.map((text) =>
      text === null ? null : `"${isPlain(text) ? text : text.replaceAll(/["\\]/g, '\\$&')}"`,
    ),
  );
}

function isPlain(text: string): boolean {
  return !text.includes('"') && !text.includes('\\');
}

/** The first and the last moment (ms since 1970) that JavaScript says as PostgreSQL reads it: the years 1 and 9999. */
const FIRST_MOMENT = Date.parse('0001-01-01T00:00:00.000Z');
const LAST_MOMENT = Date.parse('9999-12-31T23:59:59.999Z');

/** As text, for an array. What lies beyond the years 1 and 9999 is cut to them. */
function momentOf(moment: number): string {
  return new Date(Math.min(Math.max(moment, FIRST_MOMENT), LAST_MOMENT)).toISOString();
}

function insertSightings(sightings: Sighting[]): Statement {
  return {
    name: 'session_alerts_insert_sightings',
    text: `
      INSERT INTO session_alerts.sightings (arrival, request, series, ends_at, alertmanager)
      SELECT arrival, gen_random_uuid(), array_agg(series),
             CASE WHEN count(ends_at) > 0 THEN array_agg(ends_at) END, NULL::text
        FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[]) AS seen (arrival, series, ends_at)
       GROUP BY arrival`,
    values: [
      plainArray(sightings.map(({ arrival }) => arrival)),
      plainArray(sightings.map(({ seriesKey }) => seriesKey)),
      plainArray(sightings.map(({ endsAt }) => (endsAt === null ? null : momentOf(endsAt)))),
    ],
  };
}

/** That an Alertmanager reported a series which reconciling may not ask. */
export interface ReportedSeries {
  seriesKey: number;
  /** When the request arrived: µs since 1970 by the database's clock. */
  arrival: number;
  /** Its external URL. */
  alertmanager: string;
}

export function insertReports(reports: ReportedSeries[]): Statement {
  return {
    text: `
      INSERT INTO session_alerts.sightings (arrival, request, series, alertmanager)
      SELECT arrival, gen_random_uuid(), array_agg(series), alertmanager
        FROM unnest($1::bigint[], $2::bigint[], $3::text[]) AS reported (arrival, series, alertmanager)
       GROUP BY arrival, alertmanager`,
    values: [
      plainArray(reports.map(({ arrival }) => arrival)),
      plainArray(reports.map(({ seriesKey }) => seriesKey)),
      textArray(reports.map(({ alertmanager }) => alertmanager)),
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
export function usersOf({ opened, rewritten, closed }: LifeChanges): Set<string> {
  const users = new Set(opened.map(({ userId }) => userId));
  for (const { alert, isUpdated } of rewritten) if (isUpdated) users.add(alert.userId);
  for (const { alert } of closed) users.add(alert.userId);
  return users;
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

/** How many open alerts an answer carries at most. */
export const MOST_SHOWN = 500;
/** How long an answer gets at most (bytes of its JSON, about), and what of that is no text of an alert's. */
const LONGEST_ANSWER = 270_000;
const BESIDE_TEXT = 400;
/** As many open alerts as nearly everybody has at most. */
const FEW = 20;

/**
 * The open alerts of several users who have few, each user's gravest first, then newest. Of who has more it answers one
 * more than those, whichever.
 */
export function listFewOpen(userIds: string[]): Statement {
  return {
    name: 'session_alerts_list_few_open',
    text: `
      SELECT ${SHOWN}
        FROM unnest($1::text[]) AS asked (asked_user)
       CROSS JOIN LATERAL (SELECT *
                             FROM session_alerts.alerts
                            WHERE user_id = asked_user AND resolved_date IS NULL
                            LIMIT ${FEW + 1}) AS alert
       ORDER BY gravity DESC, id DESC`,
    values: [userIds],
  };
}

/** Whether these are all that `listFewOpen` has of a user, and all that an answer carries. */
export function areFew(alerts: StoredAlert[]): boolean {
  if (alerts.length > FEW) return false;
  const length = alerts.reduce((sum, alert) => sum + lengthOf(alert), 0);
  return length <= LONGEST_ANSWER;
}

/** As `firstOf` measures it, in bytes. */
function lengthOf({ title, message, event_type, runbook_url, other_series }: StoredAlert): number {
  const texts = [title, message, event_type, runbook_url ?? '', other_series && JSON.stringify(other_series)];
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text ?? ''), BESIDE_TEXT);
}

/** Which open alerts of those that a condition names an answer carries, and how many there are, up to one more. */
function firstOf(condition: string): string {
  return `
    SELECT ${SHOWN}, count(*) OVER () AS found, row_number() OVER gravest_first AS place,
           sum(${BESIDE_TEXT} + octet_length(title) + octet_length(message) + octet_length(event_type)
               + coalesce(octet_length(runbook_url), 0) + coalesce(octet_length(other_series::text), 0))
             OVER gravest_first AS length
      FROM (SELECT *
              FROM session_alerts.alerts
             WHERE ${condition} AND resolved_date IS NULL
             ORDER BY gravity DESC, id DESC
             LIMIT ${MOST_SHOWN + 1}) AS alert
    WINDOW gravest_first AS (ORDER BY gravity DESC, id DESC)`;
}

const FIT_AN_ANSWER = `(place = 1 OR place <= ${MOST_SHOWN} AND length <= ${LONGEST_ANSWER})`;

/** Several users' open alerts, gravest first, then newest: of each user as many as an answer carries. */
export function listOpen(userIds: string[]): Statement {
  return {
    name: 'session_alerts_list_open',
    text: `
      SELECT ${SHOWN_COLUMNS}, found
        FROM unnest($1::text[]) AS asked (asked_user)
       CROSS JOIN LATERAL (${firstOf('user_id = asked_user')}) AS shown
       WHERE ${FIT_AN_ANSWER}
       ORDER BY place`,
    values: [userIds],
  };
}

/** The same of one session of one user, who has more open alerts than an answer carries. */
export function listOpenOfSession(userId: string, sessionName: string): Statement {
  return {
    name: 'session_alerts_list_open_of_session',
    text: `
      SELECT ${SHOWN_COLUMNS}, found
        FROM (${firstOf('user_id = $1 AND session_name = $2')}) AS shown
       WHERE ${FIT_AN_ANSWER}
       ORDER BY place`,
    values: [userId, sessionName],
  };
}

/** How many open alerts a user has, of one session or of all. */
export function countOpenOf(userId: string, sessionName: string | undefined): Statement {
  return {
    name: 'session_alerts_count_open_of',
    text: `
      SELECT count(*)::int AS total
        FROM session_alerts.alerts
       WHERE user_id = $1 AND ($2::text IS NULL OR session_name = $2) AND resolved_date IS NULL`,
    values: [userId, sessionName ?? null],
  };
}

/** Of these alerts those before which the last of the same identity was closed by a silence. */
export function countAfterSilence(opened: FiringObservation[]): Statement {
  return {
    text: `
      SELECT count(*)
        FROM unnest($1::text[], $2::text[], $3::bigint[]) AS asked (user_id, session_name, fingerprint)
       CROSS JOIN LATERAL (
         SELECT resolved_reason
           FROM session_alerts.alerts AS past
          WHERE past.user_id = asked.user_id AND past.session_name = asked.session_name
            AND past.fingerprint = asked.fingerprint AND past.resolved_date IS NOT NULL
          ORDER BY past.resolved_date DESC
          LIMIT 1) AS last
       WHERE last.resolved_reason = 'silenced'`,
    values: [
      textArray(opened.map(({ userId }) => userId)),
      textArray(opened.map(({ sessionName }) => sessionName)),
      plainArray(opened.map(({ fingerprint }) => fingerprint)),
    ],
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
        text: `
          SELECT ${SHOWN}
            FROM session_alerts.alerts
           WHERE user_id = $1 AND session_name = $6 AND resolved_date IS NOT NULL
             AND resolved_date >= $2
             AND (resolved_date, id) < ($3, $4)
           ORDER BY alerts.resolved_date DESC, id DESC
           LIMIT $5`,
        values: [userId, ...valuesOf(page), page.sessionName],
      };
}

function valuesOf({ since, after, limit }: HistoryPage): unknown[] {
  return [since ?? '-infinity', after?.resolved_date ?? 'infinity', after?.id ?? '', limit];
}
