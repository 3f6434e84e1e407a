import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import { Module } from '@nestjs/common';
import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { AlertsHealth, AlertsModule } from '../../src/index.js';
import { ReconcileService } from '../../src/upkeep/reconcile.service.js';
import { UpkeepService } from '../../src/upkeep/upkeep.service.js';
import { AlertsApi, firing } from '../support/alerts.js';
import { alterSettings, createTestDatabase, execute, testServer } from '../support/database.js';
import { expectEssentials } from '../support/essentials.js';
import { HOSTILE_SETTINGS, hostileTogether, settingsOf } from '../support/hostile-settings.js';
import { ListingAlertmanager } from '../support/listing-alertmanager.js';
import { startIssuer, startTestServer, waitUntil } from '../support/server.js';
import type { TestIssuer } from '../support/server.js';

let issuer: TestIssuer;
let alertmanager: ListingAlertmanager;
let alertmanagerUrl: string;

beforeAll(async () => {
  issuer = await startIssuer();
  alertmanager = new ListingAlertmanager();
  alertmanagerUrl = await alertmanager.start();
});
afterAll(async () => {
  await issuer.close();
  await alertmanager.stop();
});

/** A host's connections are its own: our module neither sets them up nor leaves anything in them. */
describe('A host with a plain DataSource, after ALTER DATABASE … SET', () => {
  // For how long a host waits is up to the host.
  const ofHosts = (settings: Record<string, string>) =>
    Object.fromEntries(Object.entries(settings).filter(([name]) => !name.endsWith('_timeout')));

  it.each(Object.entries(ofHosts(HOSTILE_SETTINGS)))('%s = %s', async (name, value) => {
    await expectHostToWork({ [name]: value });
  });

  it('all at once', async () => {
    await expectHostToWork(ofHosts(hostileTogether()));
  });

  async function expectHostToWork(settings: Record<string, string>): Promise<void> {
    const { serverUrl } = testServer();
    if ((await settingsOf((text) => execute(serverUrl, text), settings)).length === 0) return;
    const database = await createTestDatabase();
    let host: INestApplication<Server> | undefined;
    try {
      await alterSettings(serverUrl, `DATABASE ${database.name}`, settings);
      host = await startHost(database.url);
      const before = await settingsOfHost(host);
      const url = urlOf(host);
      await expectEssentials({ app: host, url, issuer: issuer.issuer, alertmanager });
      expect(await host.get(AlertsHealth).check()).toMatchObject({ database: 'ok', issuer: 'ok' });
      expect(await settingsOfHost(host)).toEqual(before);
    } finally {
      await host?.close();
      await database.drop();
    }
  }
});

describe.each([
  ['off', 'on'],
  ['local', 'local'],
])('Where synchronous_commit is %s', (given, used) => {
  it.each<[string, (url: string) => Promise<Running>]>([
    ['a server', startServer],
    ['a host', runHost],
  ])(`${used} is what %s answers for`, async (_whose, start) => {
    const database = await createTestDatabase();
    await alterSettings(testServer().serverUrl, `DATABASE ${database.name}`, { synchronous_commit: given });
    await execute(
      database.url,
      `CREATE TABLE public.commits (setting text);
       CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
         INSERT INTO public.commits VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$;
       CREATE TRIGGER notes AFTER INSERT OR UPDATE ON session_alerts.alerts EXECUTE FUNCTION public.note()`,
    );
    const running = await start(database.url);
    try {
      await running.api.deliver(firing());
      await running.api.update((await running.api.onlyAlert()).id);
      const committed = await execute(database.url, 'SELECT setting FROM public.commits');
      // Where nobody knows yet who has muted alerts, they are asked for as well.
      expect(committed.length).toBeGreaterThanOrEqual(2);
      expect(committed).toEqual(committed.map(() => ({ setting: used })));
    } finally {
      await running.close();
      await database.drop();
    }
  });
});

it('A host hears of changes on one connection, however soon its idle ones are ended', async () => {
  const database = await createTestDatabase();
  const running = await runHost(database.url);
  try {
    await alterSettings(testServer().serverUrl, `DATABASE ${database.name}`, {
      idle_session_timeout: `'100ms'`,
    });
    await execute(
      database.url,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    );
    const listening = `
      SELECT pid FROM pg_stat_activity
       WHERE datname = current_database() AND query LIKE '%LISTEN%' AND pid <> pg_backend_pid()
         AND now() - state_change > interval '500 ms'`;
    await waitUntil(async () => (await execute(database.url, listening)).length === 1);
  } finally {
    await running.close();
    await database.drop();
  }
});

/** Our module, at work. */
interface Running {
  api: AlertsApi;
  close(): Promise<void>;
}

async function startServer(url: string): Promise<Running> {
  const server = await startTestServer({ DATABASE_URL: url }, { issuer, upkeep: false });
  return { api: new AlertsApi(`${server.url}/api/data`, issuer.issuer), close: () => server.close() };
}

async function runHost(url: string): Promise<Running> {
  const host = await startHost(url);
  return { api: new AlertsApi(urlOf(host), issuer.issuer), close: () => host.close() };
}

function urlOf(host: INestApplication<Server>): string {
  return `http://127.0.0.1:${(host.getHttpServer().address() as AddressInfo).port}`;
}

async function startHost(url: string): Promise<INestApplication<Server>> {
  @Module({})
  class HostModule {}
  const host: INestApplication<Server> = await NestFactory.create(
    {
      module: HostModule,
      imports: [
        TypeOrmModule.forRoot({ type: 'postgres', url, autoLoadEntities: true, installExtensions: false }),
        AlertsModule.forRoot({
          auth: { issuer: issuer.issuer.url },
          reconcile: { alertmanagers: [{ url: alertmanagerUrl }] },
        }),
      ],
    },
    new ExpressAdapter(),
    { logger: false, forceCloseConnections: true },
  );
  await host.listen(0, '127.0.0.1');
  await host.get(UpkeepService, { strict: false }).beforeApplicationShutdown();
  await host.get(ReconcileService, { strict: false }).beforeApplicationShutdown();
  await waitUntil(async () => (await host.get(AlertsHealth).check()).issuer === 'ok');
  return host;
}

/** What all the connections in the host's pool are set to, but the one that listens. */
async function settingsOfHost(host: INestApplication): Promise<unknown> {
  const dataSource = host.get(DataSource);
  const runners = Array.from({ length: 9 }, () => dataSource.createQueryRunner());
  try {
    return await Promise.all(
      runners.map((runner): Promise<unknown> =>
        runner.query(
          `SELECT name, setting FROM pg_settings WHERE context IN ('user', 'superuser') AND name <> 'seed'`,
        ),
      ),
    );
  } finally {
    for (const runner of runners) await runner.release();
  }
}
