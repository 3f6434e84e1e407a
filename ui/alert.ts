/** An alert as the API answers it. Times are ISO 8601. */
export interface Alert {
  /** ULID. */
  id: string;
  title: string;
  /** Markdown. */
  message: string;
  event_type: string;
  user_id: string;
  session_name: string | null;
  creation_date: string;
  /** `null` while open. */
  resolved_date: string | null;
  severity: string | null;
  /** A condition ends when it ends; an event has happened, and stays until it is dismissed. */
  kind: 'condition' | 'event';
  updated_date: string;
  runbook_url: string | null;
  /** `resolved`, `manual`, `dismissed`, `expired`, `session_ended` or `reconciled`. */
  resolved_reason: string | null;
}

/** Whether alerts can reach the API at all; `unknown` where nobody set up the watchdog alert that would tell. */
export interface Feed {
  status: 'ok' | 'stale' | 'unknown';
  /** ISO 8601. */
  last_seen: string | null;
}

export const UNKNOWN_FEED: Feed = { status: 'unknown', last_seen: null };

/**
 * The alerts of an answer of the API. Fields that are missing or of another type are taken as not given, so that a
 * newer or older server still shows what it has; an entry without id or title is no alert.
 *
 * @throws TypeError where the answer is not a list
 */
export function readAlerts(body: unknown): Alert[] {
  if (!Array.isArray(body)) throw new TypeError('The answer is not a list of alerts');
  return body.filter(isRecord).flatMap((entry) => readAlert(entry) ?? []);
}

function readAlert(entry: Record<string, unknown>): Alert | undefined {
  const id = text(entry['id']);
  const title = text(entry['title']);
  if (!id || !title) return undefined;
  const created = text(entry['creation_date']) ?? '';
  return {
    id,
    title,
    message: text(entry['message']) ?? '',
    event_type: text(entry['event_type']) ?? '',
    user_id: text(entry['user_id']) ?? '',
    session_name: text(entry['session_name']),
    creation_date: created,
    resolved_date: text(entry['resolved_date']),
    severity: text(entry['severity']),
    kind: entry['kind'] === 'event' ? 'event' : 'condition',
    updated_date: text(entry['updated_date']) ?? created,
    runbook_url: text(entry['runbook_url']),
    resolved_reason: text(entry['resolved_reason']),
  };
}

/** What says nothing known counts as `unknown`: a feed is no alarm unless it says so. */
export function readFeed(body: unknown): Feed {
  if (!isRecord(body)) return UNKNOWN_FEED;
  const { status, last_seen } = body;
  if (status !== 'ok' && status !== 'stale') return UNKNOWN_FEED;
  return { status, last_seen: text(last_seen) };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
