import { AlertsClock } from '../../src/alerts/alerts-clock.js';
import { ReconcileService } from '../../src/upkeep/reconcile.service.js';
import { UpkeepService } from '../../src/upkeep/upkeep.service.js';
import { AlertsApi, firing, minute, resolved } from '../support/alerts.js';
import type { ShownAlert } from '../support/alerts.js';
import { forgetAlerts } from '../support/database.js';
import { ListingAlertmanager } from '../support/listing-alertmanager.js';
import { startTestServer } from '../support/server.js';
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

  it('opens what webhooks missed', async () => {
    one.lists(firing());
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
    expect(await api.openAlerts()).toHaveLength(1);
  });

  it('neither opens nor closes what a silence holds back', async () => {
    await api.deliver(firing());
    one.alerts = [
      { alert: firing(), state: 'suppressed' },
      { alert: firing({ session: 'jane-2' }), state: 'suppressed' },
    ];
    await reconcile();
    expect((await api.onlyAlert()).session_name).toBe('jane-1');
  });

  it.each<[string, () => void]>([
    ['cannot be reached', () => (other.fault = 'hang up')],
    ['answers with an error', () => (other.fault = 'error')],
    ['answers with no JSON', () => (other.fault = 'no json')],
    ['lists no list', () => (other.fault = 'no list')],
    ['has just started', () => (other.startedAt = Date.now() - 60_000)],
    ['has not settled', () => (other.cluster = 'settling')],
    ['is replaced by a new one before it lists', beforeListing(() => (other.startedAt = Date.now()))],
    ['is gone when it has listed', beforeListing(() => (other.fault = 'hang up'))],
  ])('closes nothing while one of them %s, but opens what the other lists', async (_what, spoil) => {
    await api.deliver(firing());
    one.lists(firing({ session: 'jane-2' }));
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
    expect(await api.openAlerts()).toHaveLength(1);
  });

  it('asks for our alerts only', async () => {
    await reconcile();
    expect(new URLSearchParams(one.queries.at(-1)).getAll('filter')).toEqual(['purpose="renku-session"']);
  });

  it('counts what it mended', async () => {
    one.lists(firing({ session: 'counted' }));
    const text = async (): Promise<string> => (await fetch(`${server.url}/metrics`)).text();
    const opened = /session_alerts_reconcile_drift_total\{direction="opened"\} (\d+)/;
    const before = Number(opened.exec(await text())?.[1] ?? 0);
    await reconcile();
    expect(Number(opened.exec(await text())?.[1])).toBe(before + 1);
  });
});
