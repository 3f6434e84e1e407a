import { once } from 'node:events';
import { connect } from 'node:net';
import { AlertsApi, expectError, firing, minute, resolved, webhook } from '../support/alerts.js';
import type { ShownAlert } from '../support/alerts.js';
import { execute, forgetAlerts } from '../support/database.js';
import { startTestServer, waitUntil } from '../support/server.js';
import type { TestServer } from '../support/server.js';

const MEGABYTE = 1024 * 1024;

function expectNoAction(alert: ShownAlert): void {
  expect(alert).not.toHaveProperty('action_label');
  expect(alert).not.toHaveProperty('action_url');
}

describe('Bad input', () => {
  let server: TestServer;
  let api: AlertsApi;

  beforeAll(async () => {
    server = await startTestServer();
    api = new AlertsApi(`${server.url}/api/data`, server.issuer);
  });
  beforeEach(() => forgetAlerts(server.databaseUrl));
  afterEach(async () => {
    // Whatever came, the user's page still works, and so does the next webhook.
    for (const user of ['jane', 'ann']) await api.openAlerts(user);
    expect(await api.deliver(firing({ user: 'afterwards' }))).toMatchObject({ stored: 1 });
    expect(await api.openAlerts('afterwards')).toHaveLength(1);
  });
  afterAll(() => server.close());

  /** A firing alert with labels that may be of any type; `undefined` leaves one out. */
  function labelled(labels: Record<string, unknown>): unknown {
    return { ...firing(), labels: { ...firing().labels, ...labels } };
  }
  function annotated(annotations: Record<string, unknown>): unknown {
    return { ...firing(), annotations: { ...firing().annotations, ...annotations } };
  }
  /** An object with a property of that very name, also where the name is `__proto__`. */
  function named(name: string, value: unknown): Record<string, unknown> {
    return Object.fromEntries([[name, value]]);
  }

  describe('a bad alert inside a good batch is skipped by itself', () => {
    it.each<[string, unknown, string]>([
      ['null', null, 'not_an_object'],
      ['a number', 42, 'not_an_object'],
      ['a text', 'firing', 'not_an_object'],
      ['true', true, 'not_an_object'],
      ['a list', [], 'not_an_object'],
      ['a list of alerts', [firing()], 'not_an_object'],
      ['nested lists', [[[[[null]]]]], 'not_an_object'],
      ['an empty object', {}, 'no_status'],
      ['no status', { ...firing(), status: undefined }, 'no_status'],
      ['an unknown status', { ...firing(), status: 'suppressed' }, 'no_status'],
      ['a status of another case', { ...firing(), status: 'FIRING' }, 'no_status'],
      ['a status that is a list', { ...firing(), status: ['firing'] }, 'no_status'],
      ['no labels', { ...firing(), labels: undefined }, 'no_user'],
      ['null labels', { ...firing(), labels: null }, 'no_user'],
      ['labels that are a text', { ...firing(), labels: 'safe_username=jane' }, 'no_user'],
      ['labels that are a list', { ...firing(), labels: [['safe_username', 'jane']] }, 'no_user'],
      ['no user', labelled({ safe_username: undefined }), 'no_user'],
      ['an empty user', labelled({ safe_username: '' }), 'no_user'],
      ['a null user', labelled({ safe_username: null }), 'no_user'],
      ['a user that is a number', labelled({ safe_username: 7 }), 'no_user'],
      ['a user that is an object', labelled({ safe_username: { toString: 'jane' } }), 'no_user'],
      ['the user <nil>', labelled({ safe_username: '<nil>' }), 'invalid_user'],
      ['the user <no value>', labelled({ safe_username: '<no value>' }), 'invalid_user'],
      ['a user with a space', labelled({ safe_username: 'jane doe' }), 'invalid_user'],
      ['a user of spaces', labelled({ safe_username: '   ' }), 'invalid_user'],
      ['a user with a line end', labelled({ safe_username: 'jane\n' }), 'invalid_user'],
      ['a user with NUL', labelled({ safe_username: 'jane\0' }), 'invalid_user'],
      ['a user with a bell', labelled({ safe_username: 'jane\u0007' }), 'invalid_user'],
      ['a user with half a pair', labelled({ safe_username: 'jane\uD83D' }), 'invalid_user'],
      ['a user of 256 characters', labelled({ safe_username: 'j'.repeat(256) }), 'invalid_user'],
      ['no session', labelled({ statefulset: undefined }), 'no_session'],
      ['an empty session', labelled({ statefulset: '' }), 'no_session'],
      ['a session that is a list', labelled({ statefulset: ['jane-1'] }), 'no_session'],
      ['a session of 300 characters', labelled({ statefulset: 's'.repeat(300) }), 'invalid_session'],
      ['no annotations', { ...firing(), annotations: undefined }, 'no_title'],
      ['annotations that are a list', { ...firing(), annotations: ['title'] }, 'no_title'],
      ['no title', annotated({ title: undefined }), 'no_title'],
      ['an empty title', annotated({ title: '' }), 'no_title'],
      ['a blank title', annotated({ title: ' \u00a0\t\n' }), 'no_title'],
      ['a title that is a number', annotated({ title: 7 }), 'no_title'],
      ['no description', annotated({ description: undefined }), 'no_message'],
      ['a blank description', annotated({ description: '\n' }), 'no_message'],
      ['a description that is an object', annotated({ description: {} }), 'no_message'],
    ])('%s', async (_what, bad, reason) => {
      const before = firing({ user: 'ann', session: 'before' });
      const after = firing({ user: 'ann', session: 'after' });
      expect(await api.deliver(before, bad, after)).toEqual({
        stored: 2,
        resolved: 0,
        skipped: 1,
        reasons: { [reason]: 1 },
      });
      expect((await api.openAlerts('ann')).map((alert) => alert.session_name).sort()).toEqual([
        'after',
        'before',
      ]);
      expect(await api.openAlerts('jane')).toEqual([]);
    });

    it.each<[string, unknown]>([
      ['no user', labelled({ safe_username: undefined })],
      ['no session', labelled({ statefulset: undefined })],
      ['no labels', { ...firing(), labels: undefined }],
    ])('a resolve with %s closes nothing', async (_what, bad) => {
      await api.deliver(firing());
      expect(await api.deliver({ ...(bad as object), status: 'resolved', endsAt: minute(5) })).toMatchObject({
        resolved: 0,
        skipped: 1,
      });
      expect(await api.openAlerts()).toHaveLength(1);
    });
  });

  describe('what can be shown is shown', () => {
    it.each([
      ['of one character', 's'],
      ['of 150 characters', 's'.repeat(150)],
      ['of 255 characters', 's'.repeat(255)],
      ['with markup', '<b>jane</b>'],
      ['with spaces', 'jane 1'],
      ['with a slash', '../../etc/passwd'],
      ['that SQL could mistake', "'; DROP TABLE session_alerts.alerts; --"],
    ])('a session name %s', async (_what, session) => {
      expect(await api.deliver(firing({ session }))).toMatchObject({ stored: 1 });
      expect(await api.openAlerts('jane', session)).toMatchObject([{ session_name: session }]);
      expect(await api.deliver(resolved(firing({ session })))).toMatchObject({ resolved: 1 });
    });

    it('an alert with labels and annotations besides that are no text', async () => {
      const odd = { nothing: null, number: 1, yes: true, list: [1], object: { a: 1 } };
      const alert = { ...firing(), fingerprint: undefined };
      expect(
        await api.deliver({
          ...alert,
          labels: { ...alert.labels, ...odd },
          annotations: { ...alert.annotations, ...odd },
        }),
      ).toMatchObject({ stored: 1 });
      expect(await api.openAlerts()).toHaveLength(1);
    });

    it.each([
      ['severity', labelled({ severity: 7 }), { severity: null }],
      ['alertname', labelled({ alertname: ['x'] }), { event_type: 'High memory usage' }],
      ['runbook_url', annotated({ runbook_url: { href: 'x' } }), { runbook_url: null }],
      ['alert_kind', labelled({ alert_kind: 1 }), { kind: 'condition' }],
    ])('an alert whose %s is no text, without it', async (_what, alert, shown) => {
      expect(await api.deliver(alert)).toMatchObject({ stored: 1 });
      expect(await api.onlyAlert()).toMatchObject(shown);
    });

    it.each([
      ['action_label', { action_label: 7, action_url: 'https://sessions.example' }],
      ['action_url', { action_label: 'Resize', action_url: ['x'] }],
    ])('an alert whose %s is no text, without its action', async (_what, annotations) => {
      expect(await api.deliver(annotated(annotations))).toMatchObject({ stored: 1 });
      expectNoAction(await api.onlyAlert());
    });

    it.each([
      'javascript:alert(1)',
      'data:text/html,x',
      'file:///etc/passwd',
      '//evil.example',
      'https://',
      `https://docs.example/${'x'.repeat(MEGABYTE)}`,
    ])('an alert with the runbook and the action %.40s, without a link', async (url) => {
      const annotations = { runbook_url: url, action_label: 'Resize', action_url: url };
      await api.deliver(firing({ annotations }));
      const alert = await api.onlyAlert();
      expect(alert.runbook_url).toBeNull();
      expectNoAction(alert);
    });

    it.each([undefined, null, '', 'nonsense', 'AF76DC6588FAD5C9', 7, {}, 'a'.repeat(MEGABYTE)])(
      'an alert with the fingerprint %.40p, by its labels',
      async (fingerprint) => {
        expect(await api.deliver({ ...firing(), fingerprint })).toMatchObject({ stored: 1 });
        expect(await api.deliver(resolved(firing()))).toMatchObject({ resolved: 1 });
      },
    );
  });

  describe('what PostgreSQL cannot hold is replaced', () => {
    const every = (text: string) =>
      firing({
        session: `session ${text}`,
        name: `name ${text}`,
        severity: `severity ${text}`,
        title: `title ${text}`,
        message: `message ${text}`,
        labels: { [`label ${text}`]: `value ${text}` },
        annotations: {
          runbook_url: `https://docs.example/${text}`,
          action_label: `label ${text}`,
          action_url: `https://sessions.example/${text}`,
          [`annotation ${text}`]: text,
        },
      });

    it.each([
      ['NUL', '\0'],
      ['the first half of a pair', '\uD83D'],
      ['the second half of a pair', '\uDE00'],
      ['halves in the wrong order', '\uDE00\uD83D'],
    ])('%s in every text', async (_what, text) => {
      for (const fingerprint of [undefined, every(text).fingerprint]) {
        const good = firing({ session: 'good' });
        expect(await api.deliver(good, { ...every(text), fingerprint })).toMatchObject({ stored: 2 });
      }
      const kept = '\uFFFD'.repeat(text.length);
      expect(await api.openAlerts('jane', `session ${kept}`)).toMatchObject([
        {
          session_name: `session ${kept}`,
          event_type: `name ${kept}`,
          severity: `severity ${kept}`,
          title: `title ${kept}`,
          message: `message ${kept}`,
          action_label: `label ${kept}`,
        },
      ]);
      expect(await api.deliver(resolved(every(text)))).toMatchObject({ resolved: 1 });
    });
  });

  describe('names that mean something to JavaScript', () => {
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'prototype'];

    it.each(names)('a label %s is a label like any other', async (name) => {
      const one = firing({ labels: named(name, 'one') as Record<string, string> });
      const other = firing({ labels: named(name, 'other') as Record<string, string> });
      await api.deliver({ ...one, fingerprint: undefined }, { ...other, fingerprint: undefined });
      expect(await api.openAlerts()).toHaveLength(1);
      await api.deliver(resolved(one));
      expect(await api.openAlerts()).toHaveLength(1);
      await api.deliver(resolved(other));
      expect(await api.openAlerts()).toEqual([]);
    });

    it.each(names)('a user, session, alertname and title %s are names like any other', async (name) => {
      await api.deliver(firing({ user: name, session: name, name, title: name, severity: name }));
      expect(await api.onlyAlert(name)).toMatchObject({
        user_id: name,
        session_name: name,
        event_type: name,
        title: name,
        severity: name,
      });
    });

    it.each(['labels', 'annotations', 'status'])('%s are not read from a __proto__', async (field) => {
      const { [field]: hidden, ...rest } = firing() as unknown as Record<string, unknown>;
      expect(await api.deliver({ ...rest, ...named('__proto__', { [field]: hidden }) })).toMatchObject({
        stored: 0,
        skipped: 1,
      });
      expect(({} as Record<string, unknown>)[field]).toBeUndefined();
    });

    it('a user is not read from the __proto__ of the labels', async () => {
      const { safe_username, ...labels } = firing().labels;
      const alert = { ...firing(), labels: { ...labels, ...named('__proto__', { safe_username }) } };
      expect(await api.deliver(alert)).toMatchObject({ reasons: { no_user: 1 } });
    });

    it('alerts are not read from a __proto__', async () => {
      const { alerts, ...rest } = webhook([firing()]);
      expectError(await api.postWebhook({ ...rest, ...named('__proto__', { alerts }) }), 422);
    });
  });

  describe('great size', () => {
    it('10 MB texts are cut with a mark', async () => {
      const text = 'much '.repeat((10 * MEGABYTE) / 5);
      const alert = firing({ title: text });
      expect(await api.postWebhook(webhook([alert], { commonAnnotations: { title: text } }))).toMatchObject({
        status: 200,
        body: { stored: 1 },
      });
      expect(await api.deliver(firing({ session: 'jane-2', message: text }))).toMatchObject({ stored: 1 });
      const huge = labelled({ statefulset: 'jane-3', alertname: text, severity: text });
      expect(await api.deliver(huge)).toMatchObject({ stored: 1 });
      // A severity that nobody knows comes after those that warn.
      const [described, titled, labeled] = await api.openAlerts();
      expect(titled?.title).toMatch(/^much .*… \[cut\]$/);
      expect(described?.message).toMatch(/^much .*… \[cut\]$/);
      expect(labeled?.severity).toMatch(/^much .*… \[cut\]$/);
      expect(labeled?.event_type).toMatch(/^much .*… \[cut\]$/);
      expect(JSON.stringify(await api.openAlerts()).length).toBeLessThan(100_000);
    });

    it('10 MB names of a user or a session are skipped', async () => {
      const text = 'x'.repeat(10 * MEGABYTE);
      expect(await api.deliver(labelled({ safe_username: text }), labelled({ statefulset: text }))).toEqual({
        stored: 0,
        resolved: 0,
        skipped: 2,
        reasons: { invalid_user: 1, invalid_session: 1 },
      });
    });

    it('an alert may have 10,000 labels', async () => {
      const labels = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`label_${i}`, `${i}`]));
      expect(await api.deliver({ ...firing({ labels }), fingerprint: undefined })).toMatchObject({
        stored: 1,
      });
      expect(await api.deliver(resolved(firing({ labels })))).toMatchObject({ resolved: 1 });
    });

    it('a webhook may have 10,000 alerts', async () => {
      const alerts = Array.from({ length: 10_000 }, (_, i) =>
        firing({ user: `user-${i % 500}`, session: `session-${i}` }),
      );
      expect(await api.deliver(...alerts)).toMatchObject({ stored: 10_000, skipped: 0 });
      expect(await api.openAlerts('user-0')).toHaveLength(20);
      expect(await api.deliver(...alerts)).toMatchObject({ stored: 10_000, skipped: 0 });
      expect(await api.openAlerts('user-499')).toHaveLength(20);
      expect(await api.deliver(...alerts.map((alert) => resolved(alert)))).toMatchObject({
        resolved: 10_000,
      });
      expect(await api.openAlerts('user-0')).toEqual([]);
    });

    it('a webhook may have 10,000 alerts of which none can be shown', async () => {
      expect(await api.deliver(...Array<null>(10_000).fill(null))).toEqual({
        stored: 0,
        resolved: 0,
        skipped: 10_000,
        reasons: { not_an_object: 10_000 },
      });
    });

    it('a body over the limit is refused', async () => {
      expectError(await api.postWebhook(webhook([firing({ title: 'x'.repeat(33 * MEGABYTE) })])), 413);
    });

    it('bodies that were announced and never came take no room for long', async () => {
      const token = await server.alertmanagerToken();
      const ask = (method: string, path: string, more = '') =>
        `${method} /api/data${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n${more}\r\n`;
      const post = ask(
        'POST',
        '/webhooks/alertmanager',
        `Content-Type: application/json\r\nContent-Length: ${32 * MEGABYTE}\r\n`,
      );
      // Behind a stream, which is never answered to its end, nothing is.
      for (let time = 0; time < 3; time++) {
        const client = connect(Number(new URL(server.url).port), '127.0.0.1');
        client.write(`${ask('GET', '/alerts/stream')}${post}{`);
        await once(client, 'data');
        client.destroy();
      }
      await waitUntil(async () => (await api.postWebhook(webhook([firing()]))).status === 200);
    });

    it.each([
      ['items', '1,'.repeat(1_500_000)],
      ['brackets', `${'['.repeat(1_500_000)}${']'.repeat(1_500_000)},`],
      ['labels', `{"labels":{${Array.from({ length: 1_100_000 }, (_, i) => `"label_${i}":"1"`).join()}}},`],
    ])('more values than alerts have are refused: %s', async (_what, values) => {
      const answer = await api.postWebhook(`{"alerts":[${values}${JSON.stringify(firing())}]}`);
      expect(expectError(answer, 413).detail).toContain('more values than alerts');
      expect(await api.openAlerts()).toEqual([]);
    });

    it('text counts as one value, whatever is in it', async () => {
      const message = ',[{"\\'.repeat(400_000);
      expect(await api.deliver(firing({ message }))).toMatchObject({ stored: 1 });
    });

    it('a list of millions that are no alerts is refused', async () => {
      expectError(await api.postWebhook(`{"alerts":[${'1,'.repeat(2_000_000)}1]}`), 413);
    });

    it.each([
      ['POST', '/nothing'],
      ['PUT', '/webhooks/alertmanager'],
      ['DELETE', '/alerts/some-id'],
      ['POST', '/alerts%2Fstream'],
    ])('a body to %s %s, where nothing takes one, is not read', async (method, path) => {
      expectError(await api.call(method, path, { body: '{' }), 404);
      expectError(await api.call(method, path, { body: 'x'.repeat(33 * MEGABYTE) }), 404);
    });

    it.each([
      ['as an alert', (nest: string) => `{"version":"4","alerts":[${nest},${JSON.stringify(firing())}]}`],
      [
        'as labels',
        (nest: string) => `{"alerts":[{"status":"firing","labels":${nest}},${JSON.stringify(firing())}]}`,
      ],
      [
        'as a label',
        (nest: string) =>
          `{"alerts":[${JSON.stringify(firing()).replace('"labels":{', `"labels":{"deep":${nest},`)}]}`,
      ],
      ['at the top', (nest: string) => `{"deep":${nest},"alerts":[${JSON.stringify(firing())}]}`],
    ])('JSON may be nested deeply: %s', async (_where, body) => {
      for (const [open, close] of [
        ['[', ']'],
        ['{"a":', '}'],
      ] as const) {
        const nest = `${open.repeat(100_000)}1${close.repeat(100_000)}`;
        expect(await api.postWebhook(body(nest))).toMatchObject({ status: 200, body: { stored: 1 } });
      }
      expect(await api.openAlerts()).toHaveLength(1);
    });
  });

  describe('moments', () => {
    const forms = [
      ['no fraction', '2026-01-15T08:00:00Z'],
      ['1 digit', '2026-01-15T08:00:00.1Z'],
      ['3 digits', '2026-01-15T08:00:00.123Z'],
      ['6 digits', '2026-01-15T08:00:00.123456Z'],
      ['9 digits', '2026-01-15T08:00:00.123456789Z'],
      ['an offset to the east', '2026-01-15T10:00:00+02:00'],
      ['an offset to the west', '2026-01-15T00:00:00.5-08:00'],
      ['an odd offset', '2026-01-15T13:45:00+05:45'],
    ] as const;

    it.each(forms)('startsAt with %s starts the episode then', async (_form, startsAt) => {
      await api.deliver({ ...firing(), startsAt });
      expect(await api.deliver(resolved(firing(), '2026-01-15T07:59:59Z'))).toMatchObject({
        reasons: { late_resolve: 1 },
      });
      expect(await api.deliver(resolved(firing(), '2026-01-15T08:00:01Z'))).toMatchObject({ resolved: 1 });
    });

    it.each(forms)('endsAt with %s ends the episode then', async (_form, endsAt) => {
      await api.deliver(
        firing({ startsAt: '2026-01-15T08:00:01Z' }),
        firing({ session: 'jane-2', startsAt: '2026-01-15T07:59:59Z' }),
      );
      const summary = await api.deliver(
        resolved(firing(), endsAt),
        resolved(firing({ session: 'jane-2' }), endsAt),
      );
      expect(summary).toMatchObject({ resolved: 1, reasons: { late_resolve: 1 } });
    });

    const rubbish = [
      '',
      'yesterday',
      '2026-99-99T99:99:99Z',
      '1763788274',
      1763788274,
      null,
      true,
      [],
      {},
      undefined,
    ];
    it.each([...rubbish, '0001-01-01T00:00:00Z'])('startsAt %p is no start', async (startsAt) => {
      expect(await api.deliver({ ...firing(), startsAt })).toMatchObject({ stored: 1 });
      expect(await api.deliver({ ...firing(), startsAt })).toMatchObject({ stored: 1 });
      expect(await api.openAlerts()).toHaveLength(1);
      expect(await api.deliver({ ...resolved(firing()), startsAt, endsAt: undefined })).toMatchObject({
        resolved: 1,
      });
    });

    it.each([...rubbish, '0001-01-01T00:00:00Z'])('endsAt %p counts as now', async (endsAt) => {
      await api.deliver(firing());
      expect(await api.deliver({ ...resolved(firing()), endsAt })).toMatchObject({ resolved: 1 });
      expect(await api.openAlerts()).toEqual([]);
    });

    it.each(['0000-01-01T00:00:00Z', '0002-01-01T00:00:00Z', '1969-12-31T23:59:59Z'])(
      'a startsAt long ago, %s, is stored',
      async (startsAt) => {
        expect(await api.deliver({ ...firing(), startsAt })).toMatchObject({ stored: 1 });
        expect(await api.deliver({ ...firing(), startsAt })).toMatchObject({ stored: 1 });
        expect(await api.deliver(resolved(firing()))).toMatchObject({ resolved: 1 });
      },
    );

    it.each(['2300-01-01T00:00:00Z', '9999-12-31T23:59:59Z', '9999-12-31T23:59:59-12:00'])(
      'a startsAt far ahead, %s, is stored',
      async (startsAt) => {
        expect(await api.deliver({ ...firing(), startsAt })).toMatchObject({ stored: 1 });
        expect(await api.deliver({ ...firing(), startsAt })).toMatchObject({ stored: 1 });
        expect(await api.openAlerts()).toHaveLength(1);
      },
    );

    it.each(['2300-01-01T00:00:00Z', '9999-12-31T23:59:59-12:00'])(
      'an endsAt far ahead, %s, ends the episode',
      async (endsAt) => {
        await api.deliver(firing());
        expect(await api.deliver(resolved(firing(), endsAt))).toMatchObject({ resolved: 1 });
        expect(await api.deliver(firing({ startsAt: minute(90) }))).toMatchObject({ stored: 1 });
        expect(await api.openAlerts()).toHaveLength(1);
      },
    );
  });

  describe('the envelope', () => {
    it.each<[string, unknown]>([
      ["0.32's and 0.34's", { notification_reason: 'first notification', routeLabels: { team: 'a' } }],
      ["tomorrow's", { notificationId: 7, nested: { a: [1] }, nothing: null }],
      ['odd ones where known ones were', { receiver: 7, status: null, groupKey: {}, commonLabels: 'x' }],
      [
        'none but the alerts',
        { receiver: undefined, status: undefined, version: undefined, groupKey: undefined },
      ],
      ['a long receiver', { receiver: 'r'.repeat(MEGABYTE), truncatedAlerts: 3 }],
    ])('may have fields such as %s', async (_whose, more) => {
      expect(await api.postWebhook(webhook([firing()], more as Record<string, unknown>))).toMatchObject({
        status: 200,
        body: { stored: 1, skipped: 0 },
      });
      expect(await api.openAlerts()).toHaveLength(1);
    });

    it.each([1, 1e300, 0, -1, '2', null, {}, true])('may say truncatedAlerts %p', async (truncatedAlerts) => {
      expect(await api.postWebhook(webhook([firing()], { truncatedAlerts }))).toMatchObject({
        status: 200,
        body: { stored: 1 },
      });
    });

    // JSON takes the first for infinity; a counter of metrics takes it for none.
    it.each(['1e999', '1.7e308', '0.5'])('may say truncatedAlerts %s', async (truncatedAlerts) => {
      const body = JSON.stringify(webhook([firing()], { truncatedAlerts: 7 }));
      for (let time = 0; time < 2; time++) {
        const answer = await api.postWebhook(
          body.replace('"truncatedAlerts":7', `"truncatedAlerts":${truncatedAlerts}`),
        );
        expect(answer).toMatchObject({ status: 200, body: { stored: 1 } });
      }
      const metrics = await (await fetch(`${server.url}/metrics`)).text();
      expect(metrics).toMatch(/^session_alerts_truncated_total \d+$/m);
    });

    it.each<[string, unknown]>([
      ['no alerts', { version: '4' }],
      ['null for alerts', webhook([], { alerts: null })],
      ['an object for alerts', webhook([], { alerts: { 0: firing() } })],
      ['a text for alerts', webhook([], { alerts: 'firing' })],
      ['a number for alerts', webhook([], { alerts: 1 })],
      ['version "3"', webhook([firing()], { version: '3' })],
      ['version "5"', webhook([firing()], { version: '5' })],
      ['a version that is an object', webhook([firing()], { version: {} })],
      ['a list for a body', [webhook([firing()])]],
      ['an empty object for a body', {}],
      ['null for a body', 'null'],
      ['a number for a body', '7'],
      ['a text for a body', '"text"'],
      ['an empty body', ''],
      ['half a body', JSON.stringify(webhook([firing()])).slice(0, -20)],
    ])('is refused with %s', async (_what, body) => {
      expect(expectError(await api.postWebhook(body), 422).detail).toMatch(/\w/);
      expect(await api.openAlerts()).toEqual([]);
    });
  });

  describe('dry_run', () => {
    async function storedRows(): Promise<number> {
      const [row] = await execute<{ rows: number }>(
        server.databaseUrl,
        `SELECT (SELECT count(*) FROM session_alerts.alerts)::int
              + (SELECT count(*) FROM session_alerts.sightings)::int AS rows`,
      );
      return row?.rows ?? NaN;
    }

    it('says what would be stored, for whom, and why not; and stores nothing', async () => {
      const body = webhook([
        firing({ user: 'ann', session: 'ann-1', severity: 'critical', message: 'At 99%' }),
        resolved(firing()),
        null,
        labelled({ safe_username: '<nil>' }),
      ]);
      const answer = await api.postWebhook(body, '?dry_run=true');
      expect(answer).toMatchObject({ status: 200 });
      expect(answer.body).toMatchObject({
        dry_run: true,
        stored: 1,
        resolved: 0,
        skipped: 3,
        reasons: { unknown_series: 1, not_an_object: 1, invalid_user: 1 },
        alerts: [
          {
            result: 'opened',
            user_id: 'ann',
            session_name: 'ann-1',
            event_type: 'RenkuSessionHighMemory',
            title: 'High memory usage',
            message: 'At 99%',
            severity: 'critical',
          },
          { result: 'skipped', reason: 'unknown_series', user_id: 'jane', session_name: 'jane-1' },
          { result: 'skipped', reason: 'not_an_object' },
          { result: 'skipped', reason: 'invalid_user' },
        ],
      });
      expect(await api.openAlerts('ann')).toEqual([]);
      expect(await storedRows()).toBe(0);
    });

    it('says what would become of alerts that are known', async () => {
      await api.deliver(firing(), firing({ session: 'jane-2' }));
      const before = await api.openAlerts();
      const body = webhook([firing({ message: 'At 99%' }), resolved(firing({ session: 'jane-2' }))]);
      for (let time = 0; time < 2; time++) {
        expect((await api.postWebhook(body, '?dry_run=true')).body).toMatchObject({
          stored: 1,
          resolved: 1,
          alerts: [{ result: 'refreshed' }, { result: 'resolved' }],
        });
      }
      expect(await api.openAlerts()).toEqual(before);
      expect((await api.postWebhook(body, '?dry_run=false')).body).toMatchObject({ stored: 1, resolved: 1 });
      expect(await api.onlyAlert()).toMatchObject({ message: 'At 99%' });
    });

    it.each(['?dry_run=maybe', '?dry_run=', '?dry_run=1', '?dry_run=TRUE', '?dry_run=true&dry_run=true'])(
      'refuses %s, and stores nothing',
      async (query) => {
        expectError(await api.postWebhook(webhook([firing()]), query), 422);
        expect(await storedRows()).toBe(0);
      },
    );

    it('refuses what a webhook would be refused for', async () => {
      expectError(await api.postWebhook({ version: '4' }, '?dry_run=true'), 422);
    });
  });
});
