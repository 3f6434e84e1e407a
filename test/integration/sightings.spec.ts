import { AlertsClock } from '../../src/clock/alerts-clock.js';
import { UpkeepRepository } from '../../src/upkeep/upkeep.repository.js';
import { AlertsService } from '../../src/alerts/alerts.service.js';
import type { Observation } from '../../src/alerts/observation.js';
import { startEmbeddedPostgres } from '../../server/demo/embedded-postgres.js';
import type { EmbeddedPostgres } from '../../server/demo/embedded-postgres.js';
import { UpkeepService } from '../../src/upkeep/upkeep.service.js';
import { AlertMapper } from '../../src/webhooks/alert-mapper.service.js';
import { ALERTMANAGER } from '../../src/webhooks/senders.js';
import { AlertsApi, firing, minute, resolved } from '../support/alerts.js';
import type { AlertmanagerAlert, FiringSpec } from '../support/alerts.js';
import { connectTo, execute, forgetAlerts } from '../support/database.js';
import { startTestServer } from '../support/server.js';
import type { TestServer } from '../support/server.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const JANE = { sub: 'jane' };

/** A server whose upkeep is done when the test says so. */
function startServer(databaseUrl?: string): Promise<TestServer> {
  return startTestServer(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }, { upkeep: false });
}

function inSessions(count: number, spec: FiringSpec = {}): AlertmanagerAlert[] {
  return Array.from({ length: count }, (_, i) =>
    firing({ user: `user-${i % 100}`, session: `session-${i}`, ...spec }),
  );
}

/** Every row of an alert, with where it is and who wrote or locked it. */
function rowVersions(databaseUrl: string): Promise<Record<string, unknown>[]> {
  return execute(databaseUrl, `SELECT id, xmin, xmax, ctid FROM session_alerts.alerts ORDER BY id`);
}

async function count(databaseUrl: string, table: string): Promise<number> {
  const [row] = await execute<{ count: number }>(
    databaseUrl,
    `SELECT count(*)::int AS count FROM session_alerts.${table}`,
  );
  return row!.count;
}

describe('Repeats that change nothing', () => {
  let server: TestServer;
  let api: AlertsApi;
  let alerts: AlertsService;

  beforeAll(async () => {
    server = await startServer();
    api = new AlertsApi(`${server.url}/api/data`, server.issuer);
    alerts = server.app.get(AlertsService);
  });
  beforeEach(async () => {
    letTimePass(0);
    await forgetAlerts(server.databaseUrl);
  });
  afterAll(() => server.close());

  /** Moves the time to so long after now (ms). */
  function letTimePass(time: number): void {
    server.app.get(AlertsClock, { strict: false }).ahead = time;
  }

  function doUpkeep(): Promise<void> {
    return server.app.get(UpkeepService, { strict: false }).run();
  }

  async function repeatAfter(time: number, ...repeated: AlertmanagerAlert[]): Promise<void> {
    letTimePass(time);
    await api.deliver(...repeated);
  }

  async function upkeepAfter(time: number): Promise<void> {
    letTimePass(time);
    await doUpkeep();
  }

  async function endings(): Promise<(string | null)[]> {
    const { body } = await api.call<{ resolved_reason: string | null }[]>('GET', '/alerts?status=resolved', {
      as: JANE,
    });
    return body.map((alert) => alert.resolved_reason);
  }

  /** How many hours after now the sightings are that are kept. */
  async function sightedAfterHours(): Promise<number[]> {
    const rows = await execute<{ hours: number }>(
      server.databaseUrl,
      `SELECT round(arrival / 3600e6 - extract(epoch FROM now()) / 3600)::int AS hours
         FROM session_alerts.sightings ORDER BY arrival`,
    );
    return rows.map(({ hours }) => hours);
  }

  describe('touch no row', () => {
    it('of a thousand alerts, however often they come', async () => {
      const thousand = inSessions(1_000);
      await api.deliver(...thousand);
      const before = await rowVersions(server.databaseUrl);
      expect(before).toHaveLength(1_000);
      for (let repeat = 1; repeat <= 3; repeat++) {
        expect(await api.deliver(...thousand)).toEqual({
          stored: 1_000,
          resolved: 0,
          skipped: 0,
          reasons: {},
        });
      }
      expect(await rowVersions(server.databaseUrl)).toEqual(before);
      expect(await count(server.databaseUrl, 'sightings')).toBe(3);
    });

    it('beside one whose text changed, which is written alone', async () => {
      const ten = inSessions(10);
      await api.deliver(...ten);
      const before = await rowVersions(server.databaseUrl);
      const changed = { ...ten[3]!, annotations: firing({ title: 'Memory nearly full' }).annotations };
      await api.deliver(...ten.with(3, changed));
      const after = await rowVersions(server.databaseUrl);
      const rewritten = after.filter((row) => !before.some((one) => one['xmin'] === row['xmin']));
      const [alert] = await api.openAlerts('user-3');
      expect(rewritten.map(({ id }) => id)).toEqual([alert!.id]);
    });

    it('where they come late, with an older start (rule 6)', async () => {
      await api.deliver(firing({ startsAt: minute(10) }));
      const before = await rowVersions(server.databaseUrl);
      await api.deliver(firing({ startsAt: minute(0), title: 'Older' }));
      expect(await rowVersions(server.databaseUrl)).toEqual(before);
      expect(await count(server.databaseUrl, 'sightings')).toBe(1);
    });

    it('of an alert that its user dismissed: it stays silent, for as long as it fires (rule 8)', async () => {
      await api.deliver(firing());
      await api.update((await api.onlyAlert()).id, { dismissed: true }, JANE);
      const before = await rowVersions(server.databaseUrl);
      for (let hours = 1; hours <= 30; hours++) {
        letTimePass(hours * HOUR);
        expect(await api.deliver(firing())).toEqual({
          stored: 0,
          resolved: 0,
          skipped: 1,
          reasons: { closed_by_hand: 1 },
        });
        await doUpkeep();
      }
      expect(await rowVersions(server.databaseUrl)).toEqual(before);
      expect(await api.openAlerts()).toEqual([]);

      await api.deliver(firing({ startsAt: minute(90) }));
      expect(await api.openAlerts()).toHaveLength(1);
    });

    it('and nothing at all where they are only tried', async () => {
      await api.deliver(firing());
      const { body } = await api.postWebhook({ alerts: [firing()] }, '?dry_run=true');
      expect(body).toMatchObject({ dry_run: true, stored: 1 });
      expect(await count(server.databaseUrl, 'sightings')).toBe(0);
    });
  });

  describe('rule 9: keep a condition open', () => {
    it('rule 9: for as long as they come', async () => {
      await api.deliver(firing());
      const { id } = await api.onlyAlert();
      for (let hours = 1; hours <= 12; hours++) {
        await repeatAfter(hours * HOUR, firing());
        await doUpkeep();
        expect(await api.openAlerts()).toMatchObject([{ id }]);
      }
    });

    it.each([
      ['while upkeep is at work', [2.5, 3, 3.5, 4]],
      ['where upkeep was away meanwhile', []],
    ])('rule 9: until 2 h 15 min after the last one, %s', async (_when, upkeeps) => {
      await api.deliver(firing());
      await repeatAfter(HOUR, firing());
      await repeatAfter(2 * HOUR, firing());
      for (const hours of upkeeps) await upkeepAfter(hours * HOUR);
      await upkeepAfter(4 * HOUR + 14 * MINUTE);
      expect(await api.openAlerts()).toHaveLength(1);
      await upkeepAfter(4 * HOUR + 16 * MINUTE);
      expect(await api.openAlerts()).toEqual([]);
      expect(await endings()).toEqual(['expired']);
    });

    it('rule 9: also those of one of its series alone', async () => {
      const volume = (name: string) => firing({ labels: { persistentvolumeclaim: name } });
      await api.deliver(volume('data'), volume('home'));
      await repeatAfter(2 * HOUR, volume('home'));
      await upkeepAfter(4 * HOUR);
      expect(await api.openAlerts()).toHaveLength(1);
      await upkeepAfter(5 * HOUR);
      expect(await endings()).toEqual(['expired']);
    });

    it('rule 9: also those with an older start (rule 6)', async () => {
      await api.deliver(firing({ startsAt: minute(10) }));
      await repeatAfter(2 * HOUR, firing({ startsAt: minute(0) }));
      await upkeepAfter(4 * HOUR);
      expect(await api.openAlerts()).toHaveLength(1);
    });

    it('rule 9: but no other', async () => {
      await api.deliver(firing(), firing({ session: 'jane-2' }));
      await repeatAfter(2 * HOUR, firing());
      await upkeepAfter(3 * HOUR);
      expect(await api.openAlerts()).toMatchObject([{ session_name: 'jane-1' }]);
    });

    it('rule 9: a thousand of them, of which every other one is repeated', async () => {
      const thousand = inSessions(1_000, { user: 'jane' });
      await api.deliver(...thousand);
      await repeatAfter(2 * HOUR, ...thousand.filter((_, index) => index % 2 === 0));
      await upkeepAfter(3 * HOUR);
      const open = (await api.openAlerts()).map((alert) => alert.session_name).sort();
      expect(open).toEqual(Array.from({ length: 500 }, (_, i) => `session-${2 * i}`).sort());
    });

    it('rule 9: also where somebody else is just writing it, for whom upkeep does not wait', async () => {
      await api.deliver(firing(), firing({ session: 'jane-2' }));
      await repeatAfter(2 * HOUR, firing());
      const other = await connectTo(server.databaseUrl);
      try {
        await other.query('BEGIN');
        await other.query(
          `SELECT FROM session_alerts.alerts WHERE session_name = 'jane-1' FOR NO KEY UPDATE`,
        );
        await upkeepAfter(3 * HOUR);
      } finally {
        await other.end();
      }
      expect(await api.openAlerts()).toMatchObject([{ session_name: 'jane-1' }]);
    });
  });

  describe('rule 10: keep an event open', () => {
    const outOfMemory = firing({ name: 'RenkuSessionOOMKilled', labels: { alert_kind: 'event' } });

    it.each([
      ['while upkeep is at work', HOUR],
      ['where upkeep is away for long', 11 * HOUR],
    ])('rule 10: until a day after the last one, %s', async (_when, upkeepEvery) => {
      await api.deliver(outOfMemory);
      const { id } = await api.onlyAlert();
      const lastRepeat = 20 * HOUR;
      for (let time = HOUR; time < lastRepeat + DAY; time += HOUR) {
        if (time === 10 * HOUR || time === lastRepeat) await repeatAfter(time, outOfMemory);
        if (time % upkeepEvery === 0) await upkeepAfter(time);
      }
      await upkeepAfter(lastRepeat + DAY - MINUTE);
      expect(await api.openAlerts()).toMatchObject([{ id, kind: 'event' }]);
      await upkeepAfter(lastRepeat + DAY + MINUTE);
      expect(await endings()).toEqual(['expired']);
    });
  });

  describe('are forgotten by upkeep', () => {
    it('when no request can be under way any more that came before them, and no earlier', async () => {
      await api.deliver(firing());
      for (let hours = 0; hours <= 4; hours++) await repeatAfter(hours * HOUR, firing());
      expect(await sightedAfterHours()).toEqual([0, 1, 2, 3, 4]);
      // What came before 4 h 5 min - 2 h 15 min - 15 min = 1 h 35 min.
      await upkeepAfter(4 * HOUR + 5 * MINUTE);
      expect(await sightedAfterHours()).toEqual([2, 3, 4]);
      await upkeepAfter(4 * HOUR + 29 * MINUTE);
      expect(await sightedAfterHours()).toEqual([2, 3, 4]);
      await upkeepAfter(4 * HOUR + 31 * MINUTE);
      expect(await sightedAfterHours()).toEqual([3, 4]);
      await upkeepAfter(7 * HOUR);
      expect(await sightedAfterHours()).toEqual([]);
    });

    it('in batches, where upkeep was away for long', async () => {
      await execute(
        server.databaseUrl,
        `INSERT INTO session_alerts.sightings
         SELECT (extract(epoch FROM now()) * 1e6)::bigint - age, gen_random_uuid(), '{}'
           FROM generate_series(1, 20001) AS age`,
      );
      await repeatAfter(HOUR, firing(), firing());
      await upkeepAfter(3 * HOUR);
      expect(await sightedAfterHours()).toEqual([1]);
    });
  });

  describe('are counted where Alertmanager is compared with what is open', () => {
    it('as the moment in which a series was last seen', async () => {
      await api.deliver(firing(), firing({ session: 'jane-2' }));
      await repeatAfter(HOUR, firing());
      letTimePass(3 * HOUR);
      const series = await server.app.get(UpkeepRepository, { strict: false }).listFiringSeries();
      const unseenMinutes = series.map(({ sessionName, unseenFor }) => [
        sessionName,
        Math.round(unseenFor / MINUTE),
      ]);
      expect(Object.fromEntries(unseenMinutes)).toEqual({ 'jane-1': 120, 'jane-2': 180 });
    });
  });

  describe('rule 7: are part of the order of arrival', () => {
    const now = performance.now();
    const [first, second, third] = [now - 3_000, now - 2_000, now - 1_000];
    let replica: TestServer;

    beforeAll(async () => {
      replica = await startServer(server.databaseUrl);
    });
    afterAll(() => replica.close());

    function observed(alert: AlertmanagerAlert): Observation {
      const mapped = server.app.get(AlertMapper, { strict: false }).map(alert, ALERTMANAGER);
      if (!('observation' in mapped)) throw new Error('The test made an alert that cannot be shown');
      return mapped.observation;
    }

    /** The service that takes the repeat; the other requests come to the first server. */
    const replicas: [string, () => AlertsService][] = [
      ['the same replica', () => alerts],
      ['another replica', () => replica.app.get(AlertsService)],
    ];

    it.each(replicas)(
      'rule 7: an end that is written after a repeat that came later, to %s, closes nothing',
      async (_which, other) => {
        await alerts.apply([observed(firing())], first);
        expect(await other().apply([observed(firing())], third)).toEqual([{ result: 'refreshed' }]);
        expect(await alerts.apply([observed(resolved(firing()))], second)).toEqual([
          { result: 'ignored', reason: 'superseded' },
        ]);
        expect(await api.openAlerts()).toHaveLength(1);

        await api.deliver(resolved(firing()));
        expect(await api.openAlerts()).toEqual([]);
      },
    );

    it.each(replicas)(
      'rule 7: one that came before an end that is written already, to %s, opens nothing',
      async (_which, other) => {
        await alerts.apply([observed(firing())], first);
        await alerts.apply([observed(resolved(firing()))], third);
        expect(await other().apply([observed(firing())], second)).toEqual([
          { result: 'ignored', reason: 'superseded' },
        ]);
        expect(await api.openAlerts()).toEqual([]);
      },
    );

    it.each(replicas)('rule 7: an end that came after a repeat, to %s, closes', async (_which, other) => {
      await alerts.apply([observed(firing())], first);
      await other().apply([observed(firing())], second);
      expect(await alerts.apply([observed(resolved(firing()))], third)).toEqual([{ result: 'resolved' }]);
      expect(await api.openAlerts()).toEqual([]);
    });

    it.each(replicas)(
      'rule 7: the text of a firing that came before a repeat, to %s, is not taken',
      async (_which, other) => {
        await alerts.apply([observed(firing())], first);
        await other().apply([observed(firing())], third);
        expect(await alerts.apply([observed(firing({ title: 'Older' }))], second)).toEqual([
          { result: 'ignored', reason: 'superseded' },
        ]);
        expect((await api.onlyAlert()).title).toBe('High memory usage');
      },
    );

    it('rule 7: a repeat of one series says nothing about the end of another', async () => {
      const [data, home] = ['data', 'home'].map((name) =>
        firing({ labels: { persistentvolumeclaim: name } }),
      );
      await alerts.apply([observed(data!), observed(home!)], first);
      await alerts.apply([observed(home!)], third);
      expect(await alerts.apply([observed(resolved(data!)), observed(resolved(home!))], second)).toEqual([
        { result: 'resolved' },
        { result: 'ignored', reason: 'superseded' },
      ]);
      expect(await api.openAlerts()).toHaveLength(1);
    });

    it('rule 7: nor does one that a clock noted which was set back since', async () => {
      await alerts.apply([observed(firing())], first);
      await alerts.apply([observed(firing())], second);
      await execute(server.databaseUrl, 'UPDATE session_alerts.sightings SET arrival = arrival + 3600000000');
      expect(await api.deliver(resolved(firing()))).toMatchObject({ resolved: 1 });
      expect(await api.openAlerts()).toEqual([]);
    });
  });
});

describe('Retention of a hundred years', () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startTestServer(
      { RETENTION: '100y', EXPIRE_AFTER: '100y', UPKEEP_INTERVAL: '100y' },
      { upkeep: false },
    );
  });
  afterAll(() => server.close());

  it('keeps what has ended, and deletes it then', async () => {
    const api = new AlertsApi(`${server.url}/api/data`, server.issuer);
    const clock = server.app.get(AlertsClock, { strict: false });
    const upkeep = server.app.get(UpkeepService, { strict: false });
    await api.deliver(firing());
    await api.deliver(resolved(firing()));
    await upkeep.run();
    clock.ahead = 99 * 365 * DAY;
    await upkeep.run();
    expect(await history()).toHaveLength(1);
    clock.ahead = 101 * 365 * DAY;
    await upkeep.run();
    expect(await history()).toEqual([]);

    async function history(): Promise<unknown> {
      return (await api.call('GET', '/alerts?status=resolved', { as: { sub: 'jane' } })).body;
    }
  });
});

/** On a PostgreSQL of its own: its log of changes is that of all its databases. */
describe('What PostgreSQL logs of a thousand alerts', () => {
  let postgres: EmbeddedPostgres;
  let server: TestServer;
  let api: AlertsApi;

  beforeAll(async () => {
    postgres = await startEmbeddedPostgres({ settings: { fsync: 'off', autovacuum: 'off' } });
    server = await startServer(postgres.url);
    api = new AlertsApi(`${server.url}/api/data`, server.issuer);
  });
  afterAll(async () => {
    await server.close();
    await postgres.stop();
  });

  /** Bytes of WAL an alert: the least of a few webhooks, since the server logs for itself now and then. */
  async function logged(webhooks: AlertmanagerAlert[][]): Promise<number> {
    const sizes: number[] = [];
    for (const webhook of webhooks) {
      const before = await walPosition();
      await api.deliver(...webhook);
      sizes.push(((await walPosition()) - before) / webhook.length);
    }
    return Math.min(...sizes);
  }

  async function walPosition(): Promise<number> {
    const [row] = await execute<{ bytes: string }>(
      postgres.url,
      `SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn AS bytes`,
    );
    return Number(row!.bytes);
  }

  it('is less than 60 bytes an alert when they are repeated', async () => {
    const thousand = inSessions(1_000);
    await api.deliver(...thousand);
    // The first change of a page after a checkpoint logs all of it.
    await execute(postgres.url, 'CHECKPOINT');
    await api.deliver(...thousand);
    const before = await rowVersions(postgres.url);
    const repeats = Array.from({ length: 4 }, () => thousand);
    const ofRepeats = await logged(repeats);
    expect(ofRepeats).toBeLessThan(60);
    // No less than the keys of their series, which have 8 bytes.
    expect(ofRepeats).toBeGreaterThanOrEqual(8);
    expect(await rowVersions(postgres.url)).toEqual(before);

    const changes = repeats.map((alerts, turn) =>
      alerts.map((alert) => ({ ...alert, annotations: firing({ title: `Title ${turn}` }).annotations })),
    );
    // Row versions are another matter, and would be seen.
    expect(await logged(changes)).toBeGreaterThan(120);
  });
});
