/** What an alert or one of its series says. */
interface Words {
  title: string;
  /** Markdown. */
  message: string;
  severity: string | null;
  runbook_url: string | null;
  /** What can be done about it elsewhere; both `null` where that was not said. */
  action_label: string | null;
  action_url: string | null;
}

/** One of several series that fire behind an alert. */
export interface AlertSeries extends Words {
  starts_at: string;
}

/** An alert as the API answers it. Times are ISO 8601. */
export interface Alert extends Words {
  /** ULID. */
  id: string;
  event_type: string;
  user_id: string;
  session_name: string | null;
  creation_date: string;
  /** `null` while open. */
  resolved_date: string | null;
  /** A condition ends when it ends; an event has happened, and stays until it is dismissed. */
  kind: 'condition' | 'event';
  updated_date: string;
  /** When it last became graver; `null` where it never did. */
  escalated_date: string | null;
  /** `resolved`, `manual`, `dismissed`, `expired`, `session_ended`, `reconciled` or `silenced`. */
  resolved_reason: string | null;
  /** When its user first had it before their eyes since it last became graver; `null` where they have not. */
  seen_date: string | null;
  /** Until when its user has muted it; `null` where they have not. */
  muted_until: string | null;
  /** Where several fire: the gravest, whose words are the alert's, and after it the others. */
  series: readonly AlertSeries[];
  /** Where several fire: how many, which may be more than are listed; 0 where no more than one does. */
  series_count: number;
}

/** The open alerts that the API lists, and how many there are, which may be more. */
export interface OpenAlerts {
  alerts: readonly Alert[];
  total: number;
}

/** How long texts are at most as the API sends them (UTF-16 code units); of longer ones the rest is left out. */
const LONGEST_NAME = 255;
const LONGEST_TITLE = 500;
const LONGEST_MESSAGE = 20_000;
/** How many series of an alert the API sends at most; of more the rest is left out. */
const MOST_SERIES = 20;

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
  const words = readWords(entry);
  if (!id || !words) return undefined;
  const created = text(entry['creation_date']) ?? '';
  return {
    id,
    ...words,
    event_type: text(entry['event_type']) ?? '',
    user_id: text(entry['user_id']) ?? '',
    session_name: text(entry['session_name']),
    creation_date: created,
    resolved_date: text(entry['resolved_date']),
    kind: entry['kind'] === 'event' ? 'event' : 'condition',
    updated_date: text(entry['updated_date']) ?? created,
    escalated_date: text(entry['escalated_date']),
    resolved_reason: text(entry['resolved_reason']),
    seen_date: text(entry['seen_date']),
    muted_until: text(entry['muted_until']),
    ...readSeries(entry),
  };
}

/** Whether its user has muted an alert at a moment (ms, by the server's clock). */
export function isMuted({ muted_until: until }: Alert, now: number): boolean {
  return until !== null && Date.parse(until) > now;
}

function readSeries({
  series,
  series_count: count,
}: Record<string, unknown>): Pick<Alert, 'series' | 'series_count'> {
  const read = (Array.isArray(series) ? series : [])
    .slice(0, MOST_SERIES)
    .filter(isRecord)
    .flatMap((entry) => {
      const words = readWords(entry);
      return words ? { ...words, starts_at: text(entry['starts_at']) ?? '' } : [];
    });
  if (read.length <= 1) return { series: [], series_count: 0 };
  return {
    series: read,
    series_count: Math.max(read.length, Number.isSafeInteger(count) ? Number(count) : 0),
  };
}

function readWords(entry: Record<string, unknown>): Words | undefined {
  const title = text(entry['title'])?.slice(0, LONGEST_TITLE);
  if (!title) return undefined;
  return {
    title,
    message: text(entry['message'])?.slice(0, LONGEST_MESSAGE) ?? '',
    severity: text(entry['severity'])?.slice(0, LONGEST_NAME) ?? null,
    runbook_url: text(entry['runbook_url']),
    action_label: text(entry['action_label'])?.slice(0, LONGEST_NAME) ?? null,
    action_url: text(entry['action_url']),
  };
}

/** A number of alerts as the header `X-Total-Count` or the event `total` says it. */
export function readTotal(written: string | null): number | undefined {
  return written !== null && /^\d{1,15}$/.test(written) ? Number(written) : undefined;
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
