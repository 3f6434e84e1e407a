import type { AddressInfo } from 'node:net';
import { ANN } from '../../server/demo/demo-people.js';
import { createDemoServer } from '../../server/demo/demo-server.js';
import type { DemoServer } from '../../server/demo/demo-server.js';
import { MailSink } from '../../server/demo/mail-sink.js';
import type { SunkMail } from '../../server/demo/mail-sink.js';
import { readConfig } from '../../server/src/config.js';
import { AlertsClock } from '../../src/clock/alerts-clock.js';
import { AlertsApi, firing } from '../support/alerts.js';
import { createTestDatabase } from '../support/database.js';
import type { TestDatabase } from '../support/database.js';
import { startIssuer, waitUntil } from '../support/server.js';
import type { TestIssuer } from '../support/server.js';
import { join } from 'node:path';

describe("The demo's mail", () => {
  let database: TestDatabase;
  let issuer: TestIssuer;
  let sink: MailSink;
  let demo: DemoServer;

  beforeAll(async () => {
    database = await createTestDatabase();
    issuer = await startIssuer();
    sink = await MailSink.start();
    const config = readConfig({
      DATABASE_URL: database.url,
      OIDC_ISSUER: issuer.issuer.url,
      LOG_LEVEL: 'error',
      SMTP_URL: sink.url,
      MAIL_FROM: 'alerts@example.org',
      PUBLIC_URL: 'http://localhost/api/data',
    });
    const pageFolder = join(__dirname, '../../server/demo/page');
    demo = await createDemoServer(config, issuer.issuer, { logger: false, pageFolder, mail: sink });
    await demo.app.listen(0, '127.0.0.1');
  });
  afterAll(async () => {
    await demo.app.close();
    await sink.stop();
    await issuer.close();
    await database.drop();
  });

  it('comes to who turns it on, and is shown to the page', async () => {
    const origin = `http://127.0.0.1:${(demo.app.getHttpServer().address() as AddressInfo).port}`;
    const api = new AlertsApi(`${origin}/api/data`, issuer.issuer);
    await waitUntil(async () => (await fetch(`${origin}/readyz`)).ok);
    const mails = async () => (await (await fetch(`${origin}/demo/mails`)).json()) as SunkMail[];
    expect(await mails()).toEqual([]);
    const body = { channels: { email: { enabled: true } } };
    expect(await api.call('PUT', '/alerts/preferences', { as: ANN, body })).toMatchObject({ status: 200 });
    await api.deliver(firing({ user: ANN.sub, title: 'Disk nearly full' }));
    demo.app.get(AlertsClock, { strict: false }).ahead = 6_000;
    await waitUntil(async () => (await mails()).length > 0);
    expect(await mails()).toEqual([
      {
        to: 'ann@example.org',
        subject: expect.stringContaining('Disk nearly full') as string,
        text: expect.stringContaining('Disk nearly full') as string,
        date: expect.any(String) as string,
      },
    ]);
  });
});
