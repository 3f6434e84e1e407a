import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { AlertsClock } from '../../src/clock/alerts-clock.js';
import { ReconcileService } from '../../src/upkeep/reconcile.service.js';
import { ALERTMANAGER, AlertsApi, expectError, firing, webhook } from '../support/alerts.js';
import type { Answer, Person } from '../support/alerts.js';
import { forgetAlerts, giveDatabaseBack, takeDatabaseAway } from '../support/database.js';
import { ListingAlertmanager } from '../support/listing-alertmanager.js';
import { RecordedSpans } from '../support/recorded-spans.js';
import { startTestServer, waitUntil } from '../support/server.js';
import type { TestServer } from '../support/server.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';
const TRACEPARENT = `00-${TRACE}-${PARENT}-01`;

/** A line of the log, in JSON. */
type Line = Record<string, unknown> & { message: string; context: string; trace_id?: string };

describe('Seen from outside', () => {
  const alertmanager = new ListingAlertmanager();
  let alertmanagerUrl: string;
  let folder: string;
  let bridge: Server;
  let server: TestServer;
  let api: AlertsApi;
  /** Of the present test, and of all. */
  let lines: Line[] = [];
  const allLines: Line[] = [];

  beforeAll(async () => {
    for (const stream of [process.stdout, process.stderr]) {
      jest.spyOn(stream, 'write').mockImplementation((text) => {
        const written = JSON.parse(String(text)) as Line;
        lines.push(written);
        allLines.push(written);
        return true;
      });
    }
    bridge = createServer((request, response) => {
      request.resume();
      response.writeHead(500).end();
    });
    await new Promise<void>((resolve) => bridge.listen(0, '127.0.0.1', resolve));
    folder = await mkdtemp(join(tmpdir(), 'telemetry-'));
    await writeFile(join(folder, 'secret'), `whsec_${Buffer.alloc(24, 7).toString('base64')}`);
    alertmanagerUrl = await alertmanager.start();
    server = await startTestServer(
      {
        ACCESS_LOG: 'true',
        LOG_LEVEL: 'info',
        BODY_LIMIT_MB: '1',
        ALERTMANAGER_URLS: alertmanagerUrl,
        DELIVERY_WEBHOOK_URL: `http://127.0.0.1:${(bridge.address() as AddressInfo).port}/alerts`,
        DELIVERY_WEBHOOK_SECRET_FILE: join(folder, 'secret'),
      },
      { logs: true, upkeep: false },
    );
    api = new AlertsApi(`${server.url}/api/data`, server.issuer);
  });
  afterAll(async () => {
    await server.close();
    Logger.overrideLogger(false);
    jest.restoreAllMocks();
    await alertmanager.stop();
    await new Promise((resolve) => bridge.close(resolve));
    await rm(folder, { recursive: true });
  });
  beforeEach(async () => {
    await forgetAlerts(server.databaseUrl);
    lines = [];
  });

  /** Calls as one whose caller traces it. */
  async function call(
    method: string,
    path: string,
    as: Person,
    { body, traceparent = TRACEPARENT }: { body?: unknown; traceparent?: string } = {},
  ): Promise<Answer> {
    const response = await fetch(api.url + path, {
      method,
      headers: {
        traceparent,
        authorization: `Bearer ${await server.issuer.userToken(as)}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      body: body === undefined ? null : JSON.stringify(body),
    });
    return {
      status: response.status,
      headers: response.headers,
      body: JSON.parse((await response.text()) || 'null') as unknown,
    };
  }

  /** The line that comes of it. */
  async function line(found: (one: Line) => boolean): Promise<Line> {
    await waitUntil(() => lines.some(found));
    return lines.find(found)!;
  }

  const ofAccess = ({ context }: Line): boolean => context === 'Access';

  describe('the access log', () => {
    it('has a line of each request, by its route, and not of probes', async () => {
      for (const probe of ['healthz', 'readyz', 'metrics']) await fetch(`${server.url}/${probe}`);
      await api.deliver(firing());
      const { id } = await api.onlyAlert();
      lines = [];
      const answer = await call('GET', '/alerts?session_name=jane-1', { sub: 'jane' });
      const asked = await line(ofAccess);
      expect(asked).toMatchObject({
        level: 'log',
        method: 'GET',
        route: '/api/data/alerts',
        status: 200,
        ms: expect.any(Number) as number,
        bytes: expect.any(Number) as number,
        trace_id: TRACE,
      });
      expect(asked.bytes).toBeGreaterThan(JSON.stringify(answer.body).length);
      expect(asked.message).toBe(
        `GET /api/data/alerts: 200, ${Number(asked.bytes)} bytes in ${Number(asked.ms)} ms, trace ${TRACE}`,
      );
      lines = [];
      await api.update(id, { dismissed: true }, { sub: 'jane' });
      const changed = await line(ofAccess);
      expect(changed).toMatchObject({ method: 'PATCH', route: '/api/data/alerts/:id', status: 200 });
      expect(changed).not.toHaveProperty('trace_id');
      expect(lines.filter(ofAccess)).toHaveLength(1);
      expect(JSON.stringify([asked, changed])).not.toMatch(new RegExp(`jane|${id}|Bearer|eyJ|session_name`));
    });

    it('counts of one connection the bytes of each answer', async () => {
      const bytes: unknown[] = [];
      for (const path of ['/alerts', '/feed', '/alerts', '/alerts']) {
        lines = [];
        await call('GET', path, { sub: 'jane' });
        bytes.push((await line(ofAccess)).bytes);
      }
      const [first, unknown, ...others] = bytes;
      expect(others).toEqual([first, first]);
      expect(unknown).not.toBe(first);
    });

    it.each(['/nowhere?key=hunter2', '/alerts/%'])('has no address of what is nowhere: %s', async (path) => {
      await call('GET', path, { sub: 'jane' });
      const asked = await line(ofAccess);
      expect(asked).toMatchObject({ method: 'GET', status: 404, trace_id: TRACE });
      expect(asked).not.toHaveProperty('route');
      expect(JSON.stringify(asked)).not.toMatch(/nowhere|hunter2|%/);
    });
  });

  describe('the log', () => {
    it('has in fields what its sentences name, and the trace of whom they are about', async () => {
      const body = webhook([firing({ user: '' })], { receiver: 'team "a"' });
      await call('POST', '/webhooks/alertmanager', ALERTMANAGER, { body });
      expect(await line(({ context }) => context === 'WebhooksService')).toMatchObject({
        message:
          'Some alerts can be shown to nobody: 1 no_user; the last of them came from receiver "team \\"a\\""',
        sender: 'Alertmanager',
        receiver: 'team "a"',
        trace_id: TRACE,
      });
    });

    it('names of a message that is late the channel, the alert and the message', async () => {
      await api.deliver(firing());
      const { id } = await api.onlyAlert();
      server.app.get(AlertsClock, { strict: false }).ahead += 10_000;
      const late = await line(({ context }) => context === 'DeliveryService');
      expect(late).toMatchObject({ channel: 'webhook', alert_id: id });
      expect(late['message_id']).toEqual(expect.any(String));
      expect(late.message).toMatch(/^A message by webhook is late: /);
    });

    it('names the Alertmanager that cannot be asked', async () => {
      alertmanager.fault = 'error';
      await server.app.get(ReconcileService, { strict: false }).run();
      alertmanager.fault = 'none';
      expect(await line(({ context }) => context === 'ReconcileService')).toMatchObject({
        message: expect.stringContaining('Nothing is closed on the word of') as string,
        alertmanager: expect.stringMatching(/^http:/) as string,
      });
    });
  });

  describe('an error', () => {
    const OTHER = 'c'.repeat(32);
    beforeEach(() => takeDatabaseAway(server.databaseUrl));
    afterEach(async () => {
      await giveDatabaseBack(server.databaseUrl);
      await waitUntil(async () => (await fetch(`${server.url}/readyz`)).ok);
    });

    it('has the trace that its caller names, as the log has', async () => {
      const answer = await call('GET', '/alerts', { sub: 'jane' });
      expect(expectError(answer, 503).trace_id).toBe(TRACE);
      const logged = await line(({ context }) => context === 'ErrorResponseFilter');
      expect(logged.trace_id).toBe(TRACE);
      expect(logged.message.startsWith(`${TRACE}: `)).toBe(true);
      const other = await call(
        'GET',
        '/alerts',
        { sub: 'jane' },
        { traceparent: `00-${OTHER}-${PARENT}-00` },
      );
      expect(expectError(other, 503).trace_id).toBe(OTHER);
    });

    it.each([`00-${'0'.repeat(32)}-${PARENT}-01`, 'hunter2'])(
      'has that under which the log has its cause, where the header is %s',
      async (traceparent) => {
        const answer = await call('GET', '/alerts', { sub: 'jane' }, { traceparent });
        const { trace_id } = expectError(answer, 503);
        expect(traceparent).not.toContain(trace_id);
        expect(allLines.filter((one) => one.trace_id === trace_id).map(({ context }) => context)).toContain(
          'ErrorResponseFilter',
        );
      },
    );
  });

  describe('where an SDK of OpenTelemetry is registered', () => {
    let spans: RecordedSpans;
    beforeAll(() => {
      spans = new RecordedSpans();
    });
    afterAll(() => {
      spans.stop();
    });
    beforeEach(() => {
      spans.reset();
    });

    const ofCaller = { traceId: TRACE, spanId: PARENT };

    it('a webhook is a span of its caller, with counts alone', async () => {
      const body = webhook([firing(), firing({ session: 'jane-2' }), firing({ user: '' })]);
      await call('POST', '/webhooks/alertmanager', ALERTMANAGER, { body });
      const [stored] = spans.named('session_alerts.store');
      expect(stored).toMatchObject({ parentSpanContext: ofCaller });
      expect(stored?.attributes).toEqual({
        'session_alerts.sender': 'alertmanager',
        'session_alerts.alerts': 3,
        'session_alerts.stored': 2,
        'session_alerts.resolved': 0,
        'session_alerts.skipped': 1,
      });
      expect(spans.text).not.toMatch(/jane|memory/i);
    });

    it('one that is refused says by which class of error', async () => {
      await call('POST', '/webhooks/alertmanager', ALERTMANAGER, { body: { alerts: 'hunter2' } });
      const [refused] = spans.named('session_alerts.store');
      expect(refused?.attributes).toEqual({ 'error.type': 'UnprocessableEntityException' });
      expect(spans.text).not.toContain('hunter2');
    });

    it('a list is one, open or of history', async () => {
      await api.deliver(firing());
      await call('GET', '/alerts', { sub: 'jane' });
      await call('GET', '/alerts?status=resolved', { sub: 'jane' });
      const lists = spans.named('session_alerts.list');
      for (const list of lists) expect(list).toMatchObject({ parentSpanContext: ofCaller });
      expect(lists.map(({ attributes }) => attributes)).toEqual([
        {
          'session_alerts.status': 'open',
          'session_alerts.alerts': 1,
          'session_alerts.is_known': false,
        },
        { 'session_alerts.status': 'resolved', 'session_alerts.alerts': 0 },
      ]);
    });

    it('a comparison with Alertmanager is one', async () => {
      await api.postWebhook(webhook([firing()], { externalURL: alertmanagerUrl }));
      await server.app.get(ReconcileService, { strict: false }).run();
      expect(spans.named('session_alerts.reconcile').map(({ attributes }) => attributes)).toEqual([
        {
          'session_alerts.listed': 0,
          'session_alerts.shown': 1,
          'session_alerts.is_complete': true,
          'session_alerts.opened': 0,
          'session_alerts.gone': 1,
          'session_alerts.silenced': 0,
        },
      ]);
    });

    it('a message is one, with the class of what kept it', async () => {
      await api.deliver(firing());
      server.app.get(AlertsClock, { strict: false }).ahead += 10_000;
      await waitUntil(() => spans.named('session_alerts.deliver').length > 0);
      const [delivered] = spans.named('session_alerts.deliver');
      expect(delivered?.attributes).toEqual({
        'session_alerts.channel': 'webhook',
        'session_alerts.alerts': 1,
        'error.type': 'RetryLaterError',
      });
      expect(spans.text).not.toMatch(/jane|memory|127\.0\.0\.1/i);
    });

    it('a log line is of the trace of the span in which it is written', async () => {
      alertmanager.fault = 'no json';
      await server.app.get(ReconcileService, { strict: false }).run();
      alertmanager.fault = 'none';
      const [{ traceId } = { traceId: '' }] = spans
        .named('session_alerts.reconcile')
        .map((span) => span.spanContext());
      expect(await line(({ context }) => context === 'ReconcileService')).toMatchObject({
        trace_id: traceId,
      });
    });
  });
});
