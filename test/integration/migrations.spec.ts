import { DataSource } from 'typeorm';
import { postgresOptions } from '../../src/migrations/postgres-options.js';
import { createTestDatabase, execute } from '../support/database.js';
import type { TestDatabase } from '../support/database.js';

describe('The migrations', () => {
  let database: TestDatabase;
  let dataSource: DataSource;

  beforeEach(async () => {
    database = await createTestDatabase({ migrated: false });
    dataSource = await new DataSource(postgresOptions(database.url)).initialize();
  });
  afterEach(async () => {
    await dataSource.destroy();
    await database.drop();
  });

  /** What TypeORM would change to make the database fit the entities. */
  async function missing(): Promise<string[]> {
    const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
    return upQueries.map(({ query }) => query);
  }

  async function undo(count: number): Promise<void> {
    for (let undone = 0; undone < count; undone++) await dataSource.undoLastMigration();
  }

  /** All that is ours in the database: columns, indexes and constraints, as PostgreSQL tells them. */
  async function ours(): Promise<string[]> {
    const rows = await execute<{ item: string }>(
      database.url,
      `SELECT concat_ws(' ', 'column', table_name, column_name, data_type, collation_name, is_nullable) AS item
         FROM information_schema.columns WHERE table_schema = 'session_alerts'
       UNION ALL
       SELECT indexdef FROM pg_indexes WHERE schemaname = 'session_alerts'
       UNION ALL
       SELECT concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid)) FROM pg_constraint
        WHERE connamespace = to_regnamespace('session_alerts')
       UNION ALL
       SELECT concat('schema ', nspname) FROM pg_namespace WHERE nspname = 'session_alerts'
       ORDER BY item`,
    );
    return rows.map(({ item }) => item);
  }

  it('agree with the entities', async () => {
    expect(await missing()).not.toEqual([]);
    await dataSource.runMigrations();
    expect(await missing()).toEqual([]);
  });

  it('can be undone one by one, which leaves nothing, and done again', async () => {
    const done = await dataSource.runMigrations();
    const tables = await ours();
    expect(tables).toEqual(expect.arrayContaining(['schema session_alerts']));

    await undo(done.length);
    expect(await ours()).toEqual([]);

    await dataSource.runMigrations();
    expect(await ours()).toEqual(tables);
    expect(await missing()).toEqual([]);
  });

  it('can be undone with alerts in the tables', async () => {
    const done = await dataSource.runMigrations();
    await execute(
      database.url,
      `INSERT INTO session_alerts.alerts
         (id, fingerprint, user_id, event_type, title, message, kind, source, creation_date, updated_date, last_seen)
       VALUES ('1', gen_random_uuid(), 'jane', 'notice', 'Title', 'Message', 'condition', 'api', now(), now(), now());
       INSERT INTO session_alerts.alert_series (id, fingerprint, alert_id, firing, closed_by_hand, starts_at, arrival)
       VALUES (gen_random_uuid(), 'af76dc6588fad5c9', '1', true, false, now(), 0)`,
    );
    await undo(done.length);
    expect(await ours()).toEqual([]);
  });

  it('do nothing when they are run again', async () => {
    await dataSource.runMigrations();
    expect(await dataSource.runMigrations()).toEqual([]);
    expect(await dataSource.showMigrations()).toBe(false);
  });

  it('leave nothing half done where one fails', async () => {
    // A table of another's in the way.
    await execute(database.url, 'CREATE SCHEMA session_alerts');
    jest.spyOn(console, 'log').mockImplementationOnce(() => undefined);
    await expect(dataSource.runMigrations()).rejects.toThrow(/session_alerts/);
    expect(await ours()).toEqual(['schema session_alerts']);
  });

  it('touch nothing outside the schema, save the list of what is done', async () => {
    await dataSource.runMigrations();
    const rows = await execute<{ name: string }>(
      database.url,
      `SELECT format('%s.%s', table_schema, table_name) AS name FROM information_schema.tables
        WHERE table_schema NOT IN ('session_alerts', 'pg_catalog', 'information_schema')`,
    );
    expect(rows.map(({ name }) => name)).toEqual(['public.session_alerts_migrations']);
  });
});
