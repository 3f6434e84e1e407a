import { ADMIN, AlertsApi, firing, resolved } from '../support/alerts.js';
import type { ShownAlert } from '../support/alerts.js';
import { AlertsService } from '../../src/alerts/alerts.service.js';
import { CHANNEL } from '../../src/database/transaction.statements.js';
import { execute, forgetAlerts } from '../support/database.js';
import { OpenPage } from '../support/event-stream.js';
import { startTestServer, waitUntil } from '../support/server.js';
import type { TestServer } from '../support/server.js';

const JANE = { sub: 'jane' };
const MANY = 50_000;
const LONGEST_ANSWER = 300_000;

describe('A user with more open alerts than an answer carries', () => {
  let server: TestServer;
  let api: AlertsApi;

  beforeAll(async () => {
    server = await startTestServer({}, { upkeep: false });
    api = new AlertsApi(`${server.url}/api/data`, server.issuer);
  });
  beforeEach(() => forgetAlerts(server.databaseUrl));
  afterAll(() => server.close());

  /** Opens so many, each in a session of its own, the last of them critical. */
  async function open(count: number, message = 'Session uses 91 % of its memory'): Promise<void> {
    await execute(
      server.databaseUrl,
      `INSERT INTO session_alerts.alerts
         (id, fingerprint, user_id, session_name, event_type, title, message, severity, gravity, is_event, by_hand,
          creation_date)
       SELECT lpad(n::text, 26, '0'), n, 'jane', 'session-' || n, 'RenkuSessionHighMemory', 'High memory usage',
              $2, CASE WHEN n > $1 - 10 THEN 'critical' ELSE 'warning' END, CASE WHEN n > $1 - 10 THEN 4 ELSE 2 END,
              false, false, now()
         FROM generate_series(1, $1::int) AS n`,
      [count, message],
    );
    await execute(server.databaseUrl, 'ANALYZE session_alerts.alerts');
    await execute(server.databaseUrl, `SELECT pg_notify($1, 'test jane')`, [CHANNEL]);
  }

  function list(query = '', as = JANE) {
    return api.call<ShownAlert[]>('GET', `/alerts${query}`, { as });
  }

  function totalOf({ headers }: { headers: Headers }): string | null {
    return headers.get('x-total-count');
  }

  it('is answered the gravest, and how many there are, in less than 300 kB', async () => {
    await open(MANY);
    const answer = await list();
    expect(totalOf(answer)).toBe(String(MANY));
    expect(JSON.stringify(answer.body).length).toBeLessThan(LONGEST_ANSWER);
    expect(answer.body.length).toBeGreaterThan(300);
    expect(answer.body.length).toBeLessThanOrEqual(500);
    expect(answer.body.slice(0, 11).map(({ severity }) => severity)).toEqual([
      ...Array.from({ length: 10 }, () => 'critical'),
      'warning',
    ]);
    const ids = answer.body.map(({ id }) => id);
    expect(ids).toEqual([...ids].sort().reverse());
  });

  it('is answered all of a session, though it is not among those', async () => {
    await open(MANY);
    const answer = await list('?session_name=session-1');
    expect(totalOf(answer)).toBe('1');
    expect(answer.body).toMatchObject([{ session_name: 'session-1' }]);
  });

  it('is told how many are of a session, where these are more than an answer carries', async () => {
    await open(600);
    const rest = 'UPDATE session_alerts.alerts SET session_name = $1 WHERE fingerprint > 50';
    await execute(server.databaseUrl, rest, ['crowded']);
    const answer = await list('?session_name=crowded');
    expect(totalOf(answer)).toBe('550');
    expect(answer.body).toHaveLength(500);
    expect(totalOf(await list())).toBe('600');
  });

  it.each([20, 21, 499, 500, 501])('with %d of them is answered at most 500', async (count) => {
    await open(count, 'Full');
    const answer = await list();
    expect(totalOf(answer)).toBe(String(count));
    expect(answer.body).toHaveLength(Math.min(count, 500));
    expect(answer.body[0]).toMatchObject({ severity: 'critical', session_name: `session-${count}` });
    expect(answer.body.at(-1)).toMatchObject({ session_name: `session-${Math.max(count - 499, 1)}` });
  });

  it.each([20, 200])('with %d long messages is answered fewer, and at least one', async (count) => {
    await open(count, 'words '.repeat(3_000));
    const answer = await list();
    expect(totalOf(answer)).toBe(String(count));
    expect(answer.body.length).toBeGreaterThan(5);
    expect(JSON.stringify(answer.body).length).toBeLessThan(LONGEST_ANSWER);
  });

  it.each([20, 200])('with %d long addresses of actions is answered fewer', async (count) => {
    await open(count, 'm'.repeat(count === 20 ? 12_400 : 100));
    const lead = `UPDATE session_alerts.alerts SET action_label = 'Resize', action_url = $1`;
    await execute(server.databaseUrl, lead, ['https://sessions.example/'.padEnd(2_000, 'x')]);
    const answer = await list();
    expect(totalOf(answer)).toBe(String(count));
    expect(answer.body.length).toBeLessThan(count);
    expect(JSON.stringify(answer.body).length).toBeLessThan(LONGEST_ANSWER);
  });

  it('is told when their number changes, though the answer does not', async () => {
    await open(600);
    const { headers, body } = await list();
    const etag = headers.get('etag') ?? '';
    const token = await server.issuer.userToken(JANE);
    const again = () =>
      fetch(`${api.url}/alerts`, { headers: { Authorization: `Bearer ${token}`, 'If-None-Match': etag } });
    const unchanged = await again();
    expect([unchanged.status, unchanged.headers.get('x-total-count')]).toEqual([304, '600']);

    const least = { user_id: 'jane', event_type: 'note', title: 'Note', message: 'Note', severity: 'info' };
    expect((await api.create(least)).status).toBe(201);
    const changed = await again();
    expect([changed.status, changed.headers.get('x-total-count')]).toEqual([200, '601']);
    expect(await changed.json()).toEqual(body);
  });

  it('is gone from an open page when its user is erased', async () => {
    await open(600);
    const page = await OpenPage.open(api.url, await server.issuer.userToken(JANE));
    await waitUntil(() => page.shown.length > 0);
    expect(await server.app.get(AlertsService, { strict: false }).deleteForUser('jane')).toBe(600);
    await page.untilShown([]);
    page.leave();
  });

  it('is sent the same on a stream, with their number before them', async () => {
    await open(600);
    const page = await OpenPage.open(api.url, await server.issuer.userToken(JANE));
    await waitUntil(() => page.shown.length > 0);
    expect(page.text.indexOf('event: total\ndata: 600\n\n')).toBeGreaterThanOrEqual(0);
    expect(page.text.indexOf('event: total')).toBeLessThan(page.text.indexOf('\n\ndata: ['));
    expect(page.shown[0]).toEqual((await list()).body);

    await api.deliver(firing({ severity: 'info' }));
    await waitUntil(() => page.text.includes('event: total\ndata: 601\n\n'));
    await api.deliver(resolved(firing({ severity: 'info' })));
    await waitUntil(() => page.text.endsWith('event: total\ndata: 600\n\n'));
    expect(page.shown).toHaveLength(1);
    page.leave();
  });

  it('is sent what a session has on its own stream', async () => {
    await open(600);
    const page = await OpenPage.open(api.url, await server.issuer.userToken(JANE), '?session_name=session-1');
    await waitUntil(() => page.shown.length > 0);
    expect(page.text).toContain('event: total\ndata: 1\n\n');
    expect(page.shown[0]).toMatchObject([{ session_name: 'session-1' }]);
    page.leave();
  });

  it('keeps nobody else waiting', async () => {
    await open(MANY);
    await api.deliver(firing({ user: 'bob' }));
    const stop = new AbortController();
    const polling = (async () => {
      let slowest = 0;
      while (!stop.signal.aborted) {
        const startedAt = performance.now();
        expect((await list('', { sub: 'bob' })).body).toHaveLength(1);
        slowest = Math.max(slowest, performance.now() - startedAt);
        await api.deliver(firing({ user: 'bob' }));
      }
      return slowest;
    })();
    for (let change = 0; change < 10; change += 1) {
      await api.create({ ...note(change), user_id: 'jane' });
      expect(totalOf(await list())).toBe(String(MANY + change + 1));
    }
    stop.abort();
    expect(await polling).toBeLessThan(2_000);
  });

  function note(number: number) {
    return { event_type: `note-${number}`, title: 'Note', message: 'Note' };
  }

  it('is shown nothing of it where somebody else asks', async () => {
    await open(600);
    const answer = await list('', ADMIN);
    expect([totalOf(answer), answer.body]).toEqual(['0', []]);
  });
});

describe('An alert behind which more series fire than are kept', () => {
  let server: TestServer;
  let api: AlertsApi;

  beforeAll(async () => {
    server = await startTestServer({}, { upkeep: false });
    api = new AlertsApi(`${server.url}/api/data`, server.issuer);
  });
  afterAll(() => server.close());

  it('keeps a thousand, says how many it left out, and grows no more', async () => {
    const volumes = Array.from({ length: 1_500 }, (_, index) => `volume-${String(index).padStart(4, '0')}`);
    const all = volumes.map((volume) => firing({ labels: { volume }, message: `${volume} is nearly full` }));
    expect(await api.deliver(...all)).toMatchObject({
      stored: 1_000,
      skipped: 500,
      reasons: { too_many_series: 500 },
    });
    const alert = await api.onlyAlert();
    expect(alert.series_count).toBe(1_000);
    expect(alert.series).toHaveLength(20);

    await api.deliver(firing({ labels: { volume: 'volume-1499' }, severity: 'critical', message: 'Full' }));
    expect(await api.onlyAlert()).toMatchObject({
      severity: 'critical',
      message: 'Full',
      series_count: 1_001,
    });

    await api.deliver(...all.map((one) => resolved(one)));
    const left = await api.onlyAlert();
    expect(left).toMatchObject({ severity: 'critical', message: 'Full' });
    expect(left).not.toHaveProperty('series');
  });
});
