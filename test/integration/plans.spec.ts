import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import type { Statement } from '../../src/database/statement.js';
import type { PoolExtras } from '../../src/database/connection-settings.js';
import { readConfig } from '../../server/src/config.js';
import { dataSourceOptions } from '../../server/src/database.service.js';
import { createTestDatabase, execute } from '../support/database.js';
import type { TestDatabase } from '../support/database.js';
import { PREPARED } from '../support/prepared-statements.js';

/**
 * Two months of 2,000 users: 50,000 alerts that have ended, some by hand, and 2,000 that are open; and sightings of
 * all open ones every minute or so, for two hours. The same every time.
 */
const HISTORY = `
  ALTER TABLE session_alerts.alerts SET (autovacuum_enabled = off);
  ALTER TABLE session_alerts.sightings SET (autovacuum_enabled = off);

  INSERT INTO session_alerts.alerts
    (id, fingerprint, user_id, session_name, event_type, title, message, severity, gravity, is_event, by_hand,
     creation_date, resolved_date, resolved_reason, series, starts_at, ends_at, arrival)
  SELECT lpad(n::text, 26, '0'), n, 'user-' || n % 2000, 'session-' || n % 4000,
         'RenkuSessionHighMemory', 'High memory usage', 'Memory usage over 90% of capacity', 'warning', 2, false,
         false, opened, closed,
         CASE WHEN closed IS NOT NULL THEN CASE WHEN n % 20 = 0 THEN 'dismissed' ELSE 'resolved' END END,
         decode(left(md5(n::text), 16), 'hex'), opened, closed, (extract(epoch FROM opened) * 1e6)::bigint
    FROM generate_series(1, 52000) AS n,
         LATERAL (SELECT timestamptz '2026-01-01T00:00Z' + n * interval '98 seconds' AS opened) AS opening,
         LATERAL (SELECT CASE WHEN n <= 50000 THEN opened + interval '1 hour' END AS closed) AS closing;

  INSERT INTO session_alerts.sightings (arrival, request, series)
  SELECT extract(epoch FROM timestamptz '2026-03-01T00:00Z') * 1e6 + minute * 60e6 + part,
         md5(concat(minute, ' ', part))::uuid, ARRAY(SELECT n FROM generate_series(50001 + part, 52000, 20) AS n)
    FROM generate_series(1, 120) AS minute, generate_series(0, 19) AS part`;

/** By name, which indexes a statement may look something up in. */
const INDEXES: Record<string, string[]> = {
  session_alerts_read_clock: [],
  session_alerts_lock_users: [],
  session_alerts_lock_all: [],
  session_alerts_read_state: ['alerts_ended', 'alerts_open', 'alerts_silent', 'sightings_pkey'],
  session_alerts_read_unnamed: ['alerts_ended', 'alerts_open', 'alerts_silent'],
  session_alerts_rewrite_alerts: ['alerts_pkey'],
  session_alerts_close_alerts: ['alerts_pkey'],
  session_alerts_insert_alerts: [],
  session_alerts_insert_sightings: [],
  session_alerts_insert_wanted: [],
  session_alerts_insert_for_targets: ['delivery_targets_pkey'],
  session_alerts_insert_over: ['alerts_pkey', 'deliveries_pkey', 'messages_pkey'],
  session_alerts_mute_opened: ['alerts_pkey', 'mutes_pkey'],
  session_alerts_notify_change: [],
  session_alerts_list_few_open: ['alerts_open'],
  session_alerts_list_open: ['alerts_open'],
  session_alerts_list_open_of_session: ['alerts_open'],
  session_alerts_count_open_of: ['alerts_open'],
  session_alerts_list_resolved: ['alerts_ended'],
  session_alerts_list_resolved_of_session: ['alerts_ended'],
};

/** What PostgreSQL's planner goes by, as it comes, wherever the tests run. */
const PLANNER = `
  SET seq_page_cost = 1; SET random_page_cost = 4; SET effective_cache_size = '4GB'; SET work_mem = '4MB';
  SET hash_mem_multiplier = 2`;

/**
 * How the statements that a connection keeps are carried out. A plan is made once a connection, without knowing the
 * values; one that was made while the tables were empty has to serve when they are full.
 */
describe('The plans of prepared statements', () => {
  let database: TestDatabase;
  let client: pg.Client;
  let majorVersion: number;
  /** By the statements' names. */
  let plans: { onEmptyTables: Plans; onFullTables: Plans; ofHosts: Plans };
  type Plans = Map<string, string>;

  beforeAll(async () => {
    database = await createTestDatabase();
    client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await settleAsTheServerDoes(client);
    const { rows } = await client.query<{ major: number }>(
      `SELECT current_setting('server_version_num')::int / 10000 AS major`,
    );
    majorVersion = rows[0]!.major;
    await client.query(PLANNER);

    const onEmptyTables = await allPlans();
    await execute(database.url, HISTORY);
    // Of all rows, not of some that are picked at random.
    await client.query('SET default_statistics_target = 1000');
    await client.query(`VACUUM (ANALYZE) session_alerts.alerts, session_alerts.sightings`);
    const onFullTables = await allPlans();
    // A host opens its connections as it likes.
    await client.query('SET enable_seqscan = on; SET jit = on; SET max_parallel_workers_per_gather = 2');
    plans = { onEmptyTables, onFullTables, ofHosts: await allPlans() };
  }, 120_000);
  afterAll(async () => {
    await client.end();
    await database.drop();
  });

  function settleAsTheServerDoes(connected: pg.Client): Promise<void> {
    const config = readConfig({ DATABASE_URL: database.url, OIDC_ISSUER: 'http://issuer.example' });
    return (dataSourceOptions(config).extra as PoolExtras).onConnect(connected);
  }

  async function allPlans(): Promise<Plans> {
    const all: Plans = new Map();
    for (const statement of PREPARED) all.set(statement.name!, await planOf(statement));
    return all;
  }

  async function planOf({ text, values = [] }: Statement): Promise<string> {
    await client.query(`PREPARE asked AS ${text}`);
    const unknown = values.length > 0 ? `(${values.map(() => 'NULL').join(', ')})` : '';
    const { rows } = await client.query<{ 'QUERY PLAN': string }>(
      `EXPLAIN (COSTS OFF) EXECUTE asked${unknown}`,
    );
    await client.query('DEALLOCATE asked');
    return rows.map((row) => row['QUERY PLAN']).join('\n');
  }

  it('are those of all statements that have a name', async () => {
    const folder = join(__dirname, '../../src');
    const files = (await readdir(folder, { recursive: true })).filter((file) =>
      file.endsWith('.statements.ts'),
    );
    const sources = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
    const names = Array.from(
      sources.join('').matchAll(/\bname: '(session_alerts_\w+)'/g),
      ([, name]) => name,
    );
    expect(PREPARED.map(({ name }) => name).sort()).toEqual(names.sort());
    expect(Object.keys(INDEXES).sort()).toEqual(names);
  });

  it('are made without knowing the values', () => {
    const ofUsers = plans.onFullTables.get('session_alerts_list_open');
    expect(ofUsers).toContain('(user_id = asked.asked_user)');
    expect(ofUsers).toContain('Function Scan on unnest asked');
  });

  it.each(Object.entries(INDEXES))('%s looks up what it needs in its indexes', (name, indexes) => {
    for (const made of [plans.onEmptyTables, plans.onFullTables]) {
      expect(made.get(name)).not.toMatch(/Seq Scan|Disabled/);
      expect(indexesOf(made.get(name)!)).toEqual(indexes);
    }
    const ofHosts = plans.ofHosts.get(name)!;
    expect(ofHosts).not.toMatch(/Seq Scan on alerts\b/);
    expect(indexes).toEqual(expect.arrayContaining(indexesOf(ofHosts)));
  });

  /** The indexes that a plan uses, each once; it must not walk all of one. */
  function indexesOf(plan: string): string[] {
    const scans = Array.from(plan.matchAll(/Index (?:Only )?Scan .*?(?:using|on) (\w+).*\n *(.*)/g));
    for (const [, index, next] of scans) expect(`${index} ${next}`).toMatch(/^\w+ Index Cond: /);
    return [...new Set(scans.map(([, index]) => index!))].sort();
  }

  it('are those that were reviewed (UPDATE_PLANS=1 writes them anew)', async () => {
    const asked = PREPARED.map(({ name }) => name!);
    const now = asked.map((name) => {
      const [onEmpty, onFull] = [plans.onEmptyTables.get(name)!, plans.onFullTables.get(name)!];
      return onEmpty === onFull
        ? `${name}\n\n${indented(onFull)}\n`
        : `${name}, while the tables are empty\n\n${indented(onEmpty)}\n\n${name}\n\n${indented(onFull)}\n`;
    });
    const file = join(__dirname, `plans.postgresql-${majorVersion}.txt`);
    if (process.env['UPDATE_PLANS']) await writeFile(file, now.join('\n'));
    const reviewed = await readFile(file, 'utf8').catch(() => undefined);
    // Every major version plans, and words its plans, in its own way. Where nobody has reviewed those of this one,
    // there is nothing to compare; what counts is tested above on any.
    if (reviewed === undefined) return;
    expect(now.join('\n')).toBe(reviewed);
  });

  function indented(plan: string): string {
    return plan.replaceAll(/^/gm, '  ');
  }
});
