import { AlertsClock } from '../../src/clock/alerts-clock.js';
import { AskedAlertmanagers } from '../../src/webhooks/alertmanager/asked-alertmanagers.service.js';
import { ReconcileService } from '../../src/upkeep/reconcile.service.js';
import { UpkeepService } from '../../src/upkeep/upkeep.service.js';
import { AlertsApi, firing, minute, resolved, webhook } from '../support/alerts.js';
import type { AlertmanagerAlert, ShownAlert } from '../support/alerts.js';
import { createTestDatabase, execute, forgetAlerts } from '../support/database.js';
import type { TestDatabase } from '../support/database.js';
import { ListingAlertmanager } from '../support/listing-alertmanager.js';
import type { HeldAlert } from '../support/listing-alertmanager.js';
import { startTestServer, waitUntil } from '../support/server.js';
import type { TestServer } from '../support/server.js';

describe('Reconciling with two Alertmanagers', () => {
  const alertmanagers = [new ListingAlertmanager(), new ListingAlertmanager()] as const;
  const [one, other] = alertmanagers;
  let urls: string[];
  let server: TestServer;
  let api: AlertsApi;

  beforeAll(async () => {
    urls = await Promise.all(alertmanagers.map((alertmanager) => alertmanager.start()));
    server = await startTestServer({ ALERTMANAGER_URLS: urls.join(',') }, { upkeep: false });
    api = new AlertsApi(`${server.url}/api/data`, server.issuer);
  });
  beforeEach(async () => {
    for (const alertmanager of alertmanagers) alertmanager.reset();
    server.app.get(AlertsClock, { strict: false }).ahead = 0;
    await forgetAlerts(server.databaseUrl);
  });
  afterAll(async () => {
    await server.close();
    for (const alertmanager of alertmanagers) await alertmanager.stop();
  });

  /** Posts alerts as one of those does that are asked, or another one. */
  async function deliver(...alerts: AlertmanagerAlert[]): Promise<void> {
    await post(urls[0], ...alerts);
  }

  async function post(externalURL: string | undefined, ...alerts: AlertmanagerAlert[]): Promise<void> {
    expect(await api.postWebhook(webhook(alerts, { externalURL }))).toMatchObject({ status: 200 });
  }

  async function reconcile(times = 1): Promise<void> {
    for (let left = times; left > 0; left--) await server.app.get(ReconcileService, { strict: false }).run();
  }

  /** Spoils the other one when it has told its status. */
  function beforeListing(spoil: () => void): () => void {
    return () => {
      other.whenAsked = () => {
        spoil();
        return Promise.resolve();
      };
    };
  }

  async function past(): Promise<ShownAlert[]> {
    return (await api.call<ShownAlert[]>('GET', '/alerts?status=resolved', { as: { sub: 'jane' } })).body;
  }

  it('opens what webhooks missed, when they have had time to come', async () => {
    one.lists(firing());
    await reconcile();
    expect(await api.openAlerts()).toEqual([]);
    await reconcile();
    expect(await api.onlyAlert()).toMatchObject({ title: 'High memory usage', session_name: 'jane-1' });
  });

  it('closes what is gone', async () => {
    await deliver(firing(), firing({ session: 'jane-2' }));
    other.lists(firing({ session: 'jane-2' }));
    await reconcile();
    expect((await api.onlyAlert()).session_name).toBe('jane-2');
    expect((await past())[0]).toMatchObject({ session_name: 'jane-1', resolved_reason: 'reconciled' });
  });

  it('closes an alert of two volumes only when both are gone', async () => {
    const volumes = ['a', 'b'].map((name) => firing({ labels: { persistentvolumeclaim: name } }));
    await deliver(...volumes);
    one.lists(...volumes.slice(1));
    await reconcile();
    expect(await api.openAlerts()).toHaveLength(1);
    one.lists();
    await reconcile();
    expect(await api.openAlerts()).toEqual([]);
  });

  it('opens again what it closed and is listed again', async () => {
    await deliver(firing());
    await reconcile();
    one.lists(firing());
    await reconcile();
    await reconcile();
    expect(await api.openAlerts()).toHaveLength(1);
  });

  describe('What Alertmanager withholds', () => {
    it.each<[string, Partial<HeldAlert>]>([
      ['a silence holds back', { withheld: 'silenced' }],
      ['an inhibition holds back', { withheld: 'inhibited' }],
      ['a time interval mutes', { withheld: 'muted' }],
      ['goes to another receiver', { receivers: ['on-call'] }],
    ])('is not opened where %s, and is opened when that is over', async (_how, held) => {
      one.alerts = [{ alert: firing(), ...held }];
      await reconcile();
      await reconcile();
      expect(await api.openAlerts()).toEqual([]);
      one.lists(firing());
      await reconcile();
      expect(await api.openAlerts()).toEqual([]);
      await reconcile();
      expect(await api.openAlerts()).toHaveLength(1);
    });

    it.each<[string, Partial<HeldAlert>]>([
      ['an inhibition holds back', { withheld: 'inhibited' }],
      ['a time interval mutes', { withheld: 'muted' }],
      ['goes to another receiver', { receivers: ['on-call'] }],
    ])('stays where %s while it is shown, also beyond its expiry', async (_how, held) => {
      await deliver(firing());
      const { id } = await api.onlyAlert();
      one.alerts = [{ alert: firing(), ...held }];
      const clock = server.app.get(AlertsClock, { strict: false });
      for (const hours of [0, 1, 2, 3, 4]) {
        clock.ahead = hours * 3_600_000;
        await reconcile();
        await server.app.get(UpkeepService, { strict: false }).run();
      }
      expect((await api.onlyAlert()).id).toBe(id);
    });

    it('is sent where any of its routes to us is not muted', async () => {
      one.alerts = [{ alert: firing(), withheld: 'muted' }, { alert: firing() }];
      await reconcile();
      await reconcile();
      expect(await api.openAlerts()).toHaveLength(1);
    });

    it('closes by a silence while it is shown, opens again when that ends, and was never lost', async () => {
      const before = await drift();
      await deliver(firing());
      const { id } = await api.onlyAlert();
      one.alerts = [{ alert: firing(), withheld: 'silenced' }];
      await reconcile();
      await reconcile();
      expect(await api.openAlerts()).toEqual([]);
      expect(await past()).toMatchObject([{ id, resolved_reason: 'silenced' }]);

      one.lists(firing());
      await reconcile();
      await reconcile();
      expect((await api.onlyAlert()).id).not.toBe(id);
      expect(await drift()).toEqual(before);
    });

    it('by a silence is no end that a person made: where webhooks bring it, it opens', async () => {
      await deliver(firing());
      one.alerts = [{ alert: firing(), withheld: 'silenced' }];
      await reconcile();
      await deliver(firing());
      expect(await api.openAlerts()).toHaveLength(1);
    });

    it('and what a person closed before stays closed when the silence ends', async () => {
      await deliver(firing());
      await api.update((await api.onlyAlert()).id, { dismissed: true }, { sub: 'jane' });
      one.alerts = [{ alert: firing(), withheld: 'silenced' }];
      await reconcile();
      one.lists(firing());
      await reconcile();
      await reconcile();
      expect(await api.openAlerts()).toEqual([]);
    });

    it('leaves the words of those that are not silenced', async () => {
      const grave = firing({ severity: 'critical', title: 'No memory', labels: { pod: 'one' } });
      const other = firing({ severity: 'warning', title: 'Little memory', labels: { pod: 'two' } });
      await deliver(grave, other);
      one.alerts = [{ alert: grave, withheld: 'silenced' }, { alert: other }];
      await reconcile();
      expect(await api.onlyAlert()).toMatchObject({ title: 'Little memory', severity: 'warning' });
      one.lists(grave, other);
      await reconcile();
      await reconcile();
      expect(await api.onlyAlert()).toMatchObject({ title: 'No memory', severity: 'critical' });
    });

    it('ends an event that is silenced, and leaves to its user what an administrator opened', async () => {
      const event = firing({ labels: { alert_kind: 'event' } });
      await deliver(event);
      one.alerts = [{ alert: event, withheld: 'silenced' }];
      await api.create({ title: 'Tonight', message: 'Maintenance', event_type: 'note', user_id: 'jane' });
      await reconcile();
      expect((await api.onlyAlert()).event_type).toBe('note');
      expect(await past()).toMatchObject([{ resolved_reason: 'silenced' }]);
    });

    it('stays while another Alertmanager would send it, or cannot be asked', async () => {
      await deliver(firing());
      one.alerts = [{ alert: firing(), withheld: 'silenced' }];
      other.lists(firing());
      await reconcile();
      other.lists();
      other.fault = 'error';
      await reconcile();
      expect(await api.openAlerts()).toHaveLength(1);
      other.fault = 'none';
      await reconcile();
      expect(await api.openAlerts()).toEqual([]);
    });

    it('by time is not known of an Alertmanager that does not tell: routes with time intervals open nothing', async () => {
      one.tellsMuted = false;
      one.config = `
        route:
          receiver: default
          routes:
            - matchers: ['purpose="renku-session"']
              receiver: renku-webhook
              routes:
                - matchers: ['alertname="AtNightOnly"']
                  active_time_intervals: [nights]
                - matchers: ['alertname="Twice"']
                  mute_time_intervals: [nights]
                  continue: true
                - matchers: ['alertname="Twice"']`;
      one.lists(
        firing({ name: 'AtNightOnly', session: 'timed' }),
        firing({ name: 'Twice', session: 'twice' }),
        firing({ session: 'plain' }),
      );
      await reconcile();
      await reconcile();
      const opened = await api.openAlerts();
      expect(opened.map((alert) => alert.session_name).sort()).toEqual(['plain', 'twice']);
    });
  });

  it.each<[string, () => void]>([
    ['cannot be reached', () => (other.fault = 'hang up')],
    ['answers with an error', () => (other.fault = 'error')],
    ['answers with no JSON', () => (other.fault = 'no json')],
    ['lists no list', () => (other.fault = 'no list')],
    ['lists no groups', () => (other.fault = 'no groups')],
    ['has just started', () => (other.startedAt = Date.now() - 60_000)],
    ['has not settled', () => (other.cluster = 'settling')],
    ['is replaced by a new one before it lists', beforeListing(() => (other.startedAt = Date.now()))],
    ['is gone when it has listed', beforeListing(() => (other.fault = 'hang up'))],
  ])('closes nothing while one of them %s, but opens what the other lists', async (_what, spoil) => {
    await deliver(firing());
    one.lists(firing({ session: 'jane-2' }));
    other.lists(firing());
    await reconcile();
    other.lists();
    spoil();
    await reconcile();
    expect((await api.openAlerts()).map((alert) => alert.session_name).sort()).toEqual(['jane-1', 'jane-2']);
    other.reset();
    await reconcile();
    expect((await api.onlyAlert()).session_name).toBe('jane-2');
  });

  describe('of an Alertmanager that posts under another name', () => {
    const STRANGER = 'http://stranger.example:9093';

    /** How many Alertmanagers are said to post here without being asked. */
    async function unasked(): Promise<number> {
      const text = await (await fetch(`${server.url}/metrics`)).text();
      return Number(/^session_alerts_unasked_alertmanagers (\d+)$/m.exec(text)?.[1]);
    }

    beforeEach(() =>
      execute(server.databaseUrl, 'TRUNCATE session_alerts.reconciling; TRUNCATE session_alerts.sightings'),
    );

    it('closes nothing, by whatever else it is gone, and says so', async () => {
      await post(STRANGER, firing());
      await deliver(firing({ session: 'jane-2' }));
      // What it has reported is known for as long as it counts.
      await server.app.get(UpkeepService, { strict: false }).run();
      await reconcile(3);
      expect((await api.onlyAlert()).session_name).toBe('jane-1');
      expect(await unasked()).toBe(1);
      one.alerts = [{ alert: firing(), withheld: 'silenced' }, { alert: firing({ session: 'jane-3' }) }];
      await post(STRANGER, firing({ session: 'jane-4' }));
      await reconcile();
      expect(await api.openAlerts()).toHaveLength(2);
      await post(STRANGER, resolved(firing()), resolved(firing({ session: 'jane-4' })));
      expect(await api.openAlerts()).toEqual([]);
    });

    it('closes nothing though an asked one reports the same', async () => {
      await deliver(firing());
      await post(STRANGER, firing());
      await reconcile(2);
      expect(await api.openAlerts()).toHaveLength(1);
    });

    it('closes what is gone when those that are asked have listed what it reported: it is one of them', async () => {
      const name = 'http://alertmanager.within.example:9093/';
      await post(name, firing(), firing({ session: 'jane-2' }));
      one.lists(firing(), firing({ session: 'jane-2' }));
      await reconcile();
      one.lists(firing({ session: 'jane-2' }));
      await reconcile();
      expect((await api.onlyAlert()).session_name).toBe('jane-2');
      expect(await unasked()).toBe(0);
      // What it reports from now on is stored like that of the others.
      await post(name, firing({ session: 'jane-3' }));
      const reports = 'SELECT FROM session_alerts.sightings WHERE alertmanager IS NOT NULL';
      expect(await execute(server.databaseUrl, reports)).toHaveLength(1);
    });

    it('is not believed to be one of them for a part of what it reports', async () => {
      const all = ['a', 'b', 'c', 'd'].map((session) => firing({ session: `jane-${session}` }));
      await post(STRANGER, ...all);
      one.lists(...all.slice(1));
      await reconcile(3);
      expect(await api.openAlerts()).toHaveLength(4);
      expect(await unasked()).toBe(1);
    });

    it('is not suspected for an end that is on its way', async () => {
      await post(STRANGER, firing());
      await reconcile();
      expect(await unasked()).toBe(0);
      await post(STRANGER, resolved(firing()));
      await reconcile();
      expect(await unasked()).toBe(0);
    });

    it('is told apart from those that are asked by its address alone, however that is written', async () => {
      await post(urls[1]?.replace('http://', 'HTTP://').replace(/\/$/, ''), firing());
      await reconcile();
      expect(await api.openAlerts()).toEqual([]);
    });

    it('has to be found out again where others are asked', async () => {
      const name = 'http://alertmanager.elsewhere.example:9093';
      await post(name, firing());
      one.lists(firing());
      await reconcile();
      const few = await startTestServer(
        { DATABASE_URL: server.databaseUrl, ALERTMANAGER_URLS: urls[1] },
        { upkeep: false },
      );
      try {
        await few.app.get(AskedAlertmanagers, { strict: false }).refresh();
        const fewApi = new AlertsApi(`${few.url}/api/data`, few.issuer);
        await fewApi.postWebhook(webhook([firing()], { externalURL: name }));
        await few.app.get(ReconcileService, { strict: false }).run();
        await few.app.get(ReconcileService, { strict: false }).run();
        expect(await api.openAlerts()).toHaveLength(1);
      } finally {
        await few.close();
      }
    });

    it('is unknown where a body does not name it, as of a test alert: that is closed', async () => {
      await post(undefined, firing());
      await reconcile();
      expect(await api.openAlerts()).toEqual([]);
    });
  });

  it('leaves alone what a person closed, until a later episode', async () => {
    await deliver(firing());
    await api.update((await api.onlyAlert()).id, { dismissed: true }, { sub: 'jane' });
    one.lists(firing());
    await reconcile();
    await reconcile();
    expect(await api.openAlerts()).toEqual([]);
    one.lists(firing({ startsAt: minute(90) }));
    await reconcile();
    expect(await api.openAlerts()).toHaveLength(1);
  });

  it('leaves alone what an administrator opened', async () => {
    await api.create({ title: 'Maintenance', message: 'Tonight', event_type: 'note', user_id: 'jane' });
    await reconcile();
    expect(await api.openAlerts()).toHaveLength(1);
  });

  it('leaves an event that is over to its user', async () => {
    const event = firing({ labels: { alert_kind: 'event' } });
    await deliver(event);
    await reconcile();
    expect(await api.openAlerts()).toHaveLength(1);
  });

  it('keeps from expiring what is still listed, though no webhook repeats it', async () => {
    await deliver(firing());
    const { id } = await api.onlyAlert();
    one.lists(firing());
    const clock = server.app.get(AlertsClock, { strict: false });
    for (const hours of [1, 2, 3, 4]) {
      clock.ahead = hours * 3_600_000;
      await reconcile();
      await server.app.get(UpkeepService, { strict: false }).run();
    }
    expect((await api.onlyAlert()).id).toBe(id);
  });

  it('believes a webhook that came after it asked', async () => {
    await deliver(firing());
    other.whenAsked = async () => {
      await deliver(resolved(firing(), minute(1)), firing({ startsAt: minute(2) }));
    };
    await reconcile();
    expect(await api.openAlerts()).toHaveLength(1);
    await reconcile();
    expect(await api.openAlerts()).toEqual([]);
  });

  it('is not kept from closing by a start that lies in the future', async () => {
    const early = firing({ startsAt: new Date(Date.now() + 3_600_000).toISOString() });
    const soon = firing({ session: 'jane-2', startsAt: new Date(Date.now() + 30_000).toISOString() });
    one.lists(early, soon);
    await reconcile(2);
    expect(await api.openAlerts()).toHaveLength(2);
    await deliver(resolved(early, new Date().toISOString()));
    expect((await api.onlyAlert()).session_name).toBe('jane-2');
    one.alerts = [{ alert: soon, withheld: 'silenced' }];
    await reconcile();
    one.lists(soon);
    await reconcile(2);
    expect(await api.openAlerts()).toHaveLength(1);
    one.lists();
    await reconcile();
    expect(await api.openAlerts()).toEqual([]);
  });

  it('passes over what it cannot use', async () => {
    one.lists(firing({ user: '' }), firing({ title: '' }), firing());
    await reconcile();
    await reconcile();
    expect(await api.openAlerts()).toHaveLength(1);
  });

  it('asks for our alerts only, and for what goes to our receiver', async () => {
    await reconcile();
    for (const queries of [one.queries, one.groupQueries]) {
      expect(new URLSearchParams(queries.at(-1)).getAll('filter')).toEqual(['purpose="renku-session"']);
    }
    expect(new URLSearchParams(one.groupQueries.at(-1)).getAll('receiver')).toEqual(['renku-webhook']);
  });

  it('counts what it mended, and nothing else', async () => {
    const before = await drift();
    one.lists(firing({ session: 'counted' }));
    await reconcile();
    await deliver(firing({ session: 'counted' }));
    await reconcile();
    expect(await drift()).toEqual(before);

    one.lists(firing({ session: 'lost' }), firing({ session: 'counted' }));
    await reconcile();
    await reconcile();
    expect(await drift()).toEqual({ ...before, opened: before.opened + 1 });
    one.lists();
    await reconcile();
    expect(await drift()).toEqual({ opened: before.opened + 1, closed: before.closed + 2 });
  });

  /** What the metrics say that reconciling has mended. */
  async function drift(): Promise<{ opened: number; closed: number }> {
    const text = await (await fetch(`${server.url}/metrics`)).text();
    const count = (direction: string): number =>
      Number(
        new RegExp(`^session_alerts_reconcile_drift_total\\{direction="${direction}"\\} (\\d+)$`, 'm').exec(
          text,
        )?.[1] ?? 0,
      );
    return { opened: count('opened'), closed: count('closed') };
  }
});

describe('Two replicas', () => {
  const alertmanager = new ListingAlertmanager();
  const interval = 1_000;
  let database: TestDatabase;
  let replicas: TestServer[];

  beforeAll(async () => {
    database = await createTestDatabase();
    const env = {
      DATABASE_URL: database.url,
      ALERTMANAGER_URLS: await alertmanager.start(),
      RECONCILE_INTERVAL: `${interval}ms`,
    };
    replicas = [await startTestServer(env), await startTestServer(env)];
  });
  afterAll(async () => {
    for (const replica of replicas) await replica.close();
    await alertmanager.stop();
    await database.drop();
  });

  /** Waits until it has been reconciled so often more: each time the status is asked for before the lists and after them. */
  async function reconciled(times: number): Promise<void> {
    const until = alertmanager.statusCalls + 2 * times;
    await waitUntil(() => alertmanager.statusCalls >= until);
  }

  it('reconcile once an interval, not each in turn', async () => {
    await reconciled(1);
    const before = performance.now();
    await reconciled(8);
    expect(performance.now() - before).toBeGreaterThan(7 * 0.8 * interval);
  });

  it('leave it to one of them, until that one stops', async () => {
    const readTurn = (): Promise<object[]> =>
      execute(database.url, 'SELECT replica FROM session_alerts.reconciling');
    const before = await readTurn();
    expect(before).toHaveLength(1);
    await reconciled(4);
    expect(await readTurn()).toEqual(before);
    await replicas.pop()!.close();
    await reconciled(2);
  });

  it.each(['infinity', '-infinity'])(
    'reconcile, though the last time was at %s by the clock of today',
    async (lastRun) => {
      await execute(database.url, `UPDATE session_alerts.reconciling SET last_run = '${lastRun}'`);
      await reconciled(2);
    },
  );
});

describe('A replica alone', () => {
  const alertmanager = new ListingAlertmanager();

  afterAll(() => alertmanager.stop());

  it('counts the interval from the end of its turn, and leaves it to whoever comes when it stops', async () => {
    const database = await createTestDatabase();
    const lastRun = async (): Promise<string> => {
      const [row] = await execute<{ at: string }>(
        database.url,
        'SELECT extract(epoch FROM last_run)::text AS at FROM session_alerts.reconciling',
      );
      return row?.at ?? '';
    };
    let began = '';
    const url = await alertmanager.start();
    // It has taken its turn when it asks.
    alertmanager.whenAsked = async () => {
      began = await lastRun();
    };
    const replica = await startTestServer({
      DATABASE_URL: database.url,
      ALERTMANAGER_URLS: url,
      RECONCILE_INTERVAL: '1h',
    });
    try {
      await waitUntil(async () => began !== '' && Number(await lastRun()) > Number(began));
    } finally {
      await replica.close();
    }
    expect(await lastRun()).toBe('-Infinity');
    await database.drop();
  });
});
