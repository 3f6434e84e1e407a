import { amongUsers } from '../database/statement.js';
import type { Statement } from '../database/statement.js';
import type { OpenedAlert, ResolvedReason } from './alert-life.js';
import type { StoredAlert } from './alerts.dto.js';
import { gravityOf } from './gravity.js';

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
  (extract(epoch FROM escalated_date) * 1000)::bigint AS escalated_date, runbook_url, action_label, action_url, resolved_reason,
  (extract(epoch FROM seen_date) * 1000)::bigint AS seen_date,
  (extract(epoch FROM muted_until) * 1000)::bigint AS muted_until,
  (extract(epoch FROM starts_at) * 1000)::bigint AS starts_at,
  (extract(epoch FROM ends_at) * 1000)::bigint AS ends_at, other_series`;

/** The names of `SHOWN`. */
const SHOWN_COLUMNS = `id, title, message, event_type, user_id, session_name, creation_date, resolved_date, severity,
  kind, updated_date, escalated_date, runbook_url, action_label, action_url, resolved_reason, seen_date, muted_until,
  starts_at, ends_at, other_series`;

/** How many open alerts an answer carries at most. */
export const MOST_SHOWN = 500;
/** How long an answer gets at most (bytes of its JSON, about), and what of that is no text of an alert's. */
const LONGEST_ANSWER = 270_000;
const BESIDE_TEXT = 440;
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
                            WHERE user_id = asked_user AND resolved_date IS NULL ${amongUsers('user_id', '$1')}
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
function lengthOf(alert: StoredAlert): number {
  const { title, message, event_type, runbook_url, action_label, action_url, other_series } = alert;
  const others = other_series && JSON.stringify(other_series);
  const texts = [title, message, event_type, runbook_url, action_label, action_url, others];
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text ?? ''), BESIDE_TEXT);
}

/** Which open alerts of those that a condition names an answer carries, and how many there are, up to one more. */
function firstOf(condition: string): string {
  return `
    SELECT ${SHOWN}, count(*) OVER () AS found, row_number() OVER gravest_first AS place,
           sum(${BESIDE_TEXT} + octet_length(title) + octet_length(message) + octet_length(event_type)
               + coalesce(octet_length(runbook_url), 0) + coalesce(octet_length(action_label), 0)
               + coalesce(octet_length(action_url), 0) + coalesce(octet_length(other_series::text), 0))
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
       CROSS JOIN LATERAL (${firstOf(`user_id = asked_user ${amongUsers('user_id', '$1')}`)}) AS shown
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

/** Alerts whose users are known. */
export function findAlerts(ids: string[], userIds: string[]): Statement {
  return {
    text: `
      SELECT ${SHOWN} FROM session_alerts.alerts WHERE id = ANY ($1::text[]) AND user_id = ANY ($2::text[])`,
    values: [ids, userIds],
  };
}

/** An alert, whosever it is. */
export function findAlert(id: string): Statement {
  return { text: `SELECT ${SHOWN} FROM session_alerts.alerts WHERE id = $1`, values: [id] };
}

/** All open alerts, so said that `alerts_open` has them. */
export const OPEN = `resolved_date IS NULL AND user_id > ''`;

/** Whose open alerts are of a session: all its users', or one's. */
export function usersOfSession(sessionName: string, userId: string | undefined): Statement {
  return {
    text: `
      SELECT DISTINCT user_id
        FROM session_alerts.alerts
       WHERE session_name = $1 AND ${OPEN} AND ($2::text IS NULL OR user_id = $2)`,
    values: [sessionName, userId ?? null],
  };
}

/** The open alerts of a session that are these users'. */
export function openOfSession(sessionName: string, userIds: string[]): Statement {
  return {
    text: `
      SELECT id
        FROM session_alerts.alerts
       WHERE session_name = $1 AND resolved_date IS NULL AND user_id = ANY ($2::text[])`,
    values: [sessionName, userIds],
  };
}

/** An alert that an administrator opens through the API. */
export type NewAlert = Pick<
  OpenedAlert,
  'fingerprint' | 'userId' | 'sessionName' | 'eventType' | 'title' | 'message' | 'severity'
>;

/** Opens an alert by hand, unless the same is open. */
export function insertByHand(id: string, alert: NewAlert, now: Date): Statement {
  return {
    text: `
      WITH inserted AS (
        INSERT INTO session_alerts.alerts
          (id, fingerprint, user_id, session_name, event_type, title, message, severity, gravity, is_event,
           by_hand, creation_date)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, false, true, $10)
        ON CONFLICT (user_id, session_name, fingerprint) WHERE resolved_date IS NULL DO NOTHING
        RETURNING *
      )
      SELECT ${SHOWN} FROM inserted`,
    values: [
      id,
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
  };
}

/** Closes those of these alerts that are open. */
export function closeByIds(ids: string[], userIds: string[], now: Date, reason: ResolvedReason): Statement {
  return {
    text: `
      WITH closed AS (
        UPDATE session_alerts.alerts
           SET resolved_date = $3, updated_date = $3, resolved_reason = $4
         WHERE id = ANY ($1::text[]) AND user_id = ANY ($2::text[]) AND resolved_date IS NULL
        RETURNING *
      )
      SELECT ${SHOWN} FROM closed`,
    values: [ids, userIds, now, reason],
  };
}

/** Which of these are a user's, open and not yet seen. */
export function findUnseen(ids: string[], userId: string): Statement {
  return {
    text: `
      SELECT id FROM session_alerts.alerts
       WHERE user_id = $1 AND id = ANY ($2::text[]) AND resolved_date IS NULL AND seen_date IS NULL`,
    values: [userId, ids],
  };
}

export function markSeen(ids: string[], userId: string, now: Date): Statement {
  return {
    text: `UPDATE session_alerts.alerts SET seen_date = $3 WHERE user_id = $1 AND id = ANY ($2::text[])`,
    values: [userId, ids, now],
  };
}

/** Deletes what was noted of a user's series; what a request saw of several users' says nothing of one. */
export function deleteSightingsOf(userId: string): Statement {
  return { text: `DELETE FROM session_alerts.sightings WHERE user_id = $1`, values: [userId] };
}

/** Deletes all alerts of a user, and counts them. */
export function deleteOfUser(userId: string): Statement {
  return {
    text: `
      WITH deleted AS (DELETE FROM session_alerts.alerts WHERE user_id = $1 RETURNING 1)
      SELECT count(*) AS deleted FROM deleted`,
    values: [userId],
  };
}
