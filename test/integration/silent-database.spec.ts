import { createServer, connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { filter, firstValueFrom } from 'rxjs';
import { DataSource } from 'typeorm';
import type { AlertsDatabase } from '../../src/database/alerts-database.js';
import { ChangeListener } from '../../src/database/change-listener.service.js';
import { CHANNEL } from '../../src/database/transaction.statements.js';
import { postgresOptions } from '../../src/migrations/postgres-options.js';
import { AlertsApi, expectError, firing, webhook } from '../support/alerts.js';
import { createTestDatabase, execute } from '../support/database.js';
import type { TestDatabase } from '../support/database.js';
import { startTestServer, waitUntil } from '../support/server.js';
import type { TestServer } from '../support/server.js';

/** A way to the database on which nothing comes through any more, and nothing is refused either. */
class SilentWay {
  /** Whether connections that are made now are silent from the start. */
  isSilent = false;
  private readonly sockets = new Set<Socket>();
  private readonly server = createServer((client) => {
    if (this.isSilent) {
      this.sockets.add(client);
      client.on('error', () => undefined);
      return;
    }
    const upstream = connect(Number(this.database.port), this.database.hostname);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.sockets.add(from);
      from.on('data', (data) => {
        to.write(data);
      });
      from.on('error', () => undefined);
      from.on('close', () => {
        this.sockets.delete(from);
        to.destroy();
      });
    }
  });

  constructor(private readonly database: URL) {}

  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    const url = new URL(this.database);
    url.hostname = '127.0.0.1';
    url.port = `${(this.server.address() as AddressInfo).port}`;
    return url.href;
  }

  /** What is open stays silent for ever. */
  fallSilent(): void {
    this.isSilent = true;
    for (const socket of this.sockets) {
      socket.pause();
      socket.removeAllListeners('data');
    }
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

describe('A database that falls silent', () => {
  let database: TestDatabase;
  let way: SilentWay;
  let server: TestServer;
  let api: AlertsApi;

  beforeAll(async () => {
    database = await createTestDatabase();
    way = new SilentWay(new URL(database.url));
    server = await startTestServer({ DATABASE_URL: await way.open() }, { upkeep: false });
    api = new AlertsApi(`${server.url}/api/data`, server.issuer);
  });
  afterAll(async () => {
    await server.close();
    await way.close();
    await database.drop();
  });

  it('is given up after a while, with 503, and asked again on new connections', async () => {
    await api.deliver(firing({ session: 'before' }));
    way.fallSilent();
    const [stored, listed] = await Promise.all([
      api.postWebhook(webhook([firing({ session: 'meanwhile' })])),
      api.call('GET', '/alerts', { as: { sub: 'jane' } }),
    ]);
    expectError(stored, 503);
    expectError(listed, 503);
    way.isSilent = false;
    await waitUntil(
      async () => (await api.postWebhook(webhook([firing({ session: 'after' })]))).status === 200,
      60_000,
    );
    const open = await api.openAlerts();
    expect(open.map((alert) => alert.session_name)).toEqual(expect.arrayContaining(['before', 'after']));
  }, 120_000);
});

describe('Hearing of changes while the database falls silent', () => {
  let database: TestDatabase;
  let way: SilentWay;
  let dataSource: DataSource;
  let listener: ChangeListener;

  beforeEach(async () => {
    database = await createTestDatabase();
    way = new SilentWay(new URL(database.url));
    dataSource = new DataSource({ ...postgresOptions(await way.open()), poolSize: 1 });
    // Leaves a connection in the pool.
    await dataSource.initialize();
    // All it needs of it is which notices are its own, and that it sends it one.
    const ping = (id: string) => execute(database.url, `SELECT pg_notify($1, $2)`, [CHANNEL, `ping ${id}`]);
    listener = new ChangeListener(dataSource, { process: 'ours', ping } as unknown as AlertsDatabase);
  });
  afterEach(async () => {
    await way.close();
    await listener.beforeApplicationShutdown();
    await dataSource.destroy();
    await database.drop();
  });

  async function startHearing(): Promise<void> {
    listener.onApplicationBootstrap();
    await firstValueFrom(listener.isListening.pipe(filter(Boolean)));
  }

  it('gives up a pooled connection that does not answer, and takes another', async () => {
    way.fallSilent();
    way.isSilent = false;
    await startHearing();
  }, 20_000);

  it('stops all the same', async () => {
    await startHearing();
    way.fallSilent();
    await listener.beforeApplicationShutdown();
  }, 20_000);
});
