import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { AlertsApi, expectError, firing, resolved, webhook } from '../support/alerts.js';
import { createTestDatabase } from '../support/database.js';
import type { TestDatabase } from '../support/database.js';
import { OpenPage } from '../support/event-stream.js';
import { startTestServer } from '../support/server.js';
import type { TestServer } from '../support/server.js';

describe('A commit whose answer is lost', () => {
  let database: TestDatabase;
  let way: Server;
  let server: TestServer;
  let api: AlertsApi;
  /** Whether the connection breaks on which the next COMMIT is answered, before the answer comes through. */
  let losesNextCommit = false;

  beforeAll(async () => {
    database = await createTestDatabase();
    const url = new URL(database.url);
    const { port, hostname } = url;
    way = createServer((client) => {
      const upstream = connect(Number(port), hostname);
      client.pipe(upstream);
      upstream.on('data', (data) => {
        if (losesNextCommit && data.includes('COMMIT\0')) {
          losesNextCommit = false;
          client.destroy();
        } else client.write(data);
      });
      for (const [one, other] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        one.on('error', () => undefined);
        one.on('close', () => other.destroy());
      }
    });
    await once(way.listen(0, '127.0.0.1'), 'listening');
    url.hostname = '127.0.0.1';
    url.port = `${(way.address() as AddressInfo).port}`;
    server = await startTestServer({ DATABASE_URL: url.href }, { upkeep: false });
    api = new AlertsApi(`${server.url}/api/data`, server.issuer);
  });
  afterAll(async () => {
    await server.close();
    way.close();
    await database.drop();
  });

  /** As Alertmanager does: what is answered 503 is sent again. */
  async function deliverTwice(alert: object): Promise<void> {
    losesNextCommit = true;
    expectError(await api.postWebhook(webhook([alert])), 503);
    await api.deliver(alert);
  }

  it('shows in open pages all the same, once', async () => {
    const page = await OpenPage.open(api.url, await server.issuer.userToken({ sub: 'jane' }));
    await page.untilShown([]);
    await deliverTwice(firing());
    await page.untilShown(['High memory usage']);
    expect(await api.openAlerts()).toHaveLength(1);
    await deliverTwice(resolved(firing()));
    await page.untilShown([]);
    expect(page.isOver).toBe(false);
    page.leave();
  });
});
