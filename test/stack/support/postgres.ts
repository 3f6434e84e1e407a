import { randomBytes } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { startEmbeddedPostgres } from '../../../src/server/demo/embedded-postgres.js';
import { waitUntil } from '../../support/server.js';
import { Program } from './program.js';

/** A PostgreSQL server that can go away and come back with its data, on the same port. */
export interface StackPostgres {
  /** An empty database; returns its connection string. */
  createDatabase(): Promise<string>;
  /** Ends the server as `pg_ctl stop` does: clients are cut off, nothing is lost. */
  shutDown(): Promise<void>;
  /** Starts it again. */
  startAgain(): Promise<void>;
  /** Ends it for good and removes all that was its own. */
  close(): Promise<void>;
}

export async function startPostgres(): Promise<StackPostgres> {
  const first = await startEmbeddedPostgres({ settings: { fsync: 'off' } });
  let again: Program | undefined;

  const shutDown = async (): Promise<void> => {
    if (again) await again.stop('SIGINT');
    else {
      process.kill(first.pid, 'SIGINT');
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
    shutDown,
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

async function query(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
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
