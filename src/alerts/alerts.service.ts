import { ConflictException, ForbiddenException, Injectable, NotFoundException } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import { Subject } from 'rxjs';
import type { Observable } from 'rxjs';
import type { AlertsCaller } from '../auth/alerts-caller.js';
import { inSpan } from '../http/spans.js';
import { unfit } from '../http/unfit.js';
import { AlertsMetrics } from '../metrics/alerts-metrics.service.js';
import { ALERT_ID } from './alert-id.js';
import type { LifeChanges, ResolvedReason } from './alert-life.js';
import { CURSOR_IS_NO_ALERT, DEFAULT_LISTED, SINCE_IS_NO_MOMENT, toOpenedRow } from './alerts.dto.js';
import type { AlertRow, CreateAlertRequest, ListAlertsQuery } from './alerts.dto.js';
import { AlertsRepository } from './alerts.repository.js';
import type { OpenList } from './alerts.repository.js';
import type { Report } from './reports.js';
import type { Statement } from '../database/statement.js';
import { ALLOW_HASH_JOINS } from '../database/transaction.statements.js';
import { DatabaseUnavailableError } from '../database/database-errors.js';
import { alertFingerprint } from './name-based-id.js';
import type { Observation, Outcome } from './observation.js';
import { SharedReads } from './shared-reads.js';
import { SharedWrites } from './shared-writes.js';
import { KnownUsers } from './known-users.service.js';
import { capped, LONGEST_MESSAGE, LONGEST_NAME, LONGEST_TITLE, storable } from './text.js';

/** Something that a user can see has changed. */
export interface AlertChange {
  change: 'opened' | 'updated' | 'closed';
  alert: AlertRow;
}

/**
 * How many alerts may wait to be written, and how many go in one transaction: others wait for its locks. What a
 * request costs besides its alerts counts as so many more.
 */
const MOST_WAITING = 10_000;
const MOST_TOGETHER = 2_000;
const COST_OF_REQUEST = 20;
/** Longer (ms) than a fast disk takes, and shorter than a slow one or another machine. */
const PATIENCE = 1;

/** How many users' open alerts one query reads for those who ask. */
const MOST_LISTS_TOGETHER = 100;

/** What can be done with alerts. A host may inject it. */
@Injectable()
export class AlertsService implements OnApplicationShutdown {
  private readonly subject = new Subject<AlertChange>();
  private readonly writes = new SharedWrites<Report, Outcome[]>(
    (reports, isDecided) => this.write(reports, isDecided),
    (error) => !(error instanceof DatabaseUnavailableError),
    ({ observations }) => observations.map(({ userId }) => userId),
    { mostWaiting: MOST_WAITING, mostTogether: MOST_TOGETHER, patience: PATIENCE },
  );
  private readonly openReads = new SharedReads<OpenList>(
    (userIds) => this.repository.listOpen(userIds),
    MOST_LISTS_TOGETHER,
  );

  /** What this process has changed, after it is committed; other replicas' changes are not among it. */
  readonly changes: Observable<AlertChange> = this.subject.asObservable();

  constructor(
    private readonly repository: AlertsRepository,
    private readonly users: KnownUsers,
    private readonly metrics: AlertsMetrics,
  ) {}

  /** Not before: webhooks are answered until the HTTP server is closed. */
  onApplicationShutdown(): void {
    this.subject.complete();
  }

  /** Whether so much waits to be stored that `apply` would refuse. */
  get isFull(): boolean {
    return this.writes.isFull;
  }

  /**
   * Applies what a monitoring system reports. When it returns, all of it is committed: in one transaction, or in
   * several, in its order, where there is so much that others would wait for it. Applying it again does no harm.
   * @param arrivedAt when the report arrived (`performance.now()`, ms): reports apply in that order
   * @param endingReason why an alert closes whose last series the report ends
   * @param alertmanager external URL of the Alertmanager that reports, where it may be none of those that reconciling
   * asks: nothing of it is closed on their word
   * @throws WritesFullError nothing is stored
   * @throws DatabaseUnavailableError some of it may be stored
   */
  async apply(
    observations: Observation[],
    arrivedAt: number = performance.now(),
    endingReason: ResolvedReason = 'resolved',
    alertmanager?: string,
  ): Promise<Outcome[]> {
    return this.forKnownUsers(observations, async (known) => {
      const outcomes: Outcome[] = [];
      for (const part of partsOf(known, MOST_TOGETHER)) {
        const report = { observations: part, arrivedAt, endingReason, alertmanager };
        const weight = part.length + COST_OF_REQUEST;
        const isContinued = outcomes.length > 0;
        outcomes.push(...(await this.writes.submit(report, weight, isContinued)));
      }
      return outcomes;
    });
  }

  /** What `apply` would do now; stores nothing. */
  preview(observations: Observation[]): Promise<Outcome[]> {
    return this.forKnownUsers(observations, (known) =>
      this.repository.preview({
        observations: known,
        arrivedAt: performance.now(),
        endingReason: 'resolved',
      }),
    );
  }

  /**
   * Opens an alert that stays until somebody closes it.
   * @throws ConflictException the same user has an open alert of that event type for that session
   */
  async create(request: CreateAlertRequest): Promise<AlertRow> {
    const eventType = storable(request.event_type);
    const sessionName = request.session_name == null ? null : storable(request.session_name);
    const alert = await this.repository.create({
      fingerprint: alertFingerprint(request.user_id, sessionName, eventType),
      userId: request.user_id,
      sessionName,
      eventType,
      title: capped(request.title, LONGEST_TITLE),
      message: capped(request.message, LONGEST_MESSAGE),
      severity: request.severity == null ? null : capped(request.severity, LONGEST_NAME),
    });
    if (!alert) throw new ConflictException('The same alert is open already');
    this.subject.next({ change: 'opened', alert });
    return alert;
  }

  /** A user's open alerts, gravest first, then newest: as many as an answer carries. */
  async listOpen(userId: string, sessionName?: string): Promise<AlertRow[]> {
    return (await this.readOpen(userId, sessionName)).alerts;
  }

  /** The same, and how many there are. */
  async readOpen(userId: string, sessionName?: string): Promise<OpenList> {
    const list = await this.openReads.get(userId);
    return sessionName === undefined ? list : this.ofSession(list, userId, storable(sessionName));
  }

  /** Those of one session, of a list of all. */
  async ofSession(list: OpenList, userId: string, sessionName: string): Promise<OpenList> {
    if (list.total > list.alerts.length) return this.repository.listOpenOfSession(userId, sessionName);
    const alerts = list.alerts.filter((alert) => alert.session_name === sessionName);
    return { alerts, total: alerts.length };
  }

  /**
   * A page of a user's closed alerts, the last closed first.
   * @throws UnprocessableEntityException the cursor is none of the user's closed alerts, or `since` is no moment
   */
  listResolved(userId: string, query: Omit<ListAlertsQuery, 'status'> = {}): Promise<AlertRow[]> {
    return inSpan('list', async (note) => {
      const alerts = await this.readResolved(userId, query);
      note({ status: 'resolved', alerts: alerts.length });
      return alerts;
    });
  }

  /**
   * An alert, open or closed.
   * @throws NotFoundException no such alert, or none that the caller may know of
   */
  async find(id: string, caller: AlertsCaller): Promise<AlertRow> {
    const alert = await this.stored(id);
    if (!alert || (!caller.isAdmin && alert.user_id !== caller.id)) {
      throw new NotFoundException('There is no such alert');
    }
    return alert;
  }

  /**
   * Closes an alert as an administrator; one that is closed already stays as it is.
   * @throws NotFoundException no such alert, or none that the caller may know of
   * @throws ForbiddenException the caller's own alert, but the caller is no administrator
   */
  async resolve(id: string, caller: AlertsCaller): Promise<AlertRow> {
    const alert = await this.find(id, caller);
    if (!caller.isAdmin) {
      throw new ForbiddenException('Only an administrator may resolve an alert; you may dismiss it');
    }
    return this.close(alert, 'manual');
  }

  /**
   * Closes an alert as its user; one that is closed already stays as it is.
   * @throws NotFoundException no such alert, or somebody else's
   */
  async dismiss(id: string, userId: string): Promise<AlertRow> {
    const alert = await this.stored(id);
    if (alert?.user_id !== userId) throw new NotFoundException('There is no such alert');
    return this.close(alert, 'dismissed');
  }

  /**
   * Notes that a user has had alerts before their eyes: they are not told of them elsewhere any more. Those that are not
   * theirs, not open or seen already are passed over.
   * @returns how many they had not seen before
   */
  async markSeen(ids: string[], userId: string): Promise<number> {
    const known = ids.filter((id) => ALERT_ID.test(id)).map((id) => id.toUpperCase());
    return known.length === 0 ? 0 : this.repository.markSeen(known, userId);
  }

  /**
   * Closes all open alerts of a session that has ended; what is still reported about its last episodes stays
   * silent.
   * @param userId only this user's
   * @returns how many were closed
   */
  async resolveForSession(sessionName: string, userId?: string): Promise<number> {
    const closed = await this.repository.closeForSession(storable(sessionName), userId);
    this.announceClosed(closed);
    return closed.length;
  }

  /** Deletes all that is kept about a user; returns how many alerts that was. */
  deleteForUser(userId: string): Promise<number> {
    return this.repository.deleteForUser(userId);
  }

  /**
   * Closes what a statement names by `id` when nobody else can write to these users; it may join many rows with many.
   * @returns how many were closed
   */
  async closeNamed(
    userIds: string[],
    statement: (userIds: string[]) => Statement,
    reason: ResolvedReason,
  ): Promise<number> {
    const reads = (some: string[]) => [ALLOW_HASH_JOINS, statement(some)];
    const closed = await this.repository.closeNamed(userIds, reads, reason);
    this.announceClosed(closed);
    return closed.length;
  }

  private async readResolved(userId: string, query: Omit<ListAlertsQuery, 'status'>): Promise<AlertRow[]> {
    const { session_name: sessionName, since, limit = DEFAULT_LISTED, cursor } = query;
    const after = cursor === undefined ? undefined : await this.stored(cursor);
    if (cursor !== undefined && (after?.user_id !== userId || after.resolved_date === null)) {
      throw unfit(`cursor ${CURSOR_IS_NO_ALERT}`);
    }
    // Date reads lower case and a blank by rules of its own.
    const from = since === undefined ? undefined : new Date(since.toUpperCase().replace(' ', 'T'));
    // A leap second is a moment by RFC 3339, and none to us.
    if (from && Number.isNaN(from.getTime())) {
      throw unfit(`since ${SINCE_IS_NO_MOMENT}`);
    }
    return this.repository.listResolved(userId, {
      sessionName: sessionName === undefined ? undefined : storable(sessionName),
      since: from,
      limit,
      after,
    });
  }

  /** Ids are kept in upper case. */
  private async stored(id: string): Promise<AlertRow | undefined> {
    return ALERT_ID.test(id) ? this.repository.find(id.toUpperCase()) : undefined;
  }

  private async write(reports: Report[], isDecided: () => void): Promise<Outcome[][]> {
    const wanted = { rows: this.subject.observed };
    const { outcomes, changes, rows } = await this.repository.apply(reports, wanted, isDecided);
    for (const { reason } of changes.closed) this.metrics.resolved.inc({ reason });
    for (const { resolvedReason: reason } of changes.opened)
      if (reason) this.metrics.resolved.inc({ reason });
    if (this.subject.observed) for (const change of visibleChanges(changes, rows)) this.subject.next(change);
    return outcomes;
  }

  /** Leaves out what is firing for nobody; a resolve can do no harm. */
  private async forKnownUsers(
    observations: Observation[],
    apply: (known: Observation[]) => Promise<Outcome[]>,
  ): Promise<Outcome[]> {
    const firing = observations.filter((observation) => observation.status === 'firing');
    const unknown = await this.users.unknownAmong(firing.map((observation) => observation.userId));
    if (unknown.size === 0) return observations.length === 0 ? [] : apply(observations);
    const isUnknown = (seen: Observation): boolean => seen.status === 'firing' && unknown.has(seen.userId);
    const known = observations.filter((observation) => !isUnknown(observation));
    const outcomes = (known.length === 0 ? [] : await apply(known)).values();
    return observations.map((observation): Outcome =>
      isUnknown(observation) ? { result: 'ignored', reason: 'unknown_user' } : nextOf(outcomes),
    );
  }

  private async close(alert: AlertRow, reason: ResolvedReason): Promise<AlertRow> {
    const closed = alert.resolved_date ? undefined : await this.repository.close(alert, reason);
    if (closed) this.announceClosed([closed]);
    return closed ?? (await this.repository.find(alert.id)) ?? alert;
  }

  private announceClosed(alerts: AlertRow[]): void {
    for (const alert of alerts) {
      if (alert.resolved_reason) this.metrics.resolved.inc({ reason: alert.resolved_reason });
      this.subject.next({ change: 'closed', alert });
    }
  }
}

function* partsOf<T>(all: T[], size: number): Generator<T[]> {
  if (all.length <= size) yield all;
  else for (let from = 0; from < all.length; from += size) yield all.slice(from, from + size);
}

function nextOf<T>(values: Iterator<T>): T {
  const next = values.next();
  if (next.done) throw new Error('An observation has no outcome');
  return next.value;
}

/**
 * What a user can see of a batch's changes; that an alert was seen again is not among it.
 * @param rows the alerts that were open before and have changed
 */
function visibleChanges({ opened, now }: LifeChanges, rows: AlertRow[]): AlertChange[] {
  const openedRows = opened.map((alert) => toOpenedRow(alert, now));
  return [
    ...openedRows.map((alert) => ({ change: 'opened' as const, alert })),
    ...rows.filter(isOpen).map((alert) => ({ change: 'updated' as const, alert })),
    ...[...openedRows, ...rows]
      .filter((alert) => !isOpen(alert))
      .map((alert) => ({ change: 'closed' as const, alert })),
  ];
}

function isOpen(alert: AlertRow): boolean {
  return alert.resolved_date === null;
}
