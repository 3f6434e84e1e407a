import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { TypeOrmModule } from '@nestjs/typeorm';
import { runCommandLine } from '../../cli/src/program.js';
import { AlertsHealth, AlertsModule } from '../../src/index.js';
import { AlertsApi, firing } from '../support/alerts.js';
import { doctorsFindings } from '../support/doctor.js';
import { expectEssentials } from '../support/essentials.js';
import { OpenPage } from '../support/event-stream.js';
import { ListingAlertmanager } from '../support/listing-alertmanager.js';
import { startIssuer, startTestServer, waitUntil } from '../support/server.js';
import type { TestIssuer, TestServer } from '../support/server.js';
import { PgBouncer } from './support/pgbouncer.js';
import { query, startPostgres } from './support/postgres.js';
import type { StackPostgres } from './support/postgres.js';

/**
 * It is found out at once where the server happens to get the connection that hears of changes, and else when that is looked
 * at, four times a minute (ms).
 */
const FOUND_OUT = 100_000;
const SENTENCE = /shares connections between transactions.*Set DATABASE_DIRECT_URL .* or pool_mode = session/;

let postgres: StackPostgres;
let databaseUrl: string;
let issuer: TestIssuer;
let alertmanager: ListingAlertmanager;
let alertmanagerUrl: string;
let bouncer: PgBouncer | undefined;
let server: TestServer | undefined;

beforeAll(async () => {
  postgres = await startPostgres();
  issuer = await startIssuer();
  alertmanager = new ListingAlertmanager();
  alertmanagerUrl = await alertmanager.start();
});
beforeEach(async () => {
  databaseUrl = await postgres.createDatabase();
});
afterEach(async () => {
  await server?.close();
  await bouncer?.stop();
  server = bouncer = undefined;
});
afterAll(async () => {
  await alertmanager.stop();
  await issuer.close();
  await postgres.close();
});

function start(url: string, untilReady: boolean, direct?: string): Promise<TestServer> {
  const env = { DATABASE_URL: url, DATABASE_DIRECT_URL: direct, ALERTMANAGER_URLS: alertmanagerUrl };
  return startTestServer(env, { issuer, upkeep: false, untilReady });
}

async function readiness({ url }: TestServer): Promise<{ code: number; problems: string[] }> {
  const response = await fetch(`${url}/readyz`);
  const { problems = [] } = (await response.json()) as { problems?: string[] };
  return { code: response.status, problems };
}

async function hearing({ url }: TestServer): Promise<string> {
  const response = await fetch(`${url}/readyz`);
  return ((await response.json()) as { hearing: string }).hearing;
}

/** Everything works, and a page on another replica hears of what this one is told. */
async function expectWholeService(server: TestServer, replica: TestServer): Promise<void> {
  const url = `${server.url}/api/data`;
  await expectEssentials({ app: server.app, url, issuer: issuer.issuer, alertmanager });
  expect(await readiness(server)).toEqual({ code: 200, problems: [] });
  await waitUntil(async () => (await hearing(replica)) === 'ok');
  const page = await OpenPage.open(`${replica.url}/api/data`, await issuer.issuer.userToken({ sub: 'ann' }));
  try {
    await page.untilShown([]);
    await new AlertsApi(url, issuer.issuer).deliver(firing({ user: 'ann' }));
    await page.untilShown(['High memory usage']);
  } finally {
    page.leave();
  }
}

it("PgBouncer's session mode, with its defaults, is as good as none", async () => {
  bouncer = await PgBouncer.start(databaseUrl, 'session');
  server = await start(bouncer.url, true);
  const replica = await start(bouncer.url, true);
  try {
    await expectWholeService(server, replica);
  } finally {
    await replica.close();
  }
  const findings = await doctorsFindings([], { DATABASE_URL: bouncer.url });
  expect(findings).toContainEqual(expect.objectContaining({ check: 'database', status: 'ok' }));
});

it("PgBouncer's transaction mode serves beside an address that leads to PostgreSQL itself", async () => {
  bouncer = await PgBouncer.start(databaseUrl, 'transaction');
  server = await start(bouncer.url, true, databaseUrl);
  const replica = await start(bouncer.url, true, databaseUrl);
  try {
    await expectWholeService(server, replica);
  } finally {
    await replica.close();
  }
  const findings = await doctorsFindings([], {
    DATABASE_URL: bouncer.url,
    DATABASE_DIRECT_URL: databaseUrl,
  });
  expect(findings).toContainEqual(expect.objectContaining({ check: 'database', status: 'ok' }));
});

it('An address that leads past the pooler to another database leaves a server deaf, which says so and serves', async () => {
  const another = await postgres.createDatabase();
  await (await start(another, true)).close();
  await (await start(databaseUrl, true)).close();
  server = await start(databaseUrl, true, another);
  await waitUntil(async () => (await hearing(server!)) === 'deaf');
  expect(await readiness(server)).toEqual({ code: 200, problems: [] });
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  expect(metrics).toMatch(/^session_alerts_hearing 0$/m);
  const token = await issuer.issuer.userToken({ sub: 'ann' });
  const stream = await fetch(`${server.url}/api/data/alerts/stream`, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect(stream.status).toBe(503);
});

it("PgBouncer's transaction mode is refused before anything is migrated, until it is changed", async () => {
  bouncer = await PgBouncer.start(databaseUrl, 'transaction');
  server = await start(bouncer.url, false);
  await waitUntil(async () => SENTENCE.test((await readiness(server!)).problems.join()), FOUND_OUT);
  expect(await readiness(server)).toEqual({ code: 503, problems: [expect.stringMatching(SENTENCE)] });
  const ours = `SELECT FROM pg_namespace WHERE nspname = 'session_alerts'`;
  expect(await query(databaseUrl, ours)).toEqual([]);

  const findings = await doctorsFindings([], { DATABASE_URL: bouncer.url });
  expect(findings.map(({ message, mend }) => `${message}. ${mend ?? ''}`)).toContainEqual(
    expect.stringMatching(SENTENCE),
  );
  let stderr = '';
  const status = await runCommandLine(['migrate'], {
    env: { DATABASE_URL: bouncer.url },
    stdout: { write: () => true },
    stderr: { write: (text: string) => (stderr += text) },
  });
  expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringMatching(SENTENCE) as string });

  await bouncer.change('session');
  await waitUntil(async () => (await readiness(server!)).code === 200);
});

it('A pooler that is changed to transaction mode while the server is ready is noticed, and that it is changed back', async () => {
  bouncer = await PgBouncer.start(databaseUrl, 'session');
  server = await start(bouncer.url, true);
  await bouncer.change('transaction');
  await postgres.terminateBackends(databaseUrl);
  await waitUntil(async () => SENTENCE.test((await readiness(server!)).problems.join()), FOUND_OUT);
  await bouncer.change('session');
  await waitUntil(async () => (await readiness(server!)).code === 200, FOUND_OUT);
});

it('A host with a plain DataSource is told too', async () => {
  await (await start(databaseUrl, true)).close();
  bouncer = await PgBouncer.start(databaseUrl, 'transaction');
  @Module({})
  class HostModule {}
  const host = await NestFactory.create(
    {
      module: HostModule,
      imports: [
        TypeOrmModule.forRoot({ type: 'postgres', url: bouncer.url, autoLoadEntities: true }),
        AlertsModule.forRoot({ auth: { issuer: issuer.issuer.url } }),
      ],
    },
    new ExpressAdapter(),
    { logger: false, forceCloseConnections: true },
  );
  try {
    await host.init();
    await waitUntil(
      async () => SENTENCE.test((await host.get(AlertsHealth).check()).problems?.join() ?? ''),
      FOUND_OUT,
    );
    await bouncer.change('session');
    await waitUntil(async () => (await host.get(AlertsHealth).check()).problems === undefined, FOUND_OUT);
  } finally {
    await host.close();
  }
});
