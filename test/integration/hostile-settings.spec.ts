import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { postgresOptions } from '../../src/migrations/postgres-options.js';
import { undoLastMigration } from '../../src/migrations/run-migrations.js';
import { readConfig } from '../../server/src/config.js';
import { dataSourceOptions } from '../../server/src/database.service.js';
import { alterSettings, createTestDatabase, execute, testServer } from '../support/database.js';
import type { TestDatabase } from '../support/database.js';
import { expectEssentials } from '../support/essentials.js';
import { HOSTILE_SETTINGS, settingsOf } from '../support/hostile-settings.js';
import { ListingAlertmanager } from '../support/listing-alertmanager.js';
import { startIssuer, startTestServer } from '../support/server.js';
import type { TestIssuer } from '../support/server.js';

let issuer: TestIssuer;
let alertmanager: ListingAlertmanager;
let alertmanagerUrl: string;

beforeAll(async () => {
  issuer = await startIssuer();
  alertmanager = new ListingAlertmanager();
  alertmanagerUrl = await alertmanager.start();
});
afterAll(async () => {
  await issuer.close();
  await alertmanager.stop();
});

/** A database with no tables of ours, and an ordinary user whose it is. */
async function createOwnedDatabase(): Promise<{
  url: string;
  role: string;
  database: TestDatabase;
  drop(): Promise<void>;
}> {
  const { serverUrl } = testServer();
  const database = await createTestDatabase({ migrated: false });
  const role = `session_alerts_role_${randomBytes(6).toString('hex')}`;
  await execute(
    serverUrl,
    `CREATE ROLE ${role} LOGIN PASSWORD 'secret'; ALTER DATABASE ${database.name} OWNER TO ${role}`,
  );
  const url = new URL(database.url);
  url.username = role;
  url.password = 'secret';
  return {
    url: url.href,
    role,
    database,
    drop: async () => {
      await database.drop();
      await execute(serverUrl, `DROP ROLE ${role}`);
    },
  };
}

describe.each(['DATABASE', 'ROLE'])('A server, after ALTER %s … SET', (whose) => {
  it.each(Object.entries(HOSTILE_SETTINGS))('%s = %s', async (name, value) => {
    const { serverUrl } = testServer();
    if ((await settingsOf((text) => execute(serverUrl, text), { [name]: value })).length === 0) return;
    const owned = await createOwnedDatabase();
    try {
      await alterSettings(serverUrl, `${whose} ${whose === 'ROLE' ? owned.role : owned.database.name}`, {
        [name]: value,
      });
      const server = await startTestServer(
        { DATABASE_URL: owned.url, ALERTMANAGER_URLS: alertmanagerUrl },
        { issuer, upkeep: false },
      );
      try {
        await expectEssentials({
          app: server.app,
          url: `${server.url}/api/data`,
          issuer: issuer.issuer,
          alertmanager,
        });
        expect(await (await fetch(`${server.url}/readyz`)).json()).toMatchObject({
          status: 'ok',
        });
      } finally {
        await server.close();
      }
      await undoMigrations(owned.url);
      expect(await execute(owned.url, `SELECT FROM pg_namespace WHERE nspname = 'session_alerts'`)).toEqual(
        [],
      );
    } finally {
      await owned.drop();
    }
  });
});

async function undoMigrations(url: string): Promise<void> {
  const dataSource = await new DataSource(postgresOptions(url)).initialize();
  while (await undoLastMigration(dataSource));
  await dataSource.destroy();
}

it("A server's connections begin with nothing that a pooler refuses", () => {
  const config = readConfig({ DATABASE_URL: 'postgresql://localhost/a', OIDC_ISSUER: 'http://issuer' });
  const { extra } = dataSourceOptions(config) as { extra: pg.ClientConfig };
  const client = new pg.Client(extra) as unknown as { getStartupConf(): Record<string, string> };
  expect(Object.keys(client.getStartupConf()).sort()).toEqual(['database', 'user']);
});
