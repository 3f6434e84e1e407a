import pg from 'pg';
import type { Statement } from '../../src/database/statement.js';
import { notifyPing } from '../../src/database/transaction.statements.js';
import { AlertsApi, expectError, firing, minute, resolved, webhook } from '../support/alerts.js';
import type { AlertmanagerAlert, Answer, Summary } from '../support/alerts.js';
import {
  createTestDatabase,
  execute,
  forgetAlerts,
  giveDatabaseBack,
  takeDatabaseAway,
} from '../support/database.js';
import { startTestServer, waitUntil } from '../support/server.js';
import type { TestServer } from '../support/server.js';

const PING = notifyPing('').text;

describe('Many at once', () => {
  let server: TestServer;
  let api: AlertsApi;

  beforeAll(async () => {
    server = await startTestServer({}, { upkeep: false });
    api = new AlertsApi(`${server.url}/api/data`, server.issuer);
  });
  beforeEach(() => forgetAlerts(server.databaseUrl));
  afterAll(() => server.close());

  async function count(condition: string): Promise<number> {
    const [row] = await execute<{ count: number }>(
      server.databaseUrl,
      `SELECT count(*)::int AS count FROM session_alerts.alerts WHERE ${condition}`,
    );
    return row?.count ?? NaN;
  }

  /** How many alerts of a webhook were stored, or dropped for one that arrived later (rule 7). */
  function takenFrom({ status, body }: Answer<Summary>): number {
    expect(status).toBe(200);
    const { superseded = 0, ...otherReasons } = body.reasons;
    expect(otherReasons).toEqual({});
    return body.stored + superseded;
  }

  /** Rule 2, looked up where nothing is hidden: exactly those alerts are open that a series fires for. */
  async function expectOpenWhereFiring(): Promise<void> {
    const wrong = await execute(
      server.databaseUrl,
      `SELECT id, resolved_date, ends_at, other_series FROM session_alerts.alerts
        WHERE (resolved_date IS NULL) <> (ends_at IS NULL)
           OR resolved_date IS NOT NULL AND other_series::text LIKE '%"endsAt":null%'`,
    );
    expect(wrong).toEqual([]);
    const twice = await execute(
      server.databaseUrl,
      `SELECT fingerprint FROM session_alerts.alerts WHERE resolved_date IS NULL
        GROUP BY fingerprint HAVING count(*) > 1`,
    );
    expect(twice).toEqual([]);
  }

  it('sixty copies of one webhook make one alert', async () => {
    const body = webhook([firing()]);
    const answers = await Promise.all(Array.from({ length: 60 }, () => api.postWebhook(body)));
    for (const answer of answers) expect(takenFrom(answer)).toBe(1);
    expect(await api.openAlerts()).toHaveLength(1);
    expect(await count('true')).toBe(1);
  });

  it('sixty copies of one resolve close it once', async () => {
    await api.deliver(firing());
    const body = webhook([resolved(firing())]);
    const answers = await Promise.all(Array.from({ length: 60 }, () => api.postWebhook(body)));
    expect(answers.map(({ status }) => status)).toEqual(Array<number>(60).fill(200));
    expect(answers.reduce((sum, answer) => sum + answer.body.resolved, 0)).toBe(1);
    expect(await api.openAlerts()).toEqual([]);
  });

  it('sixty series of one alert make one alert, and it stays until the last of them ends', async () => {
    const volumes = Array.from({ length: 60 }, (_, i) =>
      firing({ labels: { persistentvolumeclaim: `volume-${i}` } }),
    );
    const deliverEach = (alerts: AlertmanagerAlert[]) =>
      Promise.all(alerts.map((alert) => api.deliver(alert)));
    await deliverEach(volumes);
    expect(await api.openAlerts()).toHaveLength(1);
    await deliverEach(volumes.slice(1).map((alert) => resolved(alert)));
    expect(await api.openAlerts()).toHaveLength(1);
    await deliverEach(volumes.slice(0, 1).map((alert) => resolved(alert)));
    expect(await api.openAlerts()).toEqual([]);
    expect(await count('true')).toBe(1);
  });

  describe.each([
    ['of ten users', 10],
    // More than the users whom a batch locks one by one.
    ['of two hundred users', 200],
  ])('forty batches over the same fifty alerts %s', (_whose, users) => {
    const alerts = Array.from({ length: Math.max(50, users) }, (_, i) =>
      firing({ user: `user-${i % users}`, session: `session-${i}` }),
    );

    function postAll(batches: AlertmanagerAlert[][]) {
      return Promise.all(batches.map((batch) => api.postWebhook(webhook(batch))));
    }

    it('in random order are all taken, and make each alert once', async () => {
      const answers = await postAll(Array.from({ length: 40 }, () => shuffled(alerts)));
      for (const answer of answers) expect(takenFrom(answer)).toBe(alerts.length);
      expect(await count('resolved_date IS NULL')).toBe(alerts.length);
      expect(await count('true')).toBe(alerts.length);
      await expectOpenWhereFiring();
    });

    it('firing and resolved mixed are all taken, and leave what is right', async () => {
      const mixed = Array.from({ length: 40 }, (_, round) =>
        shuffled(alerts).map((alert) =>
          Math.random() < 0.5 ? { ...alert, startsAt: minute(round) } : resolved(alert, minute(100 + round)),
        ),
      );
      const answers = await postAll(mixed);
      expect(answers.map(({ status }) => status)).toEqual(Array<number>(40).fill(200));
      await expectOpenWhereFiring();

      // Whatever the order was, the last word counts.
      await api.deliver(...alerts.map((alert) => resolved(alert, minute(1000))));
      expect(await count('resolved_date IS NULL')).toBe(0);
      await expectOpenWhereFiring();
    });

    it('mixed with batches of single alerts and resolves by hand do not get in each others way', async () => {
      await api.deliver(...alerts);
      const open = await api.openAlerts('user-0');
      const batches = Array.from({ length: 20 }, () => shuffled(alerts));
      const singles = shuffled(alerts)
        .slice(0, 40)
        .map((alert) => [alert]);
      const [answers, updates] = await Promise.all([
        postAll([...batches, ...singles]),
        Promise.all(open.map(({ id }) => api.update(id))),
      ]);
      expect(new Set([...answers, ...updates].map(({ status }) => status))).toEqual(new Set([200]));
      // The episode goes on, and so does the silence that an administrator asked for.
      expect(await api.openAlerts('user-0')).toEqual([]);
      expect(await count('resolved_date IS NULL')).toBe(alerts.length - open.length);
    });
  });

  describe('the statements of a webhook, sent in two round trips', () => {
    /** What the database is asked meanwhile. */
    async function statements(work: () => Promise<unknown>): Promise<string[]> {
      const query = jest.spyOn(pg.Client.prototype, 'query');
      try {
        await work();
        // Whether changes are heard is looked after now and then: in plain text, and by a notice to oneself.
        return query.mock.calls
          .map(([asked]: unknown[]) => (typeof asked === 'string' ? PING : (asked as Statement).text))
          .filter((text) => text !== PING);
      } finally {
        query.mockRestore();
      }
    }

    function alertsOf(prefix: string, length: number): AlertmanagerAlert[] {
      return Array.from({ length }, (_, i) =>
        firing({ user: `${prefix}-user-${i % 300}`, session: `${prefix}-${i}` }),
      );
    }

    it.each<[string, (alerts: AlertmanagerAlert[]) => AlertmanagerAlert[], boolean]>([
      ['for new alerts', (alerts) => alerts, false],
      ['for repeats', (alerts) => alerts, true],
      [
        'for changed text',
        (alerts) => alerts.map((alert) => ({ ...alert, annotations: firing({ title: 'New' }).annotations })),
        true,
      ],
      ['for resolves', (alerts) => alerts.map((alert) => resolved(alert)), true],
      ['for resolves of unknown series', (alerts) => alerts.map((alert) => resolved(alert)), false],
      ['for both mixed', (alerts) => [...alerts.map((alert) => resolved(alert)), ...alerts], true],
    ])('are as many for 1 alert as for 1,000 %s', async (_what, change, areKnown) => {
      const one = alertsOf('one', 1);
      const thousand = alertsOf('thousand', 1_000);
      if (areKnown) await api.deliver(...one, ...thousand);
      const { length: forOne } = await statements(() => api.deliver(...change(one)));
      const { length: forThousand } = await statements(() => api.deliver(...change(thousand)));
      expect(forOne).toBeGreaterThan(0);
      expect(forThousand).toBe(forOne);
      expect(forOne).toBeLessThanOrEqual(11);
    });

    it('are none for a webhook of which nothing can be shown', async () => {
      expect(await statements(() => api.deliver(null, firing({ user: '<nil>' })))).toEqual([]);
    });

    it('ask nothing about users who want to be told nothing elsewhere, and of mutes once somebody has some', async () => {
      const ofDelivery = async (user: string): Promise<string[]> => {
        const texts = await statements(async () => {
          await api.deliver(firing({ user }));
          await api.deliver(resolved(firing({ user })));
        });
        return texts.filter((text) => /mutes|delivery_targets|deliveries/.test(text));
      };
      // As soon as it is known who does.
      await waitUntil(async () => (await ofDelivery('nobody')).length === 0);
      const body = { mutes: [{ event_type: 'SomethingElse' }] };
      expect(await api.call('PUT', '/alerts/preferences', { as: { sub: 'mutes' }, body })).toMatchObject({
        status: 200,
      });
      await waitUntil(async () => (await ofDelivery('nobody')).length === 0);
      expect(await ofDelivery('mutes')).toEqual([expect.stringContaining('session_alerts.mutes')]);
    });
  });
});

describe('While the database is away', () => {
  it('every call says 503, and works again when it is back, without a restart', async () => {
    const server = await startTestServer();
    try {
      const api = new AlertsApi(`${server.url}/api/data`, server.issuer);
      const maintenance = { title: 'Maintenance', message: 'Tonight', event_type: 'notice', user_id: 'jane' };
      await api.deliver(firing());
      const { id } = await api.onlyAlert();

      await takeDatabaseAway(server.databaseUrl);
      for (let time = 0; time < 3; time++) {
        const answers = await Promise.all([
          api.postWebhook(webhook([firing({ session: 'jane-2' })])),
          api.postWebhook(webhook([resolved(firing())])),
          api.postWebhook(webhook([firing({ session: 'jane-2' })]), '?dry_run=true'),
          api.call('GET', '/alerts', { as: { sub: 'jane' } }),
          api.create(maintenance),
          api.update(id),
        ]);
        for (const answer of answers) expect(expectError(answer, 503).trace_id).toMatch(/\w/);
      }
      const ready = await fetch(`${server.url}/readyz`);
      expect(ready.status).toBe(503);
      expect(await ready.json()).toMatchObject({ checks: { database: 'unavailable', issuer: 'ok' } });
      expect((await fetch(`${server.url}/healthz`)).status).toBe(200);

      await giveDatabaseBack(server.databaseUrl);
      // Nothing of what was answered 503 was stored.
      expect(await api.openAlerts()).toMatchObject([{ id, session_name: 'jane-1' }]);
      expect(await api.deliver(firing({ session: 'jane-2' }), resolved(firing()))).toMatchObject({
        stored: 1,
        resolved: 1,
      });
      expect((await api.create(maintenance)).status).toBe(201);
      expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
    } finally {
      await server.close();
    }
  });

  it('connections that are cut under load lose nothing that was answered 200', async () => {
    const server = await startTestServer();
    try {
      const api = new AlertsApi(`${server.url}/api/data`, server.issuer);
      const alerts = Array.from({ length: 100 }, (_, i) => firing({ session: `session-${i}` }));
      const posts = alerts.map((alert) => api.postWebhook(webhook([alert])));
      await takeDatabaseAway(server.databaseUrl);
      await giveDatabaseBack(server.databaseUrl);
      const answers = await Promise.all(posts);
      for (const { status } of answers) expect([200, 503]).toContain(status);

      const shown = new Set((await api.openAlerts()).map((alert) => alert.session_name));
      answers.forEach(({ status }, i) => {
        if (status === 200) expect(shown).toContain(`session-${i}`);
      });
      // Alertmanager sends again what was not taken.
      await api.deliver(...alerts);
      expect(await api.openAlerts()).toHaveLength(100);
    } finally {
      await server.close();
    }
  });

  it('a server starts, says that it waits, and serves once the database is there', async () => {
    const database = await createTestDatabase();
    let server: TestServer | undefined;
    try {
      await takeDatabaseAway(database.url);
      server = await startTestServer({ DATABASE_URL: database.url }, { untilReady: false });
      const { url, issuer } = server;
      const api = new AlertsApi(`${url}/api/data`, issuer);
      expect((await fetch(`${url}/healthz`)).status).toBe(200);
      expect((await fetch(`${url}/readyz`)).status).toBe(503);
      expectError(await api.postWebhook(webhook([firing()])), 503);
      expectError(await api.call('GET', '/alerts', { as: { sub: 'jane' } }), 503);

      await giveDatabaseBack(database.url);
      await waitUntil(async () => (await fetch(`${url}/readyz`)).ok);
      await api.deliver(firing());
      expect(await api.openAlerts()).toHaveLength(1);
    } finally {
      await server?.close();
      await database.drop();
    }
  });
});

describe('Servers that start together', () => {
  it.each([2, 4])('%d on one empty database all become ready, and migrate it once', async (replicas) => {
    const database = await createTestDatabase({ migrated: false });
    const servers: TestServer[] = [];
    try {
      const started = await Promise.allSettled(
        Array.from({ length: replicas }, () => startTestServer({ DATABASE_URL: database.url })),
      );
      for (const one of started) if (one.status === 'fulfilled') servers.push(one.value);
      expect(started.map(({ status }) => status)).toEqual(Array<string>(replicas).fill('fulfilled'));

      const done = await execute(database.url, 'SELECT name FROM session_alerts.session_alerts_migrations');
      expect(new Set(done.map(({ name }) => name)).size).toBe(done.length);
      expect(done.length).toBeGreaterThan(0);

      // What one stores, all show.
      const [first] = servers as [TestServer];
      await new AlertsApi(`${first.url}/api/data`, first.issuer).deliver(firing());
      for (const server of servers) {
        await waitUntil(async () => (await fetch(`${server.url}/readyz`)).ok);
        expect(await new AlertsApi(`${server.url}/api/data`, server.issuer).openAlerts()).toHaveLength(1);
      }
    } finally {
      await Promise.all(servers.map((server) => server.close()));
      await database.drop();
    }
  });
});

function shuffled<T>(values: readonly T[]): T[] {
  return values
    .map((value) => ({ value, rank: Math.random() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ value }) => value);
}
