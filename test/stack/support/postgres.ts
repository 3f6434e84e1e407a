import { randomBytes } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { startEmbeddedPostgres } from '../../../server/demo/embedded-postgres.js';
import { waitUntil } from '../../support/server.js';
import { Program } from './program.js';

/** A PostgreSQL server that can go away and come back with its data, on the same port. */
export interface StackPostgres {
  /** An empty database; returns its connection string. */
  createDatabase(): Promise<string>;
  /** Ends the server as `pg_ctl stop` does: clients are cut off, nothing is lost. */
  shutDown(): Promise<void>;
  /** Ends the server as `pg_ctl stop -m immediate` does: nothing is finished, and it recovers at the next start. */
  crash(): Promise<void>;
  /** Ends the connections to a database; returns how many there were. */
  terminateBackends(databaseUrl: string): Promise<number>;
  /** Another user of a database; returns the connection string. */
  createUser(databaseUrl: string): Promise<string>;
  /** Ends the connections of the user that `createUser` made, and refuses new ones until the returned is called. */
  lockOut(databaseUrl: string): Promise<() => Promise<void>>;
  /** Starts it again. */
  startAgain(): Promise<void>;
  /** Ends it for good and removes all that was its own. */
  close(): Promise<void>;
}

export async function startPostgres(
  settings: Record<string, string> = { fsync: 'off' },
): Promise<StackPostgres> {
  const first = await startEmbeddedPostgres({ settings });
  let again: Program | undefined;

  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (again) await again.stop(signal);
    else {
      process.kill(first.pid, signal);
      await waitUntil(() => !isRunning(first.pid));
    }
  };

  return {
    async createDatabase() {
      const name = `stack_${randomBytes(8).toString('hex')}`;
      await query(first.url, `CREATE DATABASE ${name}`);
      const url = new URL(first.url);
      url.pathname = `/${name}`;
      return url.href;
    },
    shutDown: () => end('SIGINT'),
    crash: () => end('SIGQUIT'),
    async terminateBackends(databaseUrl) {
      const [row] = await query<{ terminated: string }>(
        first.url,
        `SELECT count(pg_terminate_backend(pid)) AS terminated FROM pg_stat_activity WHERE datname = $1`,
        [new URL(databaseUrl).pathname.slice(1)],
      );
      return Number(row?.terminated);
    },
    async createUser(databaseUrl) {
      const url = new URL(databaseUrl);
      url.username = `user_${randomBytes(8).toString('hex')}`;
      await query(first.url, `CREATE ROLE ${url.username} SUPERUSER LOGIN PASSWORD '${url.password}'`);
      return url.href;
    },
    async lockOut(databaseUrl) {
      const { username } = new URL(databaseUrl);
      await query(first.url, `ALTER ROLE ${username} NOLOGIN`);
      await query(
        first.url,
        `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = $1`,
        [username],
      );
      return async () => {
        await query(first.url, `ALTER ROLE ${username} LOGIN`);
      };
    },
    async startAgain() {
      // PostgreSQL notes there how it was started; `pg_ctl restart` reads it too.
      const noted = await readFile(join(first.dataDirectory, 'postmaster.opts'), 'utf8');
      const [command = '', ...rest] = noted.trim().split(' "');
      const { uid, gid } = await stat(first.dataDirectory);
      again = new Program(
        'PostgreSQL',
        command,
        rest.map((argument) => argument.replace(/"$/, '')),
        { uid, gid, cwd: first.dataDirectory },
      );
      await again.until(async () => {
        await query(first.url, 'SELECT 1');
        return true;
      });
    },
    async close() {
      if (again?.isRunning) await again.stop('SIGINT');
      await first.stop();
    },
  };
}

/** One statement on a connection of its own. */
export async function query<Row extends pg.QueryResultRow>(
  url: string,
  statement: string,
  parameters: unknown[] = [],
): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(statement, parameters)).rows;
  } finally {
    await client.end();
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
