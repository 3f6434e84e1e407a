import { hash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AlertsDatabase } from '../database/alerts-database.js';
import { inSpan } from '../http/spans.js';
import type { AlertRow } from './alerts.dto.js';
import { AlertsService } from './alerts.service.js';

/** A user's open alerts with their entity tag (RFC 9110, section 8.8.3); without them where the caller has these. */
export interface TaggedAlerts {
  etag: string;
  /** How many there are, which may be more than are listed. */
  total: number;
  alerts: AlertRow[] | undefined;
}

/** Users whose alerts are kept, and sessions of one: anybody may ask for sessions that never were. */
const MOST_KEPT = 10_000;
const MOST_SESSIONS = 20;
/** How much JSON is kept (UTF-16 code units): of one answer, and of all. */
const LONGEST_KEPT = 16 * 1024;
const MOST_TEXT = 32 * 1024 * 1024;
/** How long (ms) what somebody wrote past us may go unseen, or what a connection that is cut off silently does not bring. */
const KEPT_FOR = 10_000;

interface Kept {
  etag: string;
  total: number;
  /** Undefined where they are too long to keep. */
  alerts: AlertRow[] | undefined;
  until: number;
}

/**
 * Answers polls. While this process hears of every change, it knows without asking the database what it last told
 * a page, and that it still stands.
 */
@Injectable()
export class OpenAlerts {
  /** By user and session; `undefined` is all of them, and not the session without a name. */
  private readonly kept = new Map<string, Map<string | undefined, Kept>>();
  private keptText = 0;
  private hearsChanges = false;
  private changes = 0;

  constructor(
    private readonly alerts: AlertsService,
    database: AlertsDatabase,
  ) {
    database.userChanges.subscribe((userIds) => {
      this.forget(userIds);
    });
  }

  /** @param known the request's `If-None-Match` */
  list(userId: string, sessionName: string | undefined, known: string | undefined): Promise<TaggedAlerts> {
    return inSpan('list', async (note) => {
      const kept = this.find(userId, sessionName);
      const suffices = kept && (kept.alerts !== undefined || isAmong(kept.etag, known));
      const { etag, total, alerts } = suffices ? kept : await this.read(userId, sessionName);
      const isKnown = isAmong(etag, known);
      note({ status: 'open', alerts: total, is_known: isKnown });
      return { etag, total, alerts: isKnown ? undefined : alerts };
    });
  }

  private async read(userId: string, sessionName: string | undefined): Promise<TaggedAlerts> {
    const changes = this.changes;
    const { alerts, total } = await this.alerts.readOpen(userId, sessionName);
    const json = JSON.stringify(alerts);
    const etag = `"${hash('sha256', `${total} ${json}`, 'base64url')}"`;
    // What changed meanwhile may not be in what was read.
    if (this.hearsChanges && changes === this.changes) {
      const isShort = json.length <= LONGEST_KEPT;
      this.keptText += isShort ? json.length : 0;
      this.keep(userId, sessionName, { etag, total, alerts: isShort ? alerts : undefined });
    }
    return { etag, total, alerts };
  }

  /** These users' alerts have changed. */
  forget(userIds: Iterable<string>): void {
    this.changes += 1;
    for (const userId of userIds) this.kept.delete(userId);
  }

  forgetAll(): void {
    this.changes += 1;
    this.kept.clear();
    this.keptText = 0;
  }

  /** Whether `forget` is called for all that changes, wherever it does. */
  trustChanges(hearsChanges: boolean): void {
    this.hearsChanges = hearsChanges;
    this.forgetAll();
  }

  private find(userId: string, sessionName: string | undefined): Kept | undefined {
    const kept = this.kept.get(userId)?.get(sessionName);
    return kept && performance.now() < kept.until ? kept : undefined;
  }

  private keep(userId: string, sessionName: string | undefined, answer: Omit<Kept, 'until'>): void {
    if (this.keptText > MOST_TEXT) this.forgetAll();
    const sessions = this.kept.get(userId) ?? new Map<string | undefined, Kept>();
    if (!this.kept.has(userId)) {
      const [oldest] = this.kept.keys();
      if (this.kept.size >= MOST_KEPT && oldest !== undefined) this.kept.delete(oldest);
      this.kept.set(userId, sessions);
    }
    if (sessions.size >= MOST_SESSIONS) sessions.clear();
    sessions.set(sessionName, { ...answer, until: performance.now() + KEPT_FOR });
  }
}

/** RFC 9110, section 13.1.2: weak comparison, as proxies that compress weaken a tag. */
function isAmong(etag: string, ifNoneMatch: string | undefined): boolean {
  if (ifNoneMatch === undefined) return false;
  return ifNoneMatch.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
}
