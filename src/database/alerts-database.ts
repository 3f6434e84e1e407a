import { hash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { Subject } from 'rxjs';
import type { Observable } from 'rxjs';
import type { DataSource } from 'typeorm';
import { AlertsMetrics } from '../metrics/alerts-metrics.service.js';
import { ALERTS_DATA_SOURCE, ALERTS_DIRECT_DATA_SOURCE } from '../options/module-options.js';
import { AlertsClock } from '../clock/alerts-clock.js';
import { withConnection } from './connection.js';
import type { Connection } from './connection.js';
import { DatabaseClock } from '../clock/database-clock.js';
import { isConcurrencyFailure, isLostStatement } from './database-errors.js';
import { findProblems, isSharedBetweenTransactions } from './database-problems.js';
import type { DatabaseProblem } from './database-problems.js';
import { areDistributed, forEachOf } from './distribution.js';
import { SharedWay } from './shared-way.js';
import type { Statement } from './statement.js';
import * as statements from './transaction.statements.js';

/** Beyond this many users a batch closes the gate instead of locking each (a lock costs shared memory). */
const MOST_USER_LOCKS = 64;
const MOST_TRIES = 5;

/** The class of the session-level locks under which one replica at a time does a job. */
const JOBS = 0x5e551004;
/**
 * For how long (ms) a replica that is not heard of keeps a job to itself, one that was stopped for instance, and how
 * often it is heard of.
 */
const JOB_LEASE = 30_000;
const JOB_BEAT = 5_000;

/** Statements that write, whose open alerts they may change, and how their rows become the answer. */
export interface Writes<T> {
  writes: Statement[];
  users: ReadonlySet<string>;
  answer: (rows: unknown[][]) => T;
}

interface ClockRow {
  /** µs since 1970 */
  now: string;
}

/**
 * The host's PostgreSQL. Writers take advisory locks on the users whom they touch, in one order, before they read what
 * they decide on; so decisions never interleave and locks never cross.
 */
@Injectable()
export class AlertsDatabase {
  private processId: string = randomUUID();
  private readonly committed = new Subject<ReadonlySet<string>>();
  /** As it was when first asked, for as long as the process runs. */
  private areTablesDistributed: boolean | undefined;

  /** Whose open alerts this process has changed, when it is committed and before it is answered. */
  readonly userChanges: Observable<ReadonlySet<string>> = this.committed.asObservable();

  private readonly way: SharedWay;

  constructor(
    @Inject(ALERTS_DATA_SOURCE) private readonly dataSource: DataSource,
    @Inject(ALERTS_DIRECT_DATA_SOURCE) private readonly directDataSource: DataSource,
    private readonly clock: AlertsClock,
    private readonly databaseClock: DatabaseClock,
    private readonly metrics: AlertsMetrics,
  ) {
    this.way = new SharedWay(directDataSource !== dataSource);
  }

  /** Tells this process's notices from those of other replicas. */
  get process(): string {
    return this.processId;
  }

  /** When what arrived then (`performance.now()`, ms) arrived by the database's clock (µs), as tests have moved it. */
  async arrivalsOf(arrived: number[]): Promise<number[]> {
    if (!this.databaseClock.isSet) await this.now();
    return arrived.map((moment) => this.databaseClock.at(moment) + this.clock.ahead * 1000);
  }

  now(): Promise<Date> {
    return this.withConnection((connection) => this.readClock(connection));
  }

  query<Row>(statement: Statement): Promise<Row[]> {
    return this.withConnection((connection) => connection.askOne<Row>(statement));
  }

  /**
   * Does the work for these users together; or for each alone, a few at a time, where the tables are distributed: what is
   * asked of one user's rows one machine answers, however involved it is.
   * @returns what came of each, in their order, where each is named once
   */
  async byUsers<T>(userIds: string[], work: (userIds: string[]) => Promise<T>): Promise<T[]> {
    if (!(await this.isDistributed())) return [await work(userIds)];
    return forEachOf([...new Set(userIds)], (userId) => work([userId]));
  }

  /** Whether the tables are distributed by user over several machines. */
  async isDistributed(): Promise<boolean> {
    return (
      this.areTablesDistributed ??
      this.withConnection((connection) => Promise.resolve(connection.isDistributed))
    );
  }

  /** What statements answer that change nothing, and the moment before they were asked. */
  async readAt(reads: Statement[]): Promise<{ now: Date; rows: unknown[][] }> {
    return this.withConnection(async (connection) => {
      const now = await this.readClock(connection);
      return { now, rows: await connection.ask(reads) };
    });
  }

  /**
   * Runs a statement in a transaction of its own that says of what kind it is, whatever the connection's default.
   * @param statement or what makes it of the moment
   * @param joinsMany that it joins many rows with many, which the server's own connections do not plan for
   */
  async run<Row>(
    statement: Statement | ((now: Date) => Statement),
    { joinsMany = false } = {},
  ): Promise<Row[]> {
    return this.withConnection(async (connection) => {
      const made = typeof statement === 'function' ? statement(await this.readClock(connection)) : statement;
      const before = [connection.begin, ...(joinsMany ? [statements.ALLOW_HASH_JOINS] : [])];
      try {
        const rows = await connection.send([...before, made, statements.COMMIT]);
        return rows[before.length] as Row[];
      } catch (error) {
        await connection.query(statements.ROLLBACK).catch(() => undefined);
        throw error;
      }
    });
  }

  /**
   * Two round trips where the connection pipelines: one that locks and reads, one that writes and commits.
   * @param plan says what to write, knowing the time and the rows of each of the reads
   * @param isDecided called when all is sent, and only the commit is waited for; not where that notifies: such commits
   * go one after the other in PostgreSQL, each with its flush, and another would only wait for its turn
   */
  async transaction<T>(
    userIds: string[],
    reads: Statement[],
    plan: (now: Date, rows: unknown[][]) => Writes<T>,
    isDecided?: () => void,
  ): Promise<T> {
    const lock = lockOn(userIds);
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.withConnection(async (connection) => {
          try {
            const sentAt = performance.now();
            const [, clock, ...rows] = await connection.send([connection.begin, lock, ...reads]);
            const { writes, users, answer } = plan(this.learnClock(sentAt, clock as ClockRow[]), rows);
            const notices = statements.notifyChange(this.process, users);
            const writing = connection.send([...writes, ...notices, statements.COMMIT]);
            if (users.size === 0) isDecided?.();
            const written = await writing.catch((error: unknown) => {
              if (!isConcurrencyFailure(error)) this.doubt(users);
              throw error;
            });
            if (users.size > 0) this.committed.next(users);
            return answer(written);
          } catch (error) {
            // The connection may be what failed; then there is nothing left to roll back.
            await connection.query(statements.ROLLBACK).catch(() => undefined);
            throw error;
          }
        });
      } catch (error) {
        if (attempt === MOST_TRIES || !isConcurrencyFailure(error)) throw error;
        this.metrics.retries.inc();
        await sleep(Math.random() * 20 * attempt);
      }
    }
  }

  /**
   * Runs the work unless another replica is at the same job just now.
   * @returns whether it ran here
   */
  async exclusively(job: number, work: () => Promise<void>): Promise<boolean> {
    return this.withConnectionOf(this.directDataSource, async (connection) => {
      // The lock is the connection's, which is idle meanwhile but for the beat.
      const [row] = await connection.query<{ locked: boolean; limit: string }>({
        text: `
          SELECT locked, current_setting('idle_session_timeout') AS limit,
                 CASE WHEN locked THEN set_config('idle_session_timeout', $3, false) END
            FROM (SELECT pg_try_advisory_lock($1, $2) AS locked) AS attempt`,
        values: [JOBS, job, `${JOB_LEASE}ms`],
      });
      if (!row?.locked) return false;
      const beat = setInterval(() => {
        // Where it fails the lock is gone, which does no harm: what a job writes, another may have written.
        connection.query(statements.READ_CLOCK).catch(() => undefined);
      }, JOB_BEAT);
      try {
        await work();
      } finally {
        clearInterval(beat);
        await connection
          .query({
            text: `SELECT pg_advisory_unlock($1, $2), set_config('idle_session_timeout', $3, false)`,
            values: [JOBS, job, row.limit],
          })
          .catch(() => {
            connection.discard();
          });
      }
      return true;
    });
  }

  /** Sends this process a notice by the way of all notices, and learns what time it is. */
  async ping(id: string): Promise<void> {
    await this.withConnection((connection) => this.readClock(connection, statements.notifyPing(id)));
  }

  /**
   * Why the database, which answers, cannot serve as it is.
   * @param listeningBackend the database's process that serves the connection that hears of changes
   * @throws DatabaseUnavailableError
   */
  async findProblems(listeningBackend: number | undefined): Promise<DatabaseProblem[]> {
    if (this.way.mayBeShared && !this.way.isSettled) await this.learnWay();
    return this.withConnection((connection) => findProblems(connection, listeningBackend, this.way));
  }

  private async readClock(connection: Connection, statement = statements.READ_CLOCK): Promise<Date> {
    const sentAt = performance.now();
    const rows = await connection.askOne<ClockRow>(statement);
    return this.learnClock(sentAt, rows);
  }

  private learnClock(sentAt: number, [row]: ClockRow[]): Date {
    const now = Number(row?.now);
    this.databaseClock.learn(sentAt, performance.now(), now);
    return new Date(Math.floor(now / 1000) + this.clock.ahead);
  }

  /**
   * The answer to a COMMIT may be all that was lost, and its work done, now or soon. What has been heard of it was
   * taken for our own; what is yet to be heard is not.
   */
  private doubt(users: ReadonlySet<string>): void {
    this.processId = randomUUID();
    if (users.size > 0) this.committed.next(users);
  }

  /** Once more, without them, where prepared statements turn out to be lost between transactions. */
  private async withConnection<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    try {
      return await this.withConnectionOf(this.dataSource, work, this.way);
    } catch (error) {
      if (!this.way.mayBeShared || !isLostStatement(error)) throw error;
      this.way.learn(true, false);
      return this.withConnectionOf(this.dataSource, work, this.way);
    }
  }

  private withConnectionOf<T>(
    dataSource: DataSource,
    work: (connection: Connection) => Promise<T>,
    way?: SharedWay,
  ): Promise<T> {
    const knowing = async (connection: Connection): Promise<T> => {
      this.areTablesDistributed ??= await areDistributed(connection);
      connection.isDistributed = this.areTablesDistributed;
      return work(connection);
    };
    return withConnection(dataSource, knowing, way);
  }

  private async learnWay(): Promise<void> {
    const isShared = await isSharedBetweenTransactions(this.dataSource);
    const keepsStatements = !isShared || (await this.withConnectionOf(this.dataSource, keepsPrepared));
    this.way.learn(isShared, keepsStatements);
  }
}

/** A prepared statement, and what finds it where it was prepared under the very name. */
const PREPARED: Statement = { name: 'session_alerts_prepared', text: 'SELECT 1' };
const FIND_PREPARED: Statement = {
  text: `SELECT FROM pg_catalog.pg_prepared_statements WHERE name = 'session_alerts_prepared'`,
};

/** Whether the pooler on the way has prepared statements under names of its own, so that each finds ours. */
async function keepsPrepared(connection: Connection): Promise<boolean> {
  try {
    const [, , found] = await connection.send([statements.BEGIN, PREPARED, FIND_PREPARED, statements.COMMIT]);
    return found?.length === 0;
  } catch (error) {
    await connection.query(statements.ROLLBACK).catch(() => undefined);
    if (isLostStatement(error)) return false;
    throw error;
  }
}

function lockOn(userIds: string[]): Statement {
  const users = new Set(userIds);
  if (users.size > MOST_USER_LOCKS) return statements.lockAll();
  return statements.lockUsers([...new Set(Array.from(users, lockKey))].sort((a, b) => a - b));
}

function lockKey(userId: string): number {
  return hash('sha256', userId, 'buffer').readInt32BE();
}
