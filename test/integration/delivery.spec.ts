import { createHmac } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AlertsClock } from '../../src/clock/alerts-clock.js';
import { ADMIN, AlertsApi, expectError, firing, resolved } from '../support/alerts.js';
import { execute, forgetAlerts } from '../support/database.js';
import { OpenPage } from '../support/event-stream.js';
import { startTestServer, waitUntil } from '../support/server.js';
import type { TestServer } from '../support/server.js';

const MINUTE = 60_000;
const SECRET = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;

/** What came at the bridge. */
interface Posted {
  headers: IncomingHttpHeaders;
  text: string;
  alerts: {
    transition: string;
    title: string;
    severity: string | null;
    session_name: string;
    link?: string;
  }[];
  userId: string;
}

describe('What is told outside of the page', () => {
  let folder: string;
  let bridge: Server;
  let server: TestServer;
  let api: AlertsApi;
  let posted: Posted[] = [];
  let answers: { status: number; headers?: Record<string, string> }[] = [];
  let ahead = 0;

  beforeAll(async () => {
    bridge = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const { data } = JSON.parse(text) as { data: { user_id: string; alerts: Posted['alerts'] } };
        posted.push({ headers: request.headers, text, alerts: data.alerts, userId: data.user_id });
        const { status, headers } = answers.shift() ?? { status: 204 };
        response.writeHead(status, headers).end();
      });
    });
    await new Promise<void>((resolve) => bridge.listen(0, '127.0.0.1', resolve));
    folder = await mkdtemp(join(tmpdir(), 'delivery-'));
    await writeFile(join(folder, 'secret'), SECRET);
    server = await startTestServer({
      DELIVERY_WEBHOOK_URL: `http://127.0.0.1:${(bridge.address() as AddressInfo).port}/alerts`,
      DELIVERY_WEBHOOK_SECRET_FILE: join(folder, 'secret'),
      DELIVERY_WEBHOOK_SEVERITY: 'warning',
      SESSION_URL: 'https://sessions.example/s/{session}',
    });
    api = new AlertsApi(`${server.url}/api/data`, server.issuer);
  });
  afterAll(async () => {
    await server.close();
    await new Promise((resolve) => bridge.close(resolve));
    await rm(folder, { recursive: true });
  });
  beforeEach(async () => {
    posted = [];
    answers = [];
    await forgetAlerts(server.databaseUrl);
  });

  /** Lets time pass. */
  function pass(ms: number): void {
    ahead += ms;
    server.app.get(AlertsClock, { strict: false }).ahead = ahead;
  }

  /** Waits until nothing that is due now is left. */
  async function untilTold(): Promise<void> {
    await waitUntil(async () => {
      const [row] = await execute<{ due: string }>(
        server.databaseUrl,
        `SELECT (SELECT count(*) FROM session_alerts.deliveries
                  WHERE message_id IS NULL AND due_date <= now() + interval '${ahead} ms')
              + (SELECT count(*) FROM session_alerts.messages
                  WHERE next_try <= now() + interval '${ahead} ms'
                     OR (next_try IS NOT NULL AND attempts > 0 AND reason IS NULL)) AS due`,
      );
      return Number(row?.due) === 0;
    });
  }

  function told(): string[][] {
    return posted.map(({ alerts }) => alerts.map(({ transition, title }) => `${transition} ${title}`));
  }

  it('is told once and soon where nobody looks, signed, with a link', async () => {
    await api.deliver(firing({ title: 'Disk nearly full', severity: 'critical' }));
    pass(6_000);
    await untilTold();
    expect(told()).toEqual([['opened Disk nearly full']]);
    const [{ headers, text, alerts, userId }] = posted as [Posted];
    expect(userId).toBe('jane');
    expect(alerts[0]).toMatchObject({ session_name: 'jane-1', link: 'https://sessions.example/s/jane-1' });
    const { 'webhook-id': id, 'webhook-timestamp': sentAt, 'webhook-signature': signature } = headers;
    const hmac = createHmac('sha256', Buffer.alloc(24, 7)).update(`${String(id)}.${String(sentAt)}.${text}`);
    expect(signature).toBe(`v1,${hmac.digest('base64')}`);

    pass(60 * MINUTE);
    await api.deliver(firing({ title: 'Disk nearly full', severity: 'critical' }));
    await untilTold();
    expect(posted).toHaveLength(1);
  });

  it('is not told what is less grave than is wanted, nor until then', async () => {
    await api.deliver(firing({ severity: 'info' }));
    pass(10 * MINUTE);
    await untilTold();
    expect(posted).toEqual([]);
    await api.deliver(firing({ severity: 'critical', title: 'Graver' }));
    pass(6_000);
    await untilTold();
    expect(told()).toEqual([['escalated Graver']]);
  });

  it('is said to be over where it was told, once, and not where its user has closed it', async () => {
    const alerts = [firing({ session: 'jane-1' }), firing({ session: 'jane-2' })];
    await api.deliver(...alerts);
    pass(6_000);
    await untilTold();
    expect(told()).toEqual([['opened High memory usage', 'opened High memory usage']]);
    await api.deliver(resolved(alerts[0]!));
    const [other] = await api.openAlerts();
    await api.update(other!.id, { dismissed: true }, { sub: 'jane' });
    pass(6 * MINUTE);
    await untilTold();
    expect(told().slice(1)).toEqual([['over High memory usage']]);
    pass(60 * MINUTE);
    await untilTold();
    expect(posted).toHaveLength(2);
  });

  it('is not told what has ended, was dismissed or seen before', async () => {
    const page = await OpenPage.open(api.url, await server.issuer.userToken({ sub: 'jane' }));
    try {
      await waitUntil(async () => (await pages()) === 1);
      const ends = firing({ session: 'ends' });
      await api.deliver(
        ends,
        firing({ session: 'dismissed' }),
        firing({ session: 'seen' }),
        firing({ session: 'told' }),
      );
      const ids = new Map((await api.openAlerts()).map(({ id, session_name: session }) => [session, id]));
      pass(119_000);
      await untilTold();
      expect(posted).toEqual([]);
      await api.deliver(resolved(ends));
      await api.update(ids.get('dismissed')!, { dismissed: true }, { sub: 'jane' });
      expect(
        await api.call('POST', '/alerts/seen', {
          as: { sub: 'jane' },
          body: { ids: [ids.get('seen')!.toLowerCase()] },
        }),
      ).toMatchObject({ status: 200, body: { seen: 1 } });
      pass(2_000);
      await untilTold();
      expect(posted.map(({ alerts }) => alerts.map(({ session_name: session }) => session))).toEqual([
        ['told'],
      ]);
    } finally {
      page.leave();
    }
    await waitUntil(async () => (await pages()) === 0);
  });

  it('is due after the grace where another replica has a page of the user, and soon again once it is gone', async () => {
    let session = 0;
    const isDueSoon = async (): Promise<boolean> => {
      await forgetAlerts(server.databaseUrl);
      await api.deliver(firing({ session: `jane-${(session += 1)}` }));
      const [row] = await execute<{ wait: string }>(
        server.databaseUrl,
        `SELECT extract(epoch FROM due_date - now()) - ${ahead / 1_000} AS wait FROM session_alerts.deliveries`,
      );
      return Number(row?.wait) < 60;
    };
    expect(await isDueSoon()).toBe(true);
    await execute(
      server.databaseUrl,
      `INSERT INTO session_alerts.open_pages (until, replica, user_id)
       VALUES (now() + interval '${ahead} ms' + interval '1 hour', gen_random_uuid(), 'jane')`,
    );
    await waitUntil(async () => !(await isDueSoon()), 60_000);
    await execute(server.databaseUrl, 'DELETE FROM session_alerts.open_pages');
    await waitUntil(isDueSoon, 60_000);
  });

  async function pages(): Promise<number> {
    const rows = await execute(server.databaseUrl, 'SELECT FROM session_alerts.open_pages');
    return rows.length;
  }

  it('makes one message of a storm, and of what comes within five minutes', async () => {
    const storm = Array.from({ length: 200 }, (_, index) => firing({ session: `storm-${index}` }));
    for (let from = 0; from < storm.length; from += 50) await api.deliver(...storm.slice(from, from + 50));
    pass(6_000);
    await untilTold();
    expect(posted.map(({ alerts }) => alerts.length)).toEqual([200]);
    await api.deliver(firing({ session: 'later' }));
    pass(MINUTE);
    await untilTold();
    expect(posted).toHaveLength(1);
    await api.deliver(firing({ session: 'latest' }));
    pass(4 * MINUTE);
    await untilTold();
    expect(posted.map(({ alerts }) => alerts.length)).toEqual([200, 2]);
  });

  it('is tried again with the same id until it is taken, and obeys who says when', async () => {
    answers = [{ status: 503, headers: { 'Retry-After': '600' } }, { status: 500 }];
    await api.deliver(firing());
    pass(6_000);
    await untilTold();
    expect(posted).toHaveLength(1);
    pass(5 * MINUTE);
    await untilTold();
    expect(posted).toHaveLength(1);
    pass(6 * MINUTE);
    await untilTold();
    pass(20 * MINUTE);
    await untilTold();
    expect(posted).toHaveLength(3);
    expect(new Set(posted.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  });

  it('is not said to be over where it had ended before it was told with others', async () => {
    answers = [{ status: 503 }];
    const ends = firing({ session: 'ends' });
    await api.deliver(ends, firing({ session: 'stays' }));
    pass(6_000);
    await untilTold();
    expect(posted.map(({ alerts }) => alerts.length)).toEqual([2]);
    await api.deliver(resolved(ends));
    pass(MINUTE);
    await untilTold();
    pass(10 * MINUTE);
    await untilTold();
    expect(posted.slice(1).map(({ alerts }) => alerts.map(({ session_name: session }) => session))).toEqual([
      ['stays'],
    ]);
  });

  it('is given up where nobody takes it, with the reason, after a day or at once', async () => {
    answers = [{ status: 422 }];
    await api.deliver(firing());
    pass(6_000);
    await untilTold();
    const reasons = () =>
      execute(server.databaseUrl, `SELECT state, reason FROM session_alerts.messages ORDER BY created_date`);
    expect(await reasons()).toEqual([{ state: 'given_up', reason: 'the receiver answered 422' }]);
    answers = [{ status: 500 }, { status: 500 }];
    await api.deliver(firing({ session: 'other' }));
    pass(6 * MINUTE);
    await untilTold();
    pass(25 * 60 * MINUTE);
    await untilTold();
    expect((await reasons())[1]).toEqual({ state: 'given_up', reason: 'the receiver answered 500' });
  });

  describe('what a user says of it', () => {
    const jane = { sub: 'jane' };

    it('is off at first, and is kept as a whole', async () => {
      expect(await api.call('GET', '/alerts/preferences', { as: jane })).toMatchObject({
        status: 200,
        body: { channels: {}, mutes: [], quiet_hours: null, offered: {} },
      });
      const said = {
        mutes: [{ event_type: 'HighMemory', session_name: 'jane-1' }],
        quiet_hours: { from: '22:00', to: '07:30', time_zone: 'Europe/Zurich', critical_passes: true },
      };
      const kept = await api.call<object>('PUT', '/alerts/preferences', { as: jane, body: said });
      expect(kept).toMatchObject({ status: 200, body: said });
      expect(await api.call('PUT', '/alerts/preferences', { as: jane, body: kept.body })).toMatchObject({
        status: 200,
        body: kept.body,
      });
      expect((await api.call('GET', '/alerts/preferences', { as: { sub: 'joe' } })).body).toMatchObject({
        mutes: [],
      });
    });

    it.each([
      ['an unknown channel', { channels: { pigeon: { enabled: true } } }, /pigeon/],
      [
        'an unknown time zone',
        { quiet_hours: { from: '22:00', to: '07:00', time_zone: 'Europe/Zurick' } },
        /time_zone/,
      ],
      [
        'an hour that there is not',
        { quiet_hours: { from: '24:00', to: '07:00', time_zone: 'UTC' } },
        /from/,
      ],
      ['a long event type', { mutes: [{ event_type: 'x'.repeat(2_000) }] }, /event_type/],
      ...['tomorrow', '2027-01-01T00:00:00', '0000-01-01T00:00:00Z', '9999-12-31T23:59:59-12:00'].map(
        (until): [string, object, RegExp] => [
          `the moment ${until}`,
          { mutes: [{ event_type: 'x', until }] },
          /until/,
        ],
      ),
      ['an unknown field', { mutes: [{ event_type: 'x', for: 7 }] }, /for/],
      ['no list', { mutes: {} }, /mutes must be a list/],
      ['too many', { mutes: Array.from({ length: 201 }, () => ({ event_type: 'x' })) }, /at most 200/],
      ['what is none of it', { colour: 'red' }, /colour/],
    ])('is refused where it has %s', async (_what, body, detail) => {
      const answer = await api.call('PUT', '/alerts/preferences', { as: jane, body });
      expect(JSON.stringify(expectError(answer, 422))).toMatch(detail);
    });

    it('mutes what it names: it stays in the list, says so, and is told nowhere', async () => {
      const { event_type } = await (async () => {
        await api.deliver(firing());
        return api.onlyAlert();
      })();
      const until = new Date(Date.now() + ahead + 60 * MINUTE).toISOString();
      const mutes = [{ event_type, until }];
      await api.call('PUT', '/alerts/preferences', { as: jane, body: { mutes } });
      expect(await api.onlyAlert()).toMatchObject({ muted_until: until });
      await api.deliver(firing({ session: 'jane-2' }), firing({ session: 'joe-1', user: 'joe' }));
      pass(10 * MINUTE);
      await untilTold();
      expect(posted.map(({ userId }) => userId)).toEqual(['joe']);
      expect(
        (await api.openAlerts()).map(({ session_name: session, ...alert }) => [session, alert]),
      ).toMatchObject([
        ['jane-2', { muted_until: until }],
        ['jane-1', { muted_until: until }],
      ]);
      await api.call('PUT', '/alerts/preferences', { as: jane, body: {} });
      expect((await api.openAlerts())[0]).not.toHaveProperty('muted_until');
    });

    it('says what was seen to all of their pages, until it becomes graver', async () => {
      await api.deliver(firing({ severity: 'warning' }));
      const { id } = await api.onlyAlert();
      const see = (as: { sub: string }) => api.call('POST', '/alerts/seen', { as, body: { ids: [id] } });
      expect((await see({ sub: 'joe' })).body).toEqual({ seen: 0 });
      expect((await see(jane)).body).toEqual({ seen: 1 });
      expect((await see(jane)).body).toEqual({ seen: 0 });
      const { seen_date: seen } = await api.onlyAlert();
      expect(new Date(seen!).getTime()).toBeGreaterThan(0);
      await api.deliver(firing({ severity: 'critical' }));
      expect(await api.onlyAlert()).not.toHaveProperty('seen_date');
      for (const body of [{}, { ids: 'x' }, { ids: ['x'] }, { ids: Array.from({ length: 501 }, () => id) }]) {
        expectError(await api.call('POST', '/alerts/seen', { as: jane, body }), 422);
      }
      expectError(await api.call('POST', '/alerts/seen', { body: { ids: [] } }), 401);
    });

    it('goes with what else is kept of them', async () => {
      await api.call('PUT', '/alerts/preferences', { as: jane, body: { mutes: [{ event_type: 'x' }] } });
      await api.deliver(firing());
      pass(6_000);
      await untilTold();
      const { AlertsService } = await import('../../src/alerts/alerts.service.js');
      await server.app.get(AlertsService, { strict: false }).deleteForUser('jane');
      for (const table of [
        'preferences',
        'mutes',
        'delivery_targets',
        'deliveries',
        'messages',
        'open_pages',
      ]) {
        expect(
          await execute(server.databaseUrl, `SELECT FROM session_alerts.${table} WHERE user_id = 'jane'`),
        ).toEqual([]);
      }
      expect(ADMIN.roles).toBeDefined();
    });
  });
});
