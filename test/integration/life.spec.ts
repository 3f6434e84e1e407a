import { Logger } from '@nestjs/common';
import { ADMIN, AlertsApi, expectError, firing, minute, resolved, webhook } from '../support/alerts.js';
import type { FiringSpec, ShownAlert } from '../support/alerts.js';
import { execute, forgetAlerts } from '../support/database.js';
import { startTestServer } from '../support/server.js';
import type { TestServer } from '../support/server.js';

const ACTION = { action_label: 'Get more memory', action_url: 'https://sessions.example/memory' };

/** The rules of "How an alert lives" in DESIGN.md, by their numbers. */
describe('How an alert lives', () => {
  let server: TestServer;
  let api: AlertsApi;

  beforeAll(async () => {
    server = await startTestServer();
    api = new AlertsApi(`${server.url}/api/data`, server.issuer);
  });
  beforeEach(() => forgetAlerts(server.databaseUrl));
  afterAll(() => server.close());

  /** A session's volume that is nearly full: one of several series of one alert. */
  function volume(name: string, spec: FiringSpec = {}) {
    return firing({
      name: 'RenkuSessionHighDiskUsage',
      title: 'Disk nearly full',
      message: `Volume ${name} is at 95%`,
      ...spec,
      labels: { persistentvolumeclaim: name, ...spec.labels },
    });
  }

  describe('rule 1: an alert is one problem of one session of one user', () => {
    it.each<[string, FiringSpec]>([
      ['users', { user: 'ann' }],
      ['users who differ in case', { user: 'Jane' }],
      ['sessions', { session: 'jane-2' }],
      ['event types', { name: 'RenkuSessionOOMKilled' }],
    ])('rule 1: two %s have two alerts', async (_what, spec) => {
      await api.deliver(firing(), firing(spec));
      const alerts = [...(await api.openAlerts('jane')), ...(await api.openAlerts(spec.user ?? 'nobody'))];
      expect(alerts).toHaveLength(2);
    });

    it.each<[string, FiringSpec]>([
      ['volumes', { labels: { persistentvolumeclaim: 'data' } }],
      ['severities', { severity: 'critical' }],
      ['titles', { title: 'Another title' }],
      ['messages', { message: 'Another message' }],
      ['clusters', { labels: { cluster: 'lab' } }],
    ])('rule 1: two %s of one session have one alert', async (_what, spec) => {
      await api.deliver(firing(), firing(spec));
      expect(await api.openAlerts()).toHaveLength(1);
    });

    it('rule 1: its user, session and event type are the labels', async () => {
      await api.deliver(firing({ user: 'ann', session: 'ann-7', name: 'RenkuSessionOOMKilled' }));
      expect(await api.onlyAlert('ann')).toMatchObject({
        user_id: 'ann',
        session_name: 'ann-7',
        event_type: 'RenkuSessionOOMKilled',
      });
    });

    it("rule 1: without an alertname its title is its event type, as in the guide's test alert", async () => {
      const test = { name: '', title: 'Test alert', message: 'Hello' };
      await api.deliver(firing(test));
      await api.deliver(firing(test));
      const alert = await api.onlyAlert();
      expect(alert).toMatchObject({ title: 'Test alert', event_type: 'Test alert' });

      await api.deliver(resolved(firing(test)));
      expect(await api.openAlerts()).toEqual([]);
    });

    it('rule 1: an administrator opens the same alert as Alertmanager does, so only one of them can', async () => {
      await api.deliver(firing());
      const { user_id, session_name, event_type } = await api.onlyAlert();
      const same = { user_id, session_name, event_type, title: 'Another title', message: 'Another message' };
      expectError(await api.create(same), 409);
      expect((await api.create({ ...same, event_type: 'maintenance' })).status).toBe(201);
    });

    it('rule 1: the database itself refuses a second open alert', async () => {
      await api.deliver(firing());
      const copy = `INSERT INTO session_alerts.alerts
        SELECT (json_populate_record(alert, '{"id": "copy"}')).* FROM session_alerts.alerts AS alert`;
      await expect(execute(server.databaseUrl, copy)).rejects.toThrow(/alerts_open/);

      await api.deliver(resolved(firing()));
      await expect(execute(server.databaseUrl, copy)).resolves.toEqual([]);
    });
  });

  describe('rule 2: an alert is open while any of its series fires', () => {
    it('rule 2: two full volumes are one alert, open until both are resolved', async () => {
      await api.deliver(volume('data'));
      const opened = await api.onlyAlert();
      await api.deliver(volume('home'));
      expect(await api.onlyAlert()).toMatchObject({ id: opened.id, series_count: 2 });

      expect(await api.deliver(resolved(volume('data')))).toMatchObject({ resolved: 1 });
      expect(await api.onlyAlert()).toMatchObject({ id: opened.id });
      expect(await api.deliver(resolved(volume('home')))).toMatchObject({ resolved: 1 });
      expect(await api.openAlerts()).toEqual([]);
    });

    it('rule 2: both volumes may come, and go, in one webhook', async () => {
      await api.deliver(volume('data'), volume('home'));
      expect(await api.openAlerts()).toHaveLength(1);
      await api.deliver(resolved(volume('home')), resolved(volume('data')));
      expect(await api.openAlerts()).toEqual([]);
    });

    it('rule 2: a series may end and fire again while another keeps the alert open', async () => {
      await api.deliver(volume('data'), volume('home'));
      const { id } = await api.onlyAlert();
      await api.deliver(resolved(volume('data'), minute(5)));
      await api.deliver(volume('data', { startsAt: minute(10) }));
      expect(await api.onlyAlert()).toMatchObject({ id });

      await api.deliver(resolved(volume('home')));
      expect(await api.onlyAlert()).toMatchObject({ id });
      await api.deliver(resolved(volume('data')));
      expect(await api.openAlerts()).toEqual([]);
    });

    it('rule 2: the volumes of one session do not keep that of another open', async () => {
      await api.deliver(volume('data'), volume('data', { session: 'jane-2' }));
      await api.deliver(resolved(volume('data')));
      expect(await api.onlyAlert()).toMatchObject({ session_name: 'jane-2' });
    });

    it('rule 2: an alert without a fingerprint is the series that its labels say', async () => {
      const anonymous = { ...firing(), fingerprint: undefined };
      await api.deliver(anonymous);
      await api.deliver(firing());
      expect(await api.openAlerts()).toHaveLength(1);
      const labels = Object.fromEntries(Object.entries(anonymous.labels).reverse());
      expect(await api.deliver({ ...resolved(firing()), fingerprint: undefined, labels })).toMatchObject({
        resolved: 1,
      });
      expect(await api.openAlerts()).toEqual([]);
    });
  });

  describe('rule 3: firing opens the alert or refreshes it', () => {
    it('rule 3: repeats change nothing that the user sees', async () => {
      await api.deliver(firing());
      const opened = await api.onlyAlert();
      for (let repeat = 0; repeat < 3; repeat++) {
        expect(await api.deliver(firing())).toEqual({ stored: 1, resolved: 0, skipped: 0, reasons: {} });
      }
      expect(await api.onlyAlert()).toEqual(opened);
    });

    it('rule 3: a copy in the same webhook is a repeat', async () => {
      await api.deliver(firing(), firing(), firing());
      expect(await api.openAlerts()).toHaveLength(1);
    });

    it('rule 3: the latest title, message, severity and runbook are shown', async () => {
      await api.deliver(firing());
      const { id, creation_date, updated_date } = await api.onlyAlert();
      await api.deliver({
        ...firing({
          severity: 'critical',
          title: 'Memory nearly full',
          message: 'At 99%',
          annotations: { runbook_url: 'https://docs.example/memory' },
        }),
        fingerprint: firing().fingerprint,
      });
      const refreshed = await api.onlyAlert();
      expect(refreshed).toMatchObject({
        id,
        creation_date,
        severity: 'critical',
        title: 'Memory nearly full',
        message: 'At 99%',
        runbook_url: 'https://docs.example/memory',
      });
      expect(Date.parse(refreshed.updated_date)).toBeGreaterThan(Date.parse(updated_date));
    });

    it.each<[string, FiringSpec, Record<string, unknown>]>([
      ['title', { title: 'Memory nearly full' }, { title: 'Memory nearly full' }],
      ['message', { message: 'At 99%' }, { message: 'At 99%' }],
      ['less grave severity', { severity: 'info' }, { severity: 'info' }],
      ['missing severity', { severity: '' }, { severity: null }],
      ['kind', { labels: { alert_kind: 'event' } }, { kind: 'event' }],
      [
        'runbook',
        { annotations: { runbook_url: 'https://docs.example/memory' } },
        { runbook_url: 'https://docs.example/memory' },
      ],
      ['action', { annotations: ACTION }, ACTION],
    ])('rule 3: another %s alone is shown, and nothing else changes', async (_what, spec, shown) => {
      await api.deliver(firing());
      const opened = await api.onlyAlert();
      await api.deliver({ ...firing(spec), fingerprint: firing().fingerprint });
      const { updated_date, ...refreshed } = await api.onlyAlert();
      expect({ ...refreshed, updated_date: opened.updated_date }).toEqual({ ...opened, ...shown });
      expect(Date.parse(updated_date)).toBeGreaterThan(Date.parse(opened.updated_date));
    });

    it('rule 3: a repeat that changes nothing touches no row, and is noted all the same', async () => {
      const versions = () => execute(server.databaseUrl, `SELECT xmin, ctid FROM session_alerts.alerts`);
      await api.deliver(firing());
      const before = await versions();
      expect(before).toHaveLength(1);
      expect(await api.deliver(firing())).toMatchObject({ stored: 1 });
      expect(await versions()).toEqual(before);
      expect(
        await execute(
          server.databaseUrl,
          `SELECT abs(extract(epoch FROM now()) - sightings.arrival / 1e6) < 60 AS now
             FROM session_alerts.sightings CROSS JOIN unnest(series) AS sighted (key)
             JOIN session_alerts.alerts AS alert
               ON key = session_alerts.series_key(alert.user_id, session_name, encode(alert.series, 'hex'))`,
        ),
      ).toEqual([{ now: true }]);
    });

    it('rule 3: two Alertmanagers that send everything twice make one alert', async () => {
      const opened = [firing(), firing({ startsAt: minute(1) })];
      for (const alert of opened) await api.deliver(alert);
      for (const alert of opened) await api.deliver(alert);
      expect(await api.openAlerts()).toHaveLength(1);
      await api.deliver(resolved(firing()));
      await api.deliver(resolved(firing()));
      expect(await api.openAlerts()).toEqual([]);
    });
  });

  describe('rule 3: what is shown is what fires', () => {
    const low = (name: string, spec: FiringSpec = {}) => volume(name, { severity: 'warning', ...spec });
    /** One alert, as the guide's rules would have it for two thresholds. */
    const at = (severity: string, spec: FiringSpec = {}) =>
      firing({ severity, title: `${severity} memory`, message: `Memory is ${severity}`, ...spec });

    it('rule 3: of two volumes the one that has recovered is not named any more', async () => {
      await api.deliver(low('data'));
      await api.deliver(low('home', { startsAt: minute(5) }));
      const both = await api.onlyAlert();
      expect(both).toMatchObject({ message: 'Volume home is at 95%' });

      await api.deliver(resolved(low('home', { startsAt: minute(5) })));
      const left = await api.onlyAlert();
      expect(left).toMatchObject({ id: both.id, message: 'Volume data is at 95%' });
      expect(Date.parse(left.updated_date)).toBeGreaterThan(Date.parse(both.updated_date));
      expect(left).not.toHaveProperty('escalated_date');
    });

    it('rule 3: a warning that is repeated takes nothing from what is critical', async () => {
      await api.deliver(at('warning'));
      await api.deliver(at('critical'));
      const critical = await api.onlyAlert();
      await api.deliver(at('warning'));
      await api.deliver(at('warning', { startsAt: minute(30) }));
      expect(await api.onlyAlert()).toMatchObject({
        id: critical.id,
        severity: 'critical',
        message: 'Memory is critical',
      });
    });

    it('rule 3: where what is critical ends the warning is shown at once, and that is an update', async () => {
      await api.deliver(at('warning'), at('critical'));
      const critical = await api.onlyAlert();
      expect(critical).toMatchObject({ severity: 'critical', series_count: 2 });
      await api.deliver(resolved(at('critical')));
      const warning = await api.onlyAlert();
      expect(warning).toMatchObject({
        id: critical.id,
        severity: 'warning',
        title: 'warning memory',
        message: 'Memory is warning',
      });
      expect(Date.parse(warning.updated_date)).toBeGreaterThan(Date.parse(critical.updated_date));
    });

    it.each([
      ['critical', 'error'],
      ['critical', 'page'],
      ['error', 'warning'],
      ['page', 'warning'],
      ['major', 'warning'],
      ['high', 'warning'],
      ['warning', 'odd'],
      ['warning', ''],
      ['odd', 'info'],
      ['', 'none'],
      ['CRITICAL', 'Warning'],
    ])('rule 3: "%s" is graver than "%s"', async (graver, other) => {
      await api.deliver(at(graver));
      await api.deliver(at(other, { startsAt: minute(9) }));
      expect(await api.onlyAlert()).toMatchObject({ message: `Memory is ${graver}` });
    });

    it.each([
      ['error', 'page'],
      ['major', 'high'],
      ['odd', ''],
      ['info', 'none'],
    ])('rule 3: "%s" is as grave as "%s": the one that started last is shown', async (one, other) => {
      await api.deliver(at(one), at(other, { startsAt: minute(1) }));
      expect(await api.onlyAlert()).toMatchObject({ message: `Memory is ${other}` });
      await api.deliver(at(one, { startsAt: minute(2) }));
      expect(await api.onlyAlert()).toMatchObject({ message: `Memory is ${one}` });
    });

    it('rule 3: what becomes graver is news, what becomes less grave is none', async () => {
      await api.deliver(at('warning'));
      const opened = await api.onlyAlert();
      expect(opened).not.toHaveProperty('escalated_date');

      await api.deliver(at('critical'));
      const graver = await api.onlyAlert();
      expect(graver.id).toBe(opened.id);
      expect(Date.parse(graver.updated_date)).toBeGreaterThan(Date.parse(opened.updated_date));
      expect(graver.escalated_date).toBe(graver.updated_date);

      await api.deliver(resolved(at('critical')));
      const lessGrave = await api.onlyAlert();
      expect(lessGrave.escalated_date).toBe(graver.escalated_date);
      expect(Date.parse(lessGrave.updated_date)).toBeGreaterThan(Date.parse(graver.updated_date));

      await api.deliver(at('page', { startsAt: minute(70) }));
      const again = await api.onlyAlert();
      expect(Date.parse(again.escalated_date ?? '')).toBeGreaterThan(Date.parse(graver.escalated_date ?? ''));
    });

    it('rule 3: another volume of the same gravity is an update, and no news', async () => {
      await api.deliver(low('data', { startsAt: minute(5) }));
      const opened = await api.onlyAlert();
      await api.deliver(low('home'));
      const both = await api.onlyAlert();
      expect(both).toMatchObject({ message: 'Volume data is at 95%', series_count: 2 });
      expect(Date.parse(both.updated_date)).toBeGreaterThan(Date.parse(opened.updated_date));
      expect(both).not.toHaveProperty('escalated_date');
    });

    it('rule 3: what one webhook makes graver and takes back is no news', async () => {
      await api.deliver(at('warning'));
      const opened = await api.onlyAlert();
      await api.deliver(at('critical'), resolved(at('critical')));
      expect(await api.onlyAlert()).toEqual(opened);
    });

    it('rule 3: the others are listed, the gravest first, each with what is its own', async () => {
      const links = { runbook_url: 'https://docs.example/memory', ...ACTION };
      await api.deliver(at('info'), at('critical', { startsAt: minute(3) }));
      await api.deliver(at('warning', { annotations: links }));
      const alert = await api.onlyAlert();
      const series = (
        severity: string,
        startsAt: string,
        own: Record<string, string | null> = { runbook_url: null },
      ) => ({
        title: `${severity} memory`,
        message: `Memory is ${severity}`,
        severity,
        starts_at: startsAt,
        ...own,
      });
      expect(alert.series).toEqual([
        series('critical', minute(3)),
        series('warning', minute(0), links),
        series('info', minute(0)),
      ]);
      expect(alert.series_count).toBe(3);

      await api.deliver(resolved(at('info')), resolved(at('critical')));
      const left = await api.onlyAlert();
      expect(left).not.toHaveProperty('series');
      expect(left).not.toHaveProperty('series_count');
    });

    it('rule 3: the action is that of what is shown, and one that has none takes it away', async () => {
      const other = { action_label: 'Ask for help', action_url: 'https://help.example/' };
      await api.deliver(at('warning', { annotations: ACTION }), at('info', { annotations: other }));
      const opened = await api.onlyAlert();
      expect(opened).toMatchObject(ACTION);
      await api.deliver(at('critical'));
      const graver = await api.onlyAlert();
      expect(graver.id).toBe(opened.id);
      expect(graver).not.toHaveProperty('action_label');
      expect(graver).not.toHaveProperty('action_url');
      await api.deliver(resolved(at('critical')));
      expect(await api.onlyAlert()).toMatchObject({ id: opened.id, ...ACTION });
      await api.deliver(resolved(at('warning')));
      expect(await api.onlyAlert()).toMatchObject({ id: opened.id, ...other });
      await api.deliver(resolved(at('info')));
      const history = await api.call('GET', '/alerts?status=resolved', { as: { sub: 'jane' } });
      expect(history.body).toMatchObject([{ id: opened.id, ...other }]);
    });

    it('rule 3: at most twenty are listed, and how many there are', async () => {
      await api.deliver(...Array.from({ length: 30 }, (_, i) => low(`v-${i}`, { startsAt: minute(i) })));
      const { series, series_count } = await api.onlyAlert();
      expect(series_count).toBe(30);
      expect(series?.map(({ starts_at }) => starts_at)).toEqual(
        Array.from({ length: 20 }, (_, i) => minute(29 - i)),
      );
    });

    it('rule 3: each volume has its own words, whoever is reported last', async () => {
      await api.deliver(low('data'), low('home', { startsAt: minute(1) }));
      await api.deliver({ ...low('data', { message: 'Volume data is at 99%' }) });
      expect(await api.onlyAlert()).toMatchObject({
        message: 'Volume home is at 95%',
        series: [{ message: 'Volume home is at 95%' }, { message: 'Volume data is at 99%' }],
      });
    });

    it('rule 3: an event whose series have all ended keeps its last words', async () => {
      const killed = (message: string, spec: FiringSpec = {}) =>
        at('critical', { message, ...spec, labels: { alert_kind: 'event', ...spec.labels } });
      const other = { startsAt: minute(1), labels: { container: 'other' } };
      await api.deliver(killed('The first was killed'), killed('The second was killed', other));
      await api.deliver(resolved(killed('The second was killed', other)));
      await api.deliver(resolved(killed('The first was killed')));
      const alert = await api.onlyAlert();
      expect(alert).toMatchObject({ message: 'The first was killed', kind: 'event', resolved_date: null });
      expect(alert).not.toHaveProperty('series');
    });

    it('rule 3: what has ended is told with its last words, and no series', async () => {
      await api.deliver(low('data'), low('home', { startsAt: minute(1) }));
      await api.deliver(resolved(low('data')), resolved(low('home', { startsAt: minute(1) })));
      const { body } = await api.call<ShownAlert[]>('GET', '/alerts?status=resolved', {
        as: { sub: 'jane' },
      });
      expect(body).toMatchObject([{ message: 'Volume home is at 95%', resolved_reason: 'resolved' }]);
      expect(body[0]).not.toHaveProperty('series');
    });
  });

  describe('rule 4: resolved matches by series alone', () => {
    it.each([
      ['other annotations', { annotations: { title: 'Fine again', description: 'All is well' } }],
      ['no text', { annotations: {} }],
      ['no annotations', { annotations: undefined }],
      ['annotations that are no object', { annotations: 'gone' }],
      ['no generatorURL', { generatorURL: undefined }],
      ['no startsAt', { startsAt: undefined }],
      ['a startsAt that was never seen', { startsAt: minute(30) }],
    ])('rule 4: with %s it still closes', async (_what, changes) => {
      await api.deliver(firing());
      expect(await api.deliver({ ...resolved(firing()), ...changes })).toMatchObject({ resolved: 1 });
      expect(await api.openAlerts()).toEqual([]);
    });

    it('rule 4: an alert with the same text is left alone', async () => {
      await api.deliver(firing(), firing({ name: 'RenkuSessionHighDiskUsage' }));
      await api.deliver(resolved(firing()));
      expect(await api.onlyAlert()).toMatchObject({ event_type: 'RenkuSessionHighDiskUsage' });
    });

    it.each([
      ['no endsAt', undefined],
      ["Go's zero time", '0001-01-01T00:00:00Z'],
      ['an endsAt that is no moment', 'soon'],
    ])('rule 4: %s counts as now', async (_what, endsAt) => {
      await api.deliver(firing());
      expect(await api.deliver({ ...resolved(firing()), endsAt })).toMatchObject({ resolved: 1 });
      expect(await api.openAlerts()).toEqual([]);
    });

    it('rule 4: a late copy of an earlier resolve is ignored', async () => {
      await api.deliver(firing());
      await api.deliver(resolved(firing(), minute(5)));
      await api.deliver(firing({ startsAt: minute(10) }));
      const reopened = await api.onlyAlert();

      expect(await api.deliver(resolved(firing(), minute(5)))).toEqual({
        stored: 0,
        resolved: 0,
        skipped: 1,
        reasons: { late_resolve: 1 },
      });
      expect(await api.openAlerts()).toEqual([reopened]);

      await api.deliver(resolved(firing({ startsAt: minute(10) }), minute(15)));
      expect(await api.openAlerts()).toEqual([]);
    });

    it('rule 4: so is one that ends in the moment in which the episode starts', async () => {
      await api.deliver(firing({ startsAt: minute(10) }));
      expect(await api.deliver(resolved(firing(), minute(10)))).toMatchObject({
        reasons: { late_resolve: 1 },
      });
      expect(await api.openAlerts()).toHaveLength(1);
    });

    it('rule 4: moments are compared as such, whatever their offset and digits', async () => {
      await api.deliver(firing({ startsAt: '2026-01-15T12:00:00.123456789+02:00' }));
      expect(await api.deliver(resolved(firing(), '2026-01-15T09:59:59Z'))).toMatchObject({ skipped: 1 });
      expect(await api.openAlerts()).toHaveLength(1);
      expect(await api.deliver(resolved(firing(), '2026-01-15T05:00:01-05:00'))).toMatchObject({
        resolved: 1,
      });
      expect(await api.openAlerts()).toEqual([]);
    });

    it.each([
      ['in an hour', 3600_000],
      ['in some seconds', 20_000],
      ['in fifty years', 50 * 365 * 24 * 3600_000],
    ])('rule 4: a start that lies %s keeps no resolve from being believed', async (_when, ahead) => {
      const startsAt = new Date(Date.now() + ahead).toISOString();
      await api.deliver(firing({ startsAt }));
      await api.deliver(firing({ startsAt }));
      const { id } = await api.onlyAlert();
      expect(await api.deliver(resolved(firing({ startsAt }), minute(0)))).toMatchObject({
        reasons: { late_resolve: 1 },
      });
      expect(await api.deliver(resolved(firing({ startsAt }), new Date().toISOString()))).toMatchObject({
        resolved: 1,
      });
      // Nor does it keep what comes after it silent.
      await api.deliver(firing({ startsAt }));
      await api.update((await api.onlyAlert()).id);
      await api.deliver(firing({ startsAt }));
      expect(await api.openAlerts()).toEqual([]);
      await api.deliver(
        firing({ startsAt: new Date(Date.now() + Math.min(ahead, 50_000) + 1).toISOString() }),
      );
      expect((await api.onlyAlert()).id).not.toBe(id);
    });

    it('rule 4: without an alertname too, whatever its title is by then', async () => {
      const unnamed = firing({ name: '', title: 'Hello' });
      await api.deliver(unnamed, firing({ name: '', title: 'Another', labels: { pod: 'another' } }));
      const renamed = { ...unnamed.annotations, title: 'Hello again' };
      expect(await api.deliver({ ...unnamed, annotations: renamed })).toMatchObject({ stored: 1 });
      expect((await api.openAlerts()).map(({ title }) => title).sort()).toEqual(['Another', 'Hello again']);
      expect(await api.deliver({ ...resolved(unnamed), annotations: {} })).toMatchObject({ resolved: 1 });
      expect(await api.onlyAlert()).toMatchObject({ title: 'Another' });
    });

    it('rule 4: what was never seen firing changes nothing', async () => {
      expect(await api.deliver(resolved(firing()))).toEqual({
        stored: 0,
        resolved: 0,
        skipped: 1,
        reasons: { unknown_series: 1 },
      });
      expect(await api.openAlerts()).toEqual([]);
    });
  });

  describe('rule 5: firing after resolved opens a new alert', () => {
    it.each([
      ['the same startsAt', minute(0)],
      ['a later startsAt', minute(90)],
      ['an earlier startsAt', minute(-30)],
    ])('rule 5: with %s', async (_what, startsAt) => {
      await api.deliver(firing());
      const first = await api.onlyAlert();
      await api.deliver(resolved(firing()));
      expect(await api.deliver(firing({ startsAt }))).toMatchObject({ stored: 1 });
      const second = await api.onlyAlert();
      expect(second.id).not.toBe(first.id);
      expect(Date.parse(second.creation_date)).toBeGreaterThanOrEqual(Date.parse(first.creation_date));
    });

    it('rule 5: within one webhook too', async () => {
      await api.deliver(firing());
      const first = await api.onlyAlert();
      expect(await api.deliver(resolved(firing()), firing({ startsAt: minute(70) }))).toMatchObject({
        stored: 1,
        resolved: 1,
      });
      expect((await api.onlyAlert()).id).not.toBe(first.id);
    });

    it('rule 5: a first firing, its end and the next firing may come together', async () => {
      await api.deliver(firing(), resolved(firing()), firing({ startsAt: minute(70), message: 'Again' }));
      expect(await api.onlyAlert()).toMatchObject({ message: 'Again' });
    });

    it('rule 5: a false resolve and the same episode again end with one open alert', async () => {
      for (let restart = 0; restart < 3; restart++) {
        await api.deliver(firing());
        await api.deliver(resolved(firing(), minute(10 + restart)));
      }
      await api.deliver(firing());
      expect(await api.openAlerts()).toHaveLength(1);
      expect(await api.deliver(resolved(firing()))).toMatchObject({ resolved: 1 });
      expect(await api.openAlerts()).toEqual([]);
    });
  });

  describe('rule 6: a firing with an older startsAt does not change the text', () => {
    const current = { startsAt: minute(10), message: 'At 99%', severity: 'critical' };

    it('rule 6: it is stored, and the user sees what was there', async () => {
      await api.deliver({ ...firing(current), fingerprint: 'af76dc6588fad5c9' });
      const shown = await api.onlyAlert();
      const older = firing({ startsAt: minute(9), message: 'At 91%', severity: 'warning' });
      expect(await api.deliver({ ...older, fingerprint: 'af76dc6588fad5c9' })).toMatchObject({ stored: 1 });
      expect(await api.openAlerts()).toEqual([shown]);
    });

    it('rule 6: the episode still starts when the newer one said', async () => {
      await api.deliver(firing(current));
      await api.deliver(firing({ ...current, startsAt: minute(1) }));
      expect(await api.deliver(resolved(firing(current), minute(5)))).toMatchObject({
        reasons: { late_resolve: 1 },
      });
      expect(await api.openAlerts()).toHaveLength(1);
    });

    it('rule 6: a later startsAt does change the text', async () => {
      await api.deliver(firing(current));
      const { id } = await api.onlyAlert();
      await api.deliver(firing({ ...current, startsAt: minute(11), message: 'At 93%' }));
      expect(await api.onlyAlert()).toMatchObject({ id, message: 'At 93%' });
    });
  });

  describe('rule 8: resolved by hand stays resolved for that episode', () => {
    async function openAndResolveByHand(...alerts: unknown[]): Promise<string> {
      await api.deliver(...alerts);
      const { id } = await api.onlyAlert();
      expect(await api.update(id)).toMatchObject({ status: 200, body: { id, resolved_reason: 'manual' } });
      expect(await api.openAlerts()).toEqual([]);
      return id;
    }

    it.each([
      ['the same startsAt', minute(0)],
      ['an older startsAt', minute(-5)],
      ['no startsAt', undefined],
    ])('rule 8: repeats with %s stay silent', async (_what, startsAt) => {
      await openAndResolveByHand(firing());
      for (let repeat = 0; repeat < 2; repeat++) {
        expect(await api.deliver({ ...firing(), startsAt })).toEqual({
          stored: 0,
          resolved: 0,
          skipped: 1,
          reasons: { closed_by_hand: 1 },
        });
      }
      expect(await api.openAlerts()).toEqual([]);
    });

    it('rule 8: an episode that starts later opens a new alert', async () => {
      const id = await openAndResolveByHand(firing());
      expect(await api.deliver(firing({ startsAt: minute(1) }))).toMatchObject({ stored: 1 });
      expect((await api.onlyAlert()).id).not.toBe(id);
    });

    it('rule 8: a false resolve in between does not end the silence', async () => {
      await openAndResolveByHand(firing());
      await api.deliver(resolved(firing(), minute(5)));
      await api.deliver(firing());
      expect(await api.openAlerts()).toEqual([]);

      await api.deliver(resolved(firing(), minute(7)));
      await api.deliver(firing({ startsAt: minute(10) }));
      expect(await api.openAlerts()).toHaveLength(1);
    });

    it('rule 8: all its series are silent, each until its own next episode', async () => {
      await openAndResolveByHand(volume('data'), volume('home', { startsAt: minute(5) }));
      await api.deliver(volume('data'), volume('home', { startsAt: minute(5) }));
      expect(await api.openAlerts()).toEqual([]);

      await api.deliver(volume('home', { startsAt: minute(20) }));
      expect(await api.onlyAlert()).toMatchObject({ message: 'Volume home is at 95%' });
      // The other volume's old episode neither changes the new alert nor keeps it open.
      expect(await api.deliver(volume('data'))).toMatchObject({ reasons: { closed_by_hand: 1 } });
      expect(await api.onlyAlert()).toMatchObject({ message: 'Volume home is at 95%' });
      await api.deliver(resolved(volume('home')));
      expect(await api.openAlerts()).toEqual([]);
    });

    it('rule 8: a series stays silent in a webhook with one that fires anew', async () => {
      const volume = (name: string, startsAt = minute(0)) =>
        firing({ startsAt, labels: { persistentvolumeclaim: name } });
      await api.deliver(volume('data'), volume('home'));
      await api.update((await api.onlyAlert()).id);
      const anew = volume('data', minute(30));
      await api.deliver(anew);
      expect(await api.deliver(anew, volume('home'))).toMatchObject({ reasons: { closed_by_hand: 1 } });
      expect(await api.onlyAlert()).not.toHaveProperty('series');
    });

    it('rule 8: a series that joins later is a new problem', async () => {
      await openAndResolveByHand(volume('data'));
      await api.deliver(volume('home'));
      expect(await api.onlyAlert()).toMatchObject({ message: 'Volume home is at 95%' });
    });

    it('rule 8: the new alert can be resolved by hand as well', async () => {
      await openAndResolveByHand(firing());
      await openAndResolveByHand(firing({ startsAt: minute(10) }));
      await api.deliver(firing({ startsAt: minute(10) }));
      expect(await api.openAlerts()).toEqual([]);
    });
  });

  describe('rule 13: a 2xx means stored', () => {
    it('rule 13: what cannot be shown is skipped by itself and counted by reason', async () => {
      const { labels } = firing();
      const summary = await api.deliver(
        firing(),
        null,
        'alert',
        firing({ user: '<nil>' }),
        { ...firing(), labels: { ...labels, safe_username: undefined } },
        { ...firing(), labels: { ...labels, safe_username: '' } },
        { ...firing(), labels: { ...labels, statefulset: undefined } },
        { ...firing(), annotations: {} },
        { ...firing(), annotations: { title: 'Title' } },
        { ...firing(), status: 'unknown' },
        firing({ session: 'jane-2' }),
      );
      expect(summary).toEqual({
        stored: 2,
        resolved: 0,
        skipped: 9,
        reasons: {
          not_an_object: 2,
          invalid_user: 1,
          no_user: 2,
          no_session: 1,
          no_title: 1,
          no_message: 1,
          no_status: 1,
        },
      });
      expect((await api.openAlerts()).map((alert) => alert.session_name)).toEqual(
        expect.arrayContaining(['jane-1', 'jane-2']),
      );
    });

    it('rule 13: what is skipped is logged, with why', async () => {
      // One that has not said so within the last minute.
      const fresh = await startTestServer();
      const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation();
      try {
        const freshApi = new AlertsApi(`${fresh.url}/api/data`, fresh.issuer);
        await freshApi.deliver(firing(), null, firing({ user: '<nil>' }));
        expect(warn.mock.calls.flat().join('\n')).toMatch(/1 not_an_object.*1 invalid_user/);
      } finally {
        warn.mockRestore();
        await fresh.close();
      }
    });

    it('rule 13: a resolve needs only its labels', async () => {
      await api.deliver(firing());
      const { labels } = firing();
      expect(await api.deliver({ status: 'resolved', labels })).toMatchObject({ resolved: 1 });
      expect(await api.openAlerts()).toEqual([]);
    });

    it('rule 13: nothing to store is fine', async () => {
      expect(await api.deliver()).toEqual({ stored: 0, resolved: 0, skipped: 0, reasons: {} });
    });

    it('rule 13: what the database fails half way through is a 5xx, of which nothing stays', async () => {
      await execute(
        server.databaseUrl,
        `CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql
           AS $$ BEGIN RAISE 'the disk of session_alerts.alerts is on fire'; END $$;
         CREATE TRIGGER fails BEFORE INSERT ON session_alerts.alerts FOR EACH ROW WHEN (NEW.session_name = 'jane-2')
           EXECUTE FUNCTION fail()`,
      );
      try {
        const answer = await api.postWebhook(webhook([firing(), firing({ session: 'jane-2' })]));
        expect(answer.status).toBeGreaterThanOrEqual(500);
        expect(JSON.stringify(expectError(answer, answer.status))).not.toMatch(/fire/);
        expect(await api.openAlerts()).toEqual([]);
      } finally {
        await execute(server.databaseUrl, `DROP FUNCTION fail CASCADE`);
      }
      await api.deliver(firing(), firing({ session: 'jane-2' }));
      expect(await api.openAlerts()).toHaveLength(2);
    });
  });

  describe('rule 14: text is kept as sent', () => {
    it.each([
      ['markup', '<script>alert(1)</script> & <b>bold</b>'],
      ['Markdown', '**bold** [link](javascript:alert(1))'],
      ['control characters', 'bell \u0007 escape \u001b[31m'],
      ['lines and tabs', 'one\r\n\ttwo\u2028three'],
      ['white space around it', '  text \n'],
      ['emoji and other scripts', 'Mémoire 🚨 高い 👩‍💻 שלום \u202Ertl'],
      ['quotes and backslashes', `'"\\ \\u0000 $1 %s \${x}`],
    ])('rule 14: %s', async (_what, text) => {
      await api.deliver(firing({ title: text, message: text }));
      expect(await api.onlyAlert()).toMatchObject({ title: text, message: text });
    });

    it.each([
      ['NUL', 'a\0b\0'],
      ['a lone first half of a pair', 'a\uD83Db\uD83D'],
      ['a lone second half of a pair', 'a\uDE00b\uDE00'],
    ])('rule 14: %s is replaced', async (_what, text) => {
      await api.deliver(firing({ title: text, message: text, name: text, session: text, severity: text }));
      const kept = 'a\uFFFDb\uFFFD';
      expect(await api.onlyAlert()).toMatchObject({
        title: kept,
        message: kept,
        event_type: kept,
        session_name: kept,
        severity: kept,
      });
      expect(await api.openAlerts('jane', kept)).toHaveLength(1);
      await api.deliver(resolved(firing({ name: text, session: text, severity: text })));
      expect(await api.openAlerts()).toEqual([]);
    });

    it('rule 14: what is too long is cut with a mark, not refused', async () => {
      const long = 'words '.repeat(10_000);
      await api.deliver(firing({ title: long, message: long, name: long, severity: long }));
      const { title, message, event_type, severity } = await api.onlyAlert();
      for (const text of [title, message, event_type, severity ?? '']) {
        expect(text).toMatch(/^words .*… \[cut\]$/);
        expect(text.length).toBeLessThan(long.length);
      }
      expect(message.length).toBeGreaterThan(title.length);
    });

    it('rule 14: emoji are not cut in half', async () => {
      await api.deliver(firing({ title: '😀'.repeat(1_000), message: `x${'😀'.repeat(20_000)}` }));
      const { title, message } = await api.onlyAlert();
      expect(title).toMatch(/^(😀)+… \[cut\]$/u);
      expect(message).toMatch(/^x(😀)+… \[cut\]$/u);
    });
  });

  describe('rule 15: truncatedAlerts means that alerts are lost', () => {
    async function warningsAbout(truncatedAlerts: unknown): Promise<string[]> {
      const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation();
      try {
        expect(await api.postWebhook(webhook([firing()], { truncatedAlerts }))).toMatchObject({
          status: 200,
          body: { stored: 1, skipped: 0 },
        });
        return warn.mock.calls.map(([message]) => String(message));
      } finally {
        warn.mockRestore();
      }
    }

    it('rule 15: the log says how many, and what to change', async () => {
      const warnings = await warningsAbout(2);
      expect(warnings).toHaveLength(1);
      expect(warnings[0]).toMatch(/\b2\b/);
      expect(warnings[0]).toContain('renku-webhook');
      expect(warnings[0]).toContain('max_alerts');
      expect(warnings[0]).toContain('group_by');
      expect(await api.openAlerts()).toHaveLength(1);
    });

    it.each([0, undefined, null, -1, '2', {}])('rule 15: truncatedAlerts %p is no loss', async (count) => {
      expect(await warningsAbout(count)).toEqual([]);
    });
  });

  it('shows an administrator nothing but their own', async () => {
    await api.deliver(firing());
    expect((await api.call('GET', '/alerts', { as: ADMIN })).body).toEqual([]);
  });
});
