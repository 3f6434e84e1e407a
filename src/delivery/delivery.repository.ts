import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { toAlertRow } from '../alerts/alerts.dto.js';
import type { AlertRow, StoredAlert } from '../alerts/alerts.dto.js';
import { AlertsDatabase } from '../database/alerts-database.js';
import type { Statement } from '../database/statement.js';
import type { Decision, DueDelivery, TargetState, Target, Transition } from './delivery-rules.js';
import * as statements from './delivery.statements.js';
import type { Ending, WantedAt } from './delivery.statements.js';
import { quietHoursIn } from './quiet-hours.js';
import type { QuietHoursColumns } from './quiet-hours.js';

/** What a message is, while it is sent. */
export interface ClaimedMessage extends Target {
  id: string;
  /** Which attempt this is, from 1. */
  attempts: number;
  createdDate: Date;
}

/** What it brings, and to whom. */
export interface MessageContents {
  alerts: { transition: Transition; alert: AlertRow; gravity: number }[];
  details: Record<string, unknown> | null;
  locale: string | undefined;
  beganWith: string | undefined;
}

interface DueRow extends Target {
  alertId: string;
  id: string;
  transition: Transition;
  dueDate: string;
  isKnown: boolean;
  isOpen: boolean;
  isSeen: boolean;
  gravity: number;
  mutedUntil: string | null;
}

interface ToldRow extends QuietHoursColumns {
  userId: string;
  lately: { channel: string; target: string; createdDate: number }[];
}

interface InterestedRow {
  userId: string;
  hasMutes: boolean;
  targets: WantedAt[];
}

/** The lock of the job that makes messages. */
const GATHERING_JOB = 4;

/** Reads and writes what is to be told. */
@Injectable()
export class DeliveryRepository {
  constructor(private readonly database: AlertsDatabase) {}

  now(): Promise<Date> {
    return this.database.now();
  }

  /** Runs the work unless another replica is making messages just now. */
  gathering(work: () => Promise<void>): Promise<boolean> {
    return this.database.exclusively(GATHERING_JOB, work);
  }

  /** Who wants to be told of alerts or has muted some: all, or the one. */
  async listInterested(userId?: string): Promise<InterestedRow[]> {
    return this.database.query<InterestedRow>(statements.listInterested(userId));
  }

  /** Asked every second, of which nearly all are in vain. */
  async isAnythingDue(now: Date): Promise<boolean> {
    const [row] = await this.database.query<{ due: boolean }>(statements.isAnythingDue(now));
    return row?.due === true;
  }

  async listDue(now: Date, until: Date): Promise<DueDelivery[]> {
    const rows = await this.database.query<DueRow>(statements.listDue(now, until));
    return rows.map(({ isKnown, isOpen, isSeen, gravity, mutedUntil, dueDate, ...due }) => ({
      ...due,
      dueDate: new Date(Number(dueDate)),
      alert: isKnown
        ? { isOpen, isSeen, gravity, mutedUntil: mutedUntil === null ? null : new Date(Number(mutedUntil)) }
        : undefined,
    }));
  }

  /** What is known of the targets of these users, by the targets. */
  async listStates(userIds: string[], since: Date): Promise<(target: Target) => TargetState> {
    const told = await this.database.byUsers(userIds, (some) =>
      this.database.query<ToldRow>(statements.listTold(some, since)),
    );
    const rows = told.flat();
    const byUser = new Map(rows.map((row) => [row.userId, row]));
    return ({ userId, channel, target }) => {
      const row = byUser.get(userId);
      const lately = row?.lately ?? [];
      const last = lately.filter((told) => told.channel === channel && told.target === target).at(-1);
      return {
        lastMessage: last ? new Date(last.createdDate) : null,
        lately: lately.map(({ createdDate }) => new Date(createdDate)),
        quietHours: quietHoursIn(row),
      };
    };
  }

  async write(decision: Decision, now: Date): Promise<void> {
    const ids = decision.messages.map(() => randomUUID());
    await this.runAll(statements.writeDecision(decision, ids, now));
  }

  /** Takes messages of a channel whose time has come; the attempt counts now, and is this process's alone for `lease` (ms). */
  async claim(now: Date, of: { channel: string; lease: number; most: number }): Promise<ClaimedMessage[]> {
    const rows = await this.database.run<Omit<ClaimedMessage, 'createdDate'> & { createdDate: string }>(
      statements.claim(now, of, await this.database.isDistributed()),
    );
    return rows.map((row) => ({ ...row, createdDate: new Date(Number(row.createdDate)) }));
  }

  async listContents(messages: ClaimedMessage[]): Promise<Map<string, MessageContents>> {
    const users = messages.map(({ userId }) => userId);
    const contents = await this.database.byUsers(users, (userIds) =>
      this.listContentsTogether(messages.filter(({ userId }) => userIds.includes(userId))),
    );
    return new Map(contents.flatMap((ofSome) => [...ofSome]));
  }

  private async listContentsTogether(messages: ClaimedMessage[]): Promise<Map<string, MessageContents>> {
    const { rows } = await this.database.readAt(statements.listContents(messages));
    const [told, targets] = rows as [
      (StoredAlert & { message_id: string; transition: Transition; gravity: number })[],
      {
        id: string;
        details: Record<string, unknown> | null;
        locale: string | null;
        beganWith: string | null;
      }[],
    ];
    const contents = new Map<string, MessageContents>();
    for (const { id, details, locale, beganWith } of targets) {
      contents.set(id, {
        alerts: [],
        details,
        locale: locale ?? undefined,
        beganWith: beganWith ?? undefined,
      });
    }
    for (const { message_id: id, transition, gravity, ...alert } of told) {
      contents.get(id)?.alerts.push({ transition, gravity, alert: toAlertRow(alert) });
    }
    return contents;
  }

  /** Notes how an attempt ended, unless another has begun since. */
  async end(message: ClaimedMessage, ending: Ending, now: Date): Promise<void> {
    // An alert that ends just now sees what was told of it, or this sees that it has ended.
    await this.runAll(statements.endAttempt(message, ending, now), [message.userId]);
  }

  async forget({ userId, channel, target }: Target): Promise<void> {
    await this.runAll(statements.forgetTarget(userId, channel, target));
  }

  /** Gives up what has waited since before then for channels other than these. */
  async giveUpOthers(channels: string[], before: Date, reason: string): Promise<void> {
    await this.database.run((now) => statements.giveUpOthers(channels, before, reason, now));
  }

  /** Seconds; 0 where nothing is due. */
  async ageOfOldestDue(): Promise<number> {
    const now = await this.database.now();
    const [row] = await this.database.query<{ age: string | null }>(statements.oldestDue(now));
    return Number(row?.age ?? 0);
  }

  async notePages(replica: string, userIds: string[], until: Date): Promise<void> {
    await this.runAll([statements.notePages(replica, userIds, until)]);
  }

  /** Users who have a page open at other replicas than this one. */
  async listPagesElsewhere(replica: string): Promise<string[]> {
    const [row] = await this.database.query<{ userIds: string[] }>(
      statements.listPagesElsewhere(replica, await this.now()),
    );
    return row?.userIds ?? [];
  }

  async forgetPages(replica: string, userIds: string[]): Promise<void> {
    await this.runAll([statements.forgetPages(replica, userIds)]);
  }

  async deleteTold(before: Date, now: Date): Promise<void> {
    for (const statement of statements.deleteTold(before, now)) await this.database.run(statement);
  }

  /** In one transaction, which nobody interferes with who writes about these users. */
  private async runAll(writes: Statement[], userIds: string[] = []): Promise<void> {
    await this.database.transaction(userIds, [], () => ({
      writes,
      users: new Set(),
      answer: () => undefined,
    }));
  }
}
