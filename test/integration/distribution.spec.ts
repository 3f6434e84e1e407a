import pg from 'pg';
import { runCommandLine } from '../../cli/src/program.js';
import { readConfig } from '../../server/src/config.js';
import { dataSourceOptions } from '../../server/src/database.service.js';
import * as lists from '../../src/alerts/alerts.statements.js';
import { amongUsers, asDistributed } from '../../src/database/statement.js';
import type { Statement } from '../../src/database/statement.js';
import type { PoolExtras } from '../../src/database/connection-settings.js';
import * as delivery from '../../src/delivery/delivery.statements.js';
import { alertsMigrations } from '../../src/index.js';
import { DISTRIBUTED_TABLES } from '../../src/migrations/distribute.js';
import { UpkeepRepository } from '../../src/upkeep/upkeep.repository.js';
import { UpkeepService } from '../../src/upkeep/upkeep.service.js';
import * as upkeep from '../../src/upkeep/upkeep.statements.js';
import { AlertsApi, firing, resolved, webhook } from '../support/alerts.js';
import { createTestDatabase, execute } from '../support/database.js';
import type { TestDatabase } from '../support/database.js';
import { NOW, PREPARED } from '../support/prepared-statements.js';
import { startTestServer } from '../support/server.js';
import type { TestServer } from '../support/server.js';

const MESSAGE = { userId: 'user-1', id: '00000000-0000-8000-8000-000000000001', attempts: 1 };
const REPLICA = '00000000-0000-8000-8000-000000000002';
const DEADLINES = { conditions: NOW, events: NOW };

/** What is asked of one user's rows besides: by the API, by delivery, and by upkeep where tables are distributed. */
const OF_ONE_USER: Record<string, Statement[]> = {
  findAlerts: [lists.findAlerts(['1'], ['user-1'])],
  openOfSession: [lists.openOfSession('session-1', ['user-1'])],
  closeByIds: [lists.closeByIds(['1'], ['user-1'], NOW, 'manual')],
  findUnseen: [lists.findUnseen(['1'], 'user-1')],
  markSeen: [lists.markSeen(['1'], 'user-1', NOW)],
  deleteOfUser: [lists.deleteOfUser('user-1')],
  deleteSightingsOf: [lists.deleteSightingsOf('user-1')],
  listTold: [delivery.listTold(['user-1'], NOW)],
  listContents: delivery.listContents([MESSAGE]),
  endAttempt: delivery.endAttempt(MESSAGE, { state: 'sent', alertIds: ['1'] }, NOW),
  forgetTarget: delivery.forgetTarget('user-1', 'email', 'jane@example.org'),
  forgetPages: [delivery.forgetPages(REPLICA, ['user-1'])],
  eraseUser: delivery.eraseUser('user-1'),
  stillOverdue: [upkeep.stillOverdue(DEADLINES, ['1'], ['user-1'])],
  carryOverSightings: [upkeep.carryOverSightings(NOW, ['user-1'])],
};

/** What looks up rows without saying whose, as docs/operations.md lists it, and why that is right. */
const OF_ALL_USERS: Record<string, { why: string; statements: Statement[] }> = {
  findAlert: { why: 'an administrator has an id and no user', statements: [lists.findAlert('1')] },
  usersOfSession: {
    why: 'a host ends a session without saying whose it is; what closes its alerts names them',
    statements: [lists.usersOfSession('session-1', undefined)],
  },
  listInterested: {
    why: 'once at the start, so that nobody is asked for whom nothing would be written',
    statements: [delivery.listInterested(undefined)],
  },
  isAnythingDue: {
    why: 'one queue for everybody, a second apart',
    statements: [delivery.isAnythingDue(NOW)],
  },
  listDue: { why: 'the same queue', statements: [delivery.listDue(NOW, NOW)] },
  claim: {
    why: 'the same queue, of messages',
    statements: [delivery.claim(NOW, { channel: 'email', lease: 1, most: 1 }, true)],
  },
  giveUpOthers: {
    why: 'a channel that is gone is gone for all',
    statements: [delivery.giveUpOthers(['email'], NOW, 'gone', NOW)],
  },
  oldestDue: { why: 'a metric', statements: [delivery.oldestDue(NOW)] },
  deleteTold: { why: 'retention goes by time', statements: delivery.deleteTold(NOW, NOW) },
  findOverdue: {
    why: 'expiry looks for what nobody has refreshed',
    statements: [upkeep.findOverdue(DEADLINES, 1)],
  },
  usersUnseen: {
    why: 'the same; each of these users is then looked after alone',
    statements: [upkeep.usersUnseen(NOW)],
  },
  deleteSightings: { why: 'retention goes by time', statements: [upkeep.deleteSightings(NOW, 1)] },
  deleteEnded: { why: 'retention goes by time', statements: [upkeep.deleteEnded(NOW, 1)] },
  listFiringSeries: {
    why: "reconciling compares all that is open with Alertmanager's list",
    statements: [upkeep.listFiringSeries(NOW)],
  },
  countOpen: { why: 'a metric', statements: [upkeep.COUNT_OPEN] },
};

/** Which tables the hot statements look up without the user where one PostgreSQL has them all. */
const HOT_EXCEPTIONS = {
  // What arrived since this request did: by time, and nearly always nothing. A request is one row there, whosever series
  // it saw.
  session_alerts_read_state: ['sightings'],
};

function settleAsTheServerDoes(client: pg.Client, url: string): Promise<void> {
  const config = readConfig({ DATABASE_URL: url, OIDC_ISSUER: 'http://issuer.example' });
  return (dataSourceOptions(config).extra as PoolExtras).onConnect(client);
}

async function settingsAt(url: string): Promise<{ planCacheMode: string }> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await settleAsTheServerDoes(client, url);
    const { rows } = await client.query<{ planCacheMode: string }>(
      `SELECT current_setting('plan_cache_mode') AS "planCacheMode"`,
    );
    return rows[0]!;
  } finally {
    await client.end();
  }
}

interface Plan {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Cond'?: string;
  'Recheck Cond'?: string;
  Filter?: string;
  Plans?: Plan[];
}

describe('Tables that can be distributed by user', () => {
  let database: TestDatabase;
  let client: pg.Client;

  beforeAll(async () => {
    database = await createTestDatabase();
    client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await settleAsTheServerDoes(client, database.url);
  });
  afterAll(async () => {
    await client.end();
    await database.drop();
  });

  it('are all that know a user', async () => {
    const { rows } = await client.query<{ name: string; has: boolean }>(
      `SELECT relname AS name, EXISTS (SELECT FROM pg_attribute WHERE attrelid = pg_class.oid AND attname = 'user_id') AS has
         FROM pg_class WHERE relnamespace = 'session_alerts'::regnamespace AND relkind = 'r' ORDER BY relname`,
    );
    expect(rows.filter(({ has }) => has).map(({ name }) => name)).toEqual([...DISTRIBUTED_TABLES].sort());
    expect(rows.filter(({ has }) => !has).map(({ name }) => name)).toEqual([
      'feed',
      'reconciling',
      'session_alerts_migrations',
    ]);
  });

  it('have the user in every unique key', async () => {
    const { rows } = await client.query<{ name: string; columns: string[] }>(
      `SELECT indexrelid::regclass::text AS name,
              ARRAY(SELECT attname::text FROM pg_attribute
                     WHERE attrelid = indrelid AND attnum = ANY (indkey) ORDER BY attname) AS columns
         FROM pg_index WHERE indisunique AND indrelid = ANY ($1::regclass[])`,
      [DISTRIBUTED_TABLES.map((table) => `session_alerts.${table}`)],
    );
    expect(rows.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        ...DISTRIBUTED_TABLES.map((table) => `session_alerts.${table}_pkey`),
        'session_alerts.alerts_open',
      ]),
    );
    for (const { name, columns } of rows) expect([name, ...columns]).toContain('user_id');
  });

  /** The tables in which a statement looks rows up without saying whose they are. */
  async function lookedUpForAll({ text, values = [] }: Statement): Promise<string[]> {
    await client.query(`PREPARE asked AS ${text}`);
    const unknown = values.length > 0 ? `(${values.map(() => 'NULL').join(', ')})` : '';
    const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>(
      `EXPLAIN (FORMAT JSON) EXECUTE asked${unknown}`,
    );
    await client.query('DEALLOCATE asked');
    return [
      ...new Set(
        scansIn(rows[0]!['QUERY PLAN'][0].Plan)
          .filter((scan) => !namesUser(scan))
          .map(tableOf),
      ),
    ];
  }

  function scansIn(plan: Plan): Plan[] {
    const isScan = DISTRIBUTED_TABLES.includes(tableOf(plan)) && plan['Node Type'] !== 'ModifyTable';
    return [...(isScan ? [plan] : []), ...(plan.Plans ?? []).flatMap(scansIn)];
  }

  function tableOf(plan: Plan): string {
    return plan['Relation Name'] ?? '';
  }

  function namesUser(scan: Plan): boolean {
    const conditions = [scan['Index Cond'], scan['Recheck Cond'], scan.Filter];
    return conditions.some((one = '') => /\buser_id = /.test(one) && !one.includes(' OR '));
  }

  const known: Record<string, string[]> = HOT_EXCEPTIONS;

  it.each(PREPARED.map((statement) => [statement.name!, statement] as const))(
    '%s says whose rows it looks up',
    async (name, statement) => {
      expect(await lookedUpForAll(statement)).toEqual(known[name] ?? []);
      expect(await lookedUpForAll(asDistributed(statement))).toEqual([]);
    },
  );

  it.each(Object.entries(OF_ONE_USER))('%s says whose rows it looks up', async (_name, statements) => {
    for (const statement of statements) expect(await lookedUpForAll(asDistributed(statement))).toEqual([]);
  });

  it.each(Object.entries(OF_ALL_USERS))('%s looks up those of all users', async (_name, { statements }) => {
    for (const statement of statements)
      expect(await lookedUpForAll(asDistributed(statement))).not.toEqual([]);
  });

  it('what names users for distributed tables is nothing to one PostgreSQL', () => {
    const text = `SELECT 1 FROM session_alerts.alerts WHERE true ${amongUsers('user_id', '$1')}`;
    expect(text).toMatch(/WHERE true \/\*.*\*\/$/);
    expect(asDistributed({ text }).text).toMatch(/WHERE true AND user_id = ANY \(\$1::text\[\]\)$/);
  });
});

/**
 * Citus cannot be had where the tests run. These stand in for what is used of it: they note which table is distributed,
 * and leave it where it is. Which statements Citus takes, and whether one machine serves them, they cannot show.
 */
const STAND_INS = `
  SET allow_system_table_mods = on;
  INSERT INTO pg_catalog.pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)
  VALUES (99999, 'citus', 10, 11, false, '0');
  CREATE TABLE pg_catalog.pg_dist_partition (logicalrelid regclass, partmethod "char");
  CREATE TABLE public.calls (place serial, call text);
  CREATE FUNCTION create_distributed_table(name regclass, by text, colocate_with text) RETURNS void LANGUAGE sql AS $$
    INSERT INTO pg_catalog.pg_dist_partition VALUES ($1, 'h');
    INSERT INTO public.calls (call) VALUES (concat_ws(' ', 'table', $1, $2, $3)) $$;
  CREATE FUNCTION create_distributed_function(name regprocedure) RETURNS void LANGUAGE sql AS $$
    INSERT INTO public.calls (call) VALUES (concat('function ', $1)) $$;
  CREATE FUNCTION truncate_local_data_after_distributing_table(name regclass) RETURNS void LANGUAGE sql AS $$
    INSERT INTO public.calls (call) VALUES (concat('truncate ', $1)) $$`;

describe('session-alerts migrate --distribute', () => {
  let database: TestDatabase;

  beforeEach(async () => {
    database = await createTestDatabase({ migrated: false });
  });
  afterEach(() => database.drop());

  async function distribute(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
    const written = { stdout: '', stderr: '' };
    const writer = (name: keyof typeof written) => ({ write: (text: string) => (written[name] += text) });
    const status = await runCommandLine(['migrate', '--distribute', ...args], {
      env: { DATABASE_URL: database.url },
      stdout: writer('stdout'),
      stderr: writer('stderr'),
    });
    return { status, ...written };
  }

  async function calls(): Promise<string[]> {
    const rows = await execute<{ call: string }>(
      database.url,
      `SELECT call FROM public.calls ORDER BY place`,
    );
    return rows.map(({ call }) => call);
  }

  async function isMigrated(): Promise<boolean> {
    const rows = await execute(database.url, `SELECT FROM pg_namespace WHERE nspname = 'session_alerts'`);
    return rows.length > 0;
  }

  it('changes nothing where there is no Citus, and says so', async () => {
    for (const args of [[], ['--dry-run']]) {
      const run = await distribute(...args);
      expect(run).toMatchObject({ status: 1, stdout: '' });
      expect(run.stderr).toMatch(/The database has no Citus.*create the extension citus/);
    }
    expect(await isMigrated()).toBe(false);
  });

  it('migrates, and distributes every table beside the first, once', async () => {
    await execute(database.url, STAND_INS);
    const { status, stdout } = await distribute();
    expect(status).toBe(0);
    expect(stdout).toMatch(/^migrated {2}CreateSessionAlerts/);
    expect(stdout).toMatch(
      /^distributed {2}SELECT create_distributed_table\('session_alerts.alerts', 'user_id'/m,
    );
    expect(await calls()).toEqual([
      'table session_alerts.alerts user_id none',
      ...DISTRIBUTED_TABLES.slice(1).map(
        (table) => `table session_alerts.${table} user_id session_alerts.alerts`,
      ),
      ...DISTRIBUTED_TABLES.map((table) => `truncate session_alerts.${table}`),
      'function session_alerts.series_key(text,text,text)',
    ]);

    const before = await calls();
    expect(await distribute()).toEqual({
      status: 0,
      stdout: 'All migrations are in, and the tables are distributed: there is nothing to do.\n',
      stderr: '',
    });
    expect(await calls()).toEqual(before);
  });

  it('goes on with what is missing', async () => {
    await execute(database.url, STAND_INS);
    await distribute();
    await execute(
      database.url,
      `DELETE FROM pg_catalog.pg_dist_partition WHERE logicalrelid = 'session_alerts.mutes'::regclass;
       TRUNCATE public.calls`,
    );
    await distribute();
    expect(await calls()).toEqual([
      'table session_alerts.mutes user_id session_alerts.alerts',
      'truncate session_alerts.mutes',
      'function session_alerts.series_key(text,text,text)',
    ]);
  });

  it('only lists what it would run in a dry run', async () => {
    await execute(database.url, STAND_INS);
    const { stdout } = await distribute('--dry-run');
    expect(stdout).toMatch(/^pending {2}SayWhoseSightings\d+$/m);
    for (const table of DISTRIBUTED_TABLES) {
      expect(stdout).toMatch(
        new RegExp(`^pending {2}SELECT create_distributed_table\\('session_alerts.${table}'`, 'm'),
      );
    }
    expect(await calls()).toEqual([]);
    expect(await isMigrated()).toBe(false);

    const told = JSON.parse((await distribute('--dry-run', '--json')).stdout) as Record<string, string[]>;
    expect(told['pending']).toEqual(alertsMigrations.map(({ name }) => name));
    expect(told['statements']).toContain(
      `SELECT create_distributed_function('session_alerts.series_key(text, text, text)')`,
    );
  });

  it('undoes all where one table cannot be distributed', async () => {
    await execute(database.url, STAND_INS);
    await execute(
      database.url,
      `CREATE OR REPLACE FUNCTION create_distributed_function(name regprocedure) RETURNS void LANGUAGE plpgsql AS $$
         BEGIN RAISE EXCEPTION 'no machine has room'; END $$`,
    );
    const run = await distribute();
    expect(run).toMatchObject({ status: 1, stdout: '' });
    expect(run.stderr).toMatch(/no machine has room.*run it again/);
    expect(await calls()).toEqual([]);
  });

  it('keeps when alerts were last seen together with those of others', async () => {
    await execute(database.url, STAND_INS);
    await distribute();
    await execute(
      database.url,
      `DELETE FROM pg_catalog.pg_dist_partition;
       INSERT INTO session_alerts.alerts
         (id, fingerprint, user_id, session_name, event_type, title, message, gravity, is_event, by_hand, creation_date,
          series, other_series)
       SELECT user_id, 1, user_id, 'session', 'notice', 'Title', 'Message', 1, false, false, '2026-03-01T00:00Z',
              decode(series, 'hex'), others::json
         FROM (VALUES ('first', '0000000000000001', NULL),
                      ('other', '00000000000000ff', '[{"fingerprint": "0000000000000002"}]'),
                      ('unseen', '0000000000000003', NULL)) AS made (user_id, series, others);
       INSERT INTO session_alerts.sightings (arrival, request, user_id, series)
       SELECT extract(epoch FROM seen) * 1e6, gen_random_uuid(), owner,
              ARRAY[session_alerts.series_key('first', 'session', '0000000000000001'),
                    session_alerts.series_key('other', 'session', '0000000000000002')]
         FROM (VALUES ('2026-03-01T01:00Z'::timestamptz, ''), ('2026-03-01T02:00Z', ''), ('2026-03-01T03:00Z', 'jane'))
           AS seen (seen, owner)`,
    );
    await distribute();
    expect(
      await execute(database.url, `SELECT id, last_seen FROM session_alerts.alerts ORDER BY id`),
    ).toEqual([
      { id: 'first', last_seen: new Date('2026-03-01T02:00Z') },
      { id: 'other', last_seen: new Date('2026-03-01T02:00Z') },
      { id: 'unseen', last_seen: null },
    ]);
    expect(await execute(database.url, `SELECT user_id FROM session_alerts.sightings`)).toEqual([
      { user_id: 'jane' },
    ]);
  });
});

describe('A server whose tables are distributed', () => {
  let database: TestDatabase;
  let server: TestServer;
  let api: AlertsApi;

  beforeAll(async () => {
    database = await createTestDatabase();
    await execute(database.url, STAND_INS);
    await execute(
      database.url,
      `SELECT create_distributed_table('session_alerts.alerts', 'user_id', colocate_with => 'none')`,
    );
    server = await startTestServer({ DATABASE_URL: database.url }, { upkeep: false });
    api = new AlertsApi(`${server.url}/api/data`, server.issuer);
  });
  afterAll(async () => {
    await server.close();
    await database.drop();
  });

  const ofThree = ['ann', 'bob', 'cem'].flatMap((user) => [
    firing({ user, session: `${user}-1` }),
    firing({ user, session: `${user}-2` }),
  ]);

  it('writes a webhook of several users for each of them alone, and answers what became of all', async () => {
    expect(await api.deliver(...ofThree)).toMatchObject({ stored: 6 });
    expect(await api.deliver(...ofThree)).toMatchObject({ stored: 6 });
    for (const user of ['ann', 'bob', 'cem']) expect(await api.openAlerts(user)).toHaveLength(2);
    const transactions = await execute<{ users: number }>(
      database.url,
      `SELECT count(DISTINCT user_id)::int AS users FROM session_alerts.alerts GROUP BY xmin::text`,
    );
    expect(transactions).toEqual([{ users: 1 }, { users: 1 }, { users: 1 }]);
    expect(
      await execute(
        database.url,
        `SELECT user_id, cardinality(series) AS series FROM session_alerts.sightings ORDER BY user_id`,
      ),
    ).toEqual(['ann', 'bob', 'cem'].map((user_id) => ({ user_id, series: 2 })));
  });

  it('tells what it would store, of several users in their order', async () => {
    const [first, ...others] = ofThree;
    const { body } = await api.postWebhook(webhook([...others, resolved(first!)]), '?dry_run=true');
    const { alerts } = body as unknown as { alerts: { result: string }[] };
    expect(alerts.map(({ result }) => result)).toEqual([...others.map(() => 'refreshed'), 'resolved']);
  });

  it('lets upkeep look after each user alone', async () => {
    await execute(
      database.url,
      `UPDATE session_alerts.alerts SET creation_date = creation_date - interval '3 hours'`,
    );
    await server.app.get(UpkeepService, { strict: false }).run();
    const seen = await execute<{ lately: boolean }>(
      database.url,
      `SELECT DISTINCT last_seen > now() - interval '1 hour' AS lately FROM session_alerts.alerts`,
    );
    expect(seen).toEqual([{ lately: true }]);
    const series = await server.app.get(UpkeepRepository, { strict: false }).listFiringSeries();
    expect(series).toHaveLength(6);
  });

  it('lets Citus see the values with which each statement is planned', async () => {
    const { planCacheMode } = await settingsAt(database.url);
    expect(planCacheMode).toBe('auto');
    const other = await createTestDatabase();
    expect(await settingsAt(other.url)).toEqual({ planCacheMode: 'force_generic_plan' });
    await other.drop();
  });

  it('closes what has ended', async () => {
    expect(await api.deliver(...ofThree.map((alert) => resolved(alert)))).toMatchObject({ resolved: 6 });
    for (const user of ['ann', 'bob', 'cem']) expect(await api.openAlerts(user)).toEqual([]);
  });
});
