import { AlertsApi, firing, resolved, webhook } from '../support/alerts.js';
import { giveDatabaseBack, takeDatabaseAway } from '../support/database.js';
import { startTestServer, waitUntil } from '../support/server.js';
import type { TestServer } from '../support/server.js';

describe('/metrics', () => {
  let server: TestServer;
  let api: AlertsApi;

  beforeAll(async () => {
    server = await startTestServer({ BODY_LIMIT_MB: '1' });
    api = new AlertsApi(`${server.url}/api/data`, server.issuer);
  });
  afterAll(() => server.close());

  /** A sample's value; `undefined` where there is none. */
  async function sample(nameAndLabels: string): Promise<number | undefined> {
    const text = await (await fetch(`${server.url}/metrics`)).text();
    const line = text.split('\n').find((one) => one.startsWith(`${nameAndLabels} `));
    return line === undefined ? undefined : Number(line.slice(nameAndLabels.length + 1));
  }

  it('counts what came and what became of it', async () => {
    await api.deliver(firing(), firing({ session: 'jane-2' }), firing({ user: '' }));
    await api.deliver(firing());
    await api.deliver(resolved(firing()));
    await api.postWebhook(webhook([], { truncatedAlerts: 7 }));
    expect(await sample('session_alerts_received_total')).toBe(5);
    expect(await sample('session_alerts_stored_total{result="opened"}')).toBe(2);
    expect(await sample('session_alerts_stored_total{result="refreshed"}')).toBe(1);
    expect(await sample('session_alerts_resolved_total{reason="resolved"}')).toBe(1);
    expect(await sample('session_alerts_skipped_total{reason="no_user"}')).toBe(1);
    expect(await sample('session_alerts_truncated_total')).toBe(7);
    expect(await sample('session_alerts_open')).toBe(1);
    expect(await sample('session_alerts_webhook_duration_seconds_count{outcome="ok"}')).toBe(4);
    expect(await sample('session_alerts_transaction_retries_total')).toBe(0);
  });

  it('has an age of the feed only where a watchdog came', async () => {
    expect(await sample('session_alerts_feed_age_seconds')).toBeUndefined();
    await api.deliver({ status: 'firing', labels: { alertname: 'Watchdog' }, annotations: {} });
    expect(await sample('session_alerts_feed_age_seconds')).toBeLessThan(60);
  });

  it('counts webhooks that were refused or failed apart', async () => {
    const refused = () => sample('session_alerts_webhook_duration_seconds_count{outcome="refused"}');
    await api.postWebhook({ alerts: 'none' });
    expect(await refused()).toBe(1);
    const token = await server.alertmanagerToken();
    const post = async (body: string, { type = 'application/json', bearer = token, query = '' } = {}) => {
      const headers = { 'content-type': type, authorization: `Bearer ${bearer}` };
      return (await fetch(`${server.webhookUrl}${query}`, { method: 'POST', headers, body })).status;
    };
    // Whoever may not post is nobody's webhook, and a dry run is none.
    expect(await post('{', { bearer: 'none' })).toBe(401);
    expect(await post('{"alerts":"none"}', { query: '?dry_run=true' })).toBe(422);
    expect(await post(JSON.stringify({ alerts: ['x'.repeat(2_000_000)] }))).toBe(413);
    expect(await post('alerts=none', { type: 'application/x-www-form-urlencoded' })).toBe(415);
    expect(await post('{')).toBe(422);
    await waitUntil(async () => ((await refused()) ?? 0) >= 4);
    expect(await refused()).toBe(4);
    await takeDatabaseAway(server.databaseUrl);
    try {
      await api.postWebhook(webhook([firing()]));
      expect(await sample('session_alerts_webhook_duration_seconds_count{outcome="failed"}')).toBe(1);
      // What only the database knows is left out; the rest is still told.
      // It is counted anew some time after the last time.
      await waitUntil(async () => (await sample('session_alerts_open')) === undefined);
    } finally {
      await giveDatabaseBack(server.databaseUrl);
    }
  });
});
