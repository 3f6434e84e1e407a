import { randomBytes } from 'node:crypto';
import pg from 'pg';

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

/** A fresh copy of the run's template database, for one test file or one test; the caller drops it. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const { TEST_DATABASE_URL: serverUrl, TEST_TEMPLATE_DATABASE: template } = process.env;
  if (!serverUrl || !template) {
    throw new Error('There is no test server: jest must run with database.setup.ts as its globalSetup.');
  }
  const name = `session_alerts_test_${randomBytes(8).toString('hex')}`;
  await execute(serverUrl, `CREATE DATABASE ${name} TEMPLATE ${template} STRATEGY wal_log`);
  return databaseOn(serverUrl, name);
}

function databaseOn(serverUrl: string, name: string): TestDatabase {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return {
    name,
    url: url.href,
    drop: () => execute(serverUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  };
}

async function execute(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
