import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import {
  Catch,
  Controller,
  Get,
  Global,
  HttpException,
  Injectable,
  Module,
  Param,
  UnauthorizedException,
  VersioningType,
} from '@nestjs/common';
import type {
  ArgumentsHost,
  CanActivate,
  DynamicModule,
  ExceptionFilter,
  ExecutionContext,
  INestApplication,
  Type,
} from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { json } from 'express';
import { InjectRepository, TypeOrmModule } from '@nestjs/typeorm';
import { Column, Entity, PrimaryColumn, Repository } from 'typeorm';
import { AlertsHealth, AlertsModule, AlertsService } from '../../src/index.js';
import type { AlertsModuleOptions } from '../../src/index.js';
import { AlertsApi, expectError, firing, resolved, webhook } from '../support/alerts.js';
import { createTestDatabase, execute } from '../support/database.js';
import type { TestDatabase } from '../support/database.js';
import { startIssuer } from '../support/server.js';
import type { TestIssuer } from '../support/server.js';

/** A table of the host's own. */
@Entity('projects')
class Project {
  @PrimaryColumn('text')
  name!: string;
  @Column('text')
  owner!: string;
}

/** A route of the host's own, which uses our service. */
@Controller('projects')
class ProjectsController {
  constructor(
    @InjectRepository(Project) private readonly projects: Repository<Project>,
    private readonly alerts: AlertsService,
    private readonly health: AlertsHealth,
  ) {}

  @Get(':name/alerts')
  async alertsOfOwner(@Param('name') name: string) {
    const { owner } = await this.projects.findOneByOrFail({ name });
    return { owner, alerts: await this.alerts.listOpen(owner) };
  }

  @Get('health')
  check() {
    return this.health.check();
  }

  @Get('teapot')
  teapot() {
    throw new HttpException('short and stout', 418);
  }
}

/** The host's own way to answer errors. */
@Catch()
class HostErrorsFilter implements ExceptionFilter {
  catch(error: unknown, host: ArgumentsHost): void {
    const status = error instanceof HttpException ? error.getStatus() : 500;
    host
      .switchToHttp()
      .getResponse<{ status(code: number): { send(body: unknown): void } }>()
      .status(status)
      .send({ oops: status });
  }
}

/** What the host knows of its users; its guard needs it. */
@Injectable()
class HostUsers {
  readonly roles: Record<string, string[]> = {
    jane: [],
    root: ['renku-admin'],
    robot: ['alertmanager-webhook'],
  };
}

@Global()
@Module({ providers: [HostUsers], exports: [HostUsers] })
class HostUsersModule {}

@Injectable()
class HostGuard implements CanActivate {
  constructor(private readonly users: HostUsers) {}

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<{ headers: Record<string, string>; user?: unknown }>();
    const id = request.headers['x-user'] ?? '';
    if (id === 'banned') return false;
    const roles = this.users.roles[id];
    if (!roles) throw new UnauthorizedException('Who are you?');
    request.user = { id, roles };
    return true;
  }
}

const HOST_CONFIG = Symbol('HOST_CONFIG');

@Module({})
class HostConfigModule {}

let issuer: TestIssuer;
let database: TestDatabase;
/** Has none of our tables. */
let otherDatabase: TestDatabase;
let app: INestApplication<Server> | undefined;

beforeAll(async () => {
  issuer = await startIssuer();
});
afterAll(() => issuer.close());
afterEach(async () => {
  await app?.close();
  app = undefined;
});

/** The host's default DataSource; entities come from the modules that use it. */
function hostDatabase(url: string, name?: string): DynamicModule {
  return TypeOrmModule.forRoot({
    type: 'postgres',
    url,
    autoLoadEntities: true,
    retryAttempts: 0,
    installExtensions: false,
    ...(name !== undefined && { name }),
  });
}

interface HostOptions {
  /** Where the host keeps its own tables. */
  ownDatabase?: TestDatabase;
  more?: (DynamicModule | Type)[];
  configure?: (app: INestApplication) => void;
}

/** Starts the host with our module in it, and gives the API's address. */
async function startHost(
  adapter: AbstractHttpAdapter,
  alertsModule: DynamicModule,
  { ownDatabase = database, more = [], configure }: HostOptions = {},
): Promise<string> {
  await execute(ownDatabase.url, `CREATE TABLE projects (name text PRIMARY KEY, owner text NOT NULL)`);
  await execute(ownDatabase.url, `INSERT INTO projects VALUES ('rocket', 'jane')`);
  const host = await Test.createTestingModule({
    imports: [hostDatabase(ownDatabase.url), TypeOrmModule.forFeature([Project]), alertsModule, ...more],
    controllers: [ProjectsController],
  }).compile();
  const started = host.createNestApplication<INestApplication<Server>>(adapter, { logger: false });
  app = started;
  started.setGlobalPrefix('host/api');
  started.useGlobalFilters(new HostErrorsFilter());
  configure?.(started);
  await started.listen(0, '127.0.0.1');
  return `http://127.0.0.1:${(started.getHttpServer().address() as AddressInfo).port}/host/api`;
}

describe.each<[string, () => AbstractHttpAdapter]>([
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter() as AbstractHttpAdapter],
])('In a host on %s', (adapter, newAdapter) => {
  const auth = () => ({ issuer: issuer.issuer.url });

  beforeEach(async () => {
    database = await createTestDatabase();
    otherDatabase = await createTestDatabase({ migrated: false });
  });
  afterEach(async () => {
    // Before the hook that does so for every test: what is dropped must not be in use.
    await app?.close();
    app = undefined;
    await database.drop();
    await otherDatabase.drop();
  });

  async function expectAllToWork(api: AlertsApi): Promise<void> {
    expect(await api.deliver(firing(), firing({ user: 'ann', session: 'ann-1' }), null)).toEqual({
      stored: 2,
      resolved: 0,
      skipped: 1,
      reasons: { not_an_object: 1 },
    });
    const { id } = await api.onlyAlert();
    expect(await api.openAlerts('jane', 'jane-1')).toMatchObject([{ id, user_id: 'jane' }]);
    expect((await api.call('GET', '/projects/rocket/alerts')).body).toMatchObject({
      owner: 'jane',
      alerts: [{ id, title: 'High memory usage' }],
    });
    expect((await api.call('GET', '/projects/health')).body).toMatchObject({
      database: 'ok',
      issuer: 'ok',
    });

    const notice = { title: 'Notice', message: 'Hello', event_type: 'notice', user_id: 'jane' };
    expect(await api.create(notice)).toMatchObject({ status: 201, body: notice });
    expectError(await api.create(notice), 409);
    expect(await api.update(id)).toMatchObject({ status: 200, body: { id, resolved_reason: 'manual' } });
    expect(await api.openAlerts()).toMatchObject([notice]);

    expect(await api.deliver(resolved(firing({ user: 'ann', session: 'ann-1' })))).toMatchObject({
      resolved: 1,
    });
    expect(await api.openAlerts('ann')).toEqual([]);
  }

  it('forRoot works on its TypeORM DataSource', async () => {
    const url = await startHost(newAdapter(), AlertsModule.forRoot({ auth: auth() }));
    await expectAllToWork(new AlertsApi(url, issuer.issuer));
  });

  it("forRootAsync works with options from the host's own providers", async () => {
    const config = { provide: HOST_CONFIG, useFactory: () => Promise.resolve({ issuer: issuer.issuer.url }) };
    const url = await startHost(
      newAdapter(),
      AlertsModule.forRootAsync({
        imports: [{ module: HostConfigModule, providers: [config], exports: [HOST_CONFIG] }],
        inject: [HOST_CONFIG],
        useFactory: ({ issuer }: { issuer: string }) => ({ auth: { issuer } }),
      }),
    );
    await expectAllToWork(new AlertsApi(url, issuer.issuer));
  });

  it('forRootAsync works with options from a class', async () => {
    class AlertsOptions {
      create(): AlertsModuleOptions {
        return { auth: auth() };
      }
    }
    const url = await startHost(newAdapter(), AlertsModule.forRootAsync({ useClass: AlertsOptions }));
    await expectAllToWork(new AlertsApi(url, issuer.issuer));
  });

  it('forRoot works on a DataSource with a name, beside the default one', async () => {
    const url = await startHost(newAdapter(), AlertsModule.forRoot({ auth: auth(), dataSource: 'alerts' }), {
      ownDatabase: otherDatabase,
      more: [hostDatabase(database.url, 'alerts')],
    });
    await expectAllToWork(new AlertsApi(url, issuer.issuer));
  });

  it('forRootAsync works on a DataSource with a name, beside the default one', async () => {
    const url = await startHost(
      newAdapter(),
      AlertsModule.forRootAsync({ dataSource: 'alerts', useFactory: () => ({ auth: auth() }) }),
      { ownDatabase: otherDatabase, more: [hostDatabase(database.url, 'alerts')] },
    );
    await expectAllToWork(new AlertsApi(url, issuer.issuer));
  });

  it('other roles and another audience can be asked for', async () => {
    const url = await startHost(
      newAdapter(),
      AlertsModule.forRoot({
        auth: { ...auth(), audience: 'account' },
        webhookRole: 'robot',
        adminRole: 'root',
      }),
    );
    const api = new AlertsApi(url, issuer.issuer);
    const body = webhook([firing()]);
    expectError(await api.postWebhook(body), 403);
    const as = { sub: 'x', roles: ['robot'] };
    expect((await api.call('POST', '/webhooks/alertmanager', { as, body })).status).toBe(200);
    const { id } = await api.onlyAlert();
    expectError(await api.update(id), 404);
    expect((await api.update(id, { resolved: true }, { sub: 'x', roles: ['root'] })).status).toBe(200);
  });

  it("each side keeps its own errors: the host's on its routes, ours on ours", async () => {
    const api = new AlertsApi(
      await startHost(newAdapter(), AlertsModule.forRoot({ auth: auth() })),
      issuer.issuer,
    );
    expect(await api.call('GET', '/projects/teapot')).toMatchObject({ status: 418, body: { oops: 418 } });
    expect(await api.call('GET', '/projects/nothing/alerts')).toMatchObject({
      status: 500,
      body: { oops: 500 },
    });
    expect(await api.call('GET', '/nothing')).toMatchObject({ status: 404, body: { oops: 404 } });

    for (const answer of [
      await api.call('GET', '/alerts'),
      await api.call('POST', '/webhooks/alertmanager', { body: webhook([firing()]) }),
    ]) {
      expectError(answer, 401);
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
    }
    const jane = { sub: 'jane' };
    expectError(await api.call('POST', '/alerts', { as: jane, body: {} }), 403);
    expectError(await api.call('POST', '/webhooks/alertmanager', { as: jane, body: {} }), 403);
    expectError(await api.update('01KAMJ2Q2Y9W2V2Q8Z2J3D5X7R'), 404);
    expectError(await api.create({}), 422);
    expectError(await api.postWebhook({ version: '4' }), 422);
    expectError(await api.call('GET', '/alerts?session_name=a&session_name=b', { as: jane }), 422);
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded'])(
    "a body of the type %s is refused, whatever the host's parsers take",
    async (type) => {
      const api = new AlertsApi(
        await startHost(newAdapter(), AlertsModule.forRoot({ auth: auth() })),
        issuer.issuer,
      );
      const as = { sub: 'root', roles: ['renku-admin'] };
      const body = 'title=Title&message=Message&event_type=notice&user_id=jane';
      expectError(await api.call('POST', '/alerts', { as, type, body }), 415);
      expectError(await api.call('POST', '/webhooks/alertmanager', { as, type, body: 'alerts=' }), 415);
      expect(await api.openAlerts()).toEqual([]);
    },
  );

  it("a call takes little and knows what it takes, whatever the host's parsers allow", async () => {
    const url = await startHost(newAdapter(), AlertsModule.forRoot({ auth: auth() }), {
      configure: (host) => {
        if (host.getHttpAdapter().getType() === 'express') {
          host.use('/host/api/alerts', json({ limit: '32mb' }));
        }
      },
    });
    const api = new AlertsApi(url, issuer.issuer);
    const jane = { sub: 'jane' };
    const id = '01KAMJ2Q2Y9W2V2Q8Z2J3D5X7R';
    const manyKeys = JSON.stringify(
      Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`k${i}`, 1])),
    );
    expectError(await api.update(id, manyKeys, jane), 413);
    expectError(await api.create(manyKeys), 413);
    expectError(await api.call('POST', '/alerts', { as: jane, body: manyKeys }), 403);
    expect(expectError(await api.update(id, { dismissed: true, why: 'x' }, jane), 422).detail).toContain(
      'why',
    );
    expect(expectError(await api.call('GET', '/alerts?sesion_name=a', { as: jane }), 422).detail).toContain(
      'sesion_name',
    );
    const query = Array.from({ length: 1_000 }, (_, i) => `k${i}=1`).join('&');
    expectError(await api.call('GET', `/alerts?${query}`, { as: jane }), 422);
    for (const answer of [await api.call('GET', '/alerts', { as: jane }), await api.call('GET', '/alerts')]) {
      expect(answer.headers.get('cache-control')).toBe('no-store');
    }
  });

  it('a webhook of a thousand alerts is taken where its limit was raised', async () => {
    const url = await startHost(
      adapter === 'Express' ? newAdapter() : new FastifyAdapter({ bodyLimit: 32 * 1024 * 1024 }),
      AlertsModule.forRoot({ auth: auth() }),
      {
        configure: (host) => {
          if (adapter === 'Express') host.use('/host/api/webhooks/alertmanager', json({ limit: '32mb' }));
        },
      },
    );
    const alerts = Array.from({ length: 1_000 }, (_, i) =>
      firing({ session: `s${i}`, message: 'm'.repeat(2_000) }),
    );
    expect(await new AlertsApi(url, issuer.issuer).deliver(...alerts)).toMatchObject({ stored: 1_000 });
  });

  it('a body that does not say how long it is goes no further than what the call takes', async () => {
    const url = await startHost(newAdapter(), AlertsModule.forRoot({ auth: auth() }));
    const response = await fetch(`${url}/alerts/01KAMJ2Q2Y9W2V2Q8Z2J3D5X7R`, {
      method: 'PATCH',
      headers: {
        Authorization: `Bearer ${await issuer.issuer.userToken({ sub: 'jane' })}`,
        'Content-Type': 'application/json',
      },
      body: new Blob([`{"x":[${'1,'.repeat(20_000)}1]}`]).stream(),
      duplex: 'half',
    });
    // Fastify's parser is told where to stop; Express's has read it, and its only field is unknown.
    expect(response.status).toBe(adapter === 'Fastify' ? 413 : 422);
  });

  it("the database's trouble is a 503 in our words", async () => {
    // Not migrated yet.
    const api = new AlertsApi(
      await startHost(newAdapter(), AlertsModule.forRoot({ auth: auth() }), { ownDatabase: otherDatabase }),
      issuer.issuer,
    );
    expectError(await api.call('GET', '/alerts', { as: { sub: 'jane' } }), 503);
    expectError(await api.postWebhook(webhook([firing()])), 503);
    expect((await api.call('GET', '/projects/health')).body).toMatchObject({ database: 'unavailable' });
  });

  it("works under the host's versioning", async () => {
    const url = await startHost(newAdapter(), AlertsModule.forRoot({ auth: auth() }), {
      configure: (host) => host.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' }),
    });
    await expectAllToWork(new AlertsApi(`${url}/v1`, issuer.issuer));
  });

  describe("with the host's own guard", () => {
    async function call(url: string, method: string, path: string, user?: string, body?: unknown) {
      const headers: Record<string, string> = { 'Content-Type': 'application/json' };
      if (user !== undefined) headers['X-User'] = user;
      const response = await fetch(url + path, {
        method,
        headers,
        body: body === undefined ? null : JSON.stringify(body),
      });
      return { status: response.status, headers: response.headers, body: await response.json() };
    }

    it('its users are ours, with their roles', async () => {
      const url = await startHost(newAdapter(), AlertsModule.forRoot({ auth: { guard: HostGuard } }), {
        more: [HostUsersModule],
      });
      const path = '/webhooks/alertmanager';
      const body = webhook([firing()]);
      expect((await call(url, 'POST', path, 'robot', body)).status).toBe(200);
      expect(await call(url, 'GET', '/alerts', 'jane')).toMatchObject({
        status: 200,
        body: [{ user_id: 'jane' }],
      });
      expect(await call(url, 'GET', '/alerts', 'root')).toMatchObject({ status: 200, body: [] });

      expectError(await call(url, 'POST', path, 'jane', body), 403);
      expectError(await call(url, 'POST', path, 'banned', body), 403);
      expectError(await call(url, 'POST', path, undefined, body), 401);
      expectError(await call(url, 'GET', '/alerts', 'stranger'), 401);
      expect((await call(url, 'GET', '/projects/health')).body).toMatchObject({
        database: 'ok',
        issuer: 'ok',
      });
    });

    it('may tell in its own way who calls', async () => {
      const user = (request: unknown) => {
        const { user } = request as { user: { id: string; roles: string[] } };
        return user.id === 'robot' ? undefined : { id: `host:${user.id}`, roles: [] };
      };
      const url = await startHost(newAdapter(), AlertsModule.forRoot({ auth: { guard: HostGuard, user } }), {
        more: [HostUsersModule],
      });
      await app?.get(AlertsService).create({
        title: 'Notice',
        message: 'Hello',
        event_type: 'notice',
        user_id: 'host:jane',
      });
      expect((await call(url, 'GET', '/alerts', 'jane')).body).toMatchObject([{ title: 'Notice' }]);
      expectError(await call(url, 'GET', '/alerts', 'robot'), 401);
    });
  });
});

describe('Options that cannot be right', () => {
  const issuerUrl = 'https://host.example/auth/realms/Renku';

  const mistakes: [string, unknown, RegExp][] = [
    ['no auth', {}, /\bauth\b/],
    ['no issuer', { auth: {} }, /auth\.issuer/],
    ['an empty issuer', { auth: { issuer: '' } }, /auth\.issuer/],
    ['an issuer that is no address', { auth: { issuer: 'Renku' } }, /auth\.issuer/],
    ['an issuer that is undefined', { auth: { issuer: undefined } }, /auth\.issuer/],
    [
      'a symmetric algorithm',
      { auth: { issuer: issuerUrl, algorithms: ['HS256'] } },
      /auth\.algorithms.*HS256/,
    ],
    [
      'the algorithm none',
      { auth: { issuer: issuerUrl, algorithms: ['RS256', 'none'] } },
      /auth\.algorithms.*none/,
    ],
    ['no algorithms', { auth: { issuer: issuerUrl, algorithms: [] } }, /auth\.algorithms/],
    ['an empty audience', { auth: { issuer: issuerUrl, audience: '' } }, /auth\.audience/],
    ['a key set without address', { auth: { issuer: issuerUrl, jwksUri: 'keys.json' } }, /auth\.jwksUri/],
    ['a guard that is undefined', { auth: { guard: undefined } }, /auth\.guard/],
    ['an empty webhook role', { auth: { issuer: issuerUrl }, webhookRole: '' }, /webhookRole/],
    ['an empty admin role', { auth: { issuer: issuerUrl }, adminRole: '' }, /adminRole/],
  ];

  it.each(mistakes)(
    'stop the host at boot with a sentence: forRoot, %s',
    async (_what, options, sentence) => {
      const registration = () => AlertsModule.forRoot(options as AlertsModuleOptions);
      await expect(boot(registration)).rejects.toThrow(sentence);
    },
  );

  it.each(mistakes)(
    'stop the host at boot with a sentence: forRootAsync, %s',
    async (_what, options, sentence) => {
      const registration = () =>
        AlertsModule.forRootAsync({ useFactory: () => options as AlertsModuleOptions });
      await expect(boot(registration)).rejects.toThrow(sentence);
    },
  );

  async function boot(registration: () => DynamicModule): Promise<void> {
    const noDatabase = TypeOrmModule.forRoot({
      type: 'postgres',
      autoLoadEntities: true,
      manualInitialization: true,
    });
    const host = await Test.createTestingModule({ imports: [noDatabase, registration()] }).compile();
    app = host.createNestApplication<INestApplication<Server>>(new FastifyAdapter(), { logger: false });
    await app.init();
  }
});
