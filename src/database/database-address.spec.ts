import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { clientOptions, namesOf, readDatabaseAddress } from './database-address.js';
import type { DatabaseAddress } from './database-address.js';

function addressOf(env: NodeJS.ProcessEnv | string): DatabaseAddress {
  const problems: string[] = [];
  const read = typeof env === 'string' ? { DATABASE_URL: env } : env;
  const address = readDatabaseAddress(read, 'DATABASE_URL', problems);
  if (!address) throw new Error(problems.join('\n'));
  return address;
}

function problemsOf(env: NodeJS.ProcessEnv | string, variable = 'DATABASE_URL'): string[] {
  const problems: string[] = [];
  const read = typeof env === 'string' ? { DATABASE_URL: env } : env;
  expect(readDatabaseAddress(read, variable, problems)).toBeUndefined();
  return problems;
}

describe('The address of a database', () => {
  let folder: string;
  let file: (name: string, text?: string) => string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'address-'));
    file = (name, text) => {
      const path = join(folder, name);
      if (text !== undefined) writeFileSync(path, text);
      return path;
    };
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it('is read from a URI, with what is encoded in it', () => {
    expect(addressOf('postgresql://jo%40home:hunter%2F2%3A@db.example.org:5433/my%20alerts')).toMatchObject({
      nodes: [{ host: 'db.example.org', port: 5433 }],
      user: 'jo@home',
      password: 'hunter/2:',
      database: 'my alerts',
      target: 'read-write',
      tls: { when: 'never' },
    });
    expect(addressOf('postgres://jo:a@b:c@db')).toMatchObject({
      user: 'jo',
      password: 'a@b:c',
      database: 'jo',
    });
  });

  it.each([
    ['postgresql://jo@one:5433,two,[::1]:5434/alerts', 'one:5433,two:5432,[::1]:5434'],
    ['postgresql://jo@one,two:5433/alerts', 'one:5432,two:5433'],
    ['postgresql://jo@/alerts?host=one,two&port=5433', 'one:5433,two:5433'],
    ['postgresql://jo@%2Fvar%2Frun%2Fpostgresql/alerts', '/var/run/postgresql:5432'],
    ['postgresql:///alerts?host=/var/run/postgresql&user=jo', '/var/run/postgresql:5432'],
    ['postgresql://jo@/alerts', 'localhost:5432'],
    ['host=one,two port=5433,5434 user=jo dbname=alerts', 'one:5433,two:5434'],
  ])('names the nodes in their order: %s', (url, names) => {
    const address = addressOf(url);
    expect(namesOf(address)).toBe(names);
    expect(address).toMatchObject({ user: 'jo', database: 'alerts' });
  });

  it('is read from names and values, with what is quoted in them', () => {
    expect(
      addressOf(String.raw`host = db  user=jo password='hunter \'2\\' dbname=al\ erts connect_timeout=3`),
    ).toMatchObject({ password: String.raw`hunter '2\ `.trim(), database: 'al erts', connectTimeout: 3_000 });
  });

  it("takes from libpq's variables what it leaves out, and may leave out all", () => {
    const variables = {
      PGHOST: 'one,two',
      PGPORT: '5433,5434',
      PGUSER: 'jo',
      PGPASSWORD: 'hunter2',
      PGDATABASE: 'alerts',
      PGTARGETSESSIONATTRS: 'any',
      PGCONNECT_TIMEOUT: '7',
      PGAPPNAME: 'ours',
      PGSSLMODE: 'require',
    };
    expect(addressOf(variables)).toMatchObject({
      nodes: [
        { host: 'one', port: 5433 },
        { host: 'two', port: 5434 },
      ],
      user: 'jo',
      password: 'hunter2',
      database: 'alerts',
      target: 'any',
      connectTimeout: 7_000,
      tls: { when: 'always' },
    });
    const DATABASE_URL = 'postgresql://ann@db:5435/other?application_name=theirs';
    const address = addressOf({ ...variables, DATABASE_URL });
    expect(address).toMatchObject({ user: 'ann', password: 'hunter2', database: 'other', target: 'any' });
    expect(namesOf(address)).toBe('db:5435');
    expect(clientOptions(address).extra).toMatchObject({
      application_name: 'theirs',
      connectionTimeoutMillis: 7_000,
    });
    expect(addressOf({ PGHOST: 'db' })).toMatchObject({ user: userInfo().username });
  });

  it('has its password in a file, which is read anew for each connection', async () => {
    const DATABASE_PASSWORD_FILE = file('password', 'hunter2\n');
    const { password } = addressOf({ DATABASE_URL: 'postgresql://jo@db/alerts', DATABASE_PASSWORD_FILE });
    const read = password as () => Promise<string>;
    expect(await read()).toBe('hunter2');
    file('password', 'hunter3 ');
    expect(await read()).toBe('hunter3 ');

    const DATABASE_READ_PASSWORD_FILE = file('reads', 'hunter4');
    const reads = readDatabaseAddress(
      { DATABASE_READ_URL: 'postgresql://jo@db/alerts', DATABASE_PASSWORD_FILE, DATABASE_READ_PASSWORD_FILE },
      'DATABASE_READ_URL',
      [],
      { target: 'prefer-standby' },
    );
    expect(await (reads?.password as () => Promise<string>)()).toBe('hunter4');
    expect(reads?.target).toBe('prefer-standby');
  });

  it.each<[string, string, object]>([
    ['disable', 'never', {}],
    ['allow', 'where offered', { rejectUnauthorized: false }],
    ['prefer', 'where offered', { rejectUnauthorized: false }],
    ['require', 'always', { rejectUnauthorized: false }],
    ['verify-full', 'always', { rejectUnauthorized: true }],
    ['verify-full&sslrootcert=system', 'always', { rejectUnauthorized: true }],
  ])('says by sslmode=%s that it is encrypted %s', (mode, when, options) => {
    const { tls } = addressOf(`postgresql://jo@db/alerts?sslmode=${mode}`);
    expect(tls.when).toBe(when);
    expect(tls.options()).toEqual(options);
  });

  it('names certificates, which are read anew for each connection as long as they are there', () => {
    const files = `sslrootcert=${file('ca', 'CA')}&sslcert=${file('cert', 'CERT')}&sslkey=${file('key', 'KEY')}`;
    for (const mode of ['require', 'verify-ca']) {
      expect(addressOf(`postgresql://jo@db/alerts?${files}&sslmode=${mode}`).tls.options()).toEqual({
        ca: 'CA',
        cert: 'CERT',
        key: 'KEY',
        rejectUnauthorized: true,
        checkServerIdentity: expect.any(Function) as unknown,
      });
    }
    const { tls } = addressOf(`postgresql://jo@db/alerts?${files}&sslmode=verify-full`);
    expect(tls.options()).not.toHaveProperty('checkServerIdentity');
    file('cert', 'CERT OF TOMORROW');
    expect(tls.options()).toMatchObject({ cert: 'CERT OF TOMORROW' });
    rmSync(join(folder, 'cert'));
    expect(tls.options()).toMatchObject({ cert: 'CERT OF TOMORROW', key: 'KEY' });
    expect(addressOf('postgresql://jo@db/alerts?sslrootcert=system').tls.options()).toEqual({
      rejectUnauthorized: true,
    });
  });

  it('leads to a socket without encryption', () => {
    const address = addressOf('postgresql:///alerts?host=/var/run/postgresql&sslmode=require');
    expect(clientOptions(address)).toMatchObject({ host: '/var/run/postgresql', ssl: false });
  });

  it.each<[string, NodeJS.ProcessEnv | string, RegExp]>([
    ['is missing', {}, /^DATABASE_URL is missing: set it to something like postgresql:/],
    ['is of another database', 'mysql://jo:hunter2@db/alerts', /^DATABASE_URL must look like postgresql:/],
    [
      'has a / in the password',
      'postgresql://jo:hunter2/x@db/alerts',
      /^DATABASE_URL must name each host.*%2F/,
    ],
    ['has a # in the password', 'postgresql://jo:hunter2#x@db/alerts', /^DATABASE_URL must look like.*#/],
    [
      'has a ? in the password',
      'postgresql://jo:5432?hunter2=x@db/alerts',
      /is not known: leave it out.*%3F/,
    ],
    ['has a % in the password', 'postgresql://jo:hunter2%zz@db/alerts', /^DATABASE_URL has a %.*write %25/],
    ['has no value', 'postgresql://jo:hunter2@db/alerts?sslmode', /^DATABASE_URL must give each parameter/],
    ['has no such port', 'postgresql://jo:hunter2@db:70000/alerts', /^port in DATABASE_URL must be a whole/],
    ['has a port that is none', 'postgresql://jo:hunter2@db:pg/alerts', /^DATABASE_URL must name each host/],
    [
      'has ports for other hosts',
      'host=a,b,c port=1,2 password=hunter2',
      /^port in DATABASE_URL must be one port/,
    ],
    [
      'has a host that is none',
      'host=a@b password=hunter2',
      /^host in DATABASE_URL must be names, addresses/,
    ],
    ['has a quote that does not end', "host=a password='hunter2", /^DATABASE_URL must give each parameter/],
    ['has an unknown parameter', 'postgresql://db/?hunter2=1', /a parameter that is not known: leave it out/],
    [
      'has what is not supported',
      'postgresql://db/?sslcrl=hunter2',
      /parameter sslcrl, which is not supported/,
    ],
    [
      'has an unknown target',
      'postgresql://db/?target_session_attrs=hunter2',
      /^target_session.* one of any, /,
    ],
    [
      'has an unknown mode',
      'postgresql://db/?sslmode=hunter2',
      /^sslmode in DATABASE_URL must be one of disable/,
    ],
    ['has an unknown ssl', 'postgresql://db/?ssl=hunter2', /^ssl in DATABASE_URL must be true/],
    [
      'has no time-out',
      'postgresql://db/?connect_timeout=hunter2',
      /^connect_timeout in .* whole number of seconds/,
    ],
    ['has nobody to vouch', 'postgresql://db/?sslmode=verify-ca', /^sslrootcert in DATABASE_URL must name/],
    [
      'lets all vouch',
      'postgresql://db/?sslmode=require&sslrootcert=system',
      /^sslmode .* must be verify-full/,
    ],
    [
      'lacks a key',
      'postgresql://db/?sslmode=require&sslcert=/hunter2',
      /^sslcert .* and sslkey .* go together/,
    ],
    [
      'lacks a file',
      'postgresql://db/?sslmode=require&sslrootcert=/hunter2',
      /^sslrootcert .* file that can/,
    ],
    ['has a wrong variable', { PGHOST: 'db', PGPORT: 'hunter2' }, /^PGPORT must be a whole number/],
    [
      'has two passwords',
      { DATABASE_URL: 'postgresql://jo:hunter2@db/alerts', DATABASE_PASSWORD_FILE: '/dev/null' },
      /^DATABASE_PASSWORD_FILE and password in DATABASE_URL are both set/,
    ],
    [
      'has no such file',
      { DATABASE_URL: 'postgresql://jo@db/alerts', DATABASE_PASSWORD_FILE: '/hunter2' },
      /^DATABASE_PASSWORD_FILE must name a file that can be read/,
    ],
  ])('that %s is told what to set, and nothing of what it is', (_, env, sentence) => {
    const problems = problemsOf(env);
    expect(problems).toContainEqual(expect.stringMatching(sentence));
    expect(problems.join()).not.toContain('hunter2');
  });

  it('is told all at once, by the name of its variable', () => {
    const DATABASE_READ_URL = 'postgresql://db:0/?sslmode=on&target_session_attrs=here';
    expect(problemsOf({ DATABASE_READ_URL }, 'DATABASE_READ_URL')).toEqual([
      expect.stringMatching(/^port in DATABASE_READ_URL /),
      expect.stringMatching(/^target_session_attrs in DATABASE_READ_URL /),
      expect.stringMatching(/^sslmode in DATABASE_READ_URL /),
    ]);
  });
});
