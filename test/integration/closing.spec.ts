import { AlertsClock } from '../../src/clock/alerts-clock.js';
import { AlertsService } from '../../src/alerts/alerts.service.js';
import type { Observation } from '../../src/alerts/observation.js';
import { UpkeepService } from '../../src/upkeep/upkeep.service.js';
import { AlertMapper } from '../../src/webhooks/alert-mapper.service.js';
import { ALERTMANAGER } from '../../src/webhooks/senders.js';
import { AlertsApi, expectError, firing, minute, resolved } from '../support/alerts.js';
import type { AlertmanagerAlert } from '../support/alerts.js';
import { execute, forgetAlerts, giveDatabaseBack, takeDatabaseAway } from '../support/database.js';
import { startTestServer } from '../support/server.js';
import type { TestServer } from '../support/server.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const JANE = { sub: 'jane' };

/** The rules of "How an alert lives" in DESIGN.md about how it ends, by their numbers. */
describe('How an alert ends', () => {
  let server: TestServer;
  let api: AlertsApi;
  let alerts: AlertsService;

  beforeAll(async () => {
    server = await startTestServer({}, { upkeep: false });
    api = new AlertsApi(`${server.url}/api/data`, server.issuer);
    alerts = server.app.get(AlertsService);
  });
  beforeEach(async () => {
    letTimePass(0);
    await forgetAlerts(server.databaseUrl);
  });
  afterAll(() => server.close());

  function letTimePass(time: number): void {
    server.app.get(AlertsClock, { strict: false }).ahead = time;
  }

  function doUpkeep(): Promise<void> {
    return server.app.get(UpkeepService, { strict: false }).run();
  }

  async function endings(user = 'jane'): Promise<(string | null)[]> {
    const { body } = await api.call<{ resolved_reason: string | null }[]>('GET', '/alerts?status=resolved', {
      as: { sub: user },
    });
    return body.map((alert) => alert.resolved_reason);
  }

  function outOfMemory(): AlertmanagerAlert {
    return firing({
      name: 'RenkuSessionOOMKilled',
      title: 'Session restarted',
      labels: { alert_kind: 'event' },
    });
  }

  describe('rule 7: order is order of arrival', () => {
    const early = performance.now();
    const late = early + 1;

    function observed(alert: AlertmanagerAlert): Observation {
      const mapped = server.app.get(AlertMapper, { strict: false }).map(alert, ALERTMANAGER);
      if (!('observation' in mapped)) throw new Error('The test made an alert that cannot be shown');
      return mapped.observation;
    }

    it('rule 7: a firing that is written after a resolve that came later opens nothing', async () => {
      await alerts.apply([observed(resolved(firing()))], late);
      expect(await alerts.apply([observed(firing())], early)).toEqual([
        { result: 'ignored', reason: 'superseded' },
      ]);
      expect(await api.openAlerts()).toEqual([]);
    });

    it('rule 7: nor does one whose alert such a resolve has closed', async () => {
      await alerts.apply([observed(firing())], early - 1);
      await alerts.apply([observed(resolved(firing()))], late);
      expect(await alerts.apply([observed(firing())], early)).toEqual([
        { result: 'ignored', reason: 'superseded' },
      ]);
      expect(await api.openAlerts()).toEqual([]);
    });

    it('rule 7: nor is a volume shown again that has recovered while another is full', async () => {
      const volume = (name: string) => firing({ message: name, labels: { persistentvolumeclaim: name } });
      await alerts.apply([observed(volume('data')), observed(volume('home'))], early - 1);
      await alerts.apply([observed(resolved(volume('data')))], late);
      expect(await alerts.apply([observed(volume('data'))], early)).toEqual([
        { result: 'ignored', reason: 'superseded' },
      ]);
      expect(await api.onlyAlert()).toMatchObject({ message: 'home' });
      expect(await api.onlyAlert()).not.toHaveProperty('series');
    });

    it('rule 7: a resolve that is written after a firing that came later closes nothing', async () => {
      await alerts.apply([observed(firing())], late);
      expect(await alerts.apply([observed(resolved(firing()))], early)).toEqual([
        { result: 'ignored', reason: 'superseded' },
      ]);
      expect(await api.openAlerts()).toHaveLength(1);
    });

    it('rule 7: the text of the later one stands', async () => {
      await alerts.apply([observed(firing({ title: 'Later' }))], late);
      await alerts.apply([observed(firing({ title: 'Earlier' }))], early);
      expect((await api.onlyAlert()).title).toBe('Later');
    });

    it('rule 7: an episode that starts after the end that came later is no copy of an older one', async () => {
      await alerts.apply([observed(resolved(firing(), minute(60)))], late);
      await alerts.apply([observed(firing({ startsAt: minute(61) }))], early);
      expect(await api.openAlerts()).toHaveLength(1);
    });

    it('rule 7: only series are ordered, not whole requests', async () => {
      await alerts.apply([observed(resolved(firing()))], late);
      await alerts.apply([observed(firing()), observed(firing({ session: 'jane-2' }))], early);
      expect((await api.onlyAlert()).session_name).toBe('jane-2');
    });

    it('rule 7: a clock that was set back orders nothing', async () => {
      await alerts.apply([observed(firing())], late);
      await execute(server.databaseUrl, 'UPDATE session_alerts.alerts SET arrival = arrival + 3600000000');
      await api.deliver(resolved(firing()));
      expect(await api.openAlerts()).toEqual([]);
    });
  });

  describe('rule 9: expiry', () => {
    it('rule 9: what nothing has refreshed for 2 h 15 min is closed as expired', async () => {
      await api.deliver(firing());
      letTimePass(2 * HOUR + 14 * MINUTE);
      await doUpkeep();
      expect(await api.openAlerts()).toHaveLength(1);
      letTimePass(2 * HOUR + 16 * MINUTE);
      await doUpkeep();
      expect(await api.openAlerts()).toEqual([]);
      expect(await endings()).toEqual(['expired']);
    });

    it('rule 9: a repeat keeps it open', async () => {
      await api.deliver(firing());
      letTimePass(2 * HOUR);
      await api.deliver(firing());
      letTimePass(4 * HOUR);
      await doUpkeep();
      expect(await api.openAlerts()).toHaveLength(1);
    });

    it('rule 9: what fires again after it expired is a new alert', async () => {
      await api.deliver(firing());
      const { id } = await api.onlyAlert();
      letTimePass(3 * HOUR);
      await doUpkeep();
      await api.deliver(firing());
      expect((await api.onlyAlert()).id).not.toBe(id);
    });

    it('rule 9: what an administrator opened stays', async () => {
      await api.create({
        title: 'Maintenance',
        message: 'Tonight',
        event_type: 'maintenance',
        user_id: 'jane',
      });
      letTimePass(48 * HOUR);
      await doUpkeep();
      expect(await api.openAlerts()).toHaveLength(1);
    });

    it('rule 9: a thousand at once', async () => {
      await api.deliver(...Array.from({ length: 1200 }, (_, index) => firing({ session: `s-${index}` })));
      letTimePass(3 * HOUR);
      await doUpkeep();
      expect(await api.openAlerts()).toEqual([]);
    });
  });

  describe('rule 9: expiry, after nothing could be heard for long', () => {
    let restarted: TestServer;

    beforeEach(async () => {
      await api.deliver(firing());
      await execute(
        server.databaseUrl,
        `UPDATE session_alerts.alerts SET creation_date = creation_date - interval '3 hours'`,
      );
      restarted = await startTestServer({ DATABASE_URL: server.databaseUrl }, { upkeep: false });
    });
    afterEach(() => restarted.close());

    async function doUpkeepAfter(time: number): Promise<void> {
      restarted.app.get(AlertsClock, { strict: false }).ahead = time;
      await restarted.app.get(UpkeepService, { strict: false }).run();
    }

    it('rule 9: a start closes nothing for ten minutes, in which what fires is repeated', async () => {
      await doUpkeepAfter(9 * MINUTE);
      expect(await api.openAlerts()).toHaveLength(1);
      await doUpkeepAfter(10 * MINUTE);
      expect(await endings()).toEqual(['expired']);
    });

    it('rule 9: nor does a database that is back', async () => {
      await takeDatabaseAway(server.databaseUrl);
      try {
        await expect(doUpkeepAfter(HOUR)).rejects.toThrow();
      } finally {
        await giveDatabaseBack(server.databaseUrl);
      }
      await doUpkeepAfter(HOUR + 9 * MINUTE);
      expect(await api.openAlerts()).toHaveLength(1);
      await doUpkeepAfter(HOUR + 11 * MINUTE);
      expect(await endings()).toEqual(['expired']);
    });
  });

  describe('rule 10: conditions and events', () => {
    it('rule 10: an event whose series resolved is still shown an hour later', async () => {
      await api.deliver(outOfMemory());
      await api.deliver(resolved(outOfMemory(), minute(5)));
      letTimePass(HOUR);
      await doUpkeep();
      expect(await api.onlyAlert()).toMatchObject({ kind: 'event', resolved_date: null });
    });

    it('rule 10: it goes when its user dismisses it, and nobody else can', async () => {
      await api.deliver(outOfMemory());
      const { id } = await api.onlyAlert();
      expectError(await api.update(id, { dismissed: true }, { sub: 'bob' }), 404);
      expect(await api.openAlerts()).toHaveLength(1);
      const { status, body } = await api.update(id, { dismissed: true }, JANE);
      expect({ status, reason: body.resolved_reason }).toEqual({ status: 200, reason: 'dismissed' });
      expect(await api.openAlerts()).toEqual([]);
    });

    it('rule 10: it goes when its session ends', async () => {
      await api.deliver(outOfMemory());
      await alerts.resolveForSession('jane-1');
      expect(await api.openAlerts()).toEqual([]);
    });

    it('rule 10: it goes a day after it was last seen', async () => {
      await api.deliver(outOfMemory());
      letTimePass(23 * HOUR);
      await doUpkeep();
      expect(await api.openAlerts()).toHaveLength(1);
      letTimePass(25 * HOUR);
      await doUpkeep();
      expect(await endings()).toEqual(['expired']);
    });

    it('rule 10: a second kill refreshes the one that is open', async () => {
      await api.deliver(outOfMemory());
      const { id } = await api.onlyAlert();
      await api.deliver(resolved(outOfMemory(), minute(5)));
      letTimePass(20 * HOUR);
      await api.deliver({ ...outOfMemory(), startsAt: minute(20 * 60) });
      letTimePass(40 * HOUR);
      await doUpkeep();
      expect((await api.onlyAlert()).id).toBe(id);
    });

    it('rule 10: a condition of the same name takes nothing from an event', async () => {
      const condition = firing({ name: 'RenkuSessionOOMKilled', labels: { alert_kind: '' } });
      await api.deliver(outOfMemory());
      await api.deliver(resolved(outOfMemory(), minute(5)));
      await api.deliver(condition);
      await api.deliver(resolved(condition));
      expect(await api.onlyAlert()).toMatchObject({ kind: 'event', resolved_date: null });
    });

    it('rule 10: a condition ends when it ends', async () => {
      await api.deliver(firing({ labels: { alert_kind: 'condition' } }));
      await api.deliver(resolved(firing({ labels: { alert_kind: 'condition' } })));
      expect(await api.openAlerts()).toEqual([]);
    });
  });

  describe('rule 11: the session ends', () => {
    it('rule 11: all its alerts close, those of other sessions stay', async () => {
      await api.deliver(
        firing(),
        firing({ name: 'RenkuSessionHighDiskUsage' }),
        firing({ session: 'jane-2' }),
      );
      await api.create({
        title: 'Hello',
        message: 'From us',
        event_type: 'note',
        user_id: 'jane',
        session_name: 'jane-1',
      });
      expect(await alerts.resolveForSession('jane-1')).toBe(3);
      expect((await api.onlyAlert()).session_name).toBe('jane-2');
      expect(await endings()).toEqual(['session_ended', 'session_ended', 'session_ended']);
    });

    it('rule 11: of one user alone, where the host says which', async () => {
      await api.deliver(firing({ user: 'ann', session: 'same' }), firing({ user: 'bob', session: 'same' }));
      expect(await alerts.resolveForSession('same', 'ann')).toBe(1);
      expect(await api.openAlerts('bob')).toHaveLength(1);
    });

    it('rule 11: what is still said about its last episode stays silent, a new session is heard', async () => {
      await api.deliver(firing());
      await alerts.resolveForSession('jane-1');
      await api.deliver(firing());
      expect(await api.openAlerts()).toEqual([]);
      await api.deliver(firing({ startsAt: minute(90) }));
      expect(await api.openAlerts()).toHaveLength(1);
    });

    it('rule 11: a session of which nothing is open is nothing to do', async () => {
      expect(await alerts.resolveForSession('nobody-1')).toBe(0);
    });
  });

  describe('rule 8: dismissed is resolved by hand too', () => {
    it('rule 8: the episode stays silent, a later one opens a new alert', async () => {
      await api.deliver(firing());
      await api.update((await api.onlyAlert()).id, { dismissed: true }, JANE);
      await api.deliver(firing());
      expect(await api.openAlerts()).toEqual([]);
      await api.deliver(resolved(firing()));
      await api.deliver(firing({ startsAt: minute(61) }));
      expect(await api.openAlerts()).toHaveLength(1);
    });

    it('rule 8: so does that of a series that had ended before, while others went on', async () => {
      const volume = (name: string) => firing({ labels: { persistentvolumeclaim: name } });
      await api.deliver(volume('data'), volume('home'));
      await api.deliver(resolved(volume('data'), minute(5)));
      await api.update((await api.onlyAlert()).id, { dismissed: true }, JANE);
      expect(await api.deliver(volume('data'), volume('home'))).toMatchObject({
        reasons: { closed_by_hand: 2 },
      });
      expect(await api.openAlerts()).toEqual([]);
    });

    it('rule 8: an administrator dismisses only what is theirs', async () => {
      await api.deliver(firing());
      expectError(await api.update((await api.onlyAlert()).id, { dismissed: true }), 404);
    });
  });

  describe('rule 12: every closing records why', () => {
    it('rule 12: resolved, manual, dismissed, session_ended, expired', async () => {
      const sessions = ['resolved', 'manual', 'dismissed', 'session_ended', 'expired'];
      await api.deliver(...sessions.map((session) => firing({ session })));
      const bySession = new Map((await api.openAlerts()).map((alert) => [alert.session_name, alert.id]));
      await api.deliver(resolved(firing({ session: 'resolved' })));
      await api.update(bySession.get('manual') ?? '');
      await api.update(bySession.get('dismissed') ?? '', { dismissed: true }, JANE);
      await alerts.resolveForSession('session_ended');
      letTimePass(3 * HOUR);
      await doUpkeep();
      const { body } = await api.call<{ session_name: string; resolved_reason: string }[]>(
        'GET',
        '/alerts?status=resolved',
        { as: JANE },
      );
      expect(Object.fromEntries(body.map((alert) => [alert.session_name, alert.resolved_reason]))).toEqual(
        Object.fromEntries(sessions.map((session) => [session, session])),
      );
    });
  });

  describe('retention', () => {
    it('deletes what ended more than 90 days ago, in batches, and nothing that is open', async () => {
      await api.deliver(...Array.from({ length: 1100 }, (_, index) => firing({ session: `s-${index}` })));
      await api.deliver(
        ...Array.from({ length: 1100 }, (_, index) => resolved(firing({ session: `s-${index}` }))),
      );
      await api.deliver(resolved(firing({ session: 'never-seen-firing' })));
      letTimePass(89 * 24 * HOUR);
      await api.deliver(firing({ session: 'open' }));
      await doUpkeep();
      expect(await count('alerts')).toBe(1101);
      letTimePass(91 * 24 * HOUR);
      await api.deliver(firing({ session: 'open' }));
      await doUpkeep();
      expect(await count('alerts')).toBe(1);
    });

    async function count(table: string): Promise<number> {
      const [row] = await execute<{ count: string }>(
        server.databaseUrl,
        `SELECT count(*) FROM session_alerts.${table}`,
      );
      return Number(row?.count);
    }
  });

  it('upkeep runs on one replica at a time', async () => {
    const replica = await startTestServer({ DATABASE_URL: server.databaseUrl }, { upkeep: false });
    try {
      await api.deliver(...Array.from({ length: 600 }, (_, index) => firing({ session: `s-${index}` })));
      letTimePass(3 * HOUR);
      replica.app.get(AlertsClock, { strict: false }).ahead = 3 * HOUR;
      const closed: string[] = [];
      const replicas = [server, replica].map((one) => one.app.get(AlertsService));
      const listening = replicas.map((service) =>
        service.changes.subscribe(({ alert }) => closed.push(alert.id)),
      );
      await Promise.all([doUpkeep(), replica.app.get(UpkeepService, { strict: false }).run()]);
      for (const one of listening) one.unsubscribe();
      expect(new Set(closed).size).toBe(600);
      expect(closed).toHaveLength(600);
    } finally {
      await replica.close();
    }
  });
});
