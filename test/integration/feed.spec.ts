import { AlertsClock } from '../../src/clock/alerts-clock.js';
import { AlertsApi, expectError, firing, resolved } from '../support/alerts.js';
import { execute, giveDatabaseBack, takeDatabaseAway } from '../support/database.js';
import { startTestServer, waitUntil } from '../support/server.js';
import type { TestServer } from '../support/server.js';

const WATCHDOG = { status: 'firing', labels: { alertname: 'Watchdog' }, annotations: {} };

describe('the watchdog alert', () => {
  let server: TestServer;
  let api: AlertsApi;

  beforeAll(async () => {
    server = await startTestServer({ FEED_STALE_AFTER: '10m' });
    api = new AlertsApi(`${server.url}/api/data`, server.issuer);
  });
  beforeEach(async () => {
    server.app.get(AlertsClock, { strict: false }).ahead = 0;
    await execute(server.databaseUrl, 'TRUNCATE session_alerts.feed');
  });
  afterAll(() => server.close());

  async function feed(): Promise<{ status: string; last_seen: string | null }> {
    const answer = await api.call<{ status: string; last_seen: string | null }>('GET', '/alerts/feed', {
      as: { sub: 'jane' },
    });
    expect(answer.status).toBe(200);
    return answer.body;
  }

  it('is unknown before it ever came', async () => {
    expect(await feed()).toEqual({ status: 'unknown', last_seen: null });
  });

  it('makes the feed ok, needs no user, and is nobody’s alert', async () => {
    const before = Date.now() - 5_000;
    expect(await api.deliver(WATCHDOG)).toMatchObject({ stored: 1, skipped: 0 });
    const { status, last_seen: lastSeen } = await feed();
    expect(status).toBe('ok');
    expect(Date.parse(lastSeen ?? '')).toBeGreaterThan(before);
    expect(await execute(server.databaseUrl, 'SELECT 1 FROM session_alerts.alerts')).toEqual([]);
  });

  it('makes the feed stale when it stops coming, and ok again when it comes', async () => {
    await api.deliver(WATCHDOG);
    server.app.get(AlertsClock, { strict: false }).ahead = 11 * 60_000;
    expect((await feed()).status).toBe('stale');
    await api.deliver(WATCHDOG);
    expect((await feed()).status).toBe('ok');
  });

  it('says nothing by being resolved', async () => {
    expect(await api.deliver({ ...WATCHDOG, status: 'resolved' })).toMatchObject({
      skipped: 1,
      reasons: { watchdog_resolved: 1 },
    });
    expect((await feed()).status).toBe('unknown');
  });

  it('comes beside other alerts', async () => {
    expect(await api.deliver(firing(), WATCHDOG, resolved(firing()))).toMatchObject({
      stored: 2,
      resolved: 1,
    });
    expect((await feed()).status).toBe('ok');
  });

  it('is not shown without a token', async () => {
    expectError(await api.call('GET', '/alerts/feed'), 401);
  });

  it('stands in the detail of /readyz, and does not decide it', async () => {
    await api.deliver(WATCHDOG);
    server.app.get(AlertsClock, { strict: false }).ahead = 11 * 60_000;
    const response = await fetch(`${server.url}/readyz`);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ status: 'ok', feed: { status: 'stale' } });
  });

  it('is not taken while the database is away', async () => {
    await takeDatabaseAway(server.databaseUrl);
    try {
      expectError(await api.postWebhook({ version: '4', alerts: [WATCHDOG] }), 503);
    } finally {
      await giveDatabaseBack(server.databaseUrl);
    }
    await waitUntil(async () => (await api.postWebhook({ version: '4', alerts: [WATCHDOG] })).status === 200);
  });
});

describe('a watchdog of another name', () => {
  it('is the one that the settings name', async () => {
    const server = await startTestServer({ WATCHDOG_ALERTNAME: 'DeadMansSwitch' });
    try {
      const api = new AlertsApi(`${server.url}/api/data`, server.issuer);
      expect(await api.deliver(WATCHDOG)).toMatchObject({ stored: 0, reasons: { no_user: 1 } });
      expect(await api.deliver({ ...WATCHDOG, labels: { alertname: 'DeadMansSwitch' } })).toMatchObject({
        stored: 1,
      });
    } finally {
      await server.close();
    }
  });
});
