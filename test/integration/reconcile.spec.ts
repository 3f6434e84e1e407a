import { AlertsClock } from '../../src/alerts/alerts-clock.js';
import { ReconcileService } from '../../src/upkeep/reconcile.service.js';
import { UpkeepService } from '../../src/upkeep/upkeep.service.js';
import { AlertsApi, firing, minute, resolved } from '../support/alerts.js';
import type { ShownAlert } from '../support/alerts.js';
import { createTestDatabase, execute, forgetAlerts } from '../support/database.js';
import type { TestDatabase } from '../support/database.js';
import { ListingAlertmanager } from '../support/listing-alertmanager.js';
import type { HeldAlert } from '../support/listing-alertmanager.js';
import { startTestServer, waitUntil } from '../support/server.js';
import type { TestServer } from '../support/server.js';

describe('Reconciling with two Alertmanagers', () => {
  const alertmanagers = [new ListingAlertmanager(), new ListingAlertmanager()] as const;
  const [one, other] = alertmanagers;
  let server: TestServer;
  let api: AlertsApi;

  beforeAll(async () => {
    const urls = await Promise.all(alertmanagers.map((alertmanager) => alertmanager.start()));
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

  function reconcile(): Promise<void> {
    return server.app.get(ReconcileService, { strict: false }).run();
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
    await api.deliver(firing(), firing({ session: 'jane-2' }));
    other.lists(firing({ session: 'jane-2' }));
    await reconcile();
    expect((await api.onlyAlert()).session_name).toBe('jane-2');
    expect((await past())[0]).toMatchObject({ session_name: 'jane-1', resolved_reason: 'reconciled' });
  });

  it('closes an alert of two volumes only when both are gone', async () => {
    const volumes = ['a', 'b'].map((name) => firing({ labels: { persistentvolumeclaim: name } }));
    await api.deliver(...volumes);
    one.lists(...volumes.slice(1));
    await reconcile();
    expect(await api.openAlerts()).toHaveLength(1);
    one.lists();
    await reconcile();
    expect(await api.openAlerts()).toEqual([]);
  });

  it('opens again what it closed and is listed again', async () => {
    await api.deliver(firing());
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
      await api.deliver(firing());
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
      await api.deliver(firing());
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
      await api.deliver(firing());
      one.alerts = [{ alert: firing(), withheld: 'silenced' }];
      await reconcile();
      await api.deliver(firing());
      expect(await api.openAlerts()).toHaveLength(1);
    });

    it('and what a person closed before stays closed when the silence ends', async () => {
      await api.deliver(firing());
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
      await api.deliver(grave, other);
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
      await api.deliver(event);
      one.alerts = [{ alert: event, withheld: 'silenced' }];
      await api.create({ title: 'Tonight', message: 'Maintenance', event_type: 'note', user_id: 'jane' });
      await reconcile();
      expect((await api.onlyAlert()).event_type).toBe('note');
      expect(await past()).toMatchObject([{ resolved_reason: 'silenced' }]);
    });

    it('stays while another Alertmanager would send it, or cannot be asked', async () => {
      await api.deliver(firing());
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
    await api.deliver(firing());
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

  it('leaves alone what a person closed, until a later episode', async () => {
    await api.deliver(firing());
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
    await api.deliver(event);
    await reconcile();
    expect(await api.openAlerts()).toHaveLength(1);
  });

  it('keeps from expiring what is still listed, though no webhook repeats it', async () => {
    await api.deliver(firing());
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
    await api.deliver(firing());
    other.whenAsked = async () => {
      await api.deliver(resolved(firing(), minute(1)), firing({ startsAt: minute(2) }));
    };
    await reconcile();
    expect(await api.openAlerts()).toHaveLength(1);
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
    await api.deliver(firing({ session: 'counted' }));
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

  it.each(['+infinity', '-infinity'])(
    'reconcile, though the last time was at %s by the clock of today',
    async (lastRun) => {
      await execute(database.url, `UPDATE session_alerts.reconciling SET last_run = '${lastRun}'`);
      await reconciled(2);
    },
  );
});
