import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Controller, Get, Injectable, Module, SetMetadata, UseInterceptors } from '@nestjs/common';
import type {
  CallHandler,
  CanActivate,
  DynamicModule,
  ExecutionContext,
  INestApplication,
  NestInterceptor,
  Type,
} from '@nestjs/common';
import { APP_GUARD, NestFactory, Reflector, RouterModule } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { TypeOrmModule } from '@nestjs/typeorm';
import {
  AlertChangesController,
  AlertsController,
  AlertsModule,
  AlertStreamController,
  FeedController,
  UnsubscribeController,
  WebhooksController,
} from '../../src/index.js';
import type { AlertsModuleRootOptions } from '../../src/index.js';
import { postgresOptions } from '../../src/migrations/postgres-options.js';
import { AlertsApi, expectError, firing, webhook } from '../support/alerts.js';
import { createTestDatabase, execute, forgetAlerts } from '../support/database.js';
import type { TestDatabase } from '../support/database.js';
import { startIssuer } from '../support/server.js';
import type { TestIssuer } from '../support/server.js';

const PUBLIC = 'isPublic';
const Public = () => SetMetadata(PUBLIC, true);
const OURS: unknown[] = [
  AlertsController,
  AlertChangesController,
  AlertStreamController,
  FeedController,
  UnsubscribeController,
  WebhooksController,
];

/** As Nest's documentation has it: refuses all that is not said to be public. */
@Injectable()
class ClosedGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    const targets = [context.getHandler(), context.getClass()];
    return this.reflector.getAllAndOverride<boolean | undefined>(PUBLIC, targets) ?? false;
  }
}

/** Looks at handlers only. */
@Injectable()
class HandlersGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    return this.reflector.get<boolean | undefined>(PUBLIC, context.getHandler()) ?? false;
  }
}

/** Knows our controllers. */
@Injectable()
class KnowingGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return OURS.includes(context.getClass());
  }
}

@Controller('pages')
class PagesController {
  @Get('open')
  @Public()
  open() {
    return { page: 'open' };
  }

  @Get('closed')
  closed() {
    return { page: 'closed' };
  }
}

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

function formOfParts(): FormData {
  const form = new FormData();
  form.append('List-Unsubscribe', 'One-Click');
  return form;
}

describe.each<[string, () => ExpressAdapter | FastifyAdapter]>([
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
])('A host on %s whose global guard refuses all that is not public', (name, newAdapter) => {
  async function startHost(
    options: Partial<AlertsModuleRootOptions> | DynamicModule = {},
    guard: Type<CanActivate> = ClosedGuard,
  ): Promise<AlertsApi> {
    const alerts =
      'module' in options
        ? options
        : AlertsModule.forRoot({ auth: { issuer: issuer.issuer.url }, ...options });

    @Module({
      imports: [TypeOrmModule.forRoot({ ...postgresOptions(database.url), poolSize: 4 }), alerts],
      controllers: [PagesController],
      providers: [{ provide: APP_GUARD, useClass: guard }],
    })
    class HostModule {}

    const host = await NestFactory.create<INestApplication<Server>>(HostModule, newAdapter(), {
      logger: false,
      abortOnError: false,
    });
    hosts.push(host);
    await host.listen(0, '127.0.0.1');
    const { port } = host.getHttpServer().address() as AddressInfo;
    return new AlertsApi(`http://127.0.0.1:${port}`, issuer.issuer);
  }

  const jane = { sub: 'jane' };

  async function expectOwnDecision(api: AlertsApi): Promise<void> {
    expectError(await api.call('GET', '/alerts'), 401);
    expectError(await api.call('GET', '/alerts/stream'), 401);
    expectError(await api.call('GET', '/alerts/feed'), 401);
    expectError(await api.call('POST', '/webhooks/alertmanager', { body: webhook([]) }), 401);
    expectError(await api.call('POST', '/webhooks/alertmanager', { as: jane, body: webhook([]) }), 403);
    expectError(await api.call('POST', '/alerts', { as: jane, body: {} }), 403);

    // Whoever has the key may, whatever their mail program sends.
    for (const body of [formOfParts(), new URLSearchParams({ 'List-Unsubscribe': 'One-Click' }), undefined]) {
      const answer = await fetch(`${api.url}/alerts/unsubscribe?key=x`, {
        method: 'POST',
        body: body ?? null,
      });
      expect(answer.status).toBe(404);
    }
    expectError(await api.call('GET', '/alerts/unsubscribe?key=x'), 404);

    // Before the body is read, where that can be.
    const unread = await api.call('POST', '/webhooks/alertmanager', { body: '{' });
    expect(unread.status).toBe(name === 'Fastify' ? 401 : 400);

    expect(await api.deliver(firing())).toMatchObject({ stored: 1 });
    const { id } = await api.onlyAlert('jane');
    expect(await api.call('GET', '/alerts/feed', { as: jane })).toMatchObject({ status: 200 });
    expect(await firstOfStream(api)).toContain('event: total\ndata: 1');
    expectError(await api.update(id, { dismissed: true, why: 'x' }, jane), 422);
    expect(await api.update(id, { dismissed: true }, jane)).toMatchObject({ status: 200, body: { id } });
  }

  async function expectRefusal(api: AlertsApi): Promise<void> {
    for (const path of ['/alerts', '/alerts/stream', '/alerts/feed', '/alerts/unsubscribe?key=x']) {
      expectError(await api.call('GET', path, { as: jane }), 403);
    }
    expectError(await api.postWebhook(webhook([firing()])), 403);
    expectError(await api.create({ title: 't', message: 'm', event_type: 'e', user_id: 'jane' }), 403);
  }

  /** What a stream says until it has said how many alerts there are. */
  async function firstOfStream(api: AlertsApi): Promise<string> {
    const closing = new AbortController();
    const response = await fetch(`${api.url}/alerts/stream`, {
      headers: { Authorization: `Bearer ${await issuer.issuer.userToken(jane)}` },
      signal: closing.signal,
    });
    let said = '';
    for await (const part of response.body!.pipeThrough(new TextDecoderStream())) {
      said += part;
      if (/event: total\ndata: \d/.test(said)) break;
    }
    closing.abort();
    return said;
  }

  it('is refused what is ours, until it says otherwise', async () => {
    const api = await startHost();
    await expectRefusal(api);
    expect(await api.call('GET', '/pages/open')).toMatchObject({ status: 200 });
    expect(await api.call('GET', '/pages/closed')).toMatchObject({ status: 403 });
  });

  it.each([
    ['handlers and classes', ClosedGuard],
    ['handlers only', HandlersGuard],
  ])('that looks at %s lets ours decide by what `decorators` say', async (_where, guard) => {
    const api = await startHost({ decorators: [Public()] }, guard);
    await expectOwnDecision(api);
    expect(await api.call('GET', '/pages/closed')).toMatchObject({ status: 403 });
  });

  it.each<[string, RequestInit]>([
    ['nothing', {}],
    ['a form', { body: new URLSearchParams({ 'List-Unsubscribe': 'One-Click' }) }],
    ['a form of parts', { body: formOfParts() }],
  ])('lets a mail program turn mail off by one click, with %s', async (_what, request) => {
    const email = { server: 'smtp://localhost:1', from: 'alerts@example.org' };
    const delivery = { email, publicUrl: 'https://alerts.example' };
    const api = await startHost({ decorators: [Public()], delivery });
    const as = { ...jane, email: 'jane@example.org' };
    const body = { channels: { email: { enabled: true } } };
    expect(await api.call('PUT', '/alerts/preferences', { as, body })).toMatchObject({ status: 200, body });
    const [row] = await execute<{ key: string }>(
      database.url,
      `SELECT details ->> 'key' AS key FROM session_alerts.delivery_targets`,
    );
    const key = `${Buffer.from('jane').toString('base64url')}.${row!.key}`;
    const answer = await fetch(`${api.url}/alerts/unsubscribe?key=${key}`, { method: 'POST', ...request });
    expect(answer.status).toBe(200);
    expect((await api.call('GET', '/alerts/preferences', { as })).body).toMatchObject({
      channels: { email: { enabled: false } },
    });
  });

  it('lets ours decide by `decorators` beside `useFactory`', async () => {
    const useFactory = () => ({ auth: { issuer: issuer.issuer.url } });
    await expectOwnDecision(
      await startHost(AlertsModule.forRootAsync({ decorators: [Public()], useFactory })),
    );
  });

  it('lets ours decide under a prefix that the router gives the module', async () => {
    const alerts = AlertsModule.forRoot({
      auth: { issuer: issuer.issuer.url },
      decorators: [Public()],
    });
    const prefix = RouterModule.register([{ path: 'platform', module: AlertsModule }]);

    @Module({ imports: [alerts, prefix] })
    class PlatformModule {}

    const { url } = await startHost({ module: PlatformModule });
    await expectOwnDecision(new AlertsApi(`${url}/platform`, issuer.issuer));
  });

  it('and another host in the process: what one says is not said of the other', async () => {
    const open = await startHost({ decorators: [Public()] });
    const closed = await startHost();
    await expectRefusal(closed);
    expect(await open.call('GET', '/alerts', { as: jane })).toMatchObject({ status: 200 });
  });

  it('may decorate our controllers itself, or know them', async () => {
    Public()(FeedController);
    try {
      const api = await startHost();
      expect(await api.call('GET', '/alerts/feed', { as: jane })).toMatchObject({ status: 200 });
      expectError(await api.call('GET', '/alerts', { as: jane }), 403);
    } finally {
      Reflect.deleteMetadata(PUBLIC, FeedController);
    }
    await expectOwnDecision(await startHost({}, KnowingGuard));
  });

  it('has each of our handlers do once what a decorator of it does', async () => {
    let count = 0;
    class Counting implements NestInterceptor {
      intercept(_context: ExecutionContext, next: CallHandler) {
        count += 1;
        return next.handle();
      }
    }
    const api = await startHost({ decorators: [UseInterceptors(Counting), Public()] });
    expect(await api.openAlerts('jane')).toEqual([]);
    expect(count).toBe(1);
  });

  it('has the same OpenAPI document', async () => {
    await startHost();
    await startHost({ decorators: [Public()] });
    const [plain, open] = hosts.map((host) =>
      SwaggerModule.createDocument(host, new DocumentBuilder().build()),
    );
    expect(Object.keys(plain!.paths)).toContain('/alerts/{id}');
    expect(open).toEqual(plain);
  });
});
