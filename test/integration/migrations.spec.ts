import { DataSource } from 'typeorm';
import { alertsMigrations } from '../../src/index.js';
import { AlertsDataSource } from '../../src/migrations/alerts-data-source.js';
import { postgresOptions } from '../../src/migrations/postgres-options.js';
import { createTestDatabase, execute } from '../support/database.js';
import type { TestDatabase } from '../support/database.js';

describe('The migrations', () => {
  let database: TestDatabase;
  let dataSource: DataSource;

  beforeEach(async () => {
    database = await createTestDatabase({ migrated: false });
    dataSource = new AlertsDataSource(postgresOptions(database.url));
    await dataSource.initialize();
  });
  afterEach(async () => {
    await dataSource.destroy();
    await database.drop();
  });

  /** Knows the first so many migrations only, as an application's with a list of its own. */
  function withMigrations(count: number): Promise<DataSource> {
    const options = { ...postgresOptions(database.url), migrations: alertsMigrations.slice(0, count) };
    return new DataSource(options).initialize();
  }

  /** What TypeORM would change to make the database fit the entities. */
  async function missing(): Promise<string[]> {
    for (const metadata of dataSource.entityMetadatas) metadata.synchronize = true;
    const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
    return upQueries.map(({ query }) => query);
  }

  async function undo(count: number): Promise<void> {
    for (let undone = 0; undone < count; undone++) await dataSource.undoLastMigration();
  }

  /** All that is ours in the database: columns, indexes, constraints and settings, as PostgreSQL tells them. */
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
       SELECT concat_ws(' ', 'settings', relname, reloptions) FROM pg_class
        WHERE relnamespace = to_regnamespace('session_alerts') AND reloptions IS NOT NULL
       UNION ALL
       SELECT concat_ws(' ', 'storage', attrelid::regclass, attname, attstorage) FROM pg_attribute
        WHERE attnum > 0 AND attrelid IN (SELECT oid FROM pg_class
                                           WHERE relnamespace = to_regnamespace('session_alerts') AND relkind = 'r')
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
         (id, fingerprint, user_id, event_type, title, message, gravity, is_event, by_hand, creation_date)
       VALUES ('1', 1, 'jane', 'notice', 'Title', 'Message', 1, false, true, now());
       INSERT INTO session_alerts.sightings (arrival, request, series) VALUES (1, gen_random_uuid(), '{1}')`,
    );
    await undo(done.length);
    expect(await ours()).toEqual([]);
  });

  describe('the second, which keeps sightings', () => {
    /** As the first migration's tables have them: an open alert with two series, a closed one, a stray series. */
    const written = `
      INSERT INTO session_alerts.alerts
        (id, fingerprint, user_id, session_name, event_type, title, message, kind, source, creation_date,
         updated_date, last_seen, resolved_date, resolved_reason)
      VALUES ('open', '00000000-0000-8000-8000-00000000000a', 'jane', 'jane-1', 'HighDiskUsage', 'Disk nearly full',
              'At 95%', 'condition', 'alertmanager', '2026-01-15T08:00Z', '2026-01-15T08:00Z', '2026-01-15T10:00Z',
              NULL, NULL),
             ('closed', '00000000-0000-8000-8000-00000000000a', 'jane', 'jane-1', 'HighDiskUsage', 'Disk nearly full',
              'At 93%', 'condition', 'alertmanager', '2026-01-15T06:00Z', '2026-01-15T07:00Z', '2026-01-15T06:00Z',
              '2026-01-15T07:00Z', 'resolved');
      INSERT INTO session_alerts.alert_series
        (id, fingerprint, alert_id, firing, closed_by_hand, starts_at, ends_at, arrival)
      VALUES ('00000000-0000-8000-8000-000000000001', '0000000000000001', 'open', true, false,
              '2026-01-15T08:00Z', NULL, 1768464000000000),
             ('00000000-0000-8000-8000-000000000002', '0000000000000002', 'open', true, false,
              '2026-01-15T08:30Z', NULL, 1768465800000000),
             ('00000000-0000-8000-8000-000000000003', '0000000000000003', 'closed', false, false,
              '2026-01-15T06:00Z', '2026-01-15T07:00Z', 1768460400000000),
             ('00000000-0000-8000-8000-000000000004', '0000000000000004', NULL, false, false,
              '2026-01-15T06:00Z', '2026-01-15T07:00Z', 1768460400000000)`;

    let firstTwo: DataSource;

    beforeEach(async () => {
      firstTwo = await withMigrations(2);
    });
    afterEach(() => firstTwo.destroy());

    async function runFirst(): Promise<void> {
      const first = await withMigrations(1);
      await first.runMigrations();
      await first.destroy();
    }

    function undoToFirst(): Promise<void> {
      return firstTwo.undoLastMigration();
    }

    function rows(table: string): Promise<Record<string, unknown>[]> {
      return execute(database.url, `SELECT * FROM session_alerts.${table} ORDER BY id`);
    }

    it('leaves what is written as it was', async () => {
      await runFirst();
      await execute(database.url, written);
      const before = [await rows('alerts'), await rows('alert_series')];
      expect(before.map(({ length }) => length)).toEqual([2, 4]);

      const [second] = await firstTwo.runMigrations();
      expect(second!.name).toBe('KeepSightings1795300000000');
      expect([await rows('alerts'), await rows('alert_series')]).toEqual(before);
    });

    it('is undone with what was sighted last, and with series whose alerts are gone', async () => {
      await firstTwo.runMigrations();
      await execute(database.url, written);
      await execute(
        database.url,
        `INSERT INTO session_alerts.alert_series
           (id, fingerprint, alert_id, firing, closed_by_hand, starts_at, arrival)
         VALUES ('00000000-0000-8000-8000-000000000005', '0000000000000005', 'gone', true, false,
                 '2026-01-15T08:00Z', 1768464000000000);
         INSERT INTO session_alerts.sightings (arrival, request, series)
         SELECT extract(epoch FROM arrival::timestamptz) * 1e6, gen_random_uuid(),
                ARRAY(SELECT concat('00000000-0000-8000-8000-00000000000', series)::uuid
                        FROM unnest(all_series) AS series)
           FROM (VALUES ('2026-01-15T11:00Z', ARRAY[1, 2, 3, 4, 5]),
                        ('2026-01-15T12:00Z', ARRAY[2]),
                        ('2026-01-15T11:30Z', ARRAY[1]),
                        ('2026-01-15T13:00Z', ARRAY[3, 4, 5, 6])) AS sighted (arrival, all_series)`,
      );
      const before = { alerts: await rows('alerts'), series: await rows('alert_series') };

      await undoToFirst();
      const [closed, open] = before.alerts;
      expect(await rows('alerts')).toEqual([
        closed,
        { ...open, last_seen: new Date('2026-01-15T12:00:00.000Z') },
      ]);
      expect(await rows('alert_series')).toEqual(before.series.slice(0, 4));

      // Which is what the first migration makes, and what the second takes.
      const tables = await ours();
      await firstTwo.undoLastMigration();
      await runFirst();
      expect(await ours()).toEqual(tables);
      await dataSource.runMigrations();
      expect(await missing()).toEqual([]);
    });

    it('is undone without making anything seen earlier than it was', async () => {
      await firstTwo.runMigrations();
      await execute(database.url, written);
      await execute(
        database.url,
        `INSERT INTO session_alerts.sightings (arrival, request, series)
         VALUES (extract(epoch FROM '2026-01-15T09:00Z'::timestamptz) * 1e6, gen_random_uuid(),
                 ARRAY['00000000-0000-8000-8000-000000000001']::uuid[])`,
      );
      const before = await rows('alerts');
      await undoToFirst();
      expect(await rows('alerts')).toEqual(before);
    });
  });

  it.each([
    [6, 'OfferActions1796000000000', { action_label: null, action_url: null }],
    [7, 'TellOutside1796100000000', { seen_date: null, muted_until: null }],
  ])(
    'give what is written nothing new (the %i. after the first), and let it be as it was',
    async (done, name, added) => {
      const before = await withMigrations(done);
      const after = await withMigrations(done + 1);
      try {
        await before.runMigrations();
        await execute(
          database.url,
          `INSERT INTO session_alerts.alerts
           (id, fingerprint, user_id, event_type, title, message, gravity, is_event, by_hand, creation_date)
         VALUES ('1', 1, 'jane', 'notice', 'Title', 'Message', 1, false, true, now())`,
        );
        const written = () => execute(database.url, `SELECT * FROM session_alerts.alerts`);
        const [alert] = await written();

        const [last] = await after.runMigrations();
        expect(last!.name).toBe(name);
        expect(await written()).toEqual([{ ...alert, ...added }]);
        await after.undoLastMigration();
        expect(await written()).toEqual([alert]);
      } finally {
        await after.destroy();
        await before.destroy();
      }
    },
  );

  it('give sightings whose they are, of which nothing is known of those that are there', async () => {
    const before = await withMigrations(8);
    const after = await withMigrations(9);
    try {
      await before.runMigrations();
      // As a version before goes on to write them, too.
      const insert = `INSERT INTO session_alerts.sightings (arrival, request, series) VALUES (1, gen_random_uuid(), '{1}')`;
      await execute(database.url, insert);
      const written = () => execute(database.url, `SELECT * FROM session_alerts.sightings ORDER BY request`);
      const [sighting] = await written();

      const [last] = await after.runMigrations();
      expect(last!.name).toBe('SayWhoseSightings1796200000000');
      expect(await written()).toEqual([{ ...sighting, user_id: '' }]);
      await execute(database.url, insert);
      expect((await written()).map(({ user_id: userId }) => userId)).toEqual(['', '']);

      await after.undoLastMigration();
      expect(await written()).toContainEqual(sighting);
    } finally {
      await after.destroy();
      await before.destroy();
    }
  });

  it('wait for who reads a table, without keeping others waiting for long', async () => {
    const before = await withMigrations(alertsMigrations.length - 1);
    await before.runMigrations();
    const reader = before.createQueryRunner();
    await reader.startTransaction();
    await reader.query(`SELECT FROM session_alerts.sightings`);
    try {
      const migrated = dataSource.runMigrations();
      // Waits behind the migration, which gives up before this does.
      await execute(
        database.url,
        `SET lock_timeout = '5s'; SELECT pg_sleep(0.5); SELECT FROM session_alerts.sightings`,
      );
      await reader.commitTransaction();
      expect(await migrated).toHaveLength(1);
    } finally {
      await reader.release();
      await before.destroy();
    }
  });

  it('do nothing when they are run again', async () => {
    await dataSource.runMigrations();
    expect(await dataSource.runMigrations()).toEqual([]);
    expect(await dataSource.showMigrations()).toBe(false);
  });

  it('leave nothing half done where one fails', async () => {
    // A table of another's in the way.
    await execute(database.url, 'CREATE SCHEMA session_alerts; CREATE TABLE session_alerts.feed (id int)');
    const before = await ours();
    await expect(dataSource.runMigrations()).rejects.toThrow(/"feed" already exists/);
    expect(await ours()).toEqual(before);
  });

  it('touch nothing outside the schema', async () => {
    await dataSource.runMigrations();
    const rows = await execute<{ name: string }>(
      database.url,
      `SELECT format('%s.%s', table_schema, table_name) AS name FROM information_schema.tables
        WHERE table_schema NOT IN ('session_alerts', 'pg_catalog', 'information_schema')`,
    );
    expect(rows.map(({ name }) => name)).toEqual([]);
  });
});
