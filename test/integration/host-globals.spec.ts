import type { Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import compress from '@fastify/compress';
import {
  Catch,
  Controller,
  Get,
  HttpException,
  Injectable,
  Module,
  Query,
  RequestMethod,
  UnauthorizedException,
  ValidationPipe,
  VersioningType,
} from '@nestjs/common';
import type {
  ArgumentsHost,
  CallHandler,
  CanActivate,
  DynamicModule,
  ExceptionFilter,
  ExecutionContext,
  INestApplication,
  NestApplicationOptions,
  NestInterceptor,
  Provider,
  ValidationPipeOptions,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE, NestFactory, RouterModule } from '@nestjs/core';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { TypeOrmModule } from '@nestjs/typeorm';
import { IsInt, Max } from 'class-validator';
import compression from 'compression';
import { map } from 'rxjs';
import type { Observable } from 'rxjs';
import { AlertsModule, isAlertsEndpoint } from '../../src/index.js';
import { ADMIN, ALERTMANAGER, AlertsApi, expectError, firing, resolved, webhook } from '../support/alerts.js';
import type { Person } from '../support/alerts.js';
import { createTestDatabase, forgetAlerts } from '../support/database.js';
import type { TestDatabase } from '../support/database.js';
import { OpenPage } from '../support/event-stream.js';
import { grafanaFiring, grafanaWebhook, signed } from '../support/grafana.js';
import { RawConnection } from '../support/raw-connection.js';
import { startIssuer } from '../support/server.js';
import type { TestIssuer } from '../support/server.js';

class PageQuery {
  @IsInt()
  @Max(10)
  page!: number;
}

/** A route of the host's own. */
@Controller('projects')
class ProjectsController {
  @Get()
  list(@Query() { page }: PageQuery): unknown[] {
    return [{ name: 'rocket', page }];
  }
}

@Module({})
class HostModule {}

const JANE = { sub: 'jane' };
const NOTICE = { title: 'Notice', message: 'Hello', event_type: 'notice', user_id: 'jane' };
const UNKNOWN = '01KAMJ2Q2Y9W2V2Q8Z2J3D5X7R';
const GRAFANA_SECRET = 'a secret of the tests';

let issuer: TestIssuer;
let database: TestDatabase;
let app: INestApplication<Server> | undefined;
const sockets = new Set<Socket>();

beforeAll(async () => {
  issuer = await startIssuer();
  database = await createTestDatabase();
});
afterEach(async () => {
  const server = app?.getHttpServer();
  // What fetch opens to spare, on which nothing is ever asked, would be waited for.
  server?.on('connection', (socket) => socket.destroy());
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  await app?.close();
  app = undefined;
  await forgetAlerts(database.url);
});
afterAll(async () => {
  await issuer.close();
  await database.drop();
});

/** What the host has for all its calls. */
interface Globals {
  imports?: DynamicModule[];
  providers?: Provider[];
  options?: NestApplicationOptions;
  configure?: (app: INestApplication) => unknown;
}

describe.each<[string, () => AbstractHttpAdapter]>([
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter() as AbstractHttpAdapter],
])('In a host on %s', (adapter, newAdapter) => {
  /** Starts it, and gives its address. */
  async function startHost({
    imports = [],
    providers = [],
    options = {},
    configure,
  }: Globals = {}): Promise<string> {
    const hostModule: DynamicModule = {
      module: HostModule,
      imports: [
        TypeOrmModule.forRoot({ type: 'postgres', url: database.url, autoLoadEntities: true }),
        AlertsModule.forRoot({ auth: { issuer: issuer.issuer.url }, grafana: { secret: GRAFANA_SECRET } }),
        ...imports,
      ],
      controllers: [ProjectsController],
      providers,
    };
    const started = await NestFactory.create<INestApplication<Server>>(hostModule, newAdapter(), {
      logger: false,
      abortOnError: false,
      ...options,
    });
    app = started;
    await configure?.(started);
    started.getHttpServer().on('connection', (socket) => sockets.add(socket));
    await started.listen(0, '127.0.0.1');
    return `http://127.0.0.1:${(started.getHttpServer().address() as AddressInfo).port}`;
  }

  function apiAt(url: string): AlertsApi {
    return new AlertsApi(url, issuer.issuer);
  }

  /** Every call, once. */
  async function expectAllToWork(api: AlertsApi): Promise<void> {
    const page = await OpenPage.open(api.url, await issuer.issuer.userToken(JANE));
    try {
      expect(await api.deliver(firing())).toEqual({ stored: 1, resolved: 0, skipped: 0, reasons: {} });
      await page.untilShown(['High memory usage']);
      expect((await api.postWebhook(webhook([firing()]), '?dry_run=true')).body).toMatchObject({
        dry_run: true,
        alerts: [{ result: 'refreshed' }],
      });
      const alert = await api.onlyAlert();
      expect(page.shown.at(-1)).toEqual([alert]);
      expect((await api.call('GET', '/alerts/feed', { as: JANE })).body).toEqual({
        status: 'unknown',
        last_seen: null,
      });
      expect(await api.create({ ...NOTICE, session_name: 'jane-1' })).toMatchObject({
        status: 201,
        body: NOTICE,
      });
      expectError(await api.create({ ...NOTICE, session_name: 'jane-1' }), 409);
      expect(await api.openAlerts('jane', 'jane-1')).toHaveLength(2);
      expect(await api.update(alert.id, {}, JANE)).toMatchObject({ status: 200, body: alert });
      expect(await api.update(alert.id, { dismissed: true }, JANE)).toMatchObject({
        status: 200,
        body: { id: alert.id, resolved_reason: 'dismissed' },
      });
      await page.untilShown(['Notice']);
      await api.deliver(resolved(firing()));
      expect(
        (await api.call('GET', '/alerts?status=resolved&limit=1&session_name=jane-1', { as: JANE })).body,
      ).toMatchObject([{ id: alert.id }]);
    } finally {
      page.leave();
    }
  }

  /** What does not fit, and a word of what is said about it. */
  const UNFIT: [call: string, path: string, as: Person, body: unknown, said: string][] = [
    ['GET', '/alerts?sesion_name=a', JANE, undefined, 'sesion_name'],
    ['GET', '/alerts?session_name=a&session_name=b', JANE, undefined, 'session_name'],
    ['GET', '/alerts?status=closed', JANE, undefined, 'status'],
    ['GET', '/alerts?status=resolved&limit=ten', JANE, undefined, 'limit'],
    ['GET', '/alerts?status=resolved&since=yesterday', JANE, undefined, 'since'],
    ['GET', '/alerts?status=resolved&cursor=mine', JANE, undefined, 'cursor'],
    ['GET', '/alerts?limit=5', JANE, undefined, 'limit'],
    ['GET', '/alerts/feed?x=1', JANE, undefined, '"x"'],
    ['GET', '/alerts/stream?x=1', JANE, undefined, '"x"'],
    ['GET', '/alerts/stream?session_name[a]=b&session_name[c]=d', JANE, undefined, 'session_name'],
    ['POST', '/alerts', ADMIN, { ...NOTICE, title: 7 }, 'title'],
    ['POST', '/alerts', ADMIN, { ...NOTICE, user_id: undefined }, 'user_id'],
    ['POST', '/alerts', ADMIN, { ...NOTICE, kind: 'event' }, '"kind"'],
    ['POST', '/alerts', ADMIN, [NOTICE], 'object'],
    ['POST', '/alerts?x=1', ADMIN, NOTICE, '"x"'],
    ['PATCH', `/alerts/${UNKNOWN}`, ADMIN, { resolved: 'false' }, 'resolved'],
    ['PATCH', `/alerts/${UNKNOWN}`, ADMIN, { resolved: 1 }, 'resolved'],
    ['PATCH', `/alerts/${UNKNOWN}`, JANE, { dismissed: null }, 'dismissed'],
    ['PATCH', `/alerts/${UNKNOWN}`, JANE, { why: 'x' }, '"why"'],
    ['PATCH', `/alerts/${UNKNOWN}?x=1`, JANE, {}, '"x"'],
    ['POST', '/webhooks/alertmanager', ALERTMANAGER, { version: '4' }, 'alerts'],
    ['POST', '/webhooks/alertmanager?dry_run=yes', ALERTMANAGER, webhook([]), 'dry_run'],
  ];

  async function expectUnfit(api: AlertsApi): Promise<void> {
    for (const [method, path, as, body, said] of UNFIT) {
      const answer = await api.call(method, path, { as, body });
      const { message, detail } = expectError(answer, 422);
      expect(message).toBe('The request does not fit');
      expect(detail).toContain(said);
      expect(detail).not.toContain('valid JSON');
    }
    expect(await api.openAlerts()).toEqual([]);
  }

  describe('a global ValidationPipe', () => {
    const strict: ValidationPipeOptions = { whitelist: true, forbidNonWhitelisted: true, transform: true };

    it.each<[string, ValidationPipeOptions]>([
      ['that refuses what it does not know', strict],
      ['that drops what it does not know', { whitelist: true, transform: true }],
      ['that converts', { ...strict, transformOptions: { enableImplicitConversion: true } }],
      ['that looks at all parameters', { ...strict, validateCustomDecorators: true }],
      ['with an error of its own', { ...strict, exceptionFactory: () => new Error('of the host') }],
    ])('%s neither refuses nor changes what comes to ours', async (_what, options) => {
      const url = await startHost({
        providers: [{ provide: APP_PIPE, useValue: new ValidationPipe(options) }],
      });
      // It is at work.
      expect((await fetch(`${url}/projects?page=11`)).ok).toBe(false);
      await expectUnfit(apiAt(url));
      // Monitoring systems may add what they like.
      expect((await apiAt(url).postWebhook(webhook([], { tomorrow: 1 }), '?source=am-0')).status).toBe(200);
      await expectAllToWork(apiAt(url));
    });
  });

  it("what is no JSON is the host's to answer", async () => {
    const api = apiAt(await startHost());
    const answer = await api.call('POST', '/alerts', { as: ADMIN, body: '{"title": ' });
    expect(answer).toMatchObject({ status: 400, body: { statusCode: 400 } });
  });

  describe('an interceptor that wraps every answer', () => {
    class Wrapper implements NestInterceptor {
      intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
        return next.handle().pipe(map((data: unknown) => ({ data })));
      }
    }
    class WrapperOfOwn extends Wrapper {
      override intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
        return isAlertsEndpoint(context) ? next.handle() : super.intercept(context, next);
      }
    }
    const own = { data: [{ name: 'rocket' }] };

    it('wraps ours as well', async () => {
      const url = await startHost({ providers: [{ provide: APP_INTERCEPTOR, useClass: Wrapper }] });
      expect(await (await fetch(`${url}/projects`)).json()).toEqual(own);
      expect((await apiAt(url).call('GET', '/alerts', { as: JANE })).body).toEqual({ data: [] });
    });

    it('leaves ours as documented where it asks for them', async () => {
      const url = await startHost({ providers: [{ provide: APP_INTERCEPTOR, useClass: WrapperOfOwn }] });
      expect(await (await fetch(`${url}/projects`)).json()).toEqual(own);
      await expectAllToWork(apiAt(url));
      await forgetAlerts(database.url);
      await expectUnfit(apiAt(url));
    });
  });

  it('a guard for all calls leaves ours to us where it asks for them', async () => {
    @Injectable()
    class Members implements CanActivate {
      canActivate(context: ExecutionContext): boolean {
        if (isAlertsEndpoint(context)) return true;
        throw new UnauthorizedException('Members only');
      }
    }
    const url = await startHost({ providers: [{ provide: APP_GUARD, useClass: Members }] });
    expect((await fetch(`${url}/projects`)).status).toBe(401);
    expectError(await apiAt(url).call('GET', '/alerts'), 401);
    await expectAllToWork(apiAt(url));
  });

  it('a filter for all errors leaves ours as documented', async () => {
    @Catch()
    class Oops implements ExceptionFilter {
      catch(error: unknown, host: ArgumentsHost): void {
        const status = error instanceof HttpException ? error.getStatus() : 500;
        const response = host
          .switchToHttp()
          .getResponse<{ status(code: number): { send(body: object): void } }>();
        response.status(status).send({ oops: status });
      }
    }
    const url = await startHost({ providers: [{ provide: APP_FILTER, useClass: Oops }] });
    const api = apiAt(url);
    expect(await api.call('GET', '/nothing')).toMatchObject({ status: 404, body: { oops: 404 } });
    expectError(await api.call('GET', '/alerts'), 401);
    expectError(await api.call('PATCH', `/alerts/${UNKNOWN}`, { body: {} }), 401);
    expectError(await api.call('POST', '/alerts', { as: JANE, body: NOTICE }), 403);
    expectError(await api.update(UNKNOWN, {}), 404);
    expectError(await api.create(`{"title":"${'x'.repeat(99_000)}","x":1}`), 422);
    await expectUnfit(api);
    await expectAllToWork(api);
  });

  it.each<[string, Error, number, string, string | undefined]>([
    [
      'messages',
      new HttpException({ message: ['closed', 'for today'], error: 'x' }, 400),
      400,
      'Http Exception',
      'closed; for today',
    ],
    ['a word', new HttpException('Closed', 410), 410, 'Closed', undefined],
    ['a status', Object.assign(new Error('of the host'), { statusCode: 409 }), 409, 'Conflict', undefined],
  ])(
    'what a host throws with %s has its status, in our body',
    async (_what, error, status, message, detail) => {
      class Closed implements NestInterceptor {
        intercept(): never {
          throw error;
        }
      }
      const url = await startHost({ providers: [{ provide: APP_INTERCEPTOR, useClass: Closed }] });
      const answer = await apiAt(url).call('GET', '/alerts?session_name=a', { as: JANE });
      expect(expectError(answer, status)).toEqual({ code: status, message, ...(detail && { detail }) });
    },
  );

  describe('addresses', () => {
    /** On Fastify ours are asked before the body is read, wherever they are. */
    async function expectTokenFirst(url: string): Promise<void> {
      if (adapter === 'Express') return;
      expectError(await apiAt(url).call('PATCH', `/alerts/${UNKNOWN}`, { body: '{' }), 401);
      expectError(await apiAt(url).call('POST', '/alerts', { as: JANE, body: '{' }), 403);
      expectError(await apiAt(url).call('POST', '/webhooks/alertmanager', { as: JANE, body: '{' }), 403);
      for (const call of [`PATCH /alerts/${UNKNOWN}`, 'POST /alerts', 'POST /webhooks/alertmanager']) {
        const connection = await RawConnection.to(url);
        const head = `${call.replace(' ', ` ${new URL(url).pathname.replace(/\/$/, '')}`)} HTTP/1.1`;
        const length = 'Content-Type: application/json\r\nContent-Length: 50000000';
        // Of the body nothing ever comes.
        connection.send(`${head}\r\nHost: localhost\r\n${length}\r\n\r\n`);
        expectError(await connection.answer(), 401);
      }
    }

    it.each(['2', ['2', '3']])(
      'begin with the default version %p, where versions are in addresses',
      async (version) => {
        const url = await startHost({
          configure: (host) => host.enableVersioning({ type: VersioningType.URI, defaultVersion: version }),
        });
        await expectTokenFirst(`${url}/v2`);
        await expectAllToWork(apiAt(`${url}/v2`));
        expect((await apiAt(url).call('GET', '/alerts', { as: JANE })).status).toBe(404);
      },
    );

    it('have no version where there is no default one', async () => {
      const url = await startHost({
        configure: (host) => host.enableVersioning({ type: VersioningType.URI }),
      });
      await expectTokenFirst(url);
      await expectAllToWork(apiAt(url));
    });

    it('begin with the prefix, and then the version', async () => {
      const url = await startHost({
        configure: (host) => {
          host.setGlobalPrefix('platform/api');
          host.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' });
        },
      });
      await expectTokenFirst(`${url}/platform/api/v1`);
      await expectAllToWork(apiAt(`${url}/platform/api/v1`));
    });

    it('have a path between that the router gives the module', async () => {
      const url = await startHost({
        imports: [RouterModule.register([{ path: 'sessions', module: AlertsModule }])],
        configure: (host) => {
          host.setGlobalPrefix('platform');
          host.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' });
        },
      });
      await expectTokenFirst(`${url}/platform/v1/sessions`);
      await expectAllToWork(apiAt(`${url}/platform/v1/sessions`));
    });

    it('have no prefix where they are left out of it', async () => {
      const exclude = ['alerts', 'alerts/*path', 'webhooks/*path'].map((path) => ({
        path,
        method: RequestMethod.ALL,
      }));
      const url = await startHost({ configure: (host) => host.setGlobalPrefix('platform', { exclude }) });
      await expectTokenFirst(url);
      await expectAllToWork(apiAt(url));
    });
  });

  it('raw bodies may be kept', async () => {
    const url = await startHost({ options: { rawBody: true } });
    await expectAllToWork(apiAt(url));
    await forgetAlerts(database.url);
    await expectUnfit(apiAt(url));
    const response = await fetch(`${url}/alerts/${UNKNOWN}`, {
      method: 'PATCH',
      headers: {
        Authorization: `Bearer ${await issuer.issuer.userToken(JANE)}`,
        'Content-Type': 'application/json',
      },
      body: new Blob([`{"x":[${'1,'.repeat(20_000)}1]}`]).stream(),
      duplex: 'half',
    });
    expect(response.status).toBe(adapter === 'Fastify' ? 413 : 422);
  });

  describe('what Grafana signs', () => {
    const body = JSON.stringify(grafanaWebhook([grafanaFiring()]), null, 1);
    const post = (url: string, secret = GRAFANA_SECRET): Promise<Response> =>
      fetch(`${url}/webhooks/grafana`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', ...signed(body, secret) },
        body,
      });

    it('is taken where bodies are kept as they came', async () => {
      const url = await startHost({ options: { rawBody: true } });
      expect((await post(url, 'another secret of some length')).status).toBe(401);
      expect((await post(url)).status).toBe(200);
      expect(await apiAt(url).onlyAlert()).toMatchObject({ session_name: 'jane-1' });
    });

    it('is taken on Fastify though they are not', async () => {
      const url = await startHost();
      expect((await post(url)).status).toBe(adapter === 'Fastify' ? 200 : 500);
      expect(await apiAt(url).openAlerts()).toHaveLength(adapter === 'Fastify' ? 1 : 0);
    });
  });

  it('answers are compressed, their tags hold, and what is live comes at once', async () => {
    const url = await startHost({
      configure: (host) => {
        if (adapter === 'Express') host.use(compression({ threshold: 0 }));
        else return (host as NestFastifyApplication).register(compress, { threshold: 0 });
      },
    });
    await expectAllToWork(apiAt(url));
    const headers = { Authorization: `Bearer ${await issuer.issuer.userToken(JANE)}` };
    const answer = await fetch(`${url}/alerts`, { headers });
    expect(answer.headers.get('content-encoding')).toMatch(/^(gzip|br|zstd)$/);
    expect(await answer.json()).toMatchObject([NOTICE]);
    const again = await fetch(`${url}/alerts`, {
      headers: { ...headers, 'If-None-Match': answer.headers.get('etag') ?? '' },
    });
    expect(again.status).toBe(304);
    const page = await OpenPage.open(url, await issuer.issuer.userToken(JANE));
    expect(page.response.headers.get('content-encoding')).toBeNull();
    page.leave();
  });
});
