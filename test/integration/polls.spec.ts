import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { AlertsApi, firing, resolved } from '../support/alerts.js';
import { createTestDatabase, execute, forgetAlerts } from '../support/database.js';
import type { TestDatabase } from '../support/database.js';
import { startTestServer, waitUntil } from '../support/server.js';
import type { TestServer } from '../support/server.js';

/** The title of the alert by which an answer of the database is known on its way. */
const MARK = 'High memory usage';

describe('Polls', () => {
  let database: TestDatabase;
  let way: Server;
  let server: TestServer;
  let api: AlertsApi;
  /** How many answers of the database have held the alert. */
  let reads = 0;
  let holdsNextRead = false;
  /** Lets the answer through that was held back. */
  let letThrough: (() => void) | undefined;

  beforeAll(async () => {
    database = await createTestDatabase();
    const url = new URL(database.url);
    const { port, hostname } = url;
    way = createServer((client) => {
      const upstream = connect(Number(port), hostname);
      client.pipe(upstream);
      upstream.on('data', (data) => {
        const isRead = data.includes(MARK);
        if (isRead) reads += 1;
        if (isRead && holdsNextRead) {
          holdsNextRead = false;
          upstream.pause();
          letThrough = () => {
            client.write(data);
            upstream.resume();
          };
        } else client.write(data);
      });
      for (const [one, other] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        one.on('error', () => undefined);
        one.on('close', () => other.destroy());
      }
    });
    await once(way.listen(0, '127.0.0.1'), 'listening');
    url.hostname = '127.0.0.1';
    url.port = `${(way.address() as AddressInfo).port}`;
    server = await startTestServer({ DATABASE_URL: url.href }, { upkeep: false });
    api = new AlertsApi(`${server.url}/api/data`, server.issuer);
  });
  beforeEach(async () => {
    letThrough = undefined;
    await forgetAlerts(database.url);
    await api.deliver(firing({ title: MARK }));
    // It hears of changes.
    await waitUntil(async () => (await readsOf(() => api.openAlerts())) === 0);
  });
  afterAll(async () => {
    await server.close();
    way.close();
    await database.drop();
  });

  /** How often the database was asked for the alert meanwhile. */
  async function readsOf(work: () => Promise<unknown>): Promise<number> {
    const before = reads;
    await work();
    return reads - before;
  }

  it('are answered what was read once, as long as nothing changes', async () => {
    expect(await readsOf(() => api.openAlerts())).toBe(0);
    expect(await api.openAlerts()).toMatchObject([{ title: MARK }]);
    expect(await readsOf(() => api.openAlerts('jane', 'jane-1'))).toBe(1);
    expect(await readsOf(() => api.openAlerts('jane', 'jane-1'))).toBe(0);
    expect(await api.openAlerts('jane', 'jane-2')).toEqual([]);
    expect(await api.openAlerts('ann')).toEqual([]);

    await api.deliver(firing({ user: 'ann', title: MARK }));
    expect(await readsOf(() => api.openAlerts())).toBe(0);
    await api.deliver(firing({ title: `${MARK}, and higher` }));
    expect(await api.openAlerts()).toMatchObject([{ title: `${MARK}, and higher` }]);
  });

  it('are not answered what was read while it changed', async () => {
    await api.deliver(firing({ title: `${MARK}, and higher` }));
    holdsNextRead = true;
    const slow = api.openAlerts();
    await waitUntil(() => letThrough !== undefined);
    await api.deliver(resolved(firing()));
    letThrough?.();
    expect(await slow).toMatchObject([{ title: `${MARK}, and higher` }]);
    expect(await api.openAlerts()).toEqual([]);
  });

  it('are not answered what was read while another replica changed it', async () => {
    await api.deliver(firing({ title: `${MARK}, and higher` }));
    holdsNextRead = true;
    const slow = api.openAlerts();
    await waitUntil(() => letThrough !== undefined);
    await forgetAlerts(database.url);
    letThrough?.();
    expect(await slow).toHaveLength(1);
    // What is kept would stand for ten seconds.
    await waitUntil(async () => (await api.openAlerts()).length === 0, 5_000);
  });

  it('show what was written past us after ten seconds', async () => {
    await execute(database.url, `UPDATE session_alerts.alerts SET title = 'Written past us'`);
    await waitUntil(async () => (await api.openAlerts())[0]?.title === 'Written past us', 60_000);
  });

  describe('that name what they know', () => {
    async function poll(etag?: string | null, path = '/alerts'): Promise<Response> {
      const token = await server.issuer.userToken({ sub: 'jane' });
      return fetch(api.url + path, {
        headers: { Authorization: `Bearer ${token}`, ...(etag && { 'If-None-Match': etag }) },
      });
    }

    it('are answered 304 until something changes', async () => {
      const first = await poll();
      const etag = first.headers.get('etag');
      expect(etag).toMatch(/^"[\w-]+"$/);
      for (const known of [etag, `W/${etag}`, `"other", ${etag}`]) {
        const again = await poll(known);
        expect(again.status).toBe(304);
        expect(await again.text()).toBe('');
        expect(again.headers.get('etag')).toBe(etag);
      }
      await api.deliver(firing({ title: 'Higher' }));
      const changed = await poll(etag);
      expect(changed.status).toBe(200);
      expect(await changed.json()).toMatchObject([{ title: 'Higher' }]);
      expect(changed.headers.get('etag')).not.toBe(etag);
    });

    it('are told apart by session, and the history has no tag', async () => {
      const etag = (await poll()).headers.get('etag');
      expect((await poll(etag, '/alerts?session_name=jane-2')).status).toBe(200);
      expect((await poll(etag, '/alerts?session_name=jane-1')).status).toBe(304);
      expect((await poll(null, '/alerts?status=resolved')).headers.get('etag')).toBeNull();
    });

    it('are answered 304 also where what they know is too long to be kept', async () => {
      await api.deliver(firing({ message: 'm'.repeat(17_000) }));
      const etag = (await poll()).headers.get('etag');
      expect((await poll(etag)).status).toBe(304);
      expect(await (await poll()).json()).toMatchObject([{ message: 'm'.repeat(17_000) }]);
      expect((await poll('"other"')).status).toBe(200);
    });
  });
});
