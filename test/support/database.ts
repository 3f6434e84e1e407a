import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { settledConnections } from '../../src/database/connection-settings.js';
import { GuardedClient } from '../../src/database/guarded-client.js';
import { CHANNEL, EVERYBODY } from '../../src/database/transaction.statements.js';
import { hostileTogether, settingsOf } from './hostile-settings.js';

/** For a pooler (ms). */
const LONGEST_WAIT = 30_000;

/** A database on the tests' server. */
export interface TestDatabase {
  readonly name: string;
  /** Connection string. */
  readonly url: string;
  /** Removes it, and ends whatever is still connected to it. */
  drop(): Promise<void>;
}

/**
 * Makes the database that `createTestDatabase` copies, once for a whole run, and lets `prepare` fill it.
 * `prepare` must have closed its connections when it returns: PostgreSQL copies no database in use.
 *
 * @param serverUrl any database of the server, as a user who may create databases
 */
export async function createTemplateDatabase(
  serverUrl: string,
  prepare: (url: string) => Promise<void>,
): Promise<TestDatabase> {
  const name = `session_alerts_template_${randomBytes(4).toString('hex')}`;
  await execute(serverUrl, `CREATE DATABASE ${name}`);
  const template = databaseOn(serverUrl, name);
  try {
    await prepare(template.url);
  } catch (error) {
    await template.drop();
    throw error;
  }
  return template;
}

/**
 * A fresh database for one test file or one test, with our tables unless `migrated` is false; the caller
 * drops it. TEST_DATABASE_SETTINGS=hostile gives it every setting that could hurt.
 */
export async function createTestDatabase({ migrated = true } = {}): Promise<TestDatabase> {
  const { serverUrl, template } = testServer();
  const name = `session_alerts_test_${randomBytes(8).toString('hex')}`;
  await execute(
    serverUrl,
    `CREATE DATABASE ${name} TEMPLATE ${migrated ? template : 'template0'} STRATEGY wal_log`,
  );
  if (process.env['TEST_DATABASE_SETTINGS'] === 'hostile') {
    await alterSettings(serverUrl, `DATABASE ${name}`, hostileTogether());
  }
  return databaseOn(serverUrl, name);
}

/**
 * Changes what connections begin with.
 * @param whose `DATABASE name` or `ROLE name`
 */
export async function alterSettings(
  serverUrl: string,
  whose: string,
  settings: Record<string, string>,
): Promise<void> {
  const known = await settingsOf((text) => execute<{ name: string }>(serverUrl, text), settings);
  await execute(serverUrl, known.map(([name, value]) => `ALTER ${whose} SET ${name} = ${value}`).join('; '));
}

/** Lets a database refuse every connection and ends those that it has, as if it were down. */
export async function takeDatabaseAway(url: string): Promise<void> {
  const { serverUrl } = testServer();
  const name = databaseName(url);
  await execute(serverUrl, `ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
  await execute(
    serverUrl,
    `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '${name}'`,
  );
}

/** Undoes `takeDatabaseAway`. */
export async function giveDatabaseBack(url: string): Promise<void> {
  await execute(testServer().serverUrl, `ALTER DATABASE ${databaseName(url)} ALLOW_CONNECTIONS true`);
  const pooled = pooledAddress(url);
  if (!pooled) return;
  // A pooler that was refused tries again in its own time.
  const deadline = Date.now() + LONGEST_WAIT;
  for (;;) {
    try {
      await execute(pooled.url, 'SELECT 1');
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(100);
    }
  }
}

/** Where the tests have a pooler (scripts/with-pgbouncer.sh): the address that leads through it, and its mode. */
export function pooledAddress(url: string): { url: string; mode: string } | undefined {
  const [mode = '', pooler] = process.env['TEST_POOLER']?.split(' ') ?? [];
  const isElsewhere = new URL(url).host !== new URL(process.env['TEST_DATABASE_URL'] ?? url).host;
  if (pooler === undefined || isElsewhere) return undefined;
  const pooled = new URL(url);
  pooled.host = pooler;
  return { url: pooled.href, mode };
}

/** Leaves a database as if nothing had ever been reported, and waits until servers on it have heard. */
export async function forgetAlerts(url: string): Promise<void> {
  const listener = await connectTo(url);
  try {
    const heard = once(listener, 'notification');
    await listener.query(`LISTEN ${CHANNEL}`);
    await execute(
      url,
      `TRUNCATE session_alerts.alerts, session_alerts.sightings, session_alerts.deliveries, session_alerts.messages,
                session_alerts.delivery_targets, session_alerts.preferences, session_alerts.mutes;
       SELECT pg_notify('${CHANNEL}', 'test ${EVERYBODY}')`,
    );
    await heard;
  } finally {
    await listener.end();
  }
}

/** A connection of a test's own, whatever the database is set to. */
export async function connectTo(url: string): Promise<pg.Client> {
  const client = new GuardedClient({ connectionString: url });
  await client.connect();
  try {
    await settledConnections().onConnect(client);
  } catch (error) {
    await client.end();
    throw error;
  }
  return client;
}

/** Looks into a database, or changes it, past our own code. */
export async function execute<Row extends pg.QueryResultRow = Record<string, unknown>>(
  url: string,
  statement: string,
  values: unknown[] = [],
): Promise<Row[]> {
  const client = await connectTo(url);
  try {
    return (await client.query<Row>(statement, values)).rows;
  } finally {
    await client.end();
  }
}

/** Any database of the tests' server, as a user who may do everything; and the template's name. */
export function testServer(): { serverUrl: string; template: string } {
  const { TEST_DATABASE_URL: serverUrl, TEST_TEMPLATE_DATABASE: template } = process.env;
  if (!serverUrl || !template) {
    throw new Error('There is no test server: jest must run with database.setup.ts as its globalSetup.');
  }
  return { serverUrl, template };
}

function databaseOn(serverUrl: string, name: string): TestDatabase {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return {
    name,
    url: url.href,
    drop: async () => {
      await execute(serverUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
  };
}

function databaseName(url: string): string {
  return new URL(url).pathname.slice(1);
}
