import { setImmediate } from 'node:timers/promises';
import type { DataSource, QueryRunner } from 'typeorm';
import { asDistributed } from './statement.js';
import type { Statement } from './statement.js';
import { markOf, beginningOf } from './connection-settings.js';
import { asDatabaseError, isReadOnly } from './database-errors.js';
import { leaveNodeOf } from './guarded-client.js';
import { OWN_WAY } from './shared-way.js';
import type { SharedWay } from './shared-way.js';
import { BEGIN, COMMIT, ROLLBACK } from './transaction.statements.js';

/** What we use of `pg`'s client. */
interface PgClient {
  /** Whether the pool was made with `pipeline: true`. */
  pipeline?: boolean;
  connection?: { stream?: { cork(): void; uncork(): void; destroy(): void } };
  query(statement: Statement): Promise<{ rows: unknown[] }>;
}

/**
 * How long (ms) a statement may go unanswered, before the connection is taken for dead: where the network or the
 * server falls silent, TCP would wait for a quarter of an hour. The server's own statements end sooner.
 */
const LONGEST_SILENCE = 20_000;

/** A connection of the data source, used past TypeORM: prepared statements, and several in one round trip. */
export class Connection {
  /** Whether the tables that statements ask are distributed by user. */
  isDistributed = false;

  private constructor(
    private readonly client: PgClient,
    private readonly way: SharedWay,
  ) {}

  /** @throws DatabaseUnavailableError */
  static async of(runner: QueryRunner, way = OWN_WAY): Promise<Connection> {
    try {
      return new Connection((await runner.connect()) as PgClient, way);
    } catch (error) {
      throw asDatabaseError(error);
    }
  }

  /** What `settledConnections` has marked the connection with; nothing where an application has made it. */
  get mark(): string | undefined {
    return markOf(this.client);
  }

  /** Begins a transaction, which sets what it depends on where others may have had the connection since the last. */
  get begin(): Statement {
    return (this.way.isShared && beginningOf(this.client)) || BEGIN;
  }

  /** Lets nobody have it again: when it is given back, its pool makes another. */
  discard(): void {
    this.client.connection?.stream?.destroy();
  }

  /** Lets nobody have it again, nor any that we have made before it: its node has become a standby. */
  leaveNode(): void {
    leaveNodeOf(this.client);
    this.discard();
  }

  /** @throws DatabaseUnavailableError */
  async query<Row = unknown>(statement: Statement): Promise<Row[]> {
    const timer = setTimeout(() => {
      this.discard();
    }, LONGEST_SILENCE);
    try {
      const asked = this.way.asked(this.isDistributed ? asDistributed(statement) : statement);
      return (await this.client.query(asked)).rows as Row[];
    } catch (error) {
      if (isReadOnly(error)) this.leaveNode();
      throw asDatabaseError(error);
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Runs statements that are no part of a transaction; where others may have had the connection, in one, which sets what
   * they depend on.
   */
  async ask(statements: Statement[]): Promise<unknown[][]> {
    if (this.begin === BEGIN) return this.send(statements);
    try {
      const rows = await this.send([this.begin, ...statements, COMMIT]);
      return rows.slice(1, -1);
    } catch (error) {
      await this.query(ROLLBACK).catch(() => undefined);
      throw error;
    }
  }

  /** The rows of one. */
  async askOne<Row>(statement: Statement): Promise<Row[]> {
    if (this.begin === BEGIN) return this.query<Row>(statement);
    const [rows = []] = await this.ask([statement]);
    return rows as Row[];
  }

  /**
   * Runs statements in their order, all sent at once where the client pipelines.
   * @returns the rows of each
   * @throws what the first that failed threw, when all have ended; DatabaseUnavailableError
   */
  async send(statements: Statement[]): Promise<unknown[][]> {
    if (this.client.pipeline !== true) {
      const rows: unknown[][] = [];
      for (const statement of statements) rows.push(await this.query(statement));
      return rows;
    }
    const results = await Promise.allSettled(await this.sendAll(statements));
    return results.map((result) => {
      if (result.status === 'rejected') throw result.reason;
      return result.value;
    });
  }

  private async sendAll(statements: Statement[]): Promise<Promise<unknown[]>[]> {
    const sent: Promise<unknown[]>[] = [];
    if (statements.some(isLarge)) {
      for (const statement of statements) {
        // Making text of thousands of values takes a while: others come in between.
        if (isLarge(statement)) await setImmediate();
        sent.push(settled(this.query(statement)));
      }
      await Promise.allSettled(sent);
      await setImmediate();
      return sent;
    }
    // One packet, and one system call, for all.
    const stream = this.client.connection?.stream;
    stream?.cork();
    for (const statement of statements) sent.push(this.query(statement));
    stream?.uncork();
    return sent;
  }
}

/**
 * Does the work with a connection of its own.
 * @throws DatabaseUnavailableError
 */
export async function withConnection<T>(
  dataSource: DataSource,
  work: (connection: Connection) => Promise<T>,
  way?: SharedWay,
): Promise<T> {
  const runner = dataSource.createQueryRunner();
  try {
    return await work(await Connection.of(runner, way));
  } finally {
    await runner.release();
  }
}

/** Elements of an array, or the length of what is text already, that take more than some milliseconds. */
const LARGE = 2_000;
const LARGE_TEXT = 80_000;

function isLarge({ values = [] }: Statement): boolean {
  return values.some((value) =>
    Array.isArray(value) ? value.length > LARGE : typeof value === 'string' && value.length > LARGE_TEXT,
  );
}

/** Its failure is looked at later, which is no reason to end the process now. */
function settled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
