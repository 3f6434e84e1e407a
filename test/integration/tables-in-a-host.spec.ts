import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomBytes } from 'node:crypto';
import { Logger, Module } from '@nestjs/common';
import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { TypeOrmModuleOptions } from '@nestjs/typeorm';
import { Column, DataSource, Entity, PrimaryColumn } from 'typeorm';
import type { DataSourceOptions, Logger as TypeOrmLogger, MigrationInterface, QueryRunner } from 'typeorm';
import { alertsEntities, alertsMigrations, AlertsModule } from '../../src/index.js';
import type { AlertsModuleRootOptions } from '../../src/index.js';
import { AlertsDataSource } from '../../src/migrations/alerts-data-source.js';
import { migrateAtBoot } from '../../src/migrations/migrate-at-boot.js';
import { postgresOptions } from '../../src/migrations/postgres-options.js';
import { pendingMigrations, runMigrations, undoLastMigration } from '../../src/migrations/run-migrations.js';
import { runCommandLine } from '../../cli/src/program.js';
import { AlertsApi, firing } from '../support/alerts.js';
import { connectTo, createTestDatabase, execute, testServer } from '../support/database.js';
import type { TestDatabase } from '../support/database.js';
import { startIssuer, startTestServer } from '../support/server.js';
import type { TestIssuer } from '../support/server.js';

/** Hears what is asked of the database. */
class SilentLogger implements TypeOrmLogger {
  constructor(readonly logQuery: TypeOrmLogger['logQuery']) {}

  logQueryError(): void {}
  logQuerySlow(): void {}
  logSchemaBuild(): void {}
  logMigration(): void {}
  log(): void {}
}

/** A table of the host's own. */
@Entity('projects')
class Project {
  @PrimaryColumn('text')
  name!: string;
  @Column('text', { nullable: true })
  owner!: string | null;
}

/** A migration of the host's own, older than some of ours. */
class MakeProjects1795650000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('CREATE TABLE projects (name text PRIMARY KEY, owner text)');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE projects');
  }
}

const NAMES = alertsMigrations.map(({ name }) => name);
const OUR_LIST = 'session_alerts.session_alerts_migrations';

let issuer: TestIssuer;
let database: TestDatabase;
/** What a database has of ours that was migrated in the usual way. */
let usual: string[];
const hosts: INestApplication<Server>[] = [];

beforeAll(async () => {
  issuer = await startIssuer();
  const migrated = await createTestDatabase();
  usual = await ours(migrated.url);
  await migrated.drop();
});
afterAll(() => issuer.close());
beforeEach(async () => {
  database = await createTestDatabase({ migrated: false });
});
afterEach(async () => {
  for (const host of hosts.splice(0)) await host.close();
  await database.drop();
});

/** Columns, indexes, constraints and settings of our tables but the list, as PostgreSQL tells them. */
async function ours(url: string): Promise<string[]> {
  const rows = await execute<{ item: string }>(
    url,
    `SELECT concat_ws(' ', 'column', table_name, column_name, data_type, collation_name, column_default, is_nullable) AS item
       FROM information_schema.columns WHERE table_schema = 'session_alerts'
     UNION ALL
     SELECT indexdef FROM pg_indexes WHERE schemaname = 'session_alerts'
     UNION ALL
     SELECT concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid)) FROM pg_constraint
      WHERE connamespace = to_regnamespace('session_alerts') AND contype <> 'n'
     UNION ALL
     SELECT concat_ws(' ', 'settings', relname, reloptions) FROM pg_class
      WHERE relnamespace = to_regnamespace('session_alerts') AND reloptions IS NOT NULL
     UNION ALL
     SELECT concat('schema ', nspname) FROM pg_namespace WHERE nspname = 'session_alerts'
     ORDER BY item`,
  );
  return rows.map(({ item }) => item).filter((item) => !item.includes('session_alerts_migrations'));
}

async function namesIn(list: string): Promise<string[]> {
  const rows = await execute<{ name: string }>(
    database.url,
    `SELECT name FROM ${list} ORDER BY timestamp, id`,
  );
  return rows.map(({ name }) => name);
}

async function tablesCalled(name: string): Promise<string[]> {
  const rows = await execute<{ schema: string }>(
    database.url,
    `SELECT schemaname AS schema FROM pg_tables WHERE tablename = $1`,
    [name],
  );
  return rows.map(({ schema }) => schema);
}

/** Starts an application on its own DataSource, and gives its API. */
async function startHost(
  dataSource: Partial<TypeOrmModuleOptions> | Partial<TypeOrmModuleOptions>[] = {},
  alerts: Partial<AlertsModuleRootOptions> = {},
): Promise<AlertsApi> {
  const dataSources = [dataSource].flat().map((options) =>
    TypeOrmModule.forRoot({
      type: 'postgres',
      url: database.url,
      autoLoadEntities: true,
      installExtensions: false,
      retryAttempts: 1,
      ...options,
    } as TypeOrmModuleOptions),
  );

  @Module({
    imports: [
      ...dataSources,
      TypeOrmModule.forFeature([Project]),
      AlertsModule.forRoot({ auth: { issuer: issuer.issuer.url }, upkeep: false, live: false, ...alerts }),
    ],
  })
  class HostModule {}

  const host = await NestFactory.create<INestApplication<Server>>(HostModule, new FastifyAdapter(), {
    logger: false,
    abortOnError: false,
  });
  hosts.push(host);
  await host.listen(0, '127.0.0.1');
  const { port } = host.getHttpServer().address() as AddressInfo;
  return new AlertsApi(`http://127.0.0.1:${port}`, issuer.issuer);
}

async function expectToWork(api: AlertsApi): Promise<void> {
  expect(await api.deliver(firing())).toMatchObject({ stored: 1 });
  expect(await api.openAlerts()).toMatchObject([{ user_id: 'jane' }]);
}

/** Runs work on a DataSource as an application without Nest, or TypeORM's command line, has it. */
async function onDataSource<T>(
  options: Partial<DataSourceOptions>,
  work: (dataSource: DataSource) => Promise<T>,
): Promise<T> {
  const dataSource = new DataSource({
    type: 'postgres',
    url: database.url,
    entities: [Project, ...alertsEntities],
    installExtensions: false,
    ...options,
  } as DataSourceOptions);
  await dataSource.initialize();
  try {
    return await work(dataSource);
  } finally {
    await dataSource.destroy();
  }
}

/** As our own server and command line do it. */
function withOurs<T>(work: (dataSource: DataSource) => Promise<T>, url = database.url): Promise<T> {
  return onDataSource({ url, ...postgresOptions(url) }, work);
}

async function migrate(url = database.url): Promise<string[]> {
  return (await withOurs((dataSource) => runMigrations(dataSource), url)).names;
}

/** Leaves the first so many of our migrations as versions before did: noted in a list outside of our schema. */
async function migrateAsBefore(count: number, list = 'session_alerts_migrations'): Promise<void> {
  const migrations = alertsMigrations.slice(0, count);
  await onDataSource({ migrations, migrationsTableName: list }, (dataSource) => dataSource.runMigrations());
  await execute(database.url, `DROP TABLE ${OUR_LIST}`);
}

describe('A DataSource with synchronize', () => {
  it('and no migrations has our tables made, as they are to be, and starts again', async () => {
    await expectToWork(await startHost({ synchronize: true }));
    expect(await ours(database.url)).toEqual(usual);
    expect(await tablesCalled('projects')).toEqual(['public']);

    await hosts.pop()?.close();
    const again = await startHost({ synchronize: true });
    expect(await again.openAlerts()).toHaveLength(1);
    expect(await ours(database.url)).toEqual(usual);
  });

  it('and dropSchema starts anew each time', async () => {
    for (let start = 1; start <= 2; start++) {
      const api = await startHost({ synchronize: true, dropSchema: true });
      expect(await api.openAlerts()).toEqual([]);
      await expectToWork(api);
      await hosts.pop()?.close();
    }
    expect(await ours(database.url)).toEqual(usual);
  });

  it('beside migrations takes nothing from our tables', async () => {
    const migrations = [MakeProjects1795650000000, ...alertsMigrations];
    await expectToWork(await startHost({ migrations, migrationsRun: true, synchronize: true }));
    await hosts.pop()?.close();
    const again = await startHost({ migrations, migrationsRun: true, synchronize: true });
    expect(await again.openAlerts()).toHaveLength(1);
    expect(await ours(database.url)).toEqual(usual);
  });

  it('leaves our tables to others where migrate is false', async () => {
    await startHost({ synchronize: true }, { migrate: false });
    expect(await ours(database.url)).toEqual([]);
  });

  it.each([true, false])('is shown, and generates, nothing of ours (there: %s)', async (isThere) => {
    if (isThere) await migrate();
    await onDataSource({}, async (dataSource) => {
      const { upQueries, downQueries } = await dataSource.driver.createSchemaBuilder().log();
      expect(upQueries.map(({ query }) => query)).toEqual([expect.stringContaining('"projects"')]);
      expect(downQueries).toHaveLength(1);
    });
  });
});

describe('migrate: true', () => {
  it('migrates at boot, once, and adds nothing outside of our schema', async () => {
    await expectToWork(await startHost({}, { migrate: true }));
    expect(await ours(database.url)).toEqual(usual);
    expect(await namesIn(OUR_LIST)).toEqual(NAMES);
    const others = `SELECT FROM pg_tables WHERE schemaname NOT IN ('session_alerts', 'pg_catalog', 'information_schema')`;
    expect(await execute(database.url, others)).toEqual([]);
    await startHost({}, { migrate: true });
    expect(await namesIn(OUR_LIST)).toEqual(NAMES);
  });

  it('migrates beside a DataSource with migrations of its own, from an empty database', async () => {
    const theirs = { migrations: [MakeProjects1795650000000], migrationsRun: true };
    const api = await startHost([theirs, { name: 'alerts' }], { dataSource: 'alerts', migrate: true });
    await expectToWork(api);
    expect(await namesIn('public.migrations')).toEqual([MakeProjects1795650000000.name]);
    expect(await namesIn(OUR_LIST)).toEqual(NAMES);
  });

  it('must be true or false', async () => {
    const migrate = 'yes' as unknown as boolean;
    await expect(startHost({}, { migrate })).rejects.toThrow('AlertsModule: migrate must be true or false');
  });
});

describe('An application with our migrations in its own list', () => {
  const migrations = [MakeProjects1795650000000, ...alertsMigrations];

  it.each(['all', 'each', 'none'] as const)(
    'runs and undoes them with its own, transactions: %s',
    async (migrationsTransactionMode) => {
      await onDataSource({ migrations, migrationsTransactionMode }, async (dataSource) => {
        await dataSource.runMigrations();
        expect(await ours(database.url)).toEqual(usual);
        expect(await namesIn(OUR_LIST)).toEqual(NAMES);
        expect(await namesIn('public.migrations')).toHaveLength(migrations.length);
        for (let left = migrations.length; left > 0; left--) {
          await dataSource.undoLastMigration({ transaction: migrationsTransactionMode });
        }
        expect(await ours(database.url)).toEqual([]);
        expect(await tablesCalled('projects')).toEqual([]);
        await dataSource.runMigrations();
        expect(await ours(database.url)).toEqual(usual);
      });
    },
  );

  it('goes on from a version before, and keeps what it has noted', async () => {
    const before = [MakeProjects1795650000000, ...alertsMigrations.slice(0, 3)];
    await onDataSource({ migrations: before }, (dataSource) => dataSource.runMigrations());
    await execute(database.url, `DROP TABLE ${OUR_LIST}`);
    await onDataSource({ migrations, migrationsRun: true }, async () => {
      expect(await ours(database.url)).toEqual(usual);
    });
    expect(await namesIn(OUR_LIST)).toEqual(NAMES);
    expect(await namesIn('public.migrations')).toHaveLength(migrations.length);
  });

  it('finds done what others have run, and runs what they have undone', async () => {
    await migrate();
    await onDataSource({ migrations: alertsMigrations }, async (dataSource) => {
      await dataSource.runMigrations();
      expect(await ours(database.url)).toEqual(usual);
      // By its own list the last alone is to be done; those before it are missing as well.
      await withOurs(async (own) => {
        while (await undoLastMigration(own));
      });
      await execute(database.url, `DELETE FROM public.migrations WHERE name = '${NAMES.at(-1) ?? ''}'`);
      await dataSource.runMigrations();
      expect(await ours(database.url)).toEqual(usual);
    });
  });

  it('is not let undo what newer migrations stand on', async () => {
    await onDataSource({ migrations: alertsMigrations.slice(0, 3) }, async (dataSource) => {
      await dataSource.runMigrations();
      await migrate();
      await expect(dataSource.undoLastMigration()).rejects.toThrow(
        /FindHistoryBySession\d+ cannot be undone while OneRowAnAlert\d+, .* is done\. Undo that before/,
      );
    });
    expect(await ours(database.url)).toEqual(usual);
  });
});

describe('An application whose own list is called as ours was', () => {
  const options = { migrations: alertsMigrations, migrationsTableName: 'session_alerts_migrations' };

  it('keeps it, and goes on from a version before', async () => {
    await migrateAsBefore(4);
    await onDataSource({ ...options, migrationsRun: true }, () => ours(database.url));
    expect(await ours(database.url)).toEqual(usual);
    expect(await namesIn('public.session_alerts_migrations')).toEqual(NAMES);
    expect(await migrate()).toEqual([]);
  });

  it('makes it anew where another has moved it', async () => {
    await migrateAsBefore(4);
    expect(await migrate()).toEqual(NAMES.slice(4));
    await onDataSource({ ...options, migrationsRun: true }, () => ours(database.url));
    expect(await namesIn('public.session_alerts_migrations')).toEqual(NAMES);
    expect(await namesIn(OUR_LIST)).toEqual(NAMES);
    expect(await migrate()).toEqual([]);
  });
});

describe('Those who migrate at once', () => {
  it.each([
    ['before it looks for a list elsewhere', 'AS tables'],
    ['before it reads the list that it has found elsewhere', '"mayMove"'],
  ])('do not mislead who looks how far the tables are, where one moves the list %s', async (_when, last) => {
    await migrateAsBefore(3);
    const dataSource = await new DataSource(postgresOptions(database.url)).initialize();
    try {
      let isMoved = false;
      const create = dataSource.createQueryRunner.bind(dataSource);
      jest.spyOn(dataSource, 'createQueryRunner').mockImplementation((mode) => {
        const runner = create(mode);
        const query = runner.query.bind(runner);
        jest.spyOn(runner, 'query').mockImplementation(async (text, values) => {
          const answer: unknown = await query(text, values);
          if (!isMoved && text.includes(last)) {
            isMoved = true;
            await migrate();
          }
          return answer as never;
        });
        return runner;
      });
      expect(await pendingMigrations(dataSource)).toEqual({ names: [], newer: undefined });
      expect(isMoved).toBe(true);
    } finally {
      await dataSource.destroy();
    }
  });

  const startServer = () => startTestServer({ DATABASE_URL: database.url }, { issuer, upkeep: false });

  async function migrateByCommand(): Promise<void> {
    let said = '';
    const output = { write: (text: string) => (said += text) };
    const env = { DATABASE_URL: database.url };
    const status = await runCommandLine(['migrate'], { env, stdout: output, stderr: output });
    expect({ status, said }).toMatchObject({ status: 0 });
  }

  it.each([
    ['an empty database', 0],
    ['a database of a version before', 3],
  ])('get %s migrated once, by whichever ways', async (_database, count) => {
    if (count > 0) await migrateAsBefore(count);
    const listOf = (migrationsTableName: string) => ({
      migrations: alertsMigrations,
      migrationsRun: true,
      migrationsTableName,
    });
    const servers: Awaited<ReturnType<typeof startTestServer>>[] = [];
    const started = await Promise.allSettled([
      startServer().then((server) => servers.push(server)),
      startServer().then((server) => servers.push(server)),
      startHost({}, { migrate: true }),
      startHost({ synchronize: true }),
      startHost(listOf('first_list')),
      startHost(listOf('second_list')),
      migrateByCommand(),
    ]);
    try {
      expect(started.filter(({ status }) => status === 'rejected')).toEqual([]);
      expect(await namesIn(OUR_LIST)).toEqual(NAMES);
      expect(await ours(database.url)).toEqual(usual);
      expect(await tablesCalled('session_alerts_migrations')).toEqual(['session_alerts']);
    } finally {
      for (const server of servers) await server.close();
    }
  });

  it('with one list of an application find it there when TypeORM tries again', async () => {
    const options = { migrations: alertsMigrations, migrationsRun: true, retryAttempts: 5, retryDelay: 100 };
    await Promise.all(Array.from({ length: 3 }, () => startHost(options)));
    expect(await namesIn(OUR_LIST)).toEqual(NAMES);
    expect(await ours(database.url)).toEqual(usual);
  });

  it('wait for one another, but not for ever', async () => {
    const other = await connectTo(database.url);
    try {
      await other.query('SELECT pg_advisory_lock($1, 0)', [0x5e551003]);
      await withOurs(async (dataSource) => {
        await expect(runMigrations(dataSource, 200)).rejects.toThrow(
          /^Another process is still migrating the alerts, .*Wait until it has ended/,
        );
        expect(await ours(database.url)).toEqual([]);
        await other.query('SELECT pg_advisory_unlock_all()');
        expect((await runMigrations(dataSource, 200)).names).toEqual(NAMES);
        await other.query(`BEGIN; LOCK TABLE ${OUR_LIST}`);
        await expect(runMigrations(dataSource, 200)).rejects.toThrow(
          /keeps the list of their migrations locked/,
        );
        await other.query('COMMIT');
        expect((await runMigrations(dataSource, 200)).names).toEqual([]);
      });
    } finally {
      await other.end();
    }
  });
});

describe('A role', () => {
  const role = `session_alerts_role_${randomBytes(6).toString('hex')}`;
  let url: string;

  beforeEach(async () => {
    const address = new URL(database.url);
    address.username = role;
    address.password = 'secret';
    url = address.href;
    await execute(
      database.url,
      `CREATE ROLE ${role} LOGIN PASSWORD 'secret'; REVOKE ALL ON SCHEMA public FROM PUBLIC`,
    );
  });
  afterEach(async () => {
    for (const host of hosts.splice(0)) await host.close();
    await execute(database.url, `DROP OWNED BY ${role} CASCADE`);
    await execute(testServer().serverUrl, `DROP ROLE ${role}`);
  });

  it.each([
    [
      'that owns our schema alone',
      (name: string) => `CREATE SCHEMA session_alerts AUTHORIZATION ${name}`,
      ['schema session_alerts'],
    ],
    ['that may make schemas', (name: string) => `GRANT CREATE ON DATABASE ${database.name} TO ${name}`, []],
  ])('%s migrates, serves and undoes, without any rights on public', async (_role, grant, left) => {
    await execute(database.url, grant(role));
    await expectToWork(
      await startHost({ url, entities: alertsEntities, autoLoadEntities: false }, { migrate: true }),
    );
    expect(await ours(database.url)).toEqual(usual);
    await hosts.pop()?.close();
    await withOurs(async (dataSource) => {
      while (await undoLastMigration(dataSource));
    }, url);
    expect(await ours(database.url)).toEqual(left);
    expect(await migrate(url)).toEqual(NAMES);
  });

  it('that may not migrate stops an application at boot, unless there is nothing to do', async () => {
    await expect(startHost({ url }, { migrate: true })).rejects.toThrow(
      /^AlertsModule: The role that connects to the database lacks CREATE on the database\. Let an administrator/,
    );
    await migrate();
    await execute(
      database.url,
      `GRANT USAGE ON SCHEMA session_alerts TO ${role};
       GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA session_alerts TO ${role}`,
    );
    await expectToWork(await startHost({ url }, { migrate: true }));
  });

  it('to whom the tables belong moves the list into our schema where that is its own as well', async () => {
    await migrateAsBefore(4);
    await execute(
      database.url,
      `ALTER SCHEMA session_alerts OWNER TO ${role};
       ALTER TABLE session_alerts.alerts OWNER TO ${role}; ALTER TABLE session_alerts.sightings OWNER TO ${role};
       ALTER TABLE session_alerts.feed OWNER TO ${role};`,
    );
    await expect(migrate(url)).rejects.toThrow(
      /lacks SELECT on public\.session_alerts_migrations\. Let an administrator run `GRANT USAGE ON SCHEMA public TO .+; GRANT SELECT ON public\.session_alerts_migrations TO /,
    );
    await execute(
      database.url,
      `GRANT USAGE ON SCHEMA public TO ${role}; GRANT SELECT ON public.session_alerts_migrations TO ${role}`,
    );
    await expect(migrate(url)).rejects.toThrow(
      /lacks the ownership of public\.session_alerts_migrations\. Let an administrator run `GRANT USAGE ON SCHEMA public TO .+; ALTER TABLE public\.session_alerts_migrations OWNER TO /,
    );
    await execute(database.url, `ALTER TABLE public.session_alerts_migrations OWNER TO ${role}`);
    expect(await migrate(url)).toEqual(NAMES.slice(4));
    expect(await namesIn(OUR_LIST)).toEqual(NAMES);
    expect(await tablesCalled('session_alerts_migrations')).toEqual(['session_alerts']);
  });
});

describe('The list of versions before', () => {
  it.each(['public', 'app'])('is moved into our schema from %s, with all that is in it', async (schema) => {
    await migrateAsBefore(NAMES.length);
    if (schema === 'app') {
      await execute(database.url, 'CREATE SCHEMA app; ALTER TABLE session_alerts_migrations SET SCHEMA app');
    }
    expect(await migrate()).toEqual([]);
    expect(await tablesCalled('session_alerts_migrations')).toEqual(['session_alerts']);
    expect(await namesIn(OUR_LIST)).toEqual(NAMES);
  });

  it('stays where a backup reads it just then, until the next time', async () => {
    await migrateAsBefore(NAMES.length);
    const backup = await connectTo(database.url);
    try {
      await backup.query('BEGIN; SELECT FROM public.session_alerts_migrations');
      expect(await migrate()).toEqual([]);
      expect(await tablesCalled('session_alerts_migrations')).toEqual(['public']);
    } finally {
      await backup.end();
    }
    expect(await migrate()).toEqual([]);
    expect(await tablesCalled('session_alerts_migrations')).toEqual(['session_alerts']);
  });

  it('is moved with the migration that follows, or not at all', async () => {
    await migrateAsBefore(4);
    await execute(database.url, 'CREATE TABLE session_alerts.reconciling (id int)');
    await expect(migrate()).rejects.toThrow(/"reconciling" already exists/);
    expect(await tablesCalled('session_alerts_migrations')).toEqual(['public']);
    await execute(database.url, 'DROP TABLE session_alerts.reconciling');
    expect(await migrate()).toEqual(NAMES.slice(4));
    expect(await tablesCalled('session_alerts_migrations')).toEqual(['session_alerts']);
  });

  it('tells nothing where its tables were dropped', async () => {
    await migrateAsBefore(NAMES.length);
    await execute(database.url, 'DROP SCHEMA session_alerts CASCADE');
    expect(await migrate()).toEqual(NAMES);
    expect(await ours(database.url)).toEqual(usual);
    expect(await namesIn(OUR_LIST)).toEqual(NAMES);
  });

  it('may belong to an application, whose it stays', async () => {
    await migrateAsBefore(4, 'migrations');
    expect(await migrate()).toEqual(NAMES.slice(4));
    expect(await namesIn('public.migrations')).toEqual(NAMES.slice(0, 4));
    expect(await namesIn(OUR_LIST)).toEqual(NAMES);
  });

  it('beside the one in our schema was restored from a backup, and a sentence says so', async () => {
    await migrate();
    await execute(
      database.url,
      `CREATE TABLE public.session_alerts_migrations (id serial, timestamp bigint, name varchar)`,
    );
    await expect(migrate()).rejects.toThrow(
      /^Two lists tell .* and public\.session_alerts_migrations: a backup .*Drop the schema session_alerts and restore/,
    );
    await execute(database.url, 'DROP TABLE public.session_alerts_migrations');
    expect(await migrate()).toEqual([]);
  });

  it('is none where whoever reads it would run what its owner says', async () => {
    await migrate();
    await execute(
      database.url,
      `CREATE TABLE public.session_alerts_migrations (id serial, timestamp bigint, name varchar);
       ALTER TABLE public.session_alerts_migrations ENABLE ROW LEVEL SECURITY`,
    );
    expect(await migrate()).toEqual([]);
  });

  it('in our schema says nothing where its tables are gone, and a sentence says so', async () => {
    await migrate();
    const tables = await execute<{ name: string }>(
      database.url,
      `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
        WHERE schemaname = 'session_alerts' AND tablename <> 'session_alerts_migrations'`,
    );
    expect(tables.length).toBeGreaterThan(3);
    await execute(database.url, `DROP TABLE ${tables.map(({ name }) => name).join(', ')}`);
    await expect(migrate()).rejects.toThrow(
      /names migrations as done, and the tables .* are gone\. Restore them/,
    );
  });

  it('is missed where there are tables, and a sentence says so', async () => {
    await migrateAsBefore(NAMES.length);
    await execute(database.url, 'DROP TABLE public.session_alerts_migrations');
    const before = await ours(database.url);
    await expect(migrate()).rejects.toThrow(
      /schema session_alerts has tables, and nothing tells by which migrations: .*Restore the table/,
    );
    await expect(startHost({ synchronize: true })).rejects.toThrow(
      /^AlertsModule: The schema session_alerts has/,
    );
    expect(await ours(database.url)).toEqual(before);
  });
});

it('Tables of a newer version are served from, with a warning', async () => {
  await migrate();
  await execute(
    database.url,
    `INSERT INTO ${OUR_LIST} (timestamp, name) VALUES (2000000000000, 'Later2000000000000')`,
  );
  const warned = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
  try {
    await expectToWork(await startHost({}, { migrate: true }));
    expect(warned).toHaveBeenCalledWith(
      expect.stringMatching(/those of a newer version, which has run Later2000000000000\. Use that version/),
    );
  } finally {
    warned.mockRestore();
  }
});

it("migrates at boot in transactions alone, which leave nothing on a pooler's connection", async () => {
  const asked: [query: string, values: unknown[]][] = [];
  const logger = new SilentLogger((query, parameters) =>
    asked.push([query, (parameters ?? []) as unknown[]]),
  );
  const dataSource = await new DataSource({
    ...postgresOptions(database.url),
    logger,
    logging: true,
  }).initialize();
  try {
    await migrateAtBoot(dataSource);
  } finally {
    await dataSource.destroy();
  }
  expect(await namesIn(OUR_LIST)).toEqual(NAMES);
  expect(asked.filter(([query]) => query.includes('pg_advisory_xact_lock'))).not.toEqual([]);
  expect(asked.filter(([query]) => query.includes('pg_advisory_lock'))).toEqual([]);
  // (What copies alerts beside it, where there are any, has a connection of its own for that time.)
  const set = asked.filter(([query]) => query.includes('set_config($1, $2, $3)'));
  expect(set.length).toBeGreaterThan(3);
  for (const [, values] of set) expect(values[2]).toBe(true);
});

it('migrates nothing at boot where the DataSource is connected later, and says so', async () => {
  const warned = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
  try {
    await migrateAtBoot(new DataSource(postgresOptions(database.url)));
    expect(warned).toHaveBeenCalledWith(
      expect.stringContaining('is not connected yet, so nothing is migrated'),
    );
  } finally {
    warned.mockRestore();
  }
});

it("does not do for real what TypeORM's command line is to pretend", async () => {
  const dataSource = await new AlertsDataSource(postgresOptions(database.url)).initialize();
  try {
    await expect(dataSource.runMigrations({ fake: true })).rejects.toThrow('--fake is not known here');
    await migrate();
    await expect(dataSource.undoLastMigration({ fake: true })).rejects.toThrow('--fake is not known here');
  } finally {
    await dataSource.destroy();
  }
  expect(await namesIn(OUR_LIST)).toEqual(NAMES);
});
