import { randomBytes, randomUUID } from 'node:crypto';
import pg from 'pg';
import { AlertsClock } from '../../src/clock/alerts-clock.js';
import { RIGHTS_ON_TABLES } from '../../src/database/server-rights.js';
import { AlertsService } from '../../src/index.js';
import { UpkeepRepository } from '../../src/upkeep/upkeep.repository.js';
import { runCommandLine } from '../../cli/src/program.js';
import { AlertsApi, firing } from '../support/alerts.js';
import { connectTo, createTestDatabase, execute, testServer } from '../support/database.js';
import type { TestDatabase } from '../support/database.js';
import { expectEssentials } from '../support/essentials.js';
import { OpenPage } from '../support/event-stream.js';
import { ListingAlertmanager } from '../support/listing-alertmanager.js';
import { startIssuer, startTestServer, waitUntil } from '../support/server.js';
import type { TestIssuer, TestServer } from '../support/server.js';

const SUFFIX = randomBytes(4).toString('hex');
const OWNER = `owner_${SUFFIX}`;
/** As a name is only where it stands in quotes. */
const ROLE = `it's the "Server" ${SUFFIX}`;
const QUOTED = pg.escapeIdentifier(ROLE);
/** As regrole reads it. */
const LITERAL = pg.escapeLiteral(QUOTED);
const OTHER = `other_${SUFFIX}`;
const JANE = { sub: 'jane', email: 'jane@example.org' };

const LIST = { on: 'session_alerts.session_alerts_migrations', privilege: 'SELECT' };
const FUNCTION = { on: 'FUNCTION session_alerts.series_key(text, text, text)', privilege: 'EXECUTE' };
const ON_TABLES = Object.entries(RIGHTS_ON_TABLES).flatMap(([table, privileges]) =>
  privileges.map((privilege) => ({ on: `session_alerts.${table}`, privilege })),
);

interface Run {
  status: number;
  stdout: string;
  stderr: string;
}

let database: TestDatabase;

function addressOf(role: string): string {
  const url = new URL(database.url);
  url.username = encodeURIComponent(role);
  url.password = 'secret';
  return url.href;
}

async function migrateAs(url: string, ...args: string[]): Promise<Run> {
  const run = { stdout: '', stderr: '' };
  const status = await runCommandLine(['migrate', ...args], {
    env: { DATABASE_URL: url },
    stdout: { write: (text: string) => (run.stdout += text) },
    stderr: { write: (text: string) => (run.stderr += text) },
  });
  return { status, ...run };
}

function grantTo(...args: string[]): Promise<Run> {
  return migrateAs(addressOf(OWNER), '--grant-to', ROLE, ...args);
}

/** As its superuser. */
function sql<Row extends pg.QueryResultRow>(statement: string): Promise<Row[]> {
  return execute<Row>(database.url, statement);
}

/** A database in which nobody may do anything, but for an owner that may make a schema, and roles that may connect. */
async function prepare(): Promise<void> {
  database = await createTestDatabase({ migrated: false });
  await sql(`
    CREATE ROLE ${OWNER} LOGIN PASSWORD 'secret';
    CREATE ROLE ${QUOTED} LOGIN PASSWORD 'secret';
    CREATE ROLE ${OTHER};
    REVOKE ALL ON SCHEMA public FROM PUBLIC;
    REVOKE ALL ON DATABASE ${database.name} FROM PUBLIC;
    GRANT CONNECT, CREATE ON DATABASE ${database.name} TO ${OWNER};
    GRANT CONNECT ON DATABASE ${database.name} TO ${QUOTED}`);
}

async function clear(): Promise<void> {
  await database.drop();
  await execute(testServer().serverUrl, `DROP ROLE ${OWNER}; DROP ROLE ${QUOTED}; DROP ROLE ${OTHER}`);
}

describe('A server that connects as a role of --grant-to', () => {
  let issuer: TestIssuer;
  let alertmanager: ListingAlertmanager;
  let server: TestServer;
  let api: AlertsApi;
  /** Each statement that it has sent about our tables, with values that fit. */
  const sent = new Map<string, unknown[]>();

  beforeAll(async () => {
    await prepare();
    issuer = await startIssuer();
    alertmanager = new ListingAlertmanager();
    const alertmanagerUrl = await alertmanager.start();
    expect(await grantTo()).toMatchObject({ status: 0, stderr: '' });
    await sql(`REVOKE ALL ON ALL FUNCTIONS IN SCHEMA session_alerts FROM PUBLIC`);
    const query = jest.spyOn(pg.Client.prototype, 'query');
    server = await startTestServer(
      {
        DATABASE_URL: addressOf(ROLE),
        MIGRATE_ON_START: 'true',
        ALERTMANAGER_URLS: alertmanagerUrl,
        // Nobody listens there.
        SMTP_URL: 'smtp://127.0.0.1:9',
        MAIL_FROM: 'alerts@sender.example',
        PUBLIC_URL: 'https://alerts.example/api/data',
      },
      { issuer, upkeep: false },
    );
    api = new AlertsApi(`${server.url}/api/data`, issuer.issuer);
    await expectEssentials({ app: server.app, url: api.url, issuer: issuer.issuer, alertmanager });
    await deliver();
    await takeTurn();
    query.mock.calls.forEach(([statement, values]: unknown[], index) => {
      const { user } = query.mock.contexts[index] as pg.Client;
      const { text, values: own } = (
        typeof statement === 'string' ? { text: statement, values } : statement
      ) as { text: string; values?: unknown[] };
      if (user === ROLE && /(FROM|JOIN|INTO|UPDATE) session_alerts\./.test(text)) sent.set(text, own ?? []);
    });
    query.mockRestore();
  });
  afterAll(async () => {
    await server.close();
    await alertmanager.stop();
    await issuer.close();
    await clear();
  });

  /** What people have said, and what they are told outside of the page; all of which is forgotten then. */
  async function deliver(): Promise<void> {
    const mutes = [{ event_type: 'Muted', until: new Date(Date.now() + 3_600_000).toISOString() }];
    const body = { channels: { email: { enabled: true } }, mutes };
    expect(await api.call('PUT', '/alerts/preferences', { as: JANE, body })).toMatchObject({ status: 200 });
    const page = await OpenPage.open(api.url, await issuer.issuer.userToken(JANE));
    await waitUntil(async () => (await sql('SELECT FROM session_alerts.open_pages')).length === 1);
    await api.deliver(firing({ session: 'told', severity: 'critical' }));
    server.app.get(AlertsClock, { strict: false }).ahead = 600_000;
    await waitUntil(
      async () => (await sql('SELECT FROM session_alerts.messages WHERE reason IS NOT NULL')).length === 1,
    );
    page.leave();
    await waitUntil(async () => (await sql('SELECT FROM session_alerts.open_pages')).length === 0);
    await server.app.get(AlertsService, { strict: false }).deleteForUser('jane');
    server.app.get(AlertsClock, { strict: false }).ahead = 0;
  }

  /** As reconciling does by itself, every now and then. */
  async function takeTurn(): Promise<void> {
    const repository = server.app.get(UpkeepRepository, { strict: false });
    const replica = randomUUID();
    expect(await repository.takeTurn(replica, 60_000)).toBe(true);
    await repository.endTurn(replica);
  }

  /** Whether one of its statements needs a right that it does not have now. */
  async function isRefused(about: string): Promise<boolean> {
    const connection = await connectTo(addressOf(ROLE));
    try {
      for (const [text, values] of sent) {
        if (!text.includes(about)) continue;
        const code = await connection.query(`EXPLAIN ${text}`, values).then(
          () => undefined,
          (error: unknown) => (error as { code?: string }).code,
        );
        if (code === '42501') return true;
        expect({ text, code }).toEqual({ text, code: undefined });
      }
      return false;
    } finally {
      await connection.end();
    }
  }

  async function problems(): Promise<string[] | undefined> {
    const response = await fetch(`${server.url}/readyz`);
    return ((await response.json()) as { problems?: string[] }).problems;
  }

  it('may do nothing but what it does: all of its statements run', async () => {
    expect(sent.size).toBeGreaterThan(40);
    expect(await isRefused('')).toBe(false);
    const rows = await sql<{ granted: string }>(
      `SELECT concat_ws(' ', privilege_type, CASE WHEN is_grantable THEN 'grantable' END, relname) AS granted
         FROM pg_class, aclexplode(relacl)
        WHERE relnamespace = 'session_alerts'::regnamespace AND grantee = ${LITERAL}::regrole`,
    );
    expect(rows.map(({ granted }) => granted).sort()).toEqual(
      [...ON_TABLES, LIST].map(({ on, privilege }) => `${privilege} ${on.split('.')[1] ?? ''}`).sort(),
    );
  });

  it.each([...ON_TABLES, FUNCTION])(
    'needs $privilege on $on: a statement fails without, /readyz says so, and it is given again',
    async ({ on, privilege }) => {
      await sql(`REVOKE ${privilege} ON ${on} FROM ${QUOTED}`);
      const name = on.replace(/^FUNCTION |\(.*$/g, '');
      const found = { isRefused: await isRefused(name), problems: await problems() };
      const again = await grantTo('--json');
      expect(found).toEqual({
        isRefused: true,
        problems: [
          `The role that connects to the database lacks ${privilege} on ${name}. ` +
            'Let the owner of the tables grant it that: `session-alerts migrate --grant-to …`.',
        ],
      });
      const statement = `GRANT ${privilege} ON ${on === FUNCTION.on ? '' : 'TABLE '}${on} TO ${QUOTED}`;
      expect(JSON.parse(again.stdout)).toEqual({
        migrated: [],
        grants: { [ROLE]: { statements: [statement], remarks: [] } },
      });
      expect(await problems()).toBeUndefined();
    },
  );

  it('needs USAGE on the schema, and to see what is migrated', async () => {
    await sql(
      `REVOKE USAGE ON SCHEMA session_alerts FROM ${QUOTED}; REVOKE SELECT ON ${LIST.on} FROM ${QUOTED}`,
    );
    expect(await isRefused('session_alerts.')).toBe(true);
    expect(await problems()).toEqual([expect.stringContaining('lacks USAGE on the schema session_alerts. ')]);
    expect(await migrateAs(addressOf(ROLE))).toMatchObject({
      status: 1,
      stderr: expect.stringContaining(`--grant-to 'it'\\''s the "Server" ${SUFFIX}'`) as string,
    });
    await sql(`GRANT USAGE ON SCHEMA session_alerts TO ${QUOTED}`);
    expect(await migrateAs(addressOf(ROLE))).toMatchObject({
      status: 1,
      stderr: expect.stringContaining(`lacks SELECT on ${LIST.on}. Let the owner`) as string,
    });
    await grantTo();
    expect(await migrateAs(addressOf(ROLE))).toMatchObject({ status: 0 });
  });
});

describe('session-alerts migrate --grant-to', () => {
  beforeEach(prepare);
  afterEach(clear);

  it('migrates and gives the role its rights, once; a dry run says what it would do', async () => {
    const dry = await grantTo('--dry-run');
    expect(dry).toMatchObject({ status: 0, stderr: '' });
    expect(await sql(`SELECT FROM pg_namespace WHERE nspname = 'session_alerts'`)).toEqual([]);
    const done = await grantTo();
    expect(done.stdout).toMatch(/^migrated {2}.+\ndone {2}GRANT USAGE ON SCHEMA session_alerts TO "it's/ms);
    expect(done.stdout.replaceAll(/^(migrated|done)/gm, 'pending')).toBe(dry.stdout);
    for (const again of [await grantTo('--dry-run'), await grantTo()]) {
      expect(again).toEqual({
        status: 0,
        stderr: '',
        stdout:
          'All migrations are in: there is nothing to do.\n' +
          `${JSON.stringify(ROLE)} has the rights that serving needs: there is nothing to do.\n`,
      });
    }
  });

  it('prints statements that do it by themselves', async () => {
    await migrateAs(addressOf(OWNER));
    const { stdout } = await grantTo('--dry-run', '--json');
    const { grants } = JSON.parse(stdout) as { grants: Record<string, { statements: string[] }> };
    await execute(addressOf(OWNER), grants[ROLE]!.statements.join(';\n'));
    expect((await grantTo('--dry-run')).stdout).toContain('has the rights that serving needs');
  });

  it('takes several roles, and away from each what is ours and it does not need', async () => {
    await grantTo('--grant-to', OTHER);
    await execute(
      addressOf(OWNER),
      `GRANT CREATE ON SCHEMA session_alerts TO ${QUOTED};
       GRANT ALL ON ALL TABLES IN SCHEMA session_alerts TO ${QUOTED};
       GRANT USAGE ON ALL SEQUENCES IN SCHEMA session_alerts TO ${QUOTED};
       GRANT SELECT ON session_alerts.alerts TO ${QUOTED} WITH GRANT OPTION;
       GRANT UPDATE (until) ON session_alerts.mutes TO ${OTHER}`,
    );
    const { stdout } = await grantTo('--grant-to', OTHER);
    expect(stdout).toContain(`REVOKE GRANT OPTION FOR SELECT ON TABLE session_alerts.alerts FROM ${QUOTED};`);
    expect(stdout).toContain(`REVOKE UPDATE ON TABLE session_alerts.mutes FROM ${OTHER};`);
    for (const role of [LITERAL, `'${OTHER}'`]) {
      const [row] = await sql(
        `SELECT has_schema_privilege(oid, 'session_alerts', 'CREATE') AS "create",
                has_table_privilege(oid, 'session_alerts.alerts', 'TRUNCATE, REFERENCES, TRIGGER') AS "table",
                has_any_column_privilege(oid, 'session_alerts.mutes', 'UPDATE') AS "column",
                has_sequence_privilege(oid, 'session_alerts.session_alerts_migrations_id_seq', 'USAGE') AS sequence,
                has_table_privilege(oid, 'session_alerts.alerts', 'SELECT WITH GRANT OPTION') AS "grant",
                has_table_privilege(oid, 'session_alerts.alerts', 'DELETE') AS needed
           FROM pg_roles WHERE oid = ${role}::regrole`,
      );
      expect(row).toEqual({
        create: false,
        table: false,
        column: false,
        sequence: false,
        grant: false,
        needed: true,
      });
    }
  });

  it('says what the role may by others, and what it may not do outside of our schema', async () => {
    await grantTo();
    await execute(
      addressOf(OWNER),
      `GRANT TRUNCATE ON session_alerts.alerts TO PUBLIC; GRANT TRIGGER ON session_alerts.feed TO ${OTHER}`,
    );
    await sql(
      `GRANT ${OTHER} TO ${QUOTED}; GRANT CREATE ON DATABASE ${database.name} TO ${QUOTED};
       REVOKE CONNECT ON DATABASE ${database.name} FROM ${QUOTED}`,
    );
    const { status, stderr } = await grantTo();
    expect({ status, lines: stderr.trim().split('\n').sort() }).toEqual({
      status: 0,
      lines: [
        expect.stringContaining('may also TRIGGER session_alerts.feed, by other_'),
        expect.stringContaining('may also TRUNCATE session_alerts.alerts, by PUBLIC'),
        expect.stringContaining(`REVOKE CREATE ON DATABASE ${database.name} FROM "it's`),
        expect.stringContaining(`GRANT CONNECT ON DATABASE ${database.name} TO "it's`),
      ],
    });
  });

  it('hands rights on to what later migrations make', async () => {
    await grantTo();
    await execute(
      addressOf(OWNER),
      `DROP TABLE session_alerts.reconciling;
       DELETE FROM session_alerts.session_alerts_migrations WHERE name LIKE 'TakeTurnsReconciling%'
                                                               OR name LIKE 'NoteReporters%'`,
    );
    await execute(addressOf(OWNER), 'ALTER TABLE session_alerts.sightings DROP COLUMN alertmanager');
    expect(await migrateAs(addressOf(ROLE))).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(
        /lacks CREATE on the schema .*; the ownership of session_alerts\.alerts.*Let the owner of the tables migrate in its place, .*--grant-to/,
      ) as string,
    });
    expect((await migrateAs(addressOf(OWNER))).status).toBe(0);
    expect((await grantTo('--dry-run')).stdout).toContain('has the rights that serving needs');
  });

  it('refuses, before anything is migrated, roles whom rights do not limit, and unknown ones', async () => {
    await sql(`CREATE ROLE member_${SUFFIX} IN ROLE ${OWNER}`);
    const superuser = decodeURIComponent(new URL(database.url).username) || 'postgres';
    try {
      for (const [role, saying] of [
        ['nobody', /There is no role "nobody"\. Make it/],
        ['public', /There is no role "public"/],
        ['', /There is no role ""/],
        [superuser, /is a superuser, whom no rights limit\. Name one that is none/],
        [OWNER, new RegExp(`"${OWNER}" owns .*REASSIGN OWNED BY ${OWNER} TO`)],
        [`member_${SUFFIX}`, new RegExp(`is a member of "${OWNER}".*REVOKE ${OWNER} FROM member_${SUFFIX}`)],
      ] as const) {
        const run = await migrateAs(addressOf(OWNER), '--grant-to', ROLE, '--grant-to', role);
        expect(run).toMatchObject({ status: 1, stdout: '', stderr: expect.stringMatching(saying) as string });
      }
    } finally {
      await sql(`DROP ROLE member_${SUFFIX}`);
    }
    expect(await sql(`SELECT FROM pg_namespace WHERE nspname = 'session_alerts'`)).toEqual([]);
  });

  it('says who may, where the one that runs it may not, and changes nothing', async () => {
    await grantTo();
    const run = await migrateAs(addressOf(ROLE), '--grant-to', OTHER);
    expect(run).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringMatching(
        new RegExp(`may not run "GRANT USAGE .*Run this as the owner of the tables \\("${OWNER}"\\)`),
      ) as string,
    });
  });

  it('says so where the role has handed rights on, or has them of another than the owner', async () => {
    await grantTo();
    const on = 'ON session_alerts.feed';
    await execute(addressOf(OWNER), `GRANT SELECT ${on} TO ${QUOTED} WITH GRANT OPTION`);
    await execute(addressOf(ROLE), `GRANT SELECT ${on} TO ${OTHER}`);
    expect(await grantTo()).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(
        /has handed rights on to others.*REVOKE GRANT OPTION FOR SELECT/,
      ) as string,
    });
    expect(await migrateAs(addressOf(OWNER), '--grant-to', OTHER)).toMatchObject({ status: 0 });
    await execute(addressOf(OWNER), `GRANT TRUNCATE ${on} TO ${QUOTED} WITH GRANT OPTION`);
    await execute(addressOf(ROLE), `GRANT TRUNCATE ${on} TO ${OTHER}`);
    expect(await migrateAs(addressOf(OWNER), '--grant-to', OTHER)).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(
        /others than the owner have given.*is left by "REVOKE TRUNCATE/,
      ) as string,
    });
  });
});
