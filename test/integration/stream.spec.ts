import { get } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { Module } from '@nestjs/common';
import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Registry } from 'prom-client';
import { AlertsModule } from '../../src/index.js';
import { postgresOptions } from '../../src/migrations/postgres-options.js';
import { LiveAlerts } from '../../src/live/live-alerts.service.js';
import type { EmbeddedIssuer } from '../../server/demo/embedded-issuer.js';
import { AlertsApi, expectError, firing, resolved } from '../support/alerts.js';
import { createTestDatabase, execute, forgetAlerts } from '../support/database.js';
import { OpenPage } from '../support/event-stream.js';
import { startIssuer, startTestServer, waitUntil } from '../support/server.js';

/** An application with our module in it. */
interface Host {
  /** Without a slash at its end. */
  readonly url: string;
  readonly databaseUrl: string;
  readonly issuer: EmbeddedIssuer;
  /** How many streams are open. */
  openStreams(): Promise<number>;
  close(): Promise<void>;
}

async function startHost(newAdapter: () => ExpressAdapter | FastifyAdapter): Promise<Host> {
  const database = await createTestDatabase();
  const issuer = await startIssuer();
  const metricsRegistry = new Registry();
  @Module({})
  class HostModule {}
  const adapter = newAdapter();
  if (adapter instanceof FastifyAdapter) {
    adapter.getInstance().addHook('onRequest', (_request, reply, done) => {
      reply.header('X-Host', 'its');
      done();
    });
  } else {
    adapter.use((_request: unknown, response: ServerResponse, next: () => void) => {
      response.setHeader('X-Host', 'its');
      next();
    });
  }
  const host: INestApplication<Server> = await NestFactory.create(
    {
      module: HostModule,
      imports: [
        TypeOrmModule.forRoot(postgresOptions(database.url)),
        AlertsModule.forRoot({
          auth: { issuer: issuer.issuer.url },
          live: { streamsPerUser: 3 },
          metricsRegistry,
        }),
      ],
    },
    adapter,
    // A spare connection on which nothing was ever asked would keep it.
    { logger: false, forceCloseConnections: true },
  );
  host.setGlobalPrefix('api/data');
  host.enableCors({ origin: 'https://page.example' });
  await host.listen(0, '127.0.0.1');
  return {
    url: `http://127.0.0.1:${(host.getHttpServer().address() as AddressInfo).port}`,
    databaseUrl: database.url,
    issuer: issuer.issuer,
    openStreams: async () => {
      const metrics = await metricsRegistry.getMetricsAsJSON();
      return metrics.find(({ name }) => name === 'session_alerts_streams')?.values[0]?.value ?? NaN;
    },
    close: async () => {
      await host.close();
      await issuer.close();
      await database.drop();
    },
  };
}

describe.each([
  ['Fastify', () => new FastifyAdapter({ forceCloseConnections: true })],
  ['Express', () => new ExpressAdapter()],
])('The stream of open alerts, on %s', (_adapter, newAdapter) => {
  let server: Host;
  let api: AlertsApi;
  const pages: OpenPage[] = [];

  beforeAll(async () => {
    server = await startHost(newAdapter);
    api = new AlertsApi(`${server.url}/api/data`, server.issuer);
  });
  beforeEach(() => forgetAlerts(server.databaseUrl));
  afterEach(() => {
    for (const page of pages.splice(0)) page.leave();
  });
  afterAll(() => server.close());

  async function open(sub = 'jane', query = '', lifetime?: number): Promise<OpenPage> {
    const token = await server.issuer.userToken({ sub, ...(lifetime !== undefined && { lifetime }) });
    const page = await OpenPage.open(api.url, token, query);
    pages.push(page);
    return page;
  }

  it('shows what is open at once, in the form of GET /alerts', async () => {
    await api.deliver(firing());
    const page = await open();
    await page.untilShown(['High memory usage']);
    expect(page.shown).toEqual([await api.openAlerts()]);
    expect(page.text.startsWith('retry: ')).toBe(true);
    expect(Object.fromEntries(page.response.headers)).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
      // The host's own.
      'access-control-allow-origin': 'https://page.example',
      'x-host': 'its',
    });
  });

  it('shows every change: opened, changed, dismissed, resolved', async () => {
    const page = await open();
    await page.untilShown([]);
    await api.deliver(firing());
    await page.untilShown(['High memory usage']);
    await api.deliver(firing({ title: 'Higher' }));
    await page.untilShown(['Higher']);
    await api.deliver(firing({ session: 'jane-2', title: 'Another' }));
    await page.untilShown(['Another', 'Higher']);
    const [another] = await api.openAlerts();
    await api.update(another!.id, { dismissed: true }, { sub: 'jane' });
    await page.untilShown(['Higher']);
    await api.deliver(resolved(firing()));
    await page.untilShown([]);
  });

  it('says nothing where nothing changed', async () => {
    const page = await open();
    await api.deliver(firing());
    await page.untilShown(['High memory usage']);
    const before = page.shown.length;
    await api.deliver(firing());
    await api.deliver(firing({ user: 'bob' }));
    await api.deliver(firing({ session: 'jane-2', title: 'Another' }));
    await page.untilShown(['Another', 'High memory usage']);
    expect(page.shown).toHaveLength(before + 1);
  });

  it('shows each user their own alerts, and a session its own', async () => {
    const [janes, bobs, session] = await Promise.all([
      open('jane'),
      open('bob'),
      open('jane', '?session_name=jane-2'),
    ]);
    await api.deliver(firing(), firing({ session: 'jane-2', title: 'Second' }));
    await janes.untilShown(['Second', 'High memory usage']);
    await session.untilShown(['Second']);
    await api.deliver(firing({ user: 'bob', session: 'bob-1', title: 'Bobs' }));
    await bobs.untilShown(['Bobs']);
    expect(janes.text).not.toContain('Bobs');
    expect(bobs.text).not.toContain('jane');
    expect(session.text).not.toContain('jane-1');
  });

  it('shows what another replica has changed', async () => {
    const page = await open();
    await page.untilShown([]);
    await execute(
      server.databaseUrl,
      `INSERT INTO session_alerts.alerts
         (id, fingerprint, user_id, event_type, title, message, gravity, is_event, by_hand, creation_date)
       VALUES ('1', 1, 'jane', 'notice', 'Theirs', 'Message', 1, false, true, now());
       SELECT pg_notify('session_alerts', 'another-process bob jane')`,
    );
    await page.untilShown(['Theirs']);
  });

  it('ends, and says why, when the token expires', async () => {
    const page = await open('jane', '', 2);
    await page.untilShown([]);
    await page.untilOver();
    expect(page.text.endsWith('event: expired\ndata: {}\n\n')).toBe(true);
  });

  it('drops a reader that is far behind, who loses nothing by coming back', async () => {
    const message = 'x'.repeat(20_000);
    const large = (session: number, title: string): ReturnType<typeof firing> =>
      firing({ session: `jane-${session}`, title, message });
    for (let session = 0; session < 12; session += 1) await api.deliver(large(session, 'Large'));
    const other = await open('jane', '?session_name=another');
    const slow = await openWithoutReading();
    await waitUntil(async () => (await server.openStreams()) === 2);
    // What the network holds on the way is not far behind yet.
    let changes = 0;
    for (; (await server.openStreams()) === 2; changes += 1) {
      expect(changes).toBeLessThan(200);
      await api.deliver(large(11, `Change ${changes}`));
    }

    slow.resume();
    await waitUntil(() => slow.closed);
    expect(slow.complete).toBe(false);
    await api.deliver(firing({ session: 'another', title: 'Small' }));
    await other.untilShown(['Small']);
    const again = await open();
    await again.untilShown(['Small', `Change ${changes - 1}`, ...Array.from({ length: 11 }, () => 'Large')]);
  });

  async function openWithoutReading(): Promise<IncomingMessage> {
    const token = await server.issuer.userToken({ sub: 'jane' });
    const headers = { Authorization: `Bearer ${token}` };
    return new Promise((resolve, reject) => {
      get(`${api.url}/alerts/stream`, { headers, agent: false }, (response) => {
        // It is cut off in the middle.
        resolve(response.on('error', () => undefined));
      }).on('error', reject);
    });
  }

  it('makes up for what it missed while its connection to the database was lost', async () => {
    const page = await open();
    await page.untilShown([]);
    await execute(
      server.databaseUrl,
      `INSERT INTO session_alerts.alerts
         (id, fingerprint, user_id, event_type, title, message, gravity, is_event, by_hand, creation_date)
       VALUES ('1', 1, 'jane', 'notice', 'Missed', 'Message', 1, false, true, now())`,
    );
    const ended = await execute(
      server.databaseUrl,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()
          AND query ~ 'LISTEN|^SELECT pg_backend_pid'`,
    );
    expect(ended).not.toEqual([]);
    await page.untilShown(['Missed']);
    expect(page.isOver).toBe(false);
  });

  it('tells how the feed is, and when that changes', async () => {
    const page = await open();
    await waitUntil(() => page.feeds.length > 0);
    expect(page.feeds[0]).toEqual({ status: 'unknown', last_seen: null });
  });

  it('lets a user have only so many pages, and takes one again when another has gone', async () => {
    const [first] = await Promise.all([open(), open(), open()]);
    const fourth = await open();
    expect(fourth.response.status).toBe(429);
    expect((await open('bob')).response.status).toBe(200);
    first.leave();
    await waitUntil(async () => (await open()).response.status === 200);
  });

  it('takes pages again when those have gone that waited on one connection', async () => {
    const token = await server.issuer.userToken({ sub: 'jane' });
    const request = `GET /api/data/alerts/stream HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`;
    const client = connect(Number(new URL(server.url).port), '127.0.0.1');
    client.write(request.repeat(3));
    await waitUntil(async () => (await server.openStreams()) === 3);
    client.destroy();
    await waitUntil(async () => (await server.openStreams()) === 0);
    expect((await open()).response.status).toBe(200);
  });

  it('answers HEAD, and keeps no page for it', async () => {
    const answer = await api.call('HEAD', '/alerts/stream', { as: { sub: 'jane' } });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(await server.openStreams()).toBe(0);
  });

  it('asks for a token', async () => {
    expectError(await api.call('GET', '/alerts/stream'), 401);
    const tooLong = `/alerts/stream?session_name=${'x'.repeat(256)}`;
    expectError(await api.call('GET', tooLong, { as: { sub: 'jane' } }), 422);
  });
});

describe('A server that has just started', () => {
  it('stops at once, however far it has come', async () => {
    for (let time = 0; time < 12; time++) {
      const server = await startTestServer({}, { untilReady: false });
      await new Promise((resolve) => setTimeout(resolve, time * 25));
      const stopping = performance.now();
      await server.close();
      expect(performance.now() - stopping).toBeLessThan(20_000);
    }
  });
});

describe('A server that stops', () => {
  it('ends its streams and takes no more', async () => {
    const server = await startTestServer();
    try {
      const token = await server.issuer.userToken({ sub: 'jane' });
      const open = (): Promise<OpenPage> => OpenPage.open(`${server.url}/api/data`, token);
      const page = await open();
      expect(page.response.status).toBe(200);
      server.app.get(LiveAlerts, { strict: false }).beforeApplicationShutdown();
      await page.untilOver();
      expect((await open()).response.status).toBe(503);
    } finally {
      await server.close();
    }
  });
});
