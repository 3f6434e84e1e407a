import { firstAlertId } from '../alerts/alert-id.js';
import { OPEN } from '../alerts/alerts.statements.js';
import type { FiringObservation } from '../alerts/observation.js';
import { plainArray, textArray } from '../database/array-literals.js';
import { amongUsers } from '../database/statement.js';
import type { Statement } from '../database/statement.js';

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

/** Up to when what nothing has refreshed since is overdue. */
export interface Deadlines {
  conditions: Date;
  events: Date;
}

/** What came from Alertmanager and was seen last before its deadline, the parameters $1 and $2. */
const OVERDUE = `${OPEN} AND NOT by_hand
  AND coalesce(last_seen, creation_date) < CASE WHEN is_event THEN $2::timestamptz ELSE $1::timestamptz END`;

/** At most so many open alerts that are overdue, the longest first. */
export function findOverdue({ conditions, events }: Deadlines, most: number): Statement {
  return {
    text: `
      SELECT id, user_id
        FROM session_alerts.alerts
       WHERE ${OVERDUE}
       ORDER BY coalesce(last_seen, creation_date)
       LIMIT $3`,
    values: [conditions, events, most],
  };
}

/** Those of these alerts of these users that still are, and of which no series was sighted since. */
export function stillOverdue({ conditions, events }: Deadlines, ids: string[], userIds: string[]): Statement {
  return {
    text: `
      SELECT id
        FROM session_alerts.alerts AS alert
       WHERE id = ANY ($3::text[]) AND user_id = ANY ($5::text[]) AND ${OVERDUE}
         AND id NOT IN (SELECT behind.id
                          FROM (SELECT alert.id, ${KEY} AS key
                                  FROM session_alerts.alerts AS alert
                                 CROSS JOIN LATERAL ${SERIES_BEHIND}
                                 WHERE id = ANY ($3::text[]) AND user_id = ANY ($5::text[])) AS behind
                          JOIN (${SIGHTED} WHERE sightings.arrival >= $4
                                   ${amongUsers('sightings.user_id', '$5')}) AS sighted USING (key))`,
    values: [conditions, events, ids, microseconds(conditions), userIds],
  };
}

/**
 * Writes to the open alerts not seen since then when their series were last sighted. It skips what somebody else is
 * writing, so that it waits for nobody.
 * @param userIds those of these users, by what was seen of each user's series alone
 */
export function carryOverSightings(unseenSince: Date, userIds?: string[]): Statement {
  const ofUsers = userIds ? 'AND user_id = ANY ($2::text[])' : '';
  return {
    text: `
      WITH unseen AS MATERIALIZED (
        SELECT id, user_id, session_name, series, ends_at, other_series
          FROM session_alerts.alerts
         WHERE ${OPEN} AND coalesce(last_seen, creation_date) < $1 ${ofUsers}
           FOR NO KEY UPDATE SKIP LOCKED
      ), behind AS MATERIALIZED (
        SELECT alert.id, alert.user_id, ${KEY} AS key
          FROM unseen AS alert
         CROSS JOIN LATERAL ${SERIES_BEHIND}
      ), seen AS (
        SELECT id, user_id, to_timestamp(max(sighted.arrival) / 1e6) AS last_seen
          FROM (${SIGHTED} WHERE true ${ofUsers}) AS sighted
          JOIN behind USING (key)
         GROUP BY id, user_id
      )
      UPDATE session_alerts.alerts AS alert
         SET last_seen = seen.last_seen
        FROM seen
       WHERE alert.id = seen.id AND alert.user_id = seen.user_id ${ofUsers.replace('user_id', 'alert.user_id')}
         AND coalesce(alert.last_seen, alert.creation_date) < seen.last_seen`,
    values: [unseenSince, ...(userIds ? [userIds] : [])],
  };
}

/** Whose open alerts were not seen since then. */
export function usersUnseen(since: Date): Statement {
  return {
    text: `
      SELECT DISTINCT user_id AS "userId"
        FROM session_alerts.alerts
       WHERE ${OPEN} AND coalesce(last_seen, creation_date) < $1`,
    values: [since],
  };
}

/** Deletes, at most so many, sightings from before that moment, and counts them. */
export function deleteSightings(before: Date, most: number): Statement {
  return {
    text: `
      WITH deleted AS (
        DELETE FROM session_alerts.sightings
         WHERE (arrival, user_id, request) IN (SELECT arrival, user_id, request FROM session_alerts.sightings
                                       WHERE arrival < $1 ORDER BY arrival LIMIT $2)
        RETURNING 1
      )
      SELECT count(*) AS deleted FROM deleted`,
    values: [microseconds(before), most],
  };
}

/** Deletes, at most so many, alerts that were closed before that moment, and counts them. */
export function deleteEnded(before: Date, most: number): Statement {
  return {
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
  };
}

/** The firing series behind open alerts that came from Alertmanager, and how long ago (ms) they were last seen. */
export function listFiringSeries(now: Date): Statement {
  return {
    text: `
      WITH sighted AS (
        SELECT key, to_timestamp(max(arrival) / 1e6) AS last_seen FROM (${SIGHTED}) AS one GROUP BY key
      ), firing AS (
        SELECT user_id, session_name, fingerprint, encode(series, 'hex') AS series,
               coalesce(last_seen, creation_date) AS last_seen
          FROM session_alerts.alerts
         WHERE ${OPEN} AND NOT by_hand AND series IS NOT NULL AND ends_at IS NULL
        UNION ALL
        SELECT user_id, session_name, fingerprint, other ->> 'fingerprint', coalesce(last_seen, creation_date)
          FROM session_alerts.alerts CROSS JOIN LATERAL json_array_elements(other_series) AS other
         WHERE ${OPEN} AND NOT by_hand AND other ->> 'endsAt' IS NULL
      ), keyed AS (
        SELECT session_alerts.series_key(user_id, session_name, series) AS key, firing.* FROM firing
      )
      SELECT key AS "seriesKey", series AS "seriesFingerprint", fingerprint, user_id AS "userId",
             session_name AS "sessionName",
             (extract(epoch FROM $1::timestamptz - greatest(keyed.last_seen, sighted.last_seen))
               * 1000)::bigint AS "unseenFor"
        FROM keyed
        LEFT JOIN sighted USING (key)`,
    values: [now],
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
            ${amongUsers('past.user_id', '$1')}
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

export const COUNT_OPEN: Statement = {
  text: `SELECT count(*) AS open FROM session_alerts.alerts WHERE ${OPEN}`,
};

/** Takes the turn to reconcile, and answers a row, where it is this replica's. */
export function takeTurn(replica: string, interval: number): Statement {
  return {
    // A last run well in the future is of a clock that was set back since.
    text: `
      INSERT INTO session_alerts.reconciling AS turn (id, replica, last_run)
      SELECT 1, $1::uuid, clock_timestamp()
      ON CONFLICT (id) DO UPDATE SET replica = excluded.replica, last_run = excluded.last_run
       WHERE turn.last_run <= excluded.last_run
               - make_interval(secs => $2 * CASE WHEN turn.replica = excluded.replica THEN 0.85 ELSE 1.25 END)
          OR turn.last_run > excluded.last_run + make_interval(secs => $2)
      RETURNING 1`,
    values: [replica, interval / 1000],
  };
}

export function endTurn(replica: string, isLast: boolean): Statement {
  return {
    text: `
      UPDATE session_alerts.reconciling SET last_run = CASE WHEN $2 THEN '-infinity' ELSE clock_timestamp() END
       WHERE id = 1 AND replica = $1::uuid`,
    values: [replica, isLast],
  };
}

/** Since 1970. */
function microseconds(moment: Date): number {
  return moment.getTime() * 1000;
}
