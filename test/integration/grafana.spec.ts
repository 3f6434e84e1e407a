import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ReconcileService } from '../../src/upkeep/reconcile.service.js';
import { ADMIN, ALERTMANAGER, AlertsApi, expectError, firing, resolved, webhook } from '../support/alerts.js';
import type { Answer, Person, ShownAlert, Summary } from '../support/alerts.js';
import { forgetAlerts } from '../support/database.js';
import { grafanaFiring, grafanaResolved, grafanaWebhook, signed } from '../support/grafana.js';
import type { GrafanaAlert } from '../support/grafana.js';
import { ListingAlertmanager } from '../support/listing-alertmanager.js';
import { startTestServer } from '../support/server.js';
import type { TestServer } from '../support/server.js';

const SECRET = randomBytes(32).toString('hex');
const NOTHING = { stored: 0, resolved: 0, skipped: 0, reasons: {} };
const skipped = (reason: string, count = 1): Summary => ({
  ...NOTHING,
  skipped: count,
  reasons: { [reason]: count },
});

describe("Grafana's webhook", () => {
  const alertmanager = new ListingAlertmanager();
  const folder = mkdtempSync(join(tmpdir(), 'grafana-secret-'));
  let alertmanagerUrl: string;
  let server: TestServer;
  let api: AlertsApi;

  beforeAll(async () => {
    const secretFile = join(folder, 'secret');
    writeFileSync(secretFile, `${SECRET}\n`);
    alertmanagerUrl = await alertmanager.start();
    server = await startTestServer(
      { GRAFANA_WEBHOOK_SECRET_FILE: secretFile, ALERTMANAGER_URLS: alertmanagerUrl },
      { upkeep: false },
    );
    api = new AlertsApi(`${server.url}/api/data`, server.issuer);
  });
  beforeEach(async () => {
    alertmanager.reset();
    await forgetAlerts(server.databaseUrl);
  });
  afterAll(async () => {
    await server.close();
    await alertmanager.stop();
    rmSync(folder, { recursive: true });
  });

  function post(body: unknown, query = '', as: Person = ALERTMANAGER): Promise<Answer<Summary>> {
    return api.call('POST', `/webhooks/grafana${query}`, { as, body });
  }

  async function deliver(...alerts: GrafanaAlert[]): Promise<Summary> {
    const answer = await post(grafanaWebhook(alerts));
    expect(answer.status).toBe(200);
    return answer.body;
  }

  /** Posts a body without a token. */
  async function postWith(headers: Record<string, string>, body: string): Promise<Answer<Summary>> {
    const response = await fetch(`${api.url}/webhooks/grafana`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body,
    });
    return {
      status: response.status,
      headers: response.headers,
      body: (await response.json()) as Summary,
    };
  }

  const aBody = (): string => JSON.stringify(grafanaWebhook([grafanaFiring()]));

  it('shows its user an alert, and lets it go when it is resolved', async () => {
    const action = { action_label: 'Get more memory', action_url: 'https://sessions.example/memory' };
    const alert = grafanaFiring(
      { severity: 'critical' },
      { runbook_url: 'https://docs.example/memory', ...action },
    );
    expect(await deliver(alert)).toEqual({ ...NOTHING, stored: 1 });
    expect(await api.onlyAlert()).toMatchObject({
      title: 'High memory usage',
      message: 'Memory usage over 90% of capacity',
      event_type: 'Session short of memory',
      session_name: 'jane-1',
      severity: 'critical',
      kind: 'condition',
      runbook_url: 'https://docs.example/memory',
      ...action,
      resolved_date: null,
    });
    expect(await api.openAlerts('bob')).toEqual([]);
    expect(await deliver(grafanaResolved(alert))).toEqual({ ...NOTHING, resolved: 1 });
    expect(await api.openAlerts()).toEqual([]);
  });

  describe('tells of each body what became of it', () => {
    const one = grafanaFiring();
    const two = grafanaFiring({ statefulset: 'jane-2' });
    const volume = (name: string): GrafanaAlert => grafanaFiring({ persistentvolumeclaim: name });
    const noData = { alertname: 'DatasourceNoData', rulename: 'Session short of memory', ref_id: 'A' };
    const error = { alertname: 'DatasourceError', rulename: 'Session short of memory', ref_id: 'A' };
    const body = grafanaWebhook;

    it.each<[what: string, body: Record<string, unknown>, summary: Summary, shown: string[]]>([
      ['a firing alert', body([one]), { ...NOTHING, stored: 1 }, ['jane-1']],
      ['two', body([one, two]), { ...NOTHING, stored: 2 }, ['jane-1', 'jane-2']],
      ['two series of one', body([volume('a'), volume('b')]), { ...NOTHING, stored: 2 }, ['jane-1']],
      ['the same twice', body([one, one]), { ...NOTHING, stored: 2 }, ['jane-1']],
      ['none', body([]), NOTHING, []],
      ['a resolved one that nobody knows', body([grafanaResolved(one)]), skipped('unknown_series'), []],
      [
        'a firing and a resolved one',
        body([two, grafanaResolved(one)], { state: 'alerting' }),
        { ...NOTHING, stored: 1, skipped: 1, reasons: { unknown_series: 1 } },
        ['jane-2'],
      ],
      ['one without data', body([grafanaFiring(noData)]), skipped('datasource_no_data'), []],
      [
        'one that is not without data any more',
        body([grafanaResolved(grafanaFiring(noData))]),
        skipped('datasource_no_data'),
        [],
      ],
      ['one of an error', body([grafanaFiring(error)]), skipped('datasource_error'), []],
      [
        'one without data beside one that fires',
        body([grafanaFiring(noData), one]),
        { ...NOTHING, stored: 1, skipped: 1, reasons: { datasource_no_data: 1 } },
        ['jane-1'],
      ],
      [
        "that of the contact point's test",
        body([
          grafanaFiring({ alertname: 'TestAlert', instance: 'Grafana', safe_username: '', statefulset: '' }),
        ]),
        skipped('no_user'),
        [],
      ],
      ['one without a session', body([grafanaFiring({ statefulset: '' })]), skipped('no_session'), []],
      [
        'one with a summary',
        body([grafanaFiring({}, { title: '', summary: 'S' })]),
        { ...NOTHING, stored: 1 },
        ['jane-1'],
      ],
      ['one without a title', body([grafanaFiring({}, { title: '' })]), skipped('no_title'), []],
      [
        'one without a description',
        body([grafanaFiring({}, { description: '' })]),
        skipped('no_message'),
        [],
      ],
      [
        'one without values',
        body([{ ...one, values: null, valueString: '' }]),
        { ...NOTHING, stored: 1 },
        ['jane-1'],
      ],
      [
        'one without a fingerprint',
        body([{ ...one, fingerprint: undefined }]),
        { ...NOTHING, stored: 1 },
        ['jane-1'],
      ],
      [
        'one that is null',
        body([null, one]),
        { ...NOTHING, stored: 1, skipped: 1, reasons: { not_an_object: 1 } },
        ['jane-1'],
      ],
      ['one of another state', body([{ ...one, status: 'pending' }]), skipped('no_status'), []],
      ['an event', body([grafanaFiring({ alert_kind: 'event' })]), { ...NOTHING, stored: 1 }, ['jane-1']],
      ['some that were left out', body([one], { truncatedAlerts: 4 }), { ...NOTHING, stored: 1 }, ['jane-1']],
      ['no version', body([one], { version: undefined }), { ...NOTHING, stored: 1 }, ['jane-1']],
      [
        'fields that nobody knows',
        body([one], { insightVersion: { a: 1 } }),
        { ...NOTHING, stored: 1 },
        ['jane-1'],
      ],
    ])('%s', async (_what, sent, summary, shown) => {
      // Signed and with a token: the same.
      const text = JSON.stringify(sent);
      expect(await postWith(signed(text, SECRET), text)).toMatchObject({ status: 200, body: summary });
      expect((await api.openAlerts()).map(({ session_name }) => session_name).sort()).toEqual(shown);
      await forgetAlerts(server.databaseUrl);
      expect(await post(sent)).toMatchObject({ status: 200, body: summary });
      expect((await api.openAlerts()).map(({ session_name }) => session_name).sort()).toEqual(shown);
    });
  });

  it.each<[what: string, body: unknown, detail: RegExp]>([
    ["Alertmanager's", webhook([firing()]), /Alertmanager's webhook: post that to \/webhooks\/alertmanager$/],
    ['of another version', grafanaWebhook([], { version: '2' }), /^version must be "1"/],
    ['without alerts', grafanaWebhook([], { alerts: undefined }), /^alerts must be an array/],
    ['that is a list', [], /^the body must be the JSON object of Grafana's webhook/],
    ['that is no JSON', '{', /^the body is not valid JSON/],
  ])('is refused with a body %s', async (_what, body, detail) => {
    expect(expectError(await post(body), 422).detail).toMatch(detail);
  });

  it("is told the right address where it comes to Alertmanager's", async () => {
    const answer = await api.postWebhook(grafanaWebhook([grafanaFiring()]));
    expect(expectError(answer, 422).detail).toMatch(/Grafana's webhook: post that to \/webhooks\/grafana$/);
  });

  it('can be tried without storing anything', async () => {
    const answer = await post(
      grafanaWebhook([grafanaFiring({}, { title: '', summary: 'S' })]),
      '?dry_run=true',
    );
    expect(answer).toMatchObject({
      status: 200,
      body: { dry_run: true, stored: 1, alerts: [{ result: 'opened', user_id: 'jane', title: 'S' }] },
    });
    expect(await api.openAlerts()).toEqual([]);
  });

  it("takes the tokens that Alertmanager's takes", async () => {
    expect((await post(grafanaWebhook([]), '', ADMIN)).status).toBe(200);
    expectError(await post(grafanaWebhook([]), '', { sub: 'jane' }), 403);
    expectError(await api.call('POST', '/webhooks/grafana', { body: grafanaWebhook([]) }), 401);
  });

  it('speaks of the same series as Alertmanager: either ends what the other began', async () => {
    const alert = firing();
    await api.deliver(alert);
    const ours = { ...grafanaFiring(), labels: alert.labels, fingerprint: alert.fingerprint ?? '' };
    expect(await deliver(grafanaResolved(ours, '2026-01-15T10:00:00Z'))).toEqual({ ...NOTHING, resolved: 1 });
    await deliver(ours);
    expect(await api.deliver(resolved(alert))).toEqual({ ...NOTHING, resolved: 1 });
  });

  describe('signed', () => {
    const now = (): number => Math.floor(Date.now() / 1000);

    it.each<[what: string, headers: (body: string) => Record<string, string>, why: RegExp]>([
      ['with another secret', (body) => signed(body, randomBytes(32).toString('hex')), /does not fit/],
      ['for another body', () => signed('{}', SECRET), /does not fit/],
      [
        'for another moment',
        (body) => ({ ...signed(body, SECRET), 'X-Grafana-Alerting-Timestamp': String(now() - 1) }),
        /does not fit/,
      ],
      ['more than five minutes ago', (body) => signed(body, SECRET, now() - 310), /last 5 minutes/],
      ['by a clock that is far ahead', (body) => signed(body, SECRET, now() + 310), /last 5 minutes/],
      ['at no moment', (body) => signed(body, SECRET, 'now'), /last 5 minutes/],
      [
        'without a moment',
        (body) => ({
          'X-Grafana-Alerting-Signature': signed(body, SECRET)['X-Grafana-Alerting-Signature'] ?? '',
        }),
        /set "Timestamp header" to X-Grafana-Alerting-Timestamp/,
      ],
      [
        'with half a signature',
        (body) => {
          const headers = signed(body, SECRET);
          const half = headers['X-Grafana-Alerting-Signature']?.slice(0, 32) ?? '';
          return { ...headers, 'X-Grafana-Alerting-Signature': half };
        },
        /64 hex digits/,
      ],
      ['not at all', () => ({ 'X-Grafana-Alerting-Timestamp': String(now()) }), /Send an access token/],
    ])('%s it is refused, and nothing is stored', async (_what, headersOf, why) => {
      const body = aBody();
      const answer = await postWith(headersOf(body), body);
      expect(expectError(answer, 401).message).toMatch(why);
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
      expect(await api.openAlerts()).toEqual([]);
    });

    it('some minutes ago it is taken, in large letters too', async () => {
      const body = aBody();
      const headers = signed(body, SECRET, now() - 240);
      const hex = headers['X-Grafana-Alerting-Signature']?.toUpperCase() ?? '';
      const answer = await postWith({ ...headers, 'X-Grafana-Alerting-Signature': hex }, body);
      expect(answer).toMatchObject({ status: 200, body: { stored: 1 } });
    });

    it('and with a token it is the token that counts', async () => {
      const body = aBody();
      const bearer = `Bearer ${await server.issuer.userToken({ sub: 'jane' })}`;
      expectError(await postWith({ ...signed(body, SECRET), Authorization: bearer }, body), 403);
    });

    it('it opens no other door', async () => {
      const body = JSON.stringify(webhook([firing()]));
      for (const [method, path] of [
        ['POST', '/webhooks/alertmanager'],
        ['POST', '/alerts'],
        ['GET', '/alerts'],
      ] as const) {
        const response = await fetch(api.url + path, {
          method,
          headers: { 'Content-Type': 'application/json', ...signed(body, SECRET) },
          body: method === 'GET' ? null : body,
        });
        expect(response.status).toBe(401);
      }
    });

    it('it may have 4 MB: more is refused before it is read', async () => {
      const message = 'x'.repeat(4 * 1024 * 1024);
      const body = JSON.stringify(grafanaWebhook([grafanaFiring({}, { description: message })]));
      expectError(await postWith(signed(body, SECRET), body), 413);
      expect((await post(body)).status).toBe(200);
    });
  });

  it('is refused where it is signed and no secret is set', async () => {
    const other = await startTestServer({}, { upkeep: false });
    try {
      const body = aBody();
      const response = await fetch(`${other.url}/api/data/webhooks/grafana`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', ...signed(body, SECRET) },
        body,
      });
      expect(response.status).toBe(401);
      expect(JSON.stringify(await response.json())).toContain('set GRAFANA_WEBHOOK_SECRET_FILE');
    } finally {
      await other.close();
    }
  });

  it('is left alone by reconciling, which closes what Alertmanager does not list', async () => {
    const reconcile = async (): Promise<void> => {
      for (let times = 0; times < 3; times += 1) {
        await server.app.get(ReconcileService, { strict: false }).run();
      }
    };
    await deliver(grafanaFiring());
    await api.postWebhook(webhook([firing({ session: 'jane-9' })], { externalURL: alertmanagerUrl }));
    expect(await api.openAlerts()).toHaveLength(2);
    await reconcile();
    expect((await api.onlyAlert()).session_name).toBe('jane-1');
    // It is no Alertmanager that somebody forgot to name.
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    expect(metrics).toMatch(/^session_alerts_unasked_alertmanagers 0$/m);
    const past = await api.call<ShownAlert[]>('GET', '/alerts?status=resolved', { as: { sub: 'jane' } });
    expect(past.body).toMatchObject([{ session_name: 'jane-9', resolved_reason: 'reconciled' }]);
  });
});
