import type { MigrationInterface, QueryRunner } from 'typeorm';
import { OnlineMove } from './online-move.js';
import type { Move } from './online-move.js';

/** The last 52 bits of a UUID: what is left of name-based ones. */
function keyOf(uuid: string): string {
  return `('x' || right(replace(${uuid}::text, '-', ''), 13))::bit(52)::bigint`;
}

/** As `alert-life.ts` has it in milliseconds. */
function milliseconds(moment: string): string {
  return `floor(extract(epoch FROM ${moment}) * 1000)::bigint`;
}

/** As `gravity.ts` has it. */
const GRAVITY = `CASE lower(alert.severity)
  WHEN 'critical' THEN 4
  WHEN 'error' THEN 3 WHEN 'page' THEN 3 WHEN 'major' THEN 3 WHEN 'high' THEN 3
  WHEN 'warning' THEN 2
  WHEN 'info' THEN 0 WHEN 'none' THEN 0
  ELSE 1 END`;

const IS_SILENT = `alert.resolved_reason IN ('manual', 'dismissed', 'session_ended')`;

/** JSON as JavaScript writes it: of that the hashes are made. */
const NAMES = (first: string, last: string): string =>
  `concat('["${first}",', to_json(user_id), ',', coalesce(to_json(session_name)::text, 'null'), ',', to_json(${last}), ']')`;

/** The key of a series under which sightings have it. */
const SERIES_KEY = `
  CREATE FUNCTION session_alerts.series_key(user_id text, session_name text, fingerprint text) RETURNS bigint
  LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT ('x' || substr(encode(sha256(convert_to(${NAMES('series', 'fingerprint')}, 'UTF8')), 'hex'), 20, 13))::bit(52)::bigint
  $$`;

/** Name-based UUIDs (RFC 9562, version 8, over SHA-256) of an alert and of a series. */
function uuidFunction(name: string, first: string, last: string): string {
  return `
    CREATE FUNCTION session_alerts.${name}(user_id text, session_name text, ${last} text) RETURNS uuid
    LANGUAGE sql STABLE AS $$
      SELECT overlay(overlay(substr(hex, 1, 32) PLACING '8' FROM 13)
               PLACING substr('89ab', 1 + ('x' || substr(hex, 17, 1))::bit(4)::int % 4, 1) FROM 17)::uuid
        FROM encode(sha256(convert_to(${NAMES(first, last)}, 'UTF8')), 'hex') AS hex
    $$`;
}

const SETTINGS = `autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02`;

const INTO_ONE_ROW: Move = {
  from: [
    { name: 'alerts', alertId: 'id' },
    { name: 'alert_series', alertId: 'alert_id' },
  ],
  discard: [
    `DROP TABLE IF EXISTS session_alerts.alerts_next, session_alerts.sightings_next`,
    `DROP FUNCTION IF EXISTS session_alerts.series_key`,
  ],
  create: [
    // What changes stands together, in front of what does not. A third of each page stays free: what changes, and
    // what closes, is written beside itself.
    `CREATE TABLE session_alerts.alerts_next (
       creation_date   timestamptz NOT NULL,
       fingerprint     bigint NOT NULL,
       starts_at       timestamptz,
       arrival         bigint,
       ends_at         timestamptz,
       last_seen       timestamptz,
       escalated_date  timestamptz,
       updated_date    timestamptz,
       resolved_date   timestamptz,
       gravity         smallint NOT NULL,
       is_event        boolean NOT NULL,
       by_hand         boolean NOT NULL,
       resolved_reason text,
       series          bytea,
       message         text NOT NULL,
       title           text NOT NULL,
       severity        text,
       runbook_url     text,
       other_series    json,
       event_type      text NOT NULL,
       session_name    text COLLATE "C",
       user_id         text COLLATE "C" NOT NULL,
       id              text COLLATE "C" NOT NULL,
       CONSTRAINT alerts_next_pkey PRIMARY KEY (id, user_id),
       CONSTRAINT alerts_closing_has_reason CHECK ((resolved_date IS NULL) = (resolved_reason IS NULL))
     ) WITH (fillfactor = 70, ${SETTINGS})`,
    // Is one open of that identity? Which are a user's, or a session's?
    `CREATE UNIQUE INDEX alerts_open ON session_alerts.alerts_next (user_id, session_name, fingerprint)
       NULLS NOT DISTINCT WHERE resolved_date IS NULL`,
    // What has ended of a user's, the last first, and since when? Which of that is a session's?
    `CREATE INDEX alerts_ended ON session_alerts.alerts_next (user_id, resolved_date, session_name)
       WHERE resolved_date IS NOT NULL`,
    // Did a person close one of that identity?
    `CREATE INDEX alerts_silent ON session_alerts.alerts_next (user_id, session_name, fingerprint)
       WHERE resolved_reason IN ('manual', 'dismissed', 'session_ended')`,
    `CREATE TABLE session_alerts.sightings_next (
       arrival bigint NOT NULL,
       request uuid NOT NULL,
       series  bigint[] NOT NULL,
       ends_at timestamptz[],
       CONSTRAINT sightings_next_pkey PRIMARY KEY (arrival, request)
     )`,
    // Keys do not compress.
    `ALTER TABLE session_alerts.sightings_next ALTER COLUMN series SET STORAGE EXTERNAL`,
    SERIES_KEY,
  ],
  copy: [
    `DELETE FROM session_alerts.alerts_next WHERE id = ANY ($1::text[])`,
    // The series of an alert had no words of their own: they have those of the alert until they are reported again.
    `INSERT INTO session_alerts.alerts_next
       (creation_date, fingerprint, starts_at, arrival, ends_at, last_seen, updated_date, resolved_date, gravity,
        is_event, by_hand, resolved_reason, series, message, title, severity, runbook_url, other_series, event_type,
        session_name, user_id, id)
     SELECT alert.creation_date, ${keyOf('alert.fingerprint')}, first.starts_at, first.arrival, first.ended,
            nullif(alert.last_seen, alert.creation_date), nullif(alert.updated_date, alert.creation_date),
            alert.resolved_date, ${GRAVITY}, alert.kind = 'event', alert.source = 'api', alert.resolved_reason,
            decode(first.fingerprint, 'hex'), alert.message, alert.title, alert.severity, alert.runbook_url,
            others.all_others, alert.event_type, alert.session_name, alert.user_id, alert.id
       FROM session_alerts.alerts AS alert
       LEFT JOIN LATERAL (
         SELECT series.*, CASE WHEN NOT firing THEN coalesce(ends_at, starts_at) END AS ended
           FROM session_alerts.alert_series AS series
          WHERE series.alert_id = alert.id AND fingerprint ~ '^[0-9a-f]{16}$'
          ORDER BY firing DESC, starts_at DESC, arrival DESC, series.id
          LIMIT 1) AS first ON true
       LEFT JOIN LATERAL (
         SELECT json_agg(json_build_object(
                  'fingerprint', fingerprint, 'title', alert.title, 'message', alert.message,
                  'severity', alert.severity, 'runbookUrl', alert.runbook_url,
                  'startsAt', ${milliseconds('starts_at')},
                  'endsAt', CASE WHEN NOT firing THEN ${milliseconds('coalesce(ends_at, starts_at)')} END,
                  'arrival', arrival) ORDER BY arrival) AS all_others
           FROM session_alerts.alert_series AS series
          WHERE series.alert_id = alert.id AND series.id <> first.id
            AND fingerprint ~ '^[0-9a-f]{16}$') AS others ON true
      WHERE alert.id = ANY ($1::text[])`,
  ],
  copyRest: [
    `INSERT INTO session_alerts.sightings_next (arrival, request, series)
     SELECT arrival, request, ARRAY(SELECT ${keyOf('id')} FROM unnest(series) AS sighted (id))
       FROM session_alerts.sightings
      WHERE arrival > coalesce((SELECT max(arrival) FROM session_alerts.sightings_next), 0) - 15 * 60e6
     ON CONFLICT DO NOTHING`,
    // Resolves of series that were never seen firing count for as long as a request may be under way.
    `INSERT INTO session_alerts.sightings_next (arrival, request, series, ends_at)
     SELECT arrival, id, ARRAY[${keyOf('id')}], ARRAY[coalesce(ends_at, starts_at)]
       FROM session_alerts.alert_series
      WHERE alert_id IS NULL AND arrival > extract(epoch FROM now() - interval '1 hour') * 1e6
     ON CONFLICT DO NOTHING`,
  ],
  heirs: [
    { name: 'alerts_next', of: 'alerts' },
    { name: 'sightings_next', of: 'sightings' },
  ],
  replace: [
    `DROP TABLE session_alerts.alert_series`,
    `DROP TABLE session_alerts.alerts`,
    `DROP TABLE session_alerts.sightings`,
    `ALTER TABLE session_alerts.alerts_next RENAME TO alerts`,
    `ALTER TABLE session_alerts.alerts RENAME CONSTRAINT alerts_next_pkey TO alerts_pkey`,
    `ALTER TABLE session_alerts.sightings_next RENAME TO sightings`,
    `ALTER TABLE session_alerts.sightings RENAME CONSTRAINT sightings_next_pkey TO sightings_pkey`,
  ],
};

const INTO_TWO_TABLES: Move = {
  from: [{ name: 'alerts', alertId: 'id' }],
  discard: [
    `DROP TABLE IF EXISTS session_alerts.alerts_next, session_alerts.alert_series, session_alerts.sightings_next`,
    `DROP FUNCTION IF EXISTS session_alerts.alert_uuid`,
    `DROP FUNCTION IF EXISTS session_alerts.series_uuid`,
  ],
  create: [
    `CREATE TABLE session_alerts.alerts_next (
       id              text COLLATE "C" NOT NULL,
       fingerprint     uuid NOT NULL,
       user_id         text COLLATE "C" NOT NULL,
       session_name    text COLLATE "C",
       event_type      text NOT NULL,
       title           text NOT NULL,
       message         text NOT NULL,
       severity        text,
       kind            text NOT NULL,
       source          text NOT NULL,
       runbook_url     text,
       creation_date   timestamptz NOT NULL,
       updated_date    timestamptz NOT NULL,
       last_seen       timestamptz NOT NULL,
       resolved_date   timestamptz,
       resolved_reason text,
       CONSTRAINT alerts_next_pkey PRIMARY KEY (id),
       CONSTRAINT alerts_closing_has_reason CHECK ((resolved_date IS NULL) = (resolved_reason IS NULL))
     ) WITH (${SETTINGS})`,
    `CREATE UNIQUE INDEX alerts_open_fingerprint ON session_alerts.alerts_next (fingerprint)
       WHERE resolved_date IS NULL AND fingerprint IS NOT NULL`,
    `CREATE INDEX alerts_open_by_user ON session_alerts.alerts_next (user_id, creation_date)
       WHERE resolved_date IS NULL AND user_id IS NOT NULL`,
    `CREATE INDEX alerts_resolved_by_user ON session_alerts.alerts_next (user_id, resolved_date)
       WHERE resolved_date IS NOT NULL`,
    `CREATE INDEX alerts_resolved_by_session ON session_alerts.alerts_next (user_id, session_name, resolved_date)
       WHERE resolved_reason IS NOT NULL AND session_name IS NOT NULL`,
    `CREATE INDEX alerts_open_by_session ON session_alerts.alerts_next (session_name)
       WHERE resolved_date IS NULL AND session_name IS NOT NULL`,
    `CREATE TABLE session_alerts.alert_series (
       id             uuid NOT NULL,
       fingerprint    text NOT NULL,
       alert_id       text COLLATE "C",
       firing         boolean NOT NULL,
       closed_by_hand boolean NOT NULL,
       starts_at      timestamptz NOT NULL,
       ends_at        timestamptz,
       arrival        bigint NOT NULL,
       CONSTRAINT alert_series_pkey PRIMARY KEY (id)
     ) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05)`,
    `CREATE INDEX alert_series_by_alert ON session_alerts.alert_series (alert_id)`,
    `CREATE INDEX alert_series_stray ON session_alerts.alert_series (id) WHERE alert_id IS NULL`,
    `CREATE TABLE session_alerts.sightings_next (
       arrival bigint NOT NULL,
       request uuid NOT NULL,
       series  uuid[] NOT NULL,
       CONSTRAINT sightings_next_pkey PRIMARY KEY (arrival, request)
     )`,
    `ALTER TABLE session_alerts.sightings_next ALTER COLUMN series SET STORAGE EXTERNAL`,
    uuidFunction('alert_uuid', 'alert', 'event_type'),
    uuidFunction('series_uuid', 'series', 'fingerprint'),
  ],
  copy: [
    `DELETE FROM session_alerts.alert_series WHERE alert_id = ANY ($1::text[])`,
    `DELETE FROM session_alerts.alerts_next WHERE id = ANY ($1::text[])`,
    // What was sighted since is not carried over: what is open counts as seen now.
    `INSERT INTO session_alerts.alerts_next
       (id, fingerprint, user_id, session_name, event_type, title, message, severity, kind, source, runbook_url,
        creation_date, updated_date, last_seen, resolved_date, resolved_reason)
     SELECT alert.id, session_alerts.alert_uuid(user_id, session_name, event_type), user_id, session_name, event_type,
            title, message, severity, CASE WHEN is_event THEN 'event' ELSE 'condition' END,
            CASE WHEN by_hand THEN 'api' ELSE 'alertmanager' END, runbook_url, creation_date,
            coalesce(updated_date, creation_date),
            CASE WHEN resolved_date IS NULL THEN now() ELSE coalesce(last_seen, creation_date) END,
            resolved_date, resolved_reason
       FROM session_alerts.alerts AS alert
      WHERE alert.id = ANY ($1::text[])`,
    // A series stands behind the last of its alerts.
    `INSERT INTO session_alerts.alert_series
       (id, fingerprint, alert_id, firing, closed_by_hand, starts_at, ends_at, arrival)
     SELECT DISTINCT ON (series_id) series_id, behind.fingerprint, alert.id,
            behind.ends_at IS NULL AND (resolved_date IS NULL OR coalesce(${IS_SILENT}, false)),
            coalesce(${IS_SILENT}, false), behind.starts_at, behind.ends_at, behind.arrival
       FROM session_alerts.alerts AS alert
      CROSS JOIN LATERAL (
        SELECT encode(alert.series, 'hex') AS fingerprint, alert.starts_at, alert.ends_at, alert.arrival
         WHERE alert.series IS NOT NULL
        UNION ALL
        SELECT other ->> 'fingerprint', to_timestamp((other ->> 'startsAt')::float8 / 1000),
               to_timestamp((other ->> 'endsAt')::float8 / 1000), (other ->> 'arrival')::bigint
          FROM json_array_elements(alert.other_series) AS other) AS behind
      CROSS JOIN LATERAL session_alerts.series_uuid(user_id, session_name, behind.fingerprint) AS series_id
      WHERE alert.id = ANY ($1::text[])
      ORDER BY series_id, alert.id DESC
     ON CONFLICT (id) DO UPDATE
        SET alert_id = excluded.alert_id, firing = excluded.firing, closed_by_hand = excluded.closed_by_hand,
            starts_at = excluded.starts_at, ends_at = excluded.ends_at, arrival = excluded.arrival
      WHERE alert_series.alert_id <= excluded.alert_id`,
  ],
  copyRest: [],
  heirs: [
    { name: 'alerts_next', of: 'alerts' },
    { name: 'alert_series', of: 'alerts' },
    { name: 'sightings_next', of: 'sightings' },
  ],
  replace: [
    `DROP TABLE session_alerts.alerts`,
    `DROP TABLE session_alerts.sightings`,
    `ALTER TABLE session_alerts.alerts_next RENAME TO alerts`,
    `ALTER TABLE session_alerts.alerts RENAME CONSTRAINT alerts_next_pkey TO alerts_pkey`,
    `ALTER TABLE session_alerts.sightings_next RENAME TO sightings`,
    `ALTER TABLE session_alerts.sightings RENAME CONSTRAINT sightings_next_pkey TO sightings_pkey`,
    `DROP FUNCTION session_alerts.series_key`,
    `DROP FUNCTION session_alerts.alert_uuid`,
    `DROP FUNCTION session_alerts.series_uuid`,
  ],
};

/** An alert and all series behind it, each with its own words, in one row; every key holds the user. */
export class OneRowAnAlert1795700000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await new OnlineMove(INTO_ONE_ROW).run(queryRunner);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await new OnlineMove(INTO_TWO_TABLES).run(queryRunner);
  }
}
