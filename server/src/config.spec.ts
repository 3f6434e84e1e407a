import { writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseDuration } from 'nestjs-session-alerts/operations';
import { ConfigError, readConfig } from './config.js';

const REQUIRED = {
  DATABASE_URL: 'postgresql://user:hunter2@db:5432/alerts',
  OIDC_ISSUER: 'https://host/auth/realms/Renku',
};

function problemsWith(env: NodeJS.ProcessEnv): string {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('The environment is all right');
}

describe('The environment', () => {
  it('needs only the database and the issuer; the rest has the documented defaults', () => {
    expect(readConfig(REQUIRED)).toMatchObject({
      port: 3000,
      audience: 'renku',
      algorithms: ['RS256'],
      webhookRole: 'alertmanager-webhook',
      adminRole: 'renku-admin',
      globalPrefix: '/api/data',
      migrateOnStart: true,
      bodyLimit: 32 * 1024 * 1024,
      upkeep: { expireAfter: 2 * 3600 + 15 * 60, eventTtl: 24 * 3600, retention: 90 * 24 * 3600 },
      reconcile: undefined,
    });
  });

  it('is told all that is wrong with it at once, each with what to set', () => {
    const problems = problemsWith({
      PORT: 'http',
      EXPIRE_AFTER: 'soon',
      LOG_LEVEL: 'loud',
      OIDC_ISSUER: 'host',
    });
    for (const name of ['DATABASE_URL', 'OIDC_ISSUER', 'PORT', 'EXPIRE_AFTER', 'LOG_LEVEL']) {
      expect(problems).toContain(name);
    }
  });

  it.each([
    ['log', 'log'],
    ['info', 'log'],
    ['debug', 'debug'],
  ])('may call the level %s', (given, level) => {
    expect(readConfig({ ...REQUIRED, LOG_LEVEL: given }).logLevel).toBe(level);
  });

  it('asks for a line of each request, where the level lets one through', () => {
    expect(readConfig(REQUIRED).accessLog).toBe(false);
    expect(readConfig({ ...REQUIRED, ACCESS_LOG: 'true' }).accessLog).toBe(true);
    expect(problemsWith({ ...REQUIRED, ACCESS_LOG: 'yes' })).toBe(
      'ACCESS_LOG must be one of true, false, not "yes"',
    );
    expect(problemsWith({ ...REQUIRED, ACCESS_LOG: 'true', LOG_LEVEL: 'warn' })).toBe(
      'ACCESS_LOG=true writes lines of the level log: set LOG_LEVEL to log, info or debug',
    );
  });

  describe('says how mail is sent', () => {
    const PUBLIC_URL = 'https://host/api/data';
    const MAIL_FROM = 'alerts@example.org';
    let folder: string;
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'config-'));
      writeFileSync(join(folder, 'password'), 'hunter2 @:/%\n');
      writeFileSync(join(folder, 'ca'), 'certificate\n');
    });
    afterAll(() => {
      rmSync(folder, { recursive: true });
    });

    it('with password and certificate in files of their own', () => {
      const SMTP_PASSWORD_FILE = join(folder, 'password');
      const SMTP_CA_FILE = join(folder, 'ca');
      const smtp = { SMTP_URL: 'smtp://user@mail:587', SMTP_PASSWORD_FILE, SMTP_CA_FILE };
      expect(readConfig({ ...REQUIRED, ...smtp, MAIL_FROM, PUBLIC_URL }).delivery).toMatchObject({
        publicUrl: PUBLIC_URL,
        email: { server: 'smtp://user:hunter2%20%40%3A%2F%25@mail:587', from: MAIL_FROM, ca: 'certificate' },
      });
    });

    it.each<[NodeJS.ProcessEnv, RegExp]>([
      [{ SMTP_URL: 'smtp://mail' }, /SMTP_URL, MAIL_FROM go together[^]*PUBLIC_URL is missing/],
      [{ MAIL_FROM }, /SMTP_URL, MAIL_FROM go together/],
      [{ SMTP_URL: 'mail:hunter2@host', MAIL_FROM, PUBLIC_URL }, /SMTP_URL must look like smtp:/],
      [
        { SMTP_URL: 'smtp://mail', SMTP_CA_FILE: '/nowhere', MAIL_FROM, PUBLIC_URL },
        /SMTP_CA_FILE must name a file/,
      ],
    ])('or what is missing of it (%j)', (env, sentence) => {
      const problems = problemsWith({ ...REQUIRED, ...env });
      expect(problems).toMatch(sentence);
      expect(problems).not.toContain('hunter2');
    });
  });

  it('is not repeated where it may hold a password', () => {
    const problems = problemsWith({ ...REQUIRED, DATABASE_URL: 'mysql://user:hunter2@db/alerts' });
    expect(problems).toContain('DATABASE_URL');
    expect(problems).not.toContain('hunter2');
  });

  it.each([
    ['', []],
    ['https://sessions.example.org', ['https://sessions.example.org']],
    [
      'https://one.example, http://localhost:5173,http://[::1]:8080',
      ['https://one.example', 'http://localhost:5173', 'http://[::1]:8080'],
    ],
  ])('names the origins whose pages may use the API: %j', (given, origins) => {
    expect(readConfig({ ...REQUIRED, CORS_ORIGINS: given }).corsOrigins).toEqual(origins);
    expect(readConfig(REQUIRED).corsOrigins).toEqual([]);
  });

  it.each([
    '*',
    'null',
    'sessions.example.org',
    'https://*.example.org',
    'https://sessions.example.org/',
    'https://sessions.example.org/app',
    'https://sessions.example.org?',
    'https://SESSIONS.example.org',
    'https://sessions.example.org:443',
    'https://jane@sessions.example.org',
    'ftp://sessions.example.org',
    'file://',
  ])('is told that %j is no origin that can be allowed', (given) => {
    expect(problemsWith({ ...REQUIRED, CORS_ORIGINS: `https://one.example,${given}` })).toBe(
      `CORS_ORIGINS must be origins as browsers send them, like https://sessions.example.org or http://localhost:5173, with commas between, not "${given}"`,
    );
  });

  it.each([
    ['api/data/', '/api/data'],
    ['/', ''],
    ['', ''],
  ])('may have the prefix %j', (given, prefix) => {
    expect(readConfig({ ...REQUIRED, GLOBAL_PREFIX: given }).globalPrefix).toBe(prefix);
  });

  it('says where standbys are, and what is wrong with that, without repeating it', () => {
    expect(readConfig(REQUIRED).databaseReadAddress).toBeUndefined();
    const DATABASE_READ_URL = 'postgresql://reader:hunter2@one,two:5433/alerts';
    expect(readConfig({ ...REQUIRED, DATABASE_READ_URL }).databaseReadAddress).toMatchObject({
      nodes: [
        { host: 'one', port: 5432 },
        { host: 'two', port: 5433 },
      ],
      target: 'prefer-standby',
      user: 'reader',
    });
    const problems = problemsWith({ ...REQUIRED, DATABASE_READ_URL: 'http://reader:hunter2@one/alerts' });
    expect(problems).toContain('DATABASE_READ_URL');
    expect(problems).not.toContain('hunter2');
  });

  it('leaves requests some connections to the database besides those of its own work', () => {
    expect(readConfig({ ...REQUIRED, DATABASE_POOL_SIZE: '5' }).databasePoolSize).toBe(5);
    expect(problemsWith({ ...REQUIRED, DATABASE_POOL_SIZE: '4' })).toBe(
      'DATABASE_POOL_SIZE must be a whole number from 5 to 1000, not "4"',
    );
  });

  it.each([
    ['ES256', ['ES256']],
    ['RS256,ES256', ['RS256', 'ES256']],
    [' PS512 ,  RS256\tES384 ', ['RS256', 'PS512', 'ES384']],
    ['RS256 RS256', ['RS256']],
    ['', ['RS256']],
  ])('names the signature algorithms of tokens, with commas or spaces between: %j', (given, algorithms) => {
    expect(readConfig({ ...REQUIRED, TOKEN_ALGORITHMS: given }).algorithms).toEqual(algorithms);
  });

  it.each(['HS256', 'none', 'RS256,none', 'rs256', 'EdDSA', ',', 'RS256;ES256'])(
    'is told that %j are no signature algorithms that can be taken',
    (given) => {
      expect(problemsWith({ ...REQUIRED, TOKEN_ALGORITHMS: given })).toBe(
        `TOKEN_ALGORITHMS must be some of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, not "${given}"`,
      );
    },
  );

  it('names the Alertmanagers to reconcile with, their secrets in files', () => {
    const folder = mkdtempSync(join(tmpdir(), 'session-alerts-config-'));
    try {
      const file = join(folder, 'password');
      writeFileSync(file, 'secret\n');
      const { reconcile } = readConfig({
        ...REQUIRED,
        ALERTMANAGER_URLS: 'http://one:9093, http://two:9093',
        ALERTMANAGER_USERNAME: 'alerts',
        ALERTMANAGER_PASSWORD_FILE: file,
        RECONCILE_INTERVAL: '2m',
      });
      expect(reconcile).toMatchObject({
        alertmanagers: ['http://one:9093', 'http://two:9093'].map((url) => ({
          url,
          basicAuth: { username: 'alerts', password: 'secret' },
        })),
        filter: ['purpose="renku-session"'],
        interval: 120,
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it.each([
    ['ALERTMANAGER_URLS', { ALERTMANAGER_URLS: 'one:9093' }],
    ['ALERTMANAGER_PASSWORD_FILE', { ALERTMANAGER_URLS: 'http://user:secret@one:9093' }],
    ['ALERTMANAGER_BEARER_TOKEN_FILE', { ALERTMANAGER_BEARER_TOKEN_FILE: '/no/such/file' }],
    ['ALERTMANAGER_PASSWORD_FILE', { ALERTMANAGER_USERNAME: 'alerts' }],
  ])('is told that %s is wrong', (name, env) => {
    expect(() => readConfig({ ...REQUIRED, ...env })).toThrow(name);
  });
});

describe('A duration', () => {
  const names = ['EXPIRE_AFTER', 'EVENT_TTL', 'RETENTION', 'UPKEEP_INTERVAL', 'FEED_STALE_AFTER'];
  const all = [...names, 'RECONCILE_INTERVAL', 'RECONCILE_SETTLE_TIME'];

  it.each(all.flatMap((name) => ['999ms', '100y1s', `${'9'.repeat(400)}y`].map((text) => [name, text])))(
    'is refused with its bounds where %s is %.10s',
    (name, text) => {
      expect(problemsWith({ ...REQUIRED, [name]: text })).toContain(
        `${name} must be a duration from 1s to 100y`,
      );
    },
  );

  it.each(all)('may be from a second to a hundred years: %s', (name) => {
    for (const text of ['1s', '30d', '100y']) {
      expect(() => readConfig({ ...REQUIRED, [name]: text })).not.toThrow();
    }
  });

  it.each([
    ['90s', 90],
    ['2h15m', 8100],
    ['90d', 7_776_000],
    ['1d1h1m1s', 90_061],
    ['1y2w', 32_745_600],
    ['1s500ms', 1.5],
  ])('%s is %d seconds', (text, seconds) => {
    expect(parseDuration(text)).toBe(seconds);
  });

  it.each(['', '0s', '5', '5 m', '1m1h', '-5m', '1.5h', '5min'])('%j is none', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
});
