import { hash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { alertsMigrations } from '../../src/index.js';
import { OneRowAnAlert1795700000000 } from '../../src/migrations/1795700000000-one-row-an-alert.js';
import { inTransaction } from '../../src/migrations/listed-migrations.js';
import { postgresOptions } from '../../src/migrations/postgres-options.js';
import { runMigrations, undoLastMigration } from '../../src/migrations/run-migrations.js';
import { AlertsApi, firing, minute, resolved } from '../support/alerts.js';
import type { AlertmanagerAlert } from '../support/alerts.js';
import { createTestDatabase, execute } from '../support/database.js';
import type { TestDatabase } from '../support/database.js';
import { startTestServer, waitUntil } from '../support/server.js';
import type { TestServer } from '../support/server.js';

/** How many alerts are moved while others are written; a million by hand: MIGRATED_ALERTS=1000000. */
const ALERTS = Number(process.env['MIGRATED_ALERTS'] ?? 20_000);
const LONGEST_WAIT = 5_000;

const NOW = Date.now();

/** A name-based UUID (RFC 9562, version 8, over SHA-256), as the tables before had them. */
function uuidOf(...names: (string | null)[]): string {
  const hex = hash('sha256', JSON.stringify(names));
  const variant = '89ab'[Number.parseInt(hex.charAt(16), 16) % 4] ?? '';
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** An alert as the two tables have it. */
interface StoredBefore {
  id: string;
  series: AlertmanagerAlert[];
  /** Series of it that have ended. */
  ended?: AlertmanagerAlert[];
  kind?: 'condition' | 'event';
  source?: 'alertmanager' | 'api';
  closed?: string;
  isSilent?: boolean;
}

const OLD_ALERT = `INSERT INTO session_alerts.alerts
  (id, fingerprint, user_id, session_name, event_type, title, message, severity, kind, source, creation_date,
   updated_date, last_seen, resolved_date, resolved_reason)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, $11, $12, $13)`;
const OLD_SERIES = `INSERT INTO session_alerts.alert_series
  (id, fingerprint, alert_id, firing, closed_by_hand, starts_at, ends_at, arrival)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`;

/** Writes it as the server did that had two tables. */
async function storeBefore(client: pg.Client, stored: StoredBefore): Promise<void> {
  const { id, series, ended = [], kind = 'condition', source = 'alertmanager', closed, isSilent } = stored;
  const [{ labels, annotations }] = [...series, ...ended] as [AlertmanagerAlert];
  const { safe_username: user = '', statefulset: session = '', alertname = '', severity } = labels;
  const opened = new Date(NOW - 3600_000);
  await client.query(OLD_ALERT, [
    id,
    uuidOf('alert', user, session, alertname),
    user,
    session,
    alertname,
    annotations['title'],
    annotations['description'],
    severity,
    kind,
    source,
    opened,
    closed === undefined ? null : new Date(NOW - 60_000),
    closed,
  ]);
  for (const one of [...series, ...ended]) {
    await client.query(OLD_SERIES, [
      uuidOf('series', user, session, one.fingerprint ?? ''),
      one.fingerprint,
      id,
      series.includes(one) && (closed === undefined || isSilent),
      isSilent ?? false,
      one.startsAt,
      series.includes(one) ? null : new Date(NOW - 120_000),
      (NOW - 3600_000) * 1000,
    ]);
  }
}

describe('The migration that puts an alert and its series into one row', () => {
  let database: TestDatabase;
  let before: DataSource;
  let client: pg.Client;
  let server: TestServer | undefined;

  beforeEach(async () => {
    database = await createTestDatabase({ migrated: false });
    before = new DataSource({ ...postgresOptions(database.url), migrations: alertsMigrations.slice(0, 3) });
    await before.initialize();
    await before.runMigrations();
    client = new pg.Client({ connectionString: database.url });
    await client.connect();
  });
  afterEach(async () => {
    await server?.close();
    server = undefined;
    await client.end();
    await before.destroy();
    await database.drop();
  });

  async function startServer(): Promise<AlertsApi> {
    server = await startTestServer({ DATABASE_URL: database.url }, { upkeep: false });
    return new AlertsApi(`${server.url}/api/data`, server.issuer);
  }

  async function undo(): Promise<void> {
    await server?.close();
    server = undefined;
    const dataSource = await new DataSource(postgresOptions(database.url)).initialize();
    await undoOn(dataSource);
    await dataSource.destroy();
  }

  /** The migration, and those since. */
  async function undoOn(dataSource: DataSource): Promise<void> {
    const since = alertsMigrations.findIndex(({ name }) => name === OneRowAnAlert1795700000000.name);
    for (let undone = since; undone < alertsMigrations.length; undone++) await undoLastMigration(dataSource);
  }

  const volume = (name: string, spec: Parameters<typeof firing>[0] = {}) =>
    firing({ message: 'A volume is full', ...spec, labels: { persistentvolumeclaim: name } });

  it('leaves what is open open, until its last series ends', async () => {
    await storeBefore(client, {
      id: 'OPEN',
      series: [volume('data'), volume('home', { startsAt: minute(1) })],
    });
    const api = await startServer();
    expect(await api.onlyAlert()).toMatchObject({ id: 'OPEN', message: 'A volume is full', series_count: 2 });

    await api.deliver(volume('data', { message: 'Data is full' }));
    expect((await api.onlyAlert()).series?.map(({ message }) => message)).toEqual([
      'A volume is full',
      'Data is full',
    ]);
    await api.deliver(resolved(volume('home')));
    expect(await api.onlyAlert()).toMatchObject({ id: 'OPEN', message: 'Data is full' });
    await api.deliver(resolved(volume('data')));
    expect(await api.openAlerts()).toEqual([]);
  });

  it('leaves what was dismissed silent for its episode, of each of its series', async () => {
    await storeBefore(client, {
      id: 'DISMISSED',
      series: [volume('data')],
      ended: [volume('home')],
      closed: 'dismissed',
      isSilent: true,
    });
    const api = await startServer();
    expect(await api.deliver(volume('data'), volume('home'))).toMatchObject({
      reasons: { closed_by_hand: 2 },
    });
    await api.deliver(volume('home', { startsAt: minute(70) }));
    expect(await api.openAlerts()).toHaveLength(1);
  });

  it('leaves events, what administrators opened and what has ended what they are', async () => {
    const event = firing({ name: 'Killed', severity: 'critical' });
    await storeBefore(client, { id: 'EVENT', series: [], ended: [event], kind: 'event' });
    await storeBefore(client, { id: 'NOTICE', series: [], ended: [], source: 'api', ...noSeries('notice') });
    await storeBefore(client, {
      id: 'ENDED',
      series: [],
      ended: [firing({ name: 'Ended' })],
      closed: 'resolved',
    });
    const api = await startServer();
    expect(await api.openAlerts()).toMatchObject([
      { id: 'EVENT', kind: 'event', severity: 'critical' },
      { id: 'NOTICE', kind: 'condition' },
    ]);
    const past = await api.call('GET', '/alerts?status=resolved', { as: { sub: 'jane' } });
    expect(past.body).toMatchObject([{ id: 'ENDED', resolved_reason: 'resolved' }]);
    await api.deliver(firing({ name: 'Ended' }));
    expect(await api.openAlerts()).toHaveLength(3);
  });

  /** Of an alert behind which no series stands only the labels count. */
  function noSeries(name: string): Pick<StoredBefore, 'ended'> {
    return { ended: [{ ...firing({ name }), fingerprint: 'none' }] };
  }

  it('leaves sightings, and resolves of what was not known, what they were', async () => {
    await storeBefore(client, { id: 'OPEN', series: [firing()] });
    const key = (alert: AlertmanagerAlert): string =>
      uuidOf('series', 'jane', 'jane-1', alert.fingerprint ?? '');
    const later = (NOW + 3600_000) * 1000;
    await client.query(
      `INSERT INTO session_alerts.sightings (arrival, request, series) VALUES ($1, gen_random_uuid(), $2)`,
      [NOW * 1000, [key(firing())]],
    );
    const stray = firing({ name: 'Stray' });
    await client.query(OLD_SERIES, [
      key(stray),
      stray.fingerprint,
      null,
      false,
      false,
      new Date(NOW),
      new Date(NOW),
      NOW * 1000,
    ]);
    await startServer();
    const rows = await execute<{ arrival: string; is_known: boolean; ends_at: Date[] | null }>(
      database.url,
      `SELECT arrival, ends_at, series = ARRAY[session_alerts.series_key('jane', 'jane-1', $1)] AS is_known
         FROM session_alerts.sightings WHERE arrival < $2 ORDER BY ends_at NULLS FIRST`,
      [firing().fingerprint, later],
    );
    expect(rows).toEqual([
      { arrival: String(NOW * 1000), ends_at: null, is_known: true },
      { arrival: String(NOW * 1000), ends_at: [new Date(NOW)], is_known: false },
    ]);
  });

  it('is undone with all that the tables before can hold', async () => {
    const api = await startServer();
    const [data, home] = [volume('data'), volume('home', { startsAt: minute(1), severity: 'critical' })];
    const quoted = firing({ session: 'a "quoted" \\ née', name: 'Late' });
    await api.deliver(data, home, quoted, firing({ name: 'Dismissed' }));
    await api.deliver(firing({ name: 'Killed', labels: { alert_kind: 'event' } }));
    await api.deliver(resolved(firing({ name: 'Killed', labels: { alert_kind: 'event' } })));
    await api.deliver(resolved(quoted));
    const dismissed = (await api.openAlerts()).find(({ event_type }) => event_type === 'Dismissed');
    await api.update(dismissed!.id, { dismissed: true }, { sub: 'jane' });
    await undo();

    const stored = await execute(
      database.url,
      `SELECT event_type, alert.fingerprint, kind, resolved_reason, severity,
              json_agg(json_build_array(series.id, firing, closed_by_hand) ORDER BY series.starts_at) AS series
         FROM session_alerts.alerts AS alert
         LEFT JOIN session_alerts.alert_series AS series ON series.alert_id = alert.id
        GROUP BY alert.id ORDER BY event_type`,
    );
    const expected = (
      type: string,
      all: [AlertmanagerAlert, ...AlertmanagerAlert[]],
      isFiring: boolean,
      reason: string | null,
      more: object = {},
    ) => ({
      event_type: type,
      fingerprint: uuidOf('alert', 'jane', all[0].labels['statefulset'] ?? '', type),
      kind: 'condition',
      resolved_reason: reason,
      severity: 'warning',
      series: all.map((one) => [
        uuidOf('series', 'jane', one.labels['statefulset'] ?? '', one.fingerprint ?? ''),
        isFiring,
        reason === 'dismissed',
      ]),
      ...more,
    });
    expect(stored).toEqual([
      expected('Dismissed', [firing({ name: 'Dismissed' })], true, 'dismissed'),
      expected('Killed', [firing({ name: 'Killed', labels: { alert_kind: 'event' } })], false, null, {
        kind: 'event',
      }),
      expected('Late', [quoted], false, 'resolved'),
      expected('RenkuSessionHighMemory', [data, home], true, null, { severity: 'critical' }),
    ]);
    // And done again.
    const again = await startServer();
    expect(await again.openAlerts()).toHaveLength(2);
    expect(await again.deliver(firing({ name: 'Dismissed' }))).toMatchObject({
      reasons: { closed_by_hand: 1 },
    });
  });

  it('clears away what an attempt has left that was cut off', async () => {
    await storeBefore(client, { id: 'OPEN', series: [firing()] });
    await client.query(
      `CREATE TABLE session_alerts.alerts_next (id text);
       CREATE TABLE session_alerts.moving (alert_id text);
       CREATE FUNCTION session_alerts.note_moving() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
       CREATE TRIGGER note_inserted AFTER INSERT ON session_alerts.alerts
         FOR EACH STATEMENT EXECUTE FUNCTION session_alerts.note_moving()`,
    );
    const api = await startServer();
    expect(await api.onlyAlert()).toMatchObject({ id: 'OPEN' });
    const left = await execute(
      database.url,
      `SELECT relname FROM pg_class WHERE relnamespace = 'session_alerts'::regnamespace AND relkind = 'r'
        ORDER BY relname`,
    );
    expect(left.map(({ relname }) => relname)).toEqual([
      'alerts',
      'deliveries',
      'delivery_targets',
      'feed',
      'messages',
      'mutes',
      'open_pages',
      'preferences',
      'reconciling',
      'session_alerts_migrations',
      'sightings',
    ]);
  });

  describe('where others use the tables than who migrates', () => {
    const suffix = randomBytes(6).toString('hex');
    const owner = `session_alerts_owner_${suffix}`;
    const user = `session_alerts_user_${suffix}`;

    beforeEach(async () => {
      await client.query(
        `CREATE ROLE ${owner}; CREATE ROLE ${user} LOGIN PASSWORD 'secret';
         GRANT USAGE, CREATE ON SCHEMA session_alerts TO ${owner};
         GRANT USAGE ON SCHEMA session_alerts TO ${user};
         ALTER TABLE session_alerts.alerts OWNER TO ${owner};
         ALTER TABLE session_alerts.alert_series OWNER TO ${owner};
         ALTER TABLE session_alerts.sightings OWNER TO ${owner};
         GRANT SELECT, INSERT, UPDATE, DELETE ON session_alerts.alerts, session_alerts.alert_series TO ${user};
         GRANT SELECT, INSERT, DELETE ON session_alerts.sightings TO ${user};
         GRANT SELECT, INSERT, UPDATE ON session_alerts.feed TO ${user}`,
      );
    });
    afterEach(async () => {
      await server?.close();
      server = undefined;
      await client.query(`DROP OWNED BY ${owner}, ${user} CASCADE; DROP ROLE ${owner}, ${user}`);
    });

    async function tables(): Promise<Record<string, unknown>[]> {
      return execute(
        database.url,
        `SELECT tablename AS name, tableowner = $1 AS is_theirs, string_agg(privilege_type, ' ' ORDER BY privilege_type) AS rights
           FROM pg_tables
           LEFT JOIN information_schema.table_privileges
             ON table_schema = schemaname AND table_name = tablename AND grantee = $2
          WHERE schemaname = 'session_alerts' GROUP BY 1, 2 ORDER BY 1`,
        [owner, user],
      );
    }

    function addressOf(role: string): string {
      const address = new URL(database.url);
      address.username = role;
      address.password = 'secret';
      return address.href;
    }

    it('leaves to each what was theirs', async () => {
      const migrating = await new DataSource(postgresOptions(database.url)).initialize();
      await runMigrations(migrating);
      await migrating.destroy();
      const feed = { name: 'feed', is_theirs: false, rights: 'INSERT SELECT UPDATE' };
      const alerts = { name: 'alerts', is_theirs: true, rights: 'DELETE INSERT SELECT UPDATE' };
      const sightings = { name: 'sightings', is_theirs: true, rights: 'DELETE INSERT SELECT' };
      const reconciling = { ...feed, name: 'reconciling' };
      const list = { name: 'session_alerts_migrations', is_theirs: false, rights: null };
      const ofAlerts = (name: string) => ({ ...alerts, name });
      expect(await tables()).toEqual([
        alerts,
        ...['deliveries', 'delivery_targets'].map(ofAlerts),
        feed,
        ...['messages', 'mutes', 'open_pages', 'preferences'].map(ofAlerts),
        reconciling,
        list,
        sightings,
      ]);

      server = await startTestServer(
        { DATABASE_URL: addressOf(user), MIGRATE_ON_START: 'false' },
        { upkeep: false },
      );
      const api = new AlertsApi(`${server.url}/api/data`, server.issuer);
      await api.deliver(firing());
      await api.deliver(firing());
      expect(await api.openAlerts()).toHaveLength(1);

      await undo();
      const series = { ...alerts, name: 'alert_series' };
      expect(await tables()).toEqual([series, alerts, feed, list, sightings]);
    });

    it('lets them write meanwhile, and notes it, whatever they have set', async () => {
      await storeBefore(client, { id: 'OPEN', series: [firing()] });
      await client.query(`ALTER ROLE ${user} SET session_replication_role = 'replica'`);
      const writer = new pg.Client({ connectionString: addressOf(user) });
      await writer.connect();
      const migrating = await new DataSource(postgresOptions(database.url)).initialize();
      try {
        // Who reads a row in a transaction of their own keeps the move from its last step.
        await client.query('BEGIN');
        await client.query('SELECT FROM session_alerts.feed, session_alerts.alerts');
        const migrated = runMigrations(migrating);
        await waitUntil(async () => {
          const noting = await execute(
            database.url,
            `SELECT FROM pg_trigger
              WHERE tgrelid = 'session_alerts.alert_series'::regclass AND tgname = 'note_deleted' AND tgenabled = 'A'`,
          );
          return noting.length > 0;
        });
        await storeBefore(writer, { id: 'MEANWHILE', series: [firing({ session: 'meanwhile' })] });
        await client.query('COMMIT');
        await migrated;
      } finally {
        await writer.end();
        await migrating.destroy();
      }
      const stored = await execute(database.url, 'SELECT id FROM session_alerts.alerts ORDER BY id');
      expect(stored.map(({ id }) => id)).toEqual(['MEANWHILE', 'OPEN']);
    });
  });

  describe(`of ${ALERTS} alerts, while a server goes on writing`, () => {
    /** What the writers were answered. */
    interface Written {
      opened: string[];
      closed: string[];
      longestWait: number;
    }

    /** Opens and closes alerts one by one, as that server did, until the tables are others; the last fails. */
    async function writeUntilRefused(number: number): Promise<Written> {
      const writer = new pg.Client({ connectionString: database.url });
      await writer.connect();
      const written: Written = { opened: [], closed: [], longestWait: 0 };
      for (let count = 0; ; count += 1) {
        const startedAt = performance.now();
        const id = `W${number}-${String(count).padStart(6, '0')}`;
        const closes = written.opened.length > 2 ? written.opened.shift() : undefined;
        try {
          await writer.query('BEGIN');
          await storeBefore(writer, { id, series: [firing({ session: id })] });
          if (closes !== undefined) {
            await writer.query(
              `UPDATE session_alerts.alerts SET resolved_date = now(), updated_date = now(),
                      resolved_reason = 'resolved' WHERE id = $1`,
              [closes],
            );
            await writer.query(
              `UPDATE session_alerts.alert_series SET firing = false, ends_at = now() WHERE alert_id = $1`,
              [closes],
            );
          }
          await writer.query('COMMIT');
          written.opened.push(id);
          if (closes !== undefined) written.closed.push(closes);
        } catch {
          if (closes !== undefined) written.opened.unshift(closes);
          await writer.end();
          return written;
        } finally {
          written.longestWait = Math.max(written.longestWait, performance.now() - startedAt);
        }
        await sleep(5);
      }
    }

    async function fill(): Promise<void> {
      await client.query(
        `INSERT INTO session_alerts.alerts
           (id, fingerprint, user_id, session_name, event_type, title, message, severity, kind, source,
            creation_date, updated_date, last_seen, resolved_date, resolved_reason)
         SELECT 'A' || lpad(n::text, 25, '0'), md5(n::text)::uuid, 'user-' || n % 5000, 'session-' || n, 'Memory',
                'High memory usage', 'Memory usage over 90% of capacity', 'warning', 'condition', 'alertmanager',
                opened, opened, opened, CASE WHEN n % 10 > 0 THEN opened + interval '1 hour' END,
                CASE WHEN n % 10 > 0 THEN 'resolved' END
           FROM generate_series(1, $1::int) AS n,
                LATERAL (SELECT now() - n * interval '5 seconds' AS opened) AS opening`,
        [ALERTS],
      );
      await client.query(
        `INSERT INTO session_alerts.alert_series
           (id, fingerprint, alert_id, firing, closed_by_hand, starts_at, ends_at, arrival)
         SELECT md5('series ' || id)::uuid, left(md5(id), 16), id, resolved_date IS NULL, false, creation_date,
                resolved_date, (extract(epoch FROM creation_date) * 1e6)::bigint
           FROM session_alerts.alerts`,
      );
      await client.query('ANALYZE');
    }

    async function migrateWhileWriting(): Promise<Written[]> {
      const dataSource = await new DataSource(postgresOptions(database.url)).initialize();
      const writers = [1, 2, 3].map(writeUntilRefused);
      try {
        await runMigrations(dataSource);
        return await Promise.all(writers);
      } finally {
        await dataSource.destroy();
      }
    }

    it(
      'loses nothing, and keeps nobody waiting for long',
      async () => {
        await fill();
        const written = await migrateWhileWriting();
        for (const { opened, closed, longestWait } of written) {
          expect(closed.length).toBeGreaterThan(5);
          expect(longestWait).toBeLessThan(LONGEST_WAIT);
          expect(await states(opened)).toEqual([{ is_open: true, count: opened.length }]);
          expect(await states(closed)).toEqual([{ is_open: false, count: closed.length }]);
        }
        expect(await states()).toEqual([
          { is_open: false, count: ALERTS * 0.9 },
          { is_open: true, count: ALERTS * 0.1 },
        ]);
        // The new server knows what the one before wrote last.
        const api = await startServer();
        const [{ opened }] = written as [Written];
        const last = opened.at(-1) ?? '';
        expect(await api.openAlerts('jane', last)).toMatchObject([{ id: last }]);
        await api.deliver(resolved(firing({ session: last })));
        expect(await api.openAlerts('jane', last)).toEqual([]);
      },
      20 * 60_000,
    );

    it(
      'loses nothing when it is undone, and keeps nobody waiting for long',
      async () => {
        const api = await startServer();
        await fillAfter();
        const posting = Array.from({ length: 3 }, (_, number) => postUntilRefused(api, number));
        const dataSource = await new DataSource(postgresOptions(database.url)).initialize();
        const runner = dataSource.createQueryRunner();
        // Alone: the server that writes needs the columns that have come since.
        await inTransaction(runner, () => new OneRowAnAlert1795700000000().down(runner));
        await runner.release();
        await dataSource.destroy();
        for (const { opened, closed, longestWait } of await Promise.all(posting)) {
          expect(closed.length).toBeGreaterThan(5);
          expect(longestWait).toBeLessThan(LONGEST_WAIT);
          expect(await firingBehind(opened)).toEqual([{ is_open: true, fires: true, count: opened.length }]);
          expect(await firingBehind(closed)).toEqual([
            { is_open: false, fires: false, count: closed.length },
          ]);
        }
        expect(await firingBehind()).toEqual([
          { is_open: false, fires: false, count: ALERTS * 0.9 },
          { is_open: true, fires: true, count: ALERTS * 0.1 },
        ]);
      },
      20 * 60_000,
    );

    async function fillAfter(): Promise<void> {
      await client.query(
        `INSERT INTO session_alerts.alerts
           (id, fingerprint, user_id, session_name, event_type, title, message, severity, gravity, is_event, by_hand,
            creation_date, resolved_date, resolved_reason, series, starts_at, ends_at, arrival)
         SELECT 'A' || lpad(n::text, 25, '0'), n, 'user-' || n % 5000, 'filled-' || n, 'Memory', 'High memory usage',
                'Memory usage over 90% of capacity', 'warning', 2, false, false, opened, closed,
                CASE WHEN n % 10 > 0 THEN 'resolved' END, decode(left(md5(n::text), 16), 'hex'), opened, closed,
                (extract(epoch FROM opened) * 1e6)::bigint
           FROM generate_series(1, $1::int) AS n,
                LATERAL (SELECT now() - n * interval '5 seconds' AS opened) AS opening,
                LATERAL (SELECT CASE WHEN n % 10 > 0 THEN opened + interval '1 hour' END AS closed) AS closing`,
        [ALERTS],
      );
      await client.query('ANALYZE');
    }

    /** Fires and resolves one by one; what was answered 200 is stored. */
    async function postUntilRefused(api: AlertsApi, number: number): Promise<Written> {
      const written: Written = { opened: [], closed: [], longestWait: 0 };
      for (let count = 0; ; count += 1) {
        const startedAt = performance.now();
        const session = `W${number}-${count}`;
        const closes = written.opened.length > 2 ? written.opened.shift() : undefined;
        const alerts = [firing({ session }), ...(closes ? [resolved(firing({ session: closes }))] : [])];
        const { status } = await api.postWebhook({ alerts });
        written.longestWait = Math.max(written.longestWait, performance.now() - startedAt);
        if (status !== 200) {
          if (closes) written.opened.unshift(closes);
          return written;
        }
        written.opened.push(session);
        if (closes) written.closed.push(closes);
      }
    }

    /** How many are open and closed, of these sessions or of those that were filled in, and what their series say. */
    function firingBehind(sessions?: string[]): Promise<Record<string, unknown>[]> {
      return execute(
        database.url,
        `SELECT resolved_date IS NULL AS is_open, series.firing AS fires, count(*)::int AS count
           FROM session_alerts.alerts AS alert
           JOIN session_alerts.alert_series AS series ON series.alert_id = alert.id
          WHERE CASE WHEN $1::text[] IS NULL THEN session_name LIKE 'filled-%' ELSE session_name = ANY ($1) END
          GROUP BY 1, 2 ORDER BY 1`,
        [sessions ?? null],
      );
    }

    /** How many are open and closed, of these or of those that were there before. */
    function states(ids?: string[]): Promise<Record<string, unknown>[]> {
      return execute(
        database.url,
        `SELECT resolved_date IS NULL AS is_open, count(*)::int AS count FROM session_alerts.alerts
          WHERE CASE WHEN $1::text[] IS NULL THEN id LIKE 'A%' ELSE id = ANY ($1) END
            AND (resolved_date IS NULL) = (ends_at IS NULL)
          GROUP BY 1 ORDER BY 1`,
        [ids ?? null],
      );
    }
  });
});
