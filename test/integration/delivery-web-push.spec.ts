import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AlertsClock } from '../../src/clock/alerts-clock.js';
import { makeVapidKeys } from '../../src/delivery/vapid-keys.js';
import { AlertsApi, expectError, firing, resolved } from '../support/alerts.js';
import type { Answer } from '../support/alerts.js';
import { execute, forgetAlerts } from '../support/database.js';
import { PushService } from '../support/push-service.js';
import type { PushedBrowser } from '../support/push-service.js';
import { startTestServer, waitUntil } from '../support/server.js';
import type { TestServer } from '../support/server.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const JANE = { sub: 'jane' };
const KEYS = makeVapidKeys();
const SUBJECT = 'mailto:alerts@example.org';

interface WebPush {
  enabled: boolean;
  subscriptions: { endpoint: string }[];
}

describe('Web push', () => {
  let folder: string;
  let service: PushService;
  let server: TestServer;
  let api: AlertsApi;
  let laptop: PushedBrowser;
  let phone: PushedBrowser;
  let ahead = 0;

  beforeAll(async () => {
    service = await PushService.start(KEYS.publicKey);
    folder = await mkdtemp(join(tmpdir(), 'web-push-'));
    await writeFile(join(folder, 'key'), `${KEYS.privateKey}\n`);
    server = await startTestServer({
      WEB_PUSH_PUBLIC_KEY: KEYS.publicKey,
      WEB_PUSH_PRIVATE_KEY_FILE: join(folder, 'key'),
      WEB_PUSH_SUBJECT: SUBJECT,
      WEB_PUSH_SERVICES: service.host,
      SESSION_URL: 'https://sessions.example/s/{session}',
    });
    api = new AlertsApi(`${server.url}/api/data`, server.issuer);
  });
  afterAll(async () => {
    await server.close();
    await service.close();
    await rm(folder, { recursive: true });
  });
  beforeEach(async () => {
    await forgetAlerts(server.databaseUrl);
    service.pushes = [];
    laptop = service.browser();
    phone = service.browser();
  });
  afterEach(() => {
    expect(service.failures).toEqual([]);
  });

  function subscribe(...subscriptions: unknown[]): Promise<Answer> {
    return api.call('PUT', '/alerts/preferences', {
      as: JANE,
      body: { channels: { web_push: { enabled: true, severity: 'info', subscriptions } } },
    });
  }

  async function subscribed(...browsers: PushedBrowser[]): Promise<void> {
    const answer = await subscribe(...browsers.map(({ subscription }) => subscription));
    expect(answer).toMatchObject({ status: 200 });
  }

  async function endpoints(): Promise<string[]> {
    const { body } = await api.call<{ channels: { web_push: WebPush } }>('GET', '/alerts/preferences', {
      as: JANE,
    });
    return body.channels.web_push.subscriptions.map(({ endpoint }) => endpoint).sort();
  }

  /**
   * Lets time pass, until nothing that is due then is left, and nothing is on its way: its lease is longer than the first
   * waits after a failure.
   */
  async function pass(ms: number): Promise<void> {
    ahead += ms;
    server.app.get(AlertsClock, { strict: false }).ahead = ahead;
    await waitUntil(async () => {
      const [row] = await execute<{ due: string }>(
        server.databaseUrl,
        `SELECT (SELECT count(*) FROM session_alerts.deliveries
                  WHERE message_id IS NULL AND due_date <= now() + interval '${ahead} ms')
              + (SELECT count(*) FROM session_alerts.messages WHERE next_try <= now() + interval '${ahead} ms'
                     OR next_try - now() - interval '${ahead} ms' BETWEEN interval '25 s' AND interval '45 s') AS due`,
      );
      return Number(row?.due) === 0;
    });
  }

  /** What came at a browser. */
  function shown(browser: PushedBrowser): string[] {
    return service.pushes.filter((push) => push.browser === browser).map(({ payload }) => payload.title);
  }

  async function outcomes(): Promise<Record<string, unknown>[]> {
    return execute(server.databaseUrl, `SELECT state, reason FROM session_alerts.messages ORDER BY attempts`);
  }

  it('tells browsers the key by which to subscribe, and is off at first', async () => {
    const { body } = await api.call('GET', '/alerts/preferences', { as: JANE });
    expect(body).toMatchObject({
      channels: { web_push: { enabled: false, subscriptions: [] } },
      offered: { web_push: { public_key: KEYS.publicKey } },
    });
  });

  it('comes to each browser of a user, encrypted for it, signed, with a link', async () => {
    await subscribed(laptop, phone);
    await api.deliver(
      firing({ title: 'Disk nearly full', message: 'Volume **data** is at 97 %.', severity: 'critical' }),
      firing({ user: 'joe', title: 'Not for Jane' }),
    );
    await pass(6_000);
    expect([shown(laptop), shown(phone)]).toEqual([['Disk nearly full'], ['Disk nearly full']]);
    const [{ payload, headers, claims }] = service.pushes as [PushService['pushes'][number]];
    expect(payload).toEqual({
      id: expect.stringMatching(/^[\da-f-]{36}$/) as string,
      title: 'Disk nearly full',
      body: 'jane-1 · Volume data is at 97 %.',
      tag: expect.stringMatching(/^session-alerts [\w-]{32}$/) as string,
      url: 'https://sessions.example/s/jane-1',
      severity: 'critical',
      transition: 'opened',
      alerts: 1,
    });
    expect(headers).toMatchObject({ urgency: 'high', ttl: '86400' });
    expect(headers['topic']).toMatch(/^[\w-]{32}$/);
    expect(claims.sub).toBe(SUBJECT);
  });

  it('says what is over where it was told, in place of that, and only for an hour', async () => {
    await subscribed(laptop);
    const alert = firing({ title: 'Disk nearly full' });
    await api.deliver(alert);
    await pass(6_000);
    await api.deliver(resolved(alert));
    await pass(6 * MINUTE);
    const [began, over] = service.pushes as [PushService['pushes'][number], PushService['pushes'][number]];
    expect(service.pushes).toHaveLength(2);
    expect(over.payload).toMatchObject({ title: 'Over: \u2068Disk nearly full\u2069', transition: 'over' });
    expect(over.payload.tag).toBe(began.payload.tag);
    expect(over.headers['topic']).toBe(began.headers['topic']);
    expect([began.headers['urgency'], over.headers['urgency'], over.headers['ttl']]).toEqual([
      'normal',
      'normal',
      '3600',
    ]);
  });

  it('leaves alone what tells of others besides', async () => {
    await subscribed(laptop);
    const alerts = [firing({ session: 'jane-1' }), firing({ session: 'jane-2' })];
    await api.deliver(...alerts);
    await pass(6_000);
    await api.deliver(resolved(alerts[0]!));
    await pass(6 * MINUTE);
    expect(shown(laptop)).toEqual(['2 alerts', 'Over: \u2068High memory usage\u2069']);
    const [both, one] = service.pushes;
    expect(one!.payload.tag).not.toBe(both!.payload.tag);
    expect(one!.headers['topic']).not.toBe(both!.headers['topic']);
  });

  it.each([404, 410])('forgets a browser that has gone (%i), and no other', async (status) => {
    await subscribed(laptop, phone);
    laptop.answers = [{ status }];
    await api.deliver(firing());
    await pass(6_000);
    expect(await endpoints()).toEqual([phone.subscription.endpoint]);
    await api.deliver(firing({ session: 'jane-2' }));
    await pass(6 * MINUTE);
    expect([shown(laptop).length, shown(phone).length]).toEqual([1, 2]);
    expect(await outcomes()).toContainEqual({
      state: 'given_up',
      reason: `${service.origin} answered ${status}: the browser has given up its subscription`,
    });
  });

  it('makes it shorter where a push service takes less, and gives up where that is too long', async () => {
    await subscribed(laptop, phone);
    laptop.answers = [{ status: 413 }];
    phone.answers = [{ status: 413 }, { status: 413 }];
    await api.deliver(firing({ message: 'm'.repeat(5_000) }));
    await pass(6_000);
    const lengths = service.pushes.filter(({ browser }) => browser === laptop).map(({ text }) => text.length);
    expect(lengths).toHaveLength(2);
    expect(lengths[1]).toBeLessThanOrEqual(1_000);
    expect(lengths[0]).toBeGreaterThan(1_000);
    expect(await outcomes()).toEqual(
      expect.arrayContaining([
        { state: 'sent', reason: null },
        { state: 'given_up', reason: `${service.origin} answered 413 also to a short message` },
      ]),
    );
  });

  it.each([429, 503])('comes again when a push service says so (%i)', async (status) => {
    await subscribed(laptop);
    laptop.answers = [{ status, headers: { 'Retry-After': '600' } }];
    await api.deliver(firing());
    await pass(6_000);
    await pass(5 * MINUTE);
    expect(shown(laptop)).toHaveLength(1);
    await pass(6 * MINUTE);
    expect(shown(laptop)).toHaveLength(2);
    expect(new Set(service.pushes.map(({ payload }) => payload.id)).size).toBe(1);
    expect(await outcomes()).toMatchObject([{ state: 'sent' }]);
  });

  it('comes again after a while where a push service fails, or sends elsewhere', async () => {
    await subscribed(laptop);
    laptop.answers = [{ status: 500 }, { status: 307, headers: { Location: `${service.origin}/elsewhere` } }];
    await api.deliver(firing());
    await pass(6_000);
    expect(await outcomes()).toEqual([{ state: 'waiting', reason: `${service.origin} answered 500` }]);
    await pass(MINUTE);
    await pass(HOUR);
    expect(shown(laptop)).toHaveLength(3);
    expect(await outcomes()).toMatchObject([{ state: 'sent' }]);
  });

  it.each([400, 401, 403])('says what to look at where who we are is not believed (%i)', async (status) => {
    await subscribed(laptop);
    laptop.answers = [{ status }];
    await api.deliver(firing());
    await pass(6_000);
    expect(await outcomes()).toEqual([
      { state: 'given_up', reason: expect.stringMatching(/VAPID keys.*subject/) as string },
    ]);
    expect(await endpoints()).toEqual([laptop.subscription.endpoint]);
  });

  it('comes again where a push service breaks off, and names no whole endpoint', async () => {
    await subscribed(laptop);
    laptop.answers = [{ status: 0 }];
    await api.deliver(firing());
    await pass(6_000);
    const [outcome] = await outcomes();
    expect(outcome).toMatchObject({
      state: 'waiting',
      reason: expect.stringMatching(/fetch failed/) as string,
    });
    expect(JSON.stringify(outcome)).not.toContain(laptop.path);
    await pass(HOUR);
    expect(await outcomes()).toMatchObject([{ state: 'sent' }]);
  });

  it('goes nowhere that is not on the list when it is sent', async () => {
    const other = await PushService.start(KEYS.publicKey);
    const browser = other.browser();
    await subscribed(laptop);
    await execute(
      server.databaseUrl,
      `UPDATE session_alerts.delivery_targets SET details = json_build_object('endpoint', $1::text, 'keys', details -> 'keys')`,
      [browser.subscription.endpoint],
    );
    await api.deliver(firing());
    await pass(6_000);
    expect(await endpoints()).toEqual([]);
    expect(await outcomes()).toEqual([
      {
        state: 'given_up',
        reason: expect.stringContaining('not one of a push service known here') as string,
      },
    ]);
    expect([...other.pushes, ...other.failures]).toEqual([]);
    await other.close();
  });

  it('is held below 3,000 bytes, whatever is told', async () => {
    await subscribed(laptop);
    const long = 'مساحة القرص ممتلئة تقريبًا في وحدة التخزين. ';
    await api.deliver(
      ...Array.from({ length: 200 }, (_, index) =>
        firing({ session: `jane-${index}`, title: long.repeat(10), message: long.repeat(400) }),
      ),
    );
    await pass(6_000);
    await api.deliver(
      firing({
        user: 'jane',
        title: `${long}\u0001"\\`.repeat(10),
        message: '\\"\n'.repeat(3_000),
        session: 'x',
      }),
    );
    await pass(6 * MINUTE);
    const [storm, one] = service.pushes;
    expect(storm!.payload).toMatchObject({ title: '200 alerts', alerts: 200 });
    expect(storm!.payload.body).toMatch(/^(مساحة.*…\n){5}and 195 more$/);
    expect(one!.payload.title).toMatch(/^مساحة.*…$/);
    for (const { text, size } of service.pushes) {
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(3_000);
      expect(size).toBeLessThanOrEqual(4_096);
      expect(text).not.toContain('\uFFFD');
    }
  });

  it('speaks the language of the token by which the user subscribed', async () => {
    const token = await server.issuer.sign({ sub: 'jane', locale: 'de-CH' });
    const answer = await fetch(`${api.url}/alerts/preferences`, {
      method: 'PUT',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({
        channels: { web_push: { enabled: true, subscriptions: [laptop.subscription] } },
      }),
    });
    expect(answer.status).toBe(200);
    await api.deliver(firing(), firing({ session: 'jane-2' }));
    await pass(6_000);
    expect(shown(laptop)).toEqual(['2 Meldungen']);
  });

  it('takes a subscription as browsers write it', async () => {
    expect(await subscribe({ ...laptop.subscription, expirationTime: null })).toMatchObject({
      status: 200,
      body: { channels: { web_push: { subscriptions: [laptop.subscription] } } },
    });
  });

  describe('refuses a subscription', () => {
    const withEndpoint = (endpoint: string) => ({ ...laptop.subscription, endpoint });
    const withKeys = (keys: object) => ({
      ...laptop.subscription,
      keys: { ...laptop.subscription.keys, ...keys },
    });
    const bytes = (length: number, first = 4) =>
      Buffer.alloc(length, 1).fill(first, 0, 1).toString('base64url');

    it.each([
      ['without keys', () => ({ endpoint: laptop.subscription.endpoint }), /keys/],
      ['with a short key', () => withKeys({ p256dh: bytes(64) }), /p256dh: it must be the browser's key/],
      ['with a long key', () => withKeys({ p256dh: bytes(66) }), /p256dh/],
      ['with a compressed key', () => withKeys({ p256dh: bytes(65, 2) }), /p256dh/],
      ['with a key off the curve', () => withKeys({ p256dh: bytes(65) }), /p256dh/],
      ['with a short secret', () => withKeys({ auth: bytes(15) }), /auth: it must be 16 bytes/],
      ['with a long secret', () => withKeys({ auth: bytes(17) }), /auth/],
      ['with keys that are no text', () => withKeys({ auth: 7 }), /auth/],
      ['at http', () => withEndpoint(laptop.subscription.endpoint.replace('https', 'http')), /https/],
      ['at an unknown host', () => withEndpoint('https://push.example.com/x'), /known here/],
      ['at a private address', () => withEndpoint('https://10.0.0.7/x'), /known here/],
      ['at this machine', () => withEndpoint('https://[::1]/x'), /known here/],
      ['at another port', () => withEndpoint('https://fcm.googleapis.com:8443/x'), /known here/],
      ['with a password', () => withEndpoint('https://jane:x@fcm.googleapis.com/x'), /known here/],
      ['that is no address', () => withEndpoint('https://['), /known here/],
      ['that is too long', () => withEndpoint(`https://fcm.googleapis.com/${'x'.repeat(2_000)}`), /2000/],
      ['with more', () => ({ ...laptop.subscription, more: 1 }), /more/],
    ])('%s', async (_what, subscription, saying) => {
      const answer = await subscribe(subscription());
      expect(JSON.stringify(expectError(answer, 422))).toMatch(saying);
      expect(await endpoints()).toEqual([]);
    });

    it('that is one more than ten', async () => {
      const subscriptions = Array.from({ length: 11 }, () => service.browser().subscription);
      expect(JSON.stringify(expectError(await subscribe(...subscriptions), 422))).toMatch(/at most 10/);
      expect(await subscribe(...subscriptions.slice(1))).toMatchObject({ status: 200 });
    });
  });

  it('takes a subscription that is named twice as one', async () => {
    const { subscription } = laptop;
    expect(await subscribe(subscription, subscription)).toMatchObject({ status: 200 });
    expect(await endpoints()).toEqual([subscription.endpoint]);
  });
});
