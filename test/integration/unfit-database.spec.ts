import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import pg from 'pg';
import { AlertsHealth } from '../../src/index.js';
import { runCommandLine } from '../../cli/src/program.js';
import { AlertsApi, expectError, firing, webhook } from '../support/alerts.js';
import { createTestDatabase, execute, testServer } from '../support/database.js';
import type { TestDatabase } from '../support/database.js';
import { doctorsFindings } from '../support/doctor.js';
import { startIssuer, startTestServer, waitUntil } from '../support/server.js';
import type { TestIssuer, TestServer } from '../support/server.js';
import { expectEssentials } from '../support/essentials.js';
import { ListingAlertmanager } from '../support/listing-alertmanager.js';
import { startPostgres } from '../stack/support/postgres.js';

/** Those by which people are told outside of the page. */
const OF_DELIVERY = ['deliveries', 'delivery_targets', 'messages', 'mutes', 'open_pages', 'preferences'];

function rightsOn(table: string): string {
  return table === 'mutes' ? 'SELECT, INSERT, DELETE' : 'SELECT, INSERT, UPDATE, DELETE';
}

let issuer: TestIssuer;
let alertmanager: ListingAlertmanager;
let alertmanagerUrl: string;
const logged: string[] = [];

beforeAll(async () => {
  issuer = await startIssuer();
  alertmanager = new ListingAlertmanager();
  alertmanagerUrl = await alertmanager.start();
});
beforeEach(() => {
  logged.length = 0;
  for (const level of ['warn', 'error'] as const) {
    jest.spyOn(Logger.prototype, level).mockImplementation((...[message]: unknown[]) => {
      logged.push(String(message));
    });
  }
});
afterEach(() => {
  jest.restoreAllMocks();
});
afterAll(async () => {
  await issuer.close();
  await alertmanager.stop();
});

function start(url: string, env: NodeJS.ProcessEnv = {}): Promise<TestServer> {
  return startTestServer({ DATABASE_URL: url, ...env }, { issuer, upkeep: false, untilReady: false });
}

interface Readiness {
  code: number;
  status: string;
  checks: Record<string, string>;
  problems?: string[];
}

async function readiness({ url }: TestServer): Promise<Readiness> {
  const response = await fetch(`${url}/readyz`);
  return { code: response.status, ...((await response.json()) as Omit<Readiness, 'code'>) };
}

/** Expects the server to be not ready for this reason alone, to say so in the log once, and nothing of our insides. */
async function expectRefusal(server: TestServer, sentence: RegExp, secret: string): Promise<void> {
  await waitUntil(async () => sentence.test((await readiness(server)).problems?.join('\n') ?? ''));
  // It goes on trying, which is no news.
  const asked = jest.spyOn(pg.Client.prototype, 'query');
  await waitUntil(
    () => asked.mock.calls.filter((call) => JSON.stringify(call).includes('server_encoding')).length >= 2,
  );
  asked.mockRestore();
  const answer = await readiness(server);
  expect(answer).toMatchObject({ code: 503, status: 'unavailable', checks: { database: 'unavailable' } });
  expect(answer.problems).toEqual([expect.stringMatching(sentence)]);
  expect(answer.problems?.join()).not.toContain(secret);
  expect(answer.problems?.join()).not.toMatch(/127\.0\.0\.1|localhost|postgresql:|\bFROM\b/);
  expect(logged.filter((line) => sentence.test(line))).toHaveLength(1);
}

async function sessionAlerts(
  args: string[],
  env: NodeJS.ProcessEnv,
): Promise<{ status: number; stderr: string }> {
  let stderr = '';
  const status = await runCommandLine(args, {
    env,
    stdout: { write: () => true },
    stderr: { write: (text: string) => (stderr += text) },
  });
  return { status, stderr };
}

describe.each(['LATIN1', 'SQL_ASCII', 'EUC_JP'])('A database in %s', (encoding) => {
  const name = `session_alerts_test_${randomBytes(8).toString('hex')}`;
  const sentence = new RegExp(`^.*encoding is ${encoding}, .*Make a new database with ENCODING 'UTF8'`);
  let url: string;

  beforeAll(async () => {
    const { serverUrl } = testServer();
    await execute(
      serverUrl,
      `CREATE DATABASE ${name} ENCODING '${encoding}' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0`,
    );
    const address = new URL(serverUrl);
    address.pathname = `/${name}`;
    url = address.href;
  });
  afterAll(() => execute(testServer().serverUrl, `DROP DATABASE ${name} WITH (FORCE)`));

  it('is not served from: the start, /readyz, doctor and migrate say why, and what to do', async () => {
    const server = await start(url);
    try {
      await expectRefusal(server, sentence, name);
    } finally {
      await server.close();
    }
    const findings = await doctorsFindings([], { DATABASE_URL: url });
    const wrong = findings.filter(({ check, status }) => check === 'database' && status === 'wrong');
    expect(wrong.map(({ message, mend }) => `${message}. ${mend ?? ''}`)).toEqual([
      expect.stringMatching(sentence),
    ]);
    const migrating = await sessionAlerts(['migrate'], { DATABASE_URL: url });
    expect(migrating).toMatchObject({ status: 1, stderr: expect.stringMatching(sentence) as string });
    expect(await execute(url, `SELECT FROM pg_namespace WHERE nspname = 'session_alerts'`)).toEqual([]);
  });
});

describe('A role', () => {
  const role = `session_alerts_role_${randomBytes(6).toString('hex')}`;
  let database: TestDatabase;
  let url: string;

  async function prepare(migrated: boolean): Promise<void> {
    database = await createTestDatabase({ migrated });
    await execute(database.url, `CREATE ROLE ${role} LOGIN PASSWORD 'secret'`);
    const address = new URL(database.url);
    address.username = role;
    address.password = 'secret';
    url = address.href;
  }

  afterEach(async () => {
    await database.drop();
    await execute(testServer().serverUrl, `DROP ROLE ${role}`);
  });

  it('that may not migrate is told what it lacks, and starts when it has got that', async () => {
    await prepare(false);
    await execute(database.url, 'REVOKE ALL ON SCHEMA public FROM PUBLIC');
    const server = await start(url);
    try {
      await expectRefusal(server, /lacks CREATE on the database\. Let an admin/, role);
      expect(await sessionAlerts(['migrate'], { DATABASE_URL: url })).toMatchObject({
        status: 1,
        stderr: expect.stringContaining('lacks CREATE on the database') as string,
      });
      // To whom it may be said, it is said by name.
      const named = `\`GRANT CREATE ON DATABASE ${database.name} TO ${role}\`, or migrate in its place: \`session-alerts migrate --grant-to ${role}\``;
      const unnamed = named.replaceAll(database.name, '…').replaceAll(role, '…');
      expect((await readiness(server)).problems?.join()).toContain(unnamed);
      expect(logged.join()).toContain(named);
      expect((await sessionAlerts(['migrate'], { DATABASE_URL: url })).stderr).toContain(named);
      const findings = await doctorsFindings([], { DATABASE_URL: url });
      expect(findings.map(({ mend }) => mend).join()).toContain(named);
      await execute(database.url, `GRANT CREATE ON DATABASE ${database.name} TO ${role}`);
      await waitUntil(async () => (await readiness(server)).code === 200);
      expect((await readiness(server)).problems).toBeUndefined();
    } finally {
      await server.close();
    }
  });

  it('that may not use the tables is told which rights it lacks, needs no more, and loses none unnoticed', async () => {
    await prepare(true);
    const server = await start(url, { MIGRATE_ON_START: 'false', ALERTMANAGER_URLS: alertmanagerUrl });
    const api = new AlertsApi(`${server.url}/api/data`, issuer.issuer);
    const all = new RegExp(
      'lacks USAGE on the schema session_alerts; SELECT, INSERT, UPDATE, DELETE on session_alerts\\.alerts; ' +
        'SELECT, INSERT, DELETE on session_alerts\\.sightings; SELECT, INSERT, UPDATE on session_alerts\\.feed; ' +
        'SELECT, INSERT, UPDATE on session_alerts\\.reconciling; ' +
        OF_DELIVERY.map((name) => `${rightsOn(name)} on session_alerts\\.${name}`).join('; ') +
        '\\. Let the owner',
    );
    try {
      await expectRefusal(server, all, role);
      const named = `session-alerts migrate --grant-to ${role}`;
      expect(logged.join()).toContain(named);
      const findings = await doctorsFindings([], { DATABASE_URL: url });
      expect(findings.map(({ mend }) => mend).join()).toContain(named);
      await execute(
        database.url,
        `GRANT USAGE ON SCHEMA session_alerts TO ${role};
         GRANT SELECT, INSERT, UPDATE, DELETE ON session_alerts.alerts TO ${role};
         ${OF_DELIVERY.map((name) => `GRANT ${rightsOn(name)} ON session_alerts.${name} TO ${role};`).join('\n')}
         GRANT SELECT, INSERT, DELETE ON session_alerts.sightings TO ${role};
         GRANT SELECT, INSERT, UPDATE ON session_alerts.feed, session_alerts.reconciling TO ${role}`,
      );
      await waitUntil(async () => (await readiness(server)).code === 200);
      await expectEssentials({ app: server.app, url: api.url, issuer: issuer.issuer, alertmanager });

      await api.deliver(firing());
      await execute(database.url, `REVOKE UPDATE ON session_alerts.alerts FROM ${role}`);
      expectError(await api.postWebhook(webhook([firing({ severity: 'critical' })])), 503);
      expect(await readiness(server)).toMatchObject({
        code: 503,
        problems: [expect.stringMatching(/lacks UPDATE on session_alerts\.alerts\./)],
      });
      await execute(database.url, `GRANT UPDATE ON session_alerts.alerts TO ${role}`);
      expect((await readiness(server)).code).toBe(200);
    } finally {
      await server.close();
    }
  });
});

it('Tables that nobody has made are waited for, and then served from', async () => {
  const database = await createTestDatabase({ migrated: false });
  const server = await start(database.url, { MIGRATE_ON_START: 'false' });
  try {
    const names = ['alerts', 'sightings', 'feed', 'reconciling', ...OF_DELIVERY].map(
      (name) => `session_alerts.${name}`,
    );
    await expectRefusal(
      server,
      new RegExp(`^.*missing: ${names.join(', ')}.*session-alerts migrate`),
      'secret',
    );
    expect(await sessionAlerts(['migrate'], { DATABASE_URL: database.url })).toMatchObject({ status: 0 });
    await waitUntil(async () => (await readiness(server)).code === 200);
    await execute(database.url, 'ALTER TABLE session_alerts.sightings RENAME TO gone');
    expect(await readiness(server)).toMatchObject({
      code: 503,
      checks: { database: 'unavailable', issuer: 'ok' },
      problems: [expect.stringContaining('Tables are missing: session_alerts.sightings.')],
    });
    await execute(database.url, 'ALTER TABLE session_alerts.gone RENAME TO sightings');
    expect((await readiness(server)).code).toBe(200);
  } finally {
    await server.close();
    await database.drop();
  }
});

it('A node that becomes a standby is said to be one, by hosts too, until it is promoted', async () => {
  const postgres = await startPostgres();
  const url = await postgres.createDatabase();
  const server = await start(url);
  const api = new AlertsApi(`${server.url}/api/data`, issuer.issuer);
  const sentence = /is a standby, which is read-only.*Let the address lead to the primary/;
  try {
    await waitUntil(async () => (await readiness(server)).code === 200);
    await api.deliver(firing());
    const [row] = await execute<{ data_directory: string }>(url, 'SHOW data_directory');
    const signal = join(row!.data_directory, 'standby.signal');
    await postgres.shutDown();
    await writeFile(signal, '');
    await postgres.startAgain();

    await waitUntil(async () => sentence.test((await readiness(server)).problems?.join('\n') ?? ''));
    expect(await readiness(server)).toMatchObject({
      code: 503,
      checks: { database: 'unavailable', issuer: 'ok' },
      problems: [expect.stringMatching(sentence)],
    });
    expect(await server.app.get(AlertsHealth).check()).toMatchObject({ database: 'unavailable' });
    expectError(await api.postWebhook(webhook([firing({ session: 'meanwhile' })])), 503);
    expectError(await api.call('GET', '/alerts', { as: { sub: 'jane' } }), 503);
    const findings = await doctorsFindings([], { DATABASE_URL: url });
    expect(findings).toContainEqual(
      expect.objectContaining({
        check: 'database',
        status: 'wrong',
        message: expect.stringMatching(/is a standby/) as string,
      }),
    );
    expect(await sessionAlerts(['migrate'], { DATABASE_URL: url })).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(sentence) as string,
    });
    expect(logged.filter((line) => /^The database cannot serve: The database is a/.test(line))).toHaveLength(
      1,
    );

    await execute(url, 'SELECT pg_promote()');
    await waitUntil(async () => (await readiness(server)).code === 200);
    await api.deliver(firing({ session: 'after' }));
    await rm(signal, { force: true });
  } finally {
    await server.close();
    await postgres.close();
  }
});

it('A database that is away is said to be so, and nothing of the way there', async () => {
  const server = await start('postgresql://jane:hunter2@127.0.0.1:1/secrets');
  try {
    await waitUntil(async () => /cannot be reached/.test((await readiness(server)).problems?.join() ?? ''));
    const answer = await readiness(server);
    expect(answer).toMatchObject({ code: 503, checks: { database: 'unavailable' } });
    expect(JSON.stringify(answer)).not.toMatch(/hunter2|jane|secrets|127\.0\.0\.1|ECONN/);
    expect(logged.filter((line) => line.includes('ECONNREFUSED'))).toHaveLength(1);
  } finally {
    await server.close();
  }
});
