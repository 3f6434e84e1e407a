import { Injectable } from '@nestjs/common';
import { AlertsDatabase } from '../database/alerts-database.js';
import type { Writes } from '../database/alerts-database.js';
import { forEachOf } from '../database/distribution.js';
import { ReadDatabase } from '../database/read-database.service.js';
import type { Statement } from '../database/statement.js';
import { newAlertId } from './alert-id.js';
import { AlertLife } from './alert-life.js';
import type { AlertState, LifeChanges, ResolvedReason } from './alert-life.js';
import { toAlertRow } from './alerts.dto.js';
import type { AlertRow, StoredAlert } from './alerts.dto.js';
import * as alerts from './alerts.statements.js';
import { MOST_SHOWN } from './alerts.statements.js';
import type { HistoryPage, NewAlert } from './alerts.statements.js';
import { Departures } from './departures.js';
import type { AlertNews, AlertsNews } from './departures.js';
import { gravityOf } from './gravity.js';
import * as life from './life.statements.js';
import type { ReportedSeries } from './life.statements.js';
import type { Outcome } from './observation.js';
import { appliedTogether, outcomesOf, sharesOf } from './reports.js';
import type { Applied, Report } from './reports.js';

/** A user's open alerts: as many as an answer carries, and how many there are. */
export interface OpenList {
  alerts: AlertRow[];
  total: number;
}

/** Reads and writes the alerts. */
@Injectable()
export class AlertsRepository {
  constructor(
    private readonly database: AlertsDatabase,
    private readonly departures: Departures,
    /** For what decides nothing. */
    private readonly reads: ReadDatabase,
  ) {}

  /**
   * Applies reports in one transaction and a constant number of round trips; where the tables are distributed in one
   * for each user, which one machine serves.
   * @param wanted whether the rows of alerts that change are wanted as well
   * @param isDecided called when all is sent, and only the commit is waited for
   * @returns what became of each report's observations, in their order, and what changed; all is committed
   */
  async apply(reports: Report[], wanted: { rows: boolean }, isDecided?: () => void): Promise<Applied> {
    if (!(await this.database.isDistributed())) return this.applyTogether(reports, wanted, { isDecided });
    const shares = sharesOf(reports);
    const [first, ...others] = await forEachOf(shares, ({ reports: own, owner }) =>
      this.applyTogether(own, wanted, { owner }),
    );
    return first
      ? appliedTogether(reports, shares, [first, ...others])
      : this.applyTogether(reports, wanted, { isDecided });
  }

  private async applyTogether(
    reports: Report[],
    wanted: { rows: boolean },
    { isDecided, owner }: { isDecided?: (() => void) | undefined; owner?: string },
  ): Promise<Applied> {
    const arrivals = await this.database.arrivalsOf(reports.map(({ arrivedAt }) => arrivedAt));
    const observations = reports.flatMap((report) => report.observations);
    const userIds = observations.map((observation) => observation.userId);
    const reads = life.readState(observations, Math.min(...arrivals));
    const plan = (now: Date, state: unknown[][]): Writes<Applied> => {
      const { outcomes, changes } = decide(now, reports, arrivals, state);
      const unasked = reportsOfUnasked(reports, arrivals, outcomes);
      const writes = [
        ...life.writeChanges(changes, owner),
        ...(unasked.length > 0 ? [life.insertReports(unasked, owner)] : []),
        ...this.departures.with(newsOf(changes)),
      ];
      const users = life.usersOf(changes);
      const changedIds = [...changes.rewritten.filter(({ isUpdated }) => isUpdated), ...changes.closed].map(
        ({ alert }) => alert.id,
      );
      if (!wanted.rows || changedIds.length === 0)
        return { writes, users, answer: () => ({ outcomes, changes, rows: [] }) };
      return {
        writes: [...writes, alerts.findAlerts(changedIds, [...users])],
        users,
        answer: (rows) => ({ outcomes, changes, rows: shown(rows[writes.length]) }),
      };
    };
    return this.database.transaction(userIds, reads, plan, isDecided);
  }

  /** What `apply` would do now; writes nothing. */
  async preview(report: Report): Promise<Outcome[]> {
    if (!(await this.database.isDistributed())) return this.previewTogether(report);
    const shares = sharesOf([report]);
    const ofShares = await forEachOf(shares, async ({ reports: [own = report] }) => [
      await this.previewTogether(own),
    ]);
    return outcomesOf([report], shares, ofShares)[0] ?? [];
  }

  private async previewTogether(report: Report): Promise<Outcome[]> {
    const arrivals = await this.database.arrivalsOf([report.arrivedAt]);
    const { now, rows } = await this.database.readAt(
      life.readState(report.observations, Math.min(...arrivals)),
    );
    const [outcomes = []] = decide(now, [report], arrivals, rows).outcomes;
    return outcomes;
  }

  /** Opens an alert by hand; `undefined` where the same alert is open already. */
  async create(alert: NewAlert): Promise<AlertRow | undefined> {
    return this.database.transaction([alert.userId], [], (now) => {
      const id = newAlertId(now.getTime());
      const { userId, eventType, sessionName } = alert;
      const gravity = gravityOf(alert.severity);
      const news = [{ userId, alertId: id, transition: 'opened' as const, gravity, eventType, sessionName }];
      return {
        writes: [
          alerts.insertByHand(id, alert, now),
          ...this.departures.with({ now, news, ended: [], endedUsers: [] }),
        ],
        users: new Set([alert.userId]),
        answer: ([created]) => shown(created)[0],
      };
    });
  }

  /** The open alerts of each of these users, gravest first, then newest. */
  async listOpen(userIds: string[]): Promise<OpenList[]> {
    return (await this.database.byUsers(userIds, (some) => this.listOpenTogether(some))).flat();
  }

  private async listOpenTogether(userIds: string[]): Promise<OpenList[]> {
    const few = new Map<string, StoredAlert[]>(userIds.map((userId) => [userId, []]));
    const rows = await this.reads.query<StoredAlert>(alerts.listFewOpen(userIds));
    for (const row of rows) few.get(row.user_id)?.push(row);
    const withMany = userIds.filter((userId) => !alerts.areFew(few.get(userId) ?? []));
    const many = withMany.length > 0 ? await this.listMany(withMany) : undefined;
    return userIds.map((userId) => many?.get(userId) ?? allOf(few.get(userId) ?? []));
  }

  /** Those of users who may have more than an answer carries. */
  private async listMany(userIds: string[]): Promise<Map<string, OpenList>> {
    const byUser = new Map<string, OpenList>(userIds.map((userId) => [userId, { alerts: [], total: 0 }]));
    for (const row of await this.reads.query<FoundAlert>(alerts.listOpen(userIds))) {
      const list = byUser.get(row.user_id);
      if (!list) continue;
      list.alerts.push(toAlertRow(row));
      list.total = Number(row.found);
    }
    for (const [userId, list] of byUser) await this.completeTotal(list, userId);
    return byUser;
  }

  /** Those of one of a user's sessions. */
  async listOpenOfSession(userId: string, sessionName: string): Promise<OpenList> {
    const rows = await this.reads.query<FoundAlert>(alerts.listOpenOfSession(userId, sessionName));
    const list = { alerts: rows.map(toAlertRow), total: Number(rows[0]?.found ?? 0) };
    await this.completeTotal(list, userId, sessionName);
    return list;
  }

  /** Only where there are more than an answer carries they have to be counted. */
  private async completeTotal(list: OpenList, userId: string, sessionName?: string): Promise<void> {
    if (list.total <= MOST_SHOWN) return;
    const [row] = await this.reads.query<{ total: number }>(alerts.countOpenOf(userId, sessionName));
    list.total = Math.max(row?.total ?? 0, list.alerts.length);
  }

  /** A page of a user's closed alerts, the last closed first; `after` is the last of the page before. */
  async listResolved(userId: string, page: HistoryPage): Promise<AlertRow[]> {
    return (await this.reads.query<StoredAlert>(alerts.listResolved(userId, page))).map(toAlertRow);
  }

  async find(id: string): Promise<AlertRow | undefined> {
    return shown(await this.database.query(alerts.findAlert(id)))[0];
  }

  /** Closes an open alert; `undefined` where it is closed already, and stays as it is. */
  async close(alert: { id: string; user_id: string }, reason: ResolvedReason): Promise<AlertRow | undefined> {
    const [closed] = await this.database.transaction([alert.user_id], [], (now) =>
      this.closing([alert.id], [alert.user_id], now, reason),
    );
    return closed;
  }

  /**
   * Closes what the last of the statements about these users names by `id`, asked when nobody else can write to them.
   * @param reads what is set for the transaction first, if anything, and that statement
   */
  async closeNamed(
    userIds: string[],
    reads: (userIds: string[]) => Statement[],
    reason: ResolvedReason,
  ): Promise<AlertRow[]> {
    const closed = await this.database.byUsers(userIds, (some) =>
      this.database.transaction(some, reads(some), (now, rows) => {
        const ids = (rows.at(-1) as { id: string }[]).map(({ id }) => id);
        return this.closing(ids, some, now, reason);
      }),
    );
    return closed.flat();
  }

  /** Closes all open alerts of a session, of all its users or of one. */
  async closeForSession(sessionName: string, userId?: string): Promise<AlertRow[]> {
    const open = await this.database.query<{ user_id: string }>(alerts.usersOfSession(sessionName, userId));
    if (open.length === 0) return [];
    const userIds = open.map((alert) => alert.user_id);
    return this.closeNamed(userIds, (some) => [alerts.openOfSession(sessionName, some)], 'session_ended');
  }

  /** Notes that a user has had these open alerts before their eyes; returns how many they had not before. */
  async markSeen(ids: string[], userId: string): Promise<number> {
    return this.database.transaction([userId], [alerts.findUnseen(ids, userId)], (now, [unseen = []]) => {
      const found = (unseen as { id: string }[]).map(({ id }) => id);
      return {
        writes: found.length > 0 ? [alerts.markSeen(found, userId, now)] : [],
        users: new Set(found.length > 0 ? [userId] : []),
        answer: () => found.length,
      };
    });
  }

  private closing(ids: string[], userIds: string[], now: Date, reason: ResolvedReason): Writes<AlertRow[]> {
    return {
      writes: [
        alerts.closeByIds(ids, userIds, now, reason),
        ...this.departures.with({ now, news: [], ended: ids, endedUsers: userIds }),
      ],
      users: new Set(userIds),
      answer: ([closed]) => shown(closed),
    };
  }

  /** Deletes all that is kept about a user; returns how many alerts that was. */
  async deleteForUser(userId: string): Promise<number> {
    return this.database.transaction([userId], [], () => ({
      writes: [
        alerts.deleteOfUser(userId),
        alerts.deleteSightingsOf(userId),
        ...this.departures.ofErased(userId),
      ],
      users: new Set([userId]),
      answer: ([rows]) => Number((rows as { deleted: string }[])[0]?.deleted),
    }));
  }
}

/** As `listOpen` answers it. */
type FoundAlert = StoredAlert & { found: string };

/** Lets the rules decide about reports, whose arrivals (µs, the database's clock) stand beside them. */
function decide(
  now: Date,
  reports: Report[],
  arrivals: number[],
  rows: unknown[][],
): { outcomes: Outcome[][]; changes: LifeChanges } {
  const observations = reports.flatMap((report) => report.observations);
  const alertLife = new AlertLife(now, life.knownState(observations, rows));
  const outcomes: Outcome[][] = [];
  const inOrder = reports.map((report, index) => ({ report, index, arrival: arrivals[index] ?? 0 }));
  for (const { report, index, arrival } of inOrder.sort((one, other) => one.arrival - other.arrival)) {
    outcomes[index] = report.observations.map((seen) =>
      alertLife.observe(seen, arrival, report.endingReason),
    );
  }
  return { outcomes, changes: alertLife.changes() };
}

/** What was stored of the reports of Alertmanagers that reconciling may not ask. */
function reportsOfUnasked(reports: Report[], arrivals: number[], outcomes: Outcome[][]): ReportedSeries[] {
  return reports.flatMap(({ alertmanager, observations }, index) =>
    alertmanager === undefined
      ? []
      : observations
          .filter((_, at) => ['opened', 'refreshed'].includes(outcomes[index]?.[at]?.result ?? ''))
          .map(({ seriesKey }) => ({ seriesKey, arrival: arrivals[index] ?? 0, alertmanager })),
  );
}

/** What of a batch's changes others may have to be told. */
function newsOf({ now, opened, rewritten, closed }: LifeChanges): AlertsNews {
  const told = (alert: AlertState, transition: AlertNews['transition'], eventType?: string): AlertNews => {
    const { userId, id: alertId, severity, sessionName } = alert;
    return { userId, alertId, transition, gravity: gravityOf(severity), eventType, sessionName };
  };
  return {
    now,
    news: [
      ...opened
        .filter(({ resolvedReason }) => resolvedReason === null)
        .map((alert) => told(alert, 'opened', alert.eventType)),
      ...rewritten.filter(({ isEscalated }) => isEscalated).map(({ alert }) => told(alert, 'escalated')),
    ],
    ended: closed.map(({ alert }) => alert.id),
    endedUsers: closed.map(({ alert }) => alert.userId),
  };
}

function shown(rows: unknown): AlertRow[] {
  return (rows as StoredAlert[]).map(toAlertRow);
}

/** A list that leaves nothing out. */
function allOf(stored: StoredAlert[]): OpenList {
  return { alerts: stored.map(toAlertRow), total: stored.length };
}
