import { AlertsApi, expectError, firing, minute, resolved } from '../support/alerts.js';
import type { ShownAlert } from '../support/alerts.js';
import { forgetAlerts } from '../support/database.js';
import { startTestServer } from '../support/server.js';
import type { TestServer } from '../support/server.js';

describe('GET /alerts?status=resolved', () => {
  let server: TestServer;
  let api: AlertsApi;

  beforeAll(async () => {
    server = await startTestServer();
    api = new AlertsApi(`${server.url}/api/data`, server.issuer);
  });
  beforeEach(() => forgetAlerts(server.databaseUrl));
  afterAll(() => server.close());

  async function past(query = '', user = 'jane'): Promise<ShownAlert[]> {
    const answer = await api.call<ShownAlert[]>('GET', `/alerts?status=resolved${query}`, {
      as: { sub: user },
    });
    expect(answer.status).toBe(200);
    return answer.body;
  }

  async function endInTurn(...sessions: string[]): Promise<void> {
    await api.deliver(...sessions.map((session) => firing({ session })));
    for (const session of sessions) await api.deliver(resolved(firing({ session })));
  }

  it("shows the caller's ended alerts alone, the last ended first", async () => {
    await endInTurn('a', 'b', 'c');
    await api.deliver(firing({ session: 'still-open' }), firing({ user: 'bob' }));
    await api.deliver(resolved(firing({ user: 'bob' })));
    expect((await past()).map((alert) => alert.session_name)).toEqual(['c', 'b', 'a']);
    expect((await past())[0]).toMatchObject({ resolved_reason: 'resolved', user_id: 'jane' });
  });

  it('pages through them without a gap or a double, also where many ended in the same moment', async () => {
    const sessions = Array.from({ length: 23 }, (_, index) => `s-${index}`);
    await api.deliver(...sessions.map((session) => firing({ session })));
    await api.deliver(...sessions.map((session) => resolved(firing({ session }))));
    const seen: (string | undefined)[] = [];
    for (let cursor = ''; ;) {
      const page = await past(`&limit=5${cursor}`);
      seen.push(...page.map((alert) => alert.session_name));
      if (page.length < 5) break;
      cursor = `&cursor=${page.at(-1)?.id ?? ''}`;
    }
    expect(seen).toHaveLength(23);
    expect(new Set(seen)).toEqual(new Set(sessions));
  });

  it('shows those that ended since a moment', async () => {
    await endInTurn('a', 'b');
    const [last, first] = await past();
    expect(await past(`&since=${encodeURIComponent(last?.resolved_date ?? '')}`)).toHaveLength(1);
    expect(await past(`&since=${encodeURIComponent(first?.resolved_date ?? '')}`)).toHaveLength(2);
    expect(await past('&since=2999-01-01T00:00:00%2B02:00')).toEqual([]);
  });

  it('shows those of one session', async () => {
    await endInTurn('a', 'b');
    expect((await past('&session_name=a')).map((alert) => alert.session_name)).toEqual(['a']);
  });

  it.each([
    ['an unknown status', '/alerts?status=closed'],
    ['a limit of 0', '/alerts?status=resolved&limit=0'],
    ['a limit over 200', '/alerts?status=resolved&limit=201'],
    ['a limit that is no number', '/alerts?status=resolved&limit=ten'],
    ['a since that is no moment', '/alerts?status=resolved&since=yesterday'],
    ['a since in a leap second', '/alerts?status=resolved&since=2016-12-31T23:59:60Z'],
    ['a cursor that is no alert', '/alerts?status=resolved&cursor=nothing'],
    ['a cursor with a NUL', '/alerts?status=resolved&cursor=%00'],
  ])('refuses %s', async (_what, path) => {
    expectError(await api.call('GET', path, { as: { sub: 'jane' } }), 422);
  });

  it('takes a cursor in lower case', async () => {
    await endInTurn('a', 'b');
    const [last, first] = await past();
    expect(await past(`&cursor=${last?.id.toLowerCase() ?? ''}`)).toEqual([first]);
  });

  it("refuses the cursor of somebody else's alert", async () => {
    await endInTurn('a');
    const [alert] = await past();
    expectError(
      await api.call('GET', `/alerts?status=resolved&cursor=${alert?.id ?? ''}`, { as: { sub: 'bob' } }),
      422,
    );
  });

  it('keeps what ended apart from what started again', async () => {
    await endInTurn('a');
    await api.deliver(firing({ session: 'a', startsAt: minute(61) }));
    const open = await api.onlyAlert();
    expect((await past()).map((alert) => alert.id)).not.toContain(open.id);
  });
});
