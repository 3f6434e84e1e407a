import type { Statement } from '../src/database/statement.js';
import type { PostedAlert } from './bare-http.js';
import { WebhookTemplate } from './webhook-bodies.js';
import type { Kind } from './webhook-bodies.js';
import type { Flights } from './webhook-statements.js';

/**
 * The least that any receiver of such webhooks must do: one table, one unique index, one statement a webhook. It
 * keeps one row for each problem of a user's session, with the words that came last, and forgets what was before.
 * Two webhooks about the same sessions at once may fail each other, and nobody is told of a change.
 */

/** A third of each page is free for changes, as in our own table, so that they need no index. */
export const FLOOR_TABLE = `
  CREATE TABLE floor_alerts (
    user_id text NOT NULL, session_name text NOT NULL, event_type text NOT NULL,
    title text NOT NULL, message text NOT NULL, severity text NOT NULL, fingerprint text NOT NULL,
    starts_at timestamptz NOT NULL, resolved_date timestamptz,
    UNIQUE (user_id, session_name, event_type)) WITH (fillfactor = 70)`;

/** Writes what a webhook says; a row that says so already is left alone. */
export function keepAlerts(alerts: PostedAlert[]): Statement {
  return {
    name: 'floor_keep_alerts',
    text: `
      INSERT INTO floor_alerts AS kept
        (user_id, session_name, event_type, title, message, severity, fingerprint, starts_at, resolved_date)
      SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                           $8::timestamptz[], $9::timestamptz[])
      ON CONFLICT (user_id, session_name, event_type) DO UPDATE
         SET title = excluded.title, message = excluded.message, severity = excluded.severity,
             fingerprint = excluded.fingerprint, starts_at = excluded.starts_at,
             resolved_date = excluded.resolved_date
       WHERE (kept.title, kept.message, kept.severity, kept.starts_at, kept.resolved_date)
             IS DISTINCT FROM
             (excluded.title, excluded.message, excluded.severity, excluded.starts_at, excluded.resolved_date)`,
    values: [
      arrayOf(alerts.map(({ labels }) => labels.safe_username)),
      arrayOf(alerts.map(({ labels }) => labels.statefulset)),
      arrayOf(alerts.map(({ labels }) => labels.alertname)),
      arrayOf(alerts.map(({ annotations }) => annotations.title)),
      arrayOf(alerts.map(({ annotations }) => annotations.description)),
      arrayOf(alerts.map(({ labels }) => labels.severity)),
      arrayOf(alerts.map(({ fingerprint }) => fingerprint)),
      arrayOf(alerts.map(({ startsAt }) => startsAt)),
      arrayOf(alerts.map(({ status, endsAt }) => (status === 'resolved' ? endsAt : null))),
    ],
  };
}

/** The one statement of each of so many batches from the first one on. */
export function floorFlights(size: number, kind: Kind, firstBatch: number, count: number): Flights[] {
  const template = new WebhookTemplate(size, kind);
  return Array.from({ length: count }, (_, index) => {
    const { alerts } = JSON.parse(template.body(firstBatch + index).toString()) as { alerts: PostedAlert[] };
    return [[keepAlerts(alerts)]];
  });
}

/** As PostgreSQL reads it, which costs Node less than leaving that to `pg`. */
function arrayOf(texts: (string | null)[]): string {
  return `{${texts.map((text) => (text === null ? 'NULL' : `"${text.replaceAll(/["\\]/g, '\\$&')}"`)).join(',')}}`;
}
