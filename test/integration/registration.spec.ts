import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Controller, Get, Injectable, Module } from '@nestjs/common';
import type { DynamicModule, INestApplication, ModuleMetadata, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Counter, Registry } from 'prom-client';
import {
  AlertsController,
  AlertsHealth,
  AlertsMetrics,
  AlertsModule,
  AlertsService,
  FeedHealth,
} from '../../src/index.js';
import type {
  AlertsModuleAsyncOptions,
  AlertsModuleOptions,
  AlertsModuleRootOptions,
  AlertsOptionsFactory,
} from '../../src/index.js';
import { postgresOptions } from '../../src/migrations/postgres-options.js';
import { ReconcileService } from '../../src/upkeep/reconcile.service.js';
import { UpkeepService } from '../../src/upkeep/upkeep.service.js';
import { makeVapidKeys } from '../../src/delivery/vapid-keys.js';
import { AlertsApi, expectError, firing, webhook } from '../support/alerts.js';
import { createTestDatabase, execute, forgetAlerts } from '../support/database.js';
import type { TestDatabase } from '../support/database.js';
import { startIssuer, waitUntil } from '../support/server.js';
import type { TestIssuer } from '../support/server.js';

type Imports = NonNullable<ModuleMetadata['imports']>;

let database: TestDatabase;
let issuer: TestIssuer;
const hosts: INestApplication<Server>[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  issuer = await startIssuer();
});
afterAll(async () => {
  await database.drop();
  await issuer.close();
});
afterEach(async () => {
  for (const host of hosts.splice(0)) await host.close();
  await forgetAlerts(database.url);
});

/** Starts a host with these modules beside its DataSource, and gives its API. */
async function startHost(imports: Imports, dataSource: Imports = [hostDatabase()]): Promise<AlertsApi> {
  @Module({ imports: [...dataSource, ...imports] })
  class HostModule {}

  const host = await NestFactory.create<INestApplication<Server>>(HostModule, new FastifyAdapter(), {
    logger: false,
    abortOnError: false,
  });
  hosts.push(host);
  await host.listen(0, '127.0.0.1');
  const { port } = host.getHttpServer().address() as AddressInfo;
  return new AlertsApi(`http://127.0.0.1:${port}`, issuer.issuer);
}

function hostDatabase(more: Record<string, unknown> = {}): DynamicModule {
  return TypeOrmModule.forRoot({ ...postgresOptions(database.url), poolSize: 4, retryAttempts: 1, ...more });
}

function options(more: Partial<AlertsModuleOptions> = {}): AlertsModuleOptions {
  return { auth: { issuer: issuer.issuer.url }, ...more };
}

async function expectToWork(api: AlertsApi): Promise<void> {
  expect(await api.deliver(firing())).toMatchObject({ stored: 1 });
  expect(await api.openAlerts('jane')).toMatchObject([{ user_id: 'jane' }]);
}

/** A module of the host's that uses ours. */
@Controller('counts')
class CountsController {
  constructor(
    private readonly alerts: AlertsService,
    readonly health: AlertsHealth,
    readonly metrics: AlertsMetrics,
    readonly feed: FeedHealth,
  ) {}

  @Get()
  async count() {
    return { open: (await this.alerts.listOpen('jane')).length };
  }
}

function feature(imports: Imports): Type {
  @Module({ imports, controllers: [CountsController] })
  class FeatureModule {}
  return FeatureModule;
}

describe('forRootAsync', () => {
  @Injectable()
  class Settings {
    readonly webhookRole = 'alertmanager-webhook';
  }

  @Module({ providers: [Settings], exports: [Settings] })
  class SettingsModule {}

  @Injectable()
  class AlertsOptions implements AlertsOptionsFactory {
    constructor(private readonly settings: Settings) {}

    create(): Promise<AlertsModuleOptions> {
      return Promise.resolve(options({ webhookRole: this.settings.webhookRole }));
    }
  }

  @Module({ imports: [SettingsModule], providers: [AlertsOptions], exports: [AlertsOptions] })
  class AlertsOptionsModule {}

  it.each<[string, AlertsModuleAsyncOptions]>([
    [
      'useFactory',
      {
        imports: [SettingsModule],
        inject: [Settings],
        useFactory: ({ webhookRole }: Settings) => options({ webhookRole }),
      },
    ],
    ['useClass', { imports: [SettingsModule], useClass: AlertsOptions }],
    ['useExisting', { imports: [AlertsOptionsModule], useExisting: AlertsOptions }],
  ])('takes %s', async (_how, given) => {
    await expectToWork(await startHost([AlertsModule.forRootAsync(given)]));
  });

  it.each<[string, object, RegExp]>([
    ['nothing', {}, /useFactory, useClass or useExisting/],
    ['an option beside the factory', { auth: {}, useFactory: options }, /auth .*what useFactory returns/],
    ['a DataSource in what the factory makes', made({ dataSource: 'alerts' }), /dataSource .*beside/],
    ['decorators in what the factory makes', made({ decorators: [] }), /decorators .*beside/],
    ['that it is global in what the factory makes', made({ isGlobal: true }), /isGlobal .*beside/],
    ['no webhooks in what the factory makes', made({ webhooks: false }), /webhooks .*beside/],
    ['no stream in what the factory makes', made({ live: false }), /live .*beside/],
    ['no upkeep in what the factory makes', made({ upkeep: false }), /upkeep .*beside/],
    ['no options at all from the factory', { useFactory: () => null }, /options must be an object/],
    [
      'options of the upkeep beside the factory',
      { upkeep: {}, useFactory: options },
      /upkeep must be true or/,
    ],
  ])('is told so where it is given %s', async (_what, given, sentence) => {
    await expectRefusal(() => [AlertsModule.forRootAsync(given)], sentence);
  });

  function made(more: object): object {
    return { useFactory: () => ({ ...options(), ...more }) };
  }
});

/** That a host with these modules does not start, and why. */
async function expectRefusal(
  imports: () => Imports,
  sentence: RegExp,
  dataSource: () => Imports = () => [hostDatabase({ manualInitialization: true })],
): Promise<void> {
  const start = async (): Promise<unknown> => startHost(imports(), dataSource());
  await expect(start()).rejects.toThrow(sentence);
  await expect(start()).rejects.toThrow(/^AlertsModule: /);
}

describe('Other modules of the host', () => {
  it('inject what is ours without an import where it is global', async () => {
    const api = await startHost([feature([]), AlertsModule.forRoot({ ...options(), isGlobal: true })]);
    await expectToWork(api);
    expect((await api.call('GET', '/counts')).body).toEqual({ open: 1 });
  });

  it('inject it without an import where it is global, made by a factory', async () => {
    const alerts = AlertsModule.forRootAsync({ isGlobal: true, useFactory: () => options() });
    const api = await startHost([feature([]), alerts]);
    expect((await api.call('GET', '/counts')).body).toEqual({ open: 0 });
  });

  it('inject it where they import the same registration, and share it', async () => {
    const alerts = AlertsModule.forRoot(options());

    @Module({ imports: [alerts], exports: [AlertsModule] })
    class PlatformModule {}

    const api = await startHost([alerts, feature([PlatformModule])]);
    await expectToWork(api);
    expect((await api.call('GET', '/counts')).body).toEqual({ open: 1 });
  });

  it.each([
    ['alone', () => [AlertsModule]],
    ['in a module that needs it', () => [feature([AlertsModule])]],
    [
      'in a module that needs it, beside a registration',
      () => [AlertsModule.forRoot(options()), feature([AlertsModule])],
    ],
  ])('are told what to write where they import the bare class %s', async (_where, imports) => {
    await expectRefusal(imports, /without options: write AlertsModule\.forRoot\(.*isGlobal/);
  });

  it('are told so where it is registered twice', async () => {
    await expectRefusal(
      () => [AlertsModule.forRoot(options()), feature([AlertsModule.forRoot(options())])],
      /registered more than once/,
    );
  });

  it('are told so where there are two copies of the package', async () => {
    const { AlertsModule: Another } = anotherCopy();
    await expectRefusal(
      () => [AlertsModule.forRoot(options()), Another.forRoot(options())],
      /two copies of nestjs-session-alerts.*npm ls/,
    );
  });
});

/**
 * What a package manager installs a second time, with the NestJS and TypeORM that there are.
 * @param others what it finds instead, by the package's name
 */
function anotherCopy(others: Record<string, () => unknown> = {}): typeof import('../../src/index.js') {
  for (const name of ['@nestjs/common', '@nestjs/core', '@nestjs/swagger', '@nestjs/typeorm', 'typeorm']) {
    const shared: unknown = jest.requireActual(name);
    jest.doMock(name, () => shared);
  }
  for (const [name, load] of Object.entries(others)) jest.doMock(name, load);
  let copy: typeof import('../../src/index.js') | undefined;
  try {
    jest.isolateModules(() => {
      copy = jest.requireActual('../../src/index');
    });
  } finally {
    for (const name of Object.keys(others)) jest.dontMock(name);
  }
  expect(copy!.AlertsModule).not.toBe(AlertsModule);
  return copy!;
}

describe('Two applications of one process', () => {
  it('work beside each other, also with two copies of the package', async () => {
    const { AlertsModule: Another } = anotherCopy();
    const apis = [
      await startHost([AlertsModule.forRoot(options())]),
      await startHost([AlertsModule.forRoot(options())]),
      await startHost([Another.forRoot(options())]),
    ];
    expect(await apis[0]!.deliver(firing())).toMatchObject({ stored: 1 });
    for (const api of apis) {
      await waitUntil(async () => (await api.openAlerts('jane')).length === 1);
    }
  });

  it('cannot have one registry of metrics at once, and the second says so', async () => {
    const metricsRegistry = new Registry();
    const api = await startHost([AlertsModule.forRoot(options({ metricsRegistry }))]);
    await expectRefusal(
      () => [AlertsModule.forRoot(options({ metricsRegistry }))],
      /metricsRegistry has a metric session_alerts_\w+ already.*registry of its own/,
    );
    await api.deliver(firing());
    expect(await metricsRegistry.metrics()).toContain('session_alerts_received_total 1');
  });

  it('may have it one after the other', async () => {
    const metricsRegistry = new Registry();
    const own = new Counter({ name: 'host_total', help: 'Of the host', registers: [metricsRegistry] });
    own.inc();
    for (let round = 1; round <= 2; round += 1) {
      const api = await startHost([AlertsModule.forRoot(options({ metricsRegistry }))]);
      await api.deliver(firing());
      expect(await metricsRegistry.metrics()).toContain('session_alerts_received_total 1');
      await hosts.pop()?.close();
      expect(metricsRegistry.getMetricsAsArray().map(({ name }) => name)).toEqual(['host_total']);
    }
  });

  it('are told so where a metric of the host has such a name', async () => {
    const metricsRegistry = new Registry();
    const name = 'session_alerts_open';
    new Counter({ name, help: 'Of the host', registers: [metricsRegistry] });
    await expectRefusal(
      () => [AlertsModule.forRoot(options({ metricsRegistry }))],
      /metricsRegistry has a metric session_alerts_/,
    );
  });
});

describe('A host without the packages that it may do without', () => {
  const lacking = (name: string, requiredBy: string) => () => {
    const message = `Cannot find module '${name}'\nRequire stack:\n- ${requiredBy}`;
    throw Object.assign(new Error(message), { code: 'MODULE_NOT_FOUND' });
  };
  const optional = ['@nestjs/swagger', 'nodemailer', 'prom-client', 'web-push'];
  const without = () =>
    anotherCopy(Object.fromEntries(optional.map((name) => [name, lacking(name, 'ours.cjs')])));

  it('has all but metrics and descriptions', async () => {
    const { AlertsModule: Light, AlertsMetrics: Uncounted, AlertsController: Undescribed } = without();
    await expectToWork(await startHost([Light.forRoot(options())]));
    const metrics = hosts[0]!.get(Uncounted, { strict: false });
    expect(() => metrics.registry).toThrow(/AlertsMetrics\.registry .*npm install prom-client/);
    const described = (controller: Type) =>
      (Reflect.getMetadataKeys(controller) as unknown[]).filter((key) => String(key).startsWith('swagger/'));
    expect(described(AlertsController)).not.toEqual([]);
    expect(described(Undescribed)).toEqual([]);
  });

  it('is told what to install where it gives a registry for metrics', async () => {
    const { AlertsModule: Light } = without();
    await expectRefusal(
      () => [Light.forRoot(options({ metricsRegistry: new Registry() }))],
      /metricsRegistry needs the package prom-client.*npm install prom-client/,
    );
  });

  it('is told what to install where it has mail sent', async () => {
    const { AlertsModule: Light } = without();
    const email = { server: 'smtps://mail.example', from: 'alerts@example.org' };
    const delivery = { email, publicUrl: 'https://alerts.example/api/data' };
    await expectRefusal(
      () => [Light.forRoot(options({ delivery }))],
      /delivery\.email needs the package nodemailer.*npm install nodemailer/,
    );
  });

  it('is told what to install where it wants web push', async () => {
    const { AlertsModule: Light } = without();
    const webPush = { subject: 'mailto:alerts@example.org', ...makeVapidKeys() };
    await expectRefusal(
      () => [Light.forRoot(options({ delivery: { webPush } }))],
      /delivery\.webPush needs the package web-push.*npm install web-push/,
    );
  });

  it('is told where the keys of web push do not fit each other', async () => {
    const [{ publicKey }, { privateKey }] = [makeVapidKeys(), makeVapidKeys()];
    const webPush = { subject: 'mailto:alerts@example.org', publicKey, privateKey };
    await expectRefusal(
      () => [AlertsModule.forRoot(options({ delivery: { webPush } }))],
      /publicKey is not that of delivery\.webPush\.privateKey/,
    );
  });

  it.each(optional)('hears of %s where that is there and lacks something itself', (name) => {
    const broken = lacking('bintrees', `node_modules/${name}/index.js`);
    expect(() => anotherCopy({ [name]: broken })).toThrow("Cannot find module 'bintrees'");
  });

  it('is told where what is there is too old', () => {
    expect(() => anotherCopy({ '@nestjs/swagger': () => ({}) })).toThrow(
      /AlertsModule: @nestjs\/swagger is too old.*npm install @nestjs\/swagger/,
    );
  });
});

describe('A DataSource', () => {
  it.each<[string, Partial<AlertsModuleRootOptions>, RegExp]>([
    ['at all', {}, /there is no DataSource: import TypeOrmModule\.forRoot/],
    ['of that name', { dataSource: 'alerts' }, /there is no DataSource "alerts".*name: 'alerts'/],
    [
      'to read from',
      { readDataSource: 'standbys' },
      /there is no DataSource "standbys".*name yours as readDataSource/,
    ],
  ])('that is not there %s is named at boot', async (_what, more, sentence) => {
    const alerts = () => [AlertsModule.forRoot({ ...options(), ...more })];
    await expectRefusal(alerts, sentence, () =>
      Object.keys(more).length === 0 ? [] : [hostDatabase({ manualInitialization: true })],
    );
  });

  // Nothing listens there.
  const cockroach = { type: 'cockroachdb', port: 1, timeTravelQueries: false, retryAttempts: 1 } as const;

  it.each<[string, () => DynamicModule]>([
    ['before it connects', () => TypeOrmModule.forRoot(cockroach)],
    [
      'when it is there, where its options come from a factory',
      () =>
        TypeOrmModule.forRootAsync({
          useFactory: () => ({ ...cockroach, manualInitialization: true }),
        }),
    ],
  ])('of another database than PostgreSQL is named at boot, %s', async (_when, dataSource) => {
    await expectRefusal(
      () => [AlertsModule.forRoot(options())],
      /DataSource is of the type cockroachdb, and alerts need PostgreSQL/,
      () => [dataSource()],
    );
  });

  it('that cannot connect says so itself', async () => {
    const url = new URL(database.url);
    url.port = '1';
    const start = startHost([AlertsModule.forRoot(options())], [hostDatabase(postgresOptions(url.href))]);
    await expect(start).rejects.toThrow(/ECONNREFUSED/);
  });

  it.each([
    ['before', (alerts: DynamicModule, own: DynamicModule) => [alerts, own]],
    ['after', (alerts: DynamicModule, own: DynamicModule) => [own, alerts]],
  ])('whose own options fail says so itself, with the module %s it', async (_where, order) => {
    const useFactory = () => {
      throw new Error('DATABASE_URL is missing');
    };
    const own = TypeOrmModule.forRootAsync({ useFactory });
    const start = startHost(order(AlertsModule.forRoot(options()), own), []);
    await expect(start).rejects.toThrow('DATABASE_URL is missing');
  });
});

describe('What a process leaves out', () => {
  interface Left {
    webhooks?: false;
    live?: false;
    upkeep?: false;
  }

  describe.each<[string, (left: Left) => DynamicModule]>([
    ['forRoot', (left) => AlertsModule.forRoot({ ...options(), ...left })],
    ['forRootAsync', (left) => AlertsModule.forRootAsync({ useFactory: () => options(), ...left })],
  ])('by %s', (_how, alertsModule) => {
    const routes = {
      webhooks: (api: AlertsApi) => api.postWebhook(webhook([firing()])),
      live: (api: AlertsApi) => api.call('HEAD', '/alerts/stream', { as: { sub: 'jane' } }),
    };

    async function isListening(): Promise<boolean> {
      const rows = await execute(
        database.url,
        `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND query ILIKE '%LISTEN %'
            AND pid <> pg_backend_pid()`,
      );
      return rows.length > 0;
    }

    it('is nothing by default', async () => {
      const api = await startHost([alertsModule({})]);
      expect(await routes.webhooks(api)).toMatchObject({ status: 200 });
      expect(await routes.live(api)).toMatchObject({ status: 200 });
      await waitUntil(isListening);
      expect(hosts[0]!.get(UpkeepService, { strict: false })).toBeInstanceOf(UpkeepService);
    });

    it('webhooks: a process that only shows', async () => {
      const api = await startHost([alertsModule({ webhooks: false })]);
      expect(await routes.webhooks(api)).toMatchObject({ status: 404, body: { statusCode: 404 } });
      const notice = { title: 'Notice', message: 'Hello', event_type: 'notice', user_id: 'jane' };
      expect(await api.create(notice)).toMatchObject({ status: 201 });
      expect(await api.openAlerts()).toMatchObject([notice]);
      expect(await routes.live(api)).toMatchObject({ status: 200 });
    });

    it('live: a process that listens to nothing', async () => {
      const api = await startHost([alertsModule({ live: false })]);
      expect(await api.call('GET', '/alerts/stream', { as: { sub: 'jane' } })).toMatchObject({
        status: 404,
        body: { statusCode: 404 },
      });
      await expectToWork(api);
      expect(await hosts[0]!.get(AlertsHealth, { strict: false }).check()).toEqual({
        database: 'ok',
        issuer: 'ok',
      });
      expect(await isListening()).toBe(false);
    });

    it('live: what others change is seen all the same, as nothing is remembered', async () => {
      const [other, deaf] = [
        await startHost([alertsModule({})]),
        await startHost([alertsModule({ live: false })]),
      ];
      expect(await deaf.openAlerts()).toEqual([]);
      await other.deliver(firing());
      expect(await deaf.openAlerts()).toMatchObject([{ user_id: 'jane' }]);
    });

    it('upkeep: a process without jobs', async () => {
      const api = await startHost([alertsModule({ upkeep: false })]);
      await expectToWork(api);
      for (const job of [UpkeepService, ReconcileService]) {
        expect(() => hosts[0]!.get<unknown>(job, { strict: false })).toThrow(job.name);
      }
      // A rule takes it for the sign that the database can be read.
      const { registry } = hosts[0]!.get(AlertsMetrics, { strict: false });
      expect(await registry.metrics()).toContain('\nsession_alerts_open 1\n');
    });

    it('everything: a process that only calls the service', async () => {
      const api = await startHost([alertsModule({ webhooks: false, live: false, upkeep: false })]);
      expect(await api.openAlerts()).toEqual([]);
      const alerts = hosts[0]!.get(AlertsService, { strict: false });
      expect(await alerts.resolveForSession('jane-1')).toBe(0);
      expectError(await api.call('GET', '/alerts'), 401);
    });
  });
});

describe('An option that is wrong', () => {
  @Injectable()
  class Some {}

  const MAIL = { server: 'smtps://mail.example', from: 'alerts@example.org' };
  const withMail = (more: object) => ({
    delivery: { email: { ...MAIL, ...more }, publicUrl: 'https://alerts.example' },
  });

  it.each<[string, object, RegExp]>([
    ['an unknown one', { webhokRole: 'x' }, /no option webhokRole; .*webhookRole/],
    ['an unknown one of auth', { auth: { issuer: 'https://a.example', audiance: 'x' } }, /auth\.audiance/],
    ['an issuer beside a guard', { auth: { guard: Some, issuer: 'x' } }, /auth\.issuer.*guard, user/],
    [
      'an unknown one of upkeep',
      { upkeep: { expireAfer: 60 } },
      /upkeep\.expireAfer; upkeep has expireAfter/,
    ],
    ['an unknown one of feed', { feed: { name: 'x' } }, /feed\.name/],
    ['an unknown one of live', { live: { stream: 1 } }, /live\.stream\b/],
    ['an unknown one of reconcile', { reconcile: { urls: [] } }, /reconcile\.urls/],
    ['an unknown one of users', { users: { class: Some } }, /users\.class/],
    [
      'a duration as text',
      { upkeep: { expireAfter: '2h' } },
      /upkeep\.expireAfter must be a number of seconds/,
    ],
    ['a number as text', { upkeep: { interval: '30' } }, /upkeep\.interval must be a number/],
    ['null for options', { upkeep: null }, /upkeep must be an object/],
    ['a text for options', { feed: 'Watchdog' }, /feed must be an object/],
    ['a list for options', { live: [] }, /live must be an object/],
    ['a number for a role', { adminRole: 7 }, /adminRole must be a text/],
    ['a number for a name', { feed: { alertname: 7 } }, /feed\.alertname must be a text/],
    ['a text for a number', { live: { streams: '7' } }, /live\.streams must be a whole number/],
    ['a text for auth', { auth: 'https://a.example' }, /set auth to/],
    ['a guard that is no class', { auth: { guard: 'jwt' } }, /auth\.guard must be a guard class/],
    ['a user that is no function', { auth: { guard: Some, user: 'sub' } }, /auth\.user must be a function/],
    [
      'a text for algorithms',
      { auth: { issuer: 'https://a.example', algorithms: 'RS256' } },
      /auth\.algorithms/,
    ],
    ['a text for Alertmanagers', { reconcile: { alertmanagers: 'http://a' } }, /reconcile\.alertmanagers/],
    ['texts for Alertmanagers', { reconcile: { alertmanagers: ['http://a'] } }, /reconcile\.alertmanagers/],
    [
      'no password',
      { reconcile: { alertmanagers: [{ url: 'http://a', basicAuth: { username: 'x' } }] } },
      /reconcile\.alertmanagers\.basicAuth\.password/,
    ],
    [
      'a text for matchers',
      { reconcile: { alertmanagers: [{ url: 'http://a' }], filter: 'a="b"' } },
      /reconcile\.filter must be a list/,
    ],
    ['mail that nobody can turn off', { delivery: { email: MAIL } }, /delivery\.publicUrl/],
    ['mail by no server', withMail({ server: 'mail.example' }), /delivery\.email\.server/],
    [
      'a mail server with more',
      withMail({ server: 'smtp://h?tls.rejectUnauthorized=0' }),
      /delivery\.email\.server/,
    ],
    ['a mail server with half a password', withMail({ server: 'smtp://u:%@h' }), /delivery\.email\.server/],
    ['mail of nobody', withMail({ from: 'Alerts' }), /delivery\.email\.from/],
    ['mail with headers', withMail({ from: 'A\r\nBcc: b <a@b.c>' }), /delivery\.email\.from/],
    ['a certificate that is none', withMail({ ca: 'x' }), /delivery\.email\.ca/],
    [
      'a webhook with a password in its address',
      { delivery: { webhook: { url: 'https://u:p@hook.example', secret: `whsec_${'A'.repeat(32)}` } } },
      /delivery\.webhook\.url/,
    ],
    ['a directory that is no class', { users: { directory: {} } }, /users\.directory/],
    ['an unknown way to fail', { users: { directory: Some, onFailure: 'shut' } }, /users\.onFailure.*open/],
    ['no registry', { metricsRegistry: true }, /metricsRegistry/],
  ])('stops the boot and is named: %s', async (_what, more, sentence) => {
    const given = { ...options(), ...more };
    await expectRefusal(() => [AlertsModule.forRoot(given)], sentence);
    await expectRefusal(() => [AlertsModule.forRootAsync({ useFactory: () => given })], sentence);
  });

  it.each<[string, object, RegExp]>([
    ['dataSource', { dataSource: '' }, /dataSource must be a text/],
    ['readDataSource', { readDataSource: '' }, /readDataSource must be a text/],
    ['isGlobal', { isGlobal: 'yes' }, /isGlobal must be true or false/],
    ['decorators that are no list', { decorators: () => undefined }, /decorators must be a list/],
    ['decorators that are none', { decorators: [undefined] }, /decorators must be decorators/],
    ['webhooks', { webhooks: {} }, /webhooks must be true or false/],
  ])('stops the boot and is named: what shapes the module, %s', async (_what, more, sentence) => {
    await expectRefusal(() => [AlertsModule.forRoot({ ...options(), ...more })], sentence);
    const given = { useFactory: () => options(), ...more };
    await expectRefusal(() => [AlertsModule.forRootAsync(given)], sentence);
  });
});
