import { byteaArray, momentText, plainArray, sparseArray, textArray } from '../database/array-literals.js';
import { amongUsers } from '../database/statement.js';
import type { Statement } from '../database/statement.js';
import { actionOf } from './action.js';
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
import { gravityOf } from './gravity.js';
import type { Observation } from './observation.js';

/** Its fingerprint as hex digits, whatever a connection's bytea_output says; and of its episode what the rules ask for. */
const FIRST_SERIES = `encode(alert.series, 'hex') AS series, extract(epoch FROM alert.starts_at) * 1000 AS "startsAt",
  extract(epoch FROM alert.ends_at) * 1000 AS "endsAt", alert.arrival, alert.other_series AS "otherSeries"`;

/** What is read of an open alert, as `AlertState` has it, with its first series in its own columns. */
const STATE = `alert.id, alert.fingerprint, alert.title, alert.message, alert.severity,
  alert.runbook_url AS "runbookUrl", alert.action_label AS "actionLabel", alert.action_url AS "actionUrl",
  alert.is_event AS "isEvent", alert.by_hand AS "byHand", ${FIRST_SERIES}`;

/** What is read of a closed one. */
const PAST = `${FIRST_SERIES}, alert.resolved_reason AS reason`;

const SILENT = `resolved_reason IN (${SILENCING_REASONS.map((reason) => `'${reason}'`).join(', ')})`;

/** Of distributed tables: the users whose alerts are asked for are the first parameter. */
const OF_ASKED = amongUsers('alert.user_id', '$1');

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
  // Where none has a name no alert is found, and what was sighted is asked for all the same.
  const found = named.length > 0 ? named : asked;
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
                               ${OF_ASKED}
                            OFFSET 0) AS open ON true
                          LEFT JOIN LATERAL (
                            SELECT json_agg(closed) AS alerts
                              FROM (SELECT ${PAST}
                                      FROM session_alerts.alerts AS alert
                                     WHERE asked.is_firing AND open.series IS DISTINCT FROM asked.series
                                       AND alert.user_id = asked.user_id
                                       AND alert.session_name = asked.session_name
                                       AND alert.fingerprint = asked.fingerprint AND alert.${SILENT}
                                       ${OF_ASKED}
                                    UNION ALL
                                    SELECT ${PAST}
                                      FROM session_alerts.alerts AS alert
                                     WHERE asked.is_firing AND open.series IS DISTINCT FROM asked.series
                                       AND alert.user_id = asked.user_id AND alert.resolved_date >= $7
                                       AND alert.session_name = asked.session_name
                                       AND alert.fingerprint = asked.fingerprint
                                       ${OF_ASKED}) AS closed) AS past ON true
                         WHERE open.id IS NOT NULL OR past.alerts IS NOT NULL) AS known) AS alerts,
               (SELECT coalesce(json_agg(sighted), '[]')
                  FROM (SELECT sighted.series AS "seriesKey", sightings.arrival,
                               extract(epoch FROM sighted.ends_at) * 1000 AS "endsAt"
                          FROM session_alerts.sightings
                         CROSS JOIN unnest(sightings.series, sightings.ends_at) AS sighted (series, ends_at)
                         WHERE sightings.arrival > $6 ${amongUsers('sightings.user_id', '$1')}
                           AND (sighted.series IN (SELECT unnest($8::bigint[]))) IS TRUE) AS sighted) AS sightings`,
      values: [
        textArray(found.map(([{ userId }]) => userId)),
        textArray(found.map(([{ sessionName }]) => sessionName)),
        plainArray(found.map(([{ fingerprint }]) => fingerprint ?? 0)),
        textArray(
          found.map(([one, ...others]) => (others.length === 0 ? one.seriesFingerprint : ANY_SERIES)),
        ),
        plainArray(found.map((same) => same.some(({ status }) => status === 'firing'))),
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
                    AND alert.resolved_date IS NULL ${OF_ASKED}
                 UNION ALL
                 SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
                        json_agg(closed)
                   FROM (SELECT ${PAST}
                           FROM session_alerts.alerts AS alert
                          WHERE alert.user_id = asked.user_id AND alert.session_name = asked.session_name
                            AND alert.${SILENT} ${OF_ASKED}
                         UNION ALL
                         SELECT ${PAST}
                           FROM session_alerts.alerts AS alert
                          WHERE alert.user_id = asked.user_id AND alert.resolved_date >= $3
                            AND alert.session_name = asked.session_name ${OF_ASKED}) AS closed) AS found) AS known`,
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
interface KnownRow extends Omit<Words, 'action'>, SeriesColumns {
  /** The how manieth of those that the statement asks for it is, from 1. */
  place: number;
  id: string | null;
  fingerprint: number;
  actionLabel: string | null;
  actionUrl: string | null;
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
  const { title, message, severity, runbookUrl } = row;
  const words = { title, message, severity, runbookUrl, action: actionOf(row.actionLabel, row.actionUrl) };
  return {
    id,
    fingerprint: row.fingerprint,
    userId,
    sessionName,
    ...words,
    kind: row.isEvent ? 'event' : 'condition',
    source: row.byHand ? 'api' : 'alertmanager',
    series: seriesOf(row, words),
  };
}

/** The first series has the words of its alert. */
function seriesOf(columns: SeriesColumns, words: Words): SeriesState[] {
  const { series, startsAt, endsAt, arrival, otherSeries } = columns;
  if (series === null) return otherSeries ?? [];
  const first = { fingerprint: series, ...words, startsAt, endsAt, arrival };
  return otherSeries === null ? [first] : [...otherSeries, first];
}

/** Under whom a request's sightings are kept that may be of several users. */
const EVERYBODYS = '';

/**
 * The statements that write what a batch changes, none for what it does not. Closings go before openings:
 * they free the fingerprint for an alert that opens in the same batch.
 * @param owner whose all of it is, where the tables are distributed by user
 */
export function writeChanges(
  { now, rewritten, closed, opened, sightings }: LifeChanges,
  owner = EVERYBODYS,
): Statement[] {
  return [
    ...(rewritten.length > 0 ? [rewriteAlerts(rewritten, now)] : []),
    ...(closed.length > 0 ? [closeAlerts(closed, now)] : []),
    ...(opened.length > 0 ? [insertAlerts(opened, now)] : []),
    ...(sightings.length > 0 ? [insertSightings(sightings, owner)] : []),
  ];
}

/** The values of the columns that tell an alert's series, for `SERIES_COLUMNS`. */
function seriesValues(alerts: AlertState[]): unknown[] {
  const firsts = alerts.map(firstSeries);
  return [
    byteaArray(firsts.map((first) => first && first.fingerprint)),
    plainArray(firsts.map((first) => first && momentText(first.startsAt))),
    sparseArray(
      firsts.map((first) => (first?.endsAt == null ? null : momentText(first.endsAt))),
      plainArray,
    ),
    plainArray(firsts.map((first) => first && first.arrival)),
    sparseArray(
      alerts.map(({ series }, index) => othersThan(firsts[index], series)),
      textArray,
    ),
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

/** Of where an alert leads: runbook_url, action_label and action_url. */
function linkValues(alerts: AlertState[]): string[] {
  const links = [
    alerts.map(({ runbookUrl }) => runbookUrl),
    alerts.map(({ action }) => action?.label ?? null),
    alerts.map(({ action }) => action?.url ?? null),
  ];
  return links.map((texts) => sparseArray(texts, textArray));
}

function rewriteAlerts(rewritten: RewrittenAlert[], now: Date): Statement {
  const alerts = rewritten.map(({ alert }) => alert);
  return {
    name: 'session_alerts_rewrite_alerts',
    text: `
      UPDATE session_alerts.alerts AS alert
         SET title = changed.title, message = changed.message, severity = changed.severity,
             gravity = changed.gravity, is_event = changed.is_event, runbook_url = changed.runbook_url,
             action_label = changed.action_label, action_url = changed.action_url,
             updated_date = CASE WHEN changed.is_updated THEN $14 ELSE alert.updated_date END,
             escalated_date = CASE WHEN changed.is_escalated THEN $14 ELSE alert.escalated_date END,
             seen_date = CASE WHEN changed.is_escalated THEN NULL ELSE alert.seen_date END,
             last_seen = CASE WHEN changed.is_seen THEN $14 ELSE alert.last_seen END,
             ${SET_SERIES}
        FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::smallint[], $7::boolean[],
                    $8::text[], $9::text[], $10::text[], $11::boolean[], $12::boolean[], $13::boolean[],
                    ${seriesTypes(15)})
          AS changed (id, user_id, title, message, severity, gravity, is_event, runbook_url, action_label, action_url,
                      is_updated, is_escalated, is_seen, ${SERIES_COLUMNS})
       WHERE alert.id = changed.id AND alert.user_id = changed.user_id ${amongUsers('alert.user_id', '$2')}`,
    values: [
      plainArray(alerts.map((alert) => alert.id)),
      textArray(alerts.map((alert) => alert.userId)),
      textArray(alerts.map((alert) => alert.title)),
      textArray(alerts.map((alert) => alert.message)),
      textArray(alerts.map((alert) => alert.severity)),
      plainArray(alerts.map((alert) => gravityOf(alert.severity))),
      plainArray(alerts.map((alert) => alert.kind === 'event')),
      ...linkValues(alerts),
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
       WHERE alert.id = changed.id AND alert.user_id = changed.user_id ${amongUsers('alert.user_id', '$2')}`,
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
         runbook_url, action_label, action_url, creation_date, resolved_date, resolved_reason, ${SERIES_COLUMNS})
      SELECT id, fingerprint, user_id, session_name, event_type, title, message, severity, gravity, is_event, false,
             runbook_url, action_label, action_url, $15::timestamptz,
             CASE WHEN resolved_reason IS NOT NULL THEN $15::timestamptz END, resolved_reason, ${SERIES_COLUMNS}
        FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                    $8::text[], $9::smallint[], $10::boolean[], $11::text[], $12::text[], $13::text[],
                    $14::text[], ${seriesTypes(16)})
          AS opened (id, fingerprint, user_id, session_name, event_type, title, message, severity, gravity, is_event,
                     runbook_url, action_label, action_url, resolved_reason, ${SERIES_COLUMNS})`,
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
      ...linkValues(alerts),
      sparseArray(
        alerts.map((alert) => alert.resolvedReason),
        textArray,
      ),
      now,
      ...seriesValues(alerts),
    ],
  };
}

function insertSightings(sightings: Sighting[], owner: string): Statement {
  return {
    name: 'session_alerts_insert_sightings',
    text: `
      INSERT INTO session_alerts.sightings (arrival, request, user_id, series, ends_at, alertmanager)
      SELECT arrival, gen_random_uuid(), $4::text, array_agg(series),
             CASE WHEN count(ends_at) > 0 THEN array_agg(ends_at) END, NULL::text
        FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[]) AS seen (arrival, series, ends_at)
       GROUP BY arrival`,
    values: [
      plainArray(sightings.map(({ arrival }) => arrival)),
      plainArray(sightings.map(({ seriesKey }) => seriesKey)),
      sparseArray(
        sightings.map(({ endsAt }) => (endsAt === null ? null : momentText(endsAt))),
        plainArray,
      ),
      owner,
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

export function insertReports(reports: ReportedSeries[], owner = EVERYBODYS): Statement {
  return {
    text: `
      INSERT INTO session_alerts.sightings (arrival, request, user_id, series, alertmanager)
      SELECT arrival, gen_random_uuid(), $4::text, array_agg(series), alertmanager
        FROM unnest($1::bigint[], $2::bigint[], $3::text[]) AS reported (arrival, series, alertmanager)
       GROUP BY arrival, alertmanager`,
    values: [
      plainArray(reports.map(({ arrival }) => arrival)),
      plainArray(reports.map(({ seriesKey }) => seriesKey)),
      textArray(reports.map(({ alertmanager }) => alertmanager)),
      owner,
    ],
  };
}

/** Whose open alerts a batch changes, as they see them. */
export function usersOf({ opened, rewritten, closed }: LifeChanges): Set<string> {
  const users = new Set(opened.map(({ userId }) => userId));
  for (const { alert, isUpdated } of rewritten) if (isUpdated) users.add(alert.userId);
  for (const { alert } of closed) users.add(alert.userId);
  return users;
}
