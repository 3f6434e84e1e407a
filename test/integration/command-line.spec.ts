import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { parse, parseAllDocuments } from 'yaml';
import { CONFIGURATIONS, partsOf } from '../../cli/src/deploy-files.js';
import type { Configuration } from '../../cli/src/deploy-files.js';
import { createProgram, runCommandLine } from '../../cli/src/program.js';
import { DataSource } from 'typeorm';
import { makeVapidKeys, publicKeyOf } from '../../src/delivery/vapid-keys.js';
import { alertsMigrations } from '../../src/index.js';
import { EmbeddedIssuer } from '../../server/demo/embedded-issuer.js';
import { AlertsApi } from '../support/alerts.js';
import {
  createTestDatabase,
  execute,
  forgetAlerts,
  giveDatabaseBack,
  takeDatabaseAway,
} from '../support/database.js';
import type { TestDatabase } from '../support/database.js';
import { PushService } from '../support/push-service.js';
import type { PushedBrowser } from '../support/push-service.js';
import { startIssuer, startTestServer } from '../support/server.js';
import type { TestIssuer, TestServer } from '../support/server.js';

const ROOT = join(import.meta.dirname, '..', '..');
const JANE = '2c1d6a1e-5b0f-4a77-9e0b-6a1f0c9d2b22';
/** Nobody listens there. */
const NOWHERE = 'http://127.0.0.1:9';

interface Run {
  status: number;
  stdout: string;
  stderr: string;
}

async function sessionAlerts(args: string[], env: NodeJS.ProcessEnv = {}): Promise<Run> {
  const written = { stdout: '', stderr: '' };
  const writer = (name: keyof typeof written) => ({ write: (text: string) => (written[name] += text) });
  const status = await runCommandLine(args, { env, stdout: writer('stdout'), stderr: writer('stderr') });
  return { status, ...written };
}

/** Expects a failure that is told in sentences, with nothing of our insides and nothing on standard output. */
function expectFailure(run: Run, status: number, saying: RegExp): void {
  expect(run).toMatchObject({ status, stdout: '', stderr: expect.stringMatching(saying) as string });
  expect(run.stderr).not.toMatch(/\n\s+at |node_modules|\.[jt]s\b|undefined|\[object/);
}

/** Each command by its words, groups of commands too. */
function commandsOf(command: Command, words: string[] = []): string[][] {
  return [words, ...command.commands.flatMap((one) => commandsOf(one, [...words, one.name()]))];
}

describe('session-alerts', () => {
  const program = createProgram({ env: {}, stdout: { write: () => true }, stderr: { write: () => true } });

  it.each(commandsOf(program).map((words) => [words.join(' '), words] as const))(
    'explains "%s", with its exit codes',
    async (_name, words) => {
      const run = await sessionAlerts([...words, '--help']);
      expect(run).toMatchObject({ status: 0, stderr: '' });
      expect(run.stdout).toContain(['Usage: session-alerts', ...words].join(' '));
      const codes = [...run.stdout.replace(/^.*^Exit codes:$/ms, '').matchAll(/^ {2}(\d) /gm)];
      expect(codes.map(([, code]) => code).join('')).toBe(words[0] === 'doctor' ? '012' : '0123');
      // eslint-disable-next-line no-control-regex
      expect(run.stdout).not.toMatch(/\x1b/);
    },
  );

  it.each([
    [['bogus'], /unknown command 'bogus'/],
    [['migrate', '--bogus'], /unknown option '--bogus'/],
    [['config', 'print', 'bogus'], /Allowed choices are alertmanager/],
    [['config', 'print', 'helm-values', 'bogus'], /one of kube-prometheus-stack/],
    [['send-test-alert'], /--user/],
    [['send-test-message'], /--channel/],
    [['send-test-message', '--channel', 'pigeon'], /Allowed choices are email, web_push, webhook/],
    [['push', 'keys'], /--secret-output, or --print-secret/],
    [['push', 'keys', '--print-secret', '--secret-output', 'x'], /cannot be used with/],
    [['keycloak', 'setup'], /--url/],
    [['keycloak'], /Usage: session-alerts keycloak/],
  ])('refuses %j, and says why', async (args, saying) => {
    expectFailure(await sessionAlerts(args), 2, saying);
  });

  it('tells its version', async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    expect(await sessionAlerts(['--version'])).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' });
  });
});

describe('session-alerts push keys', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'push-keys-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it('makes keys that fit each other, the private one in a file that only its owner may read', async () => {
    const file = join(folder, 'key');
    const { status, stdout, stderr } = await sessionAlerts(['push', 'keys', '--secret-output', file]);
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: expect.stringMatching(/WEB_PUSH_PRIVATE_KEY_FILE.*told nothing any more/s) as string,
    });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const [, publicKey] = /^WEB_PUSH_PUBLIC_KEY=([\w-]{87})\n$/.exec(stdout) ?? [];
    const privateKey = readFileSync(file, 'utf8').trim();
    expect(publicKeyOf(privateKey)).toBe(publicKey);
    expect(stderr).not.toContain(privateKey);
  });

  it('leaves alone a file that others may read', async () => {
    const file = join(folder, 'open');
    writeFileSync(file, 'mine', { mode: 0o644 });
    expectFailure(await sessionAlerts(['push', 'keys', '--secret-output', file]), 2, /chmod 600/);
    expect(readFileSync(file, 'utf8')).toBe('mine');
  });

  it('prints both where it is asked to, also as JSON', async () => {
    const { stdout } = await sessionAlerts(['push', 'keys', '--print-secret']);
    expect(stdout).toMatch(/^WEB_PUSH_PUBLIC_KEY=[\w-]{87}\n[\w-]{43}\n$/);
    const json = await sessionAlerts(['push', 'keys', '--print-secret', '--json']);
    const { public_key, private_key } = JSON.parse(json.stdout) as Record<string, string>;
    expect(publicKeyOf(private_key ?? '')).toBe(public_key);
  });
});

describe('session-alerts send-test-message', () => {
  const { publicKey, privateKey } = makeVapidKeys();
  const secret = Buffer.alloc(24, 7);
  let folder: string;
  let service: PushService;
  let bridge: Server;
  let posted: { headers: IncomingHttpHeaders; text: string }[];
  let answer: number;
  let env: NodeJS.ProcessEnv;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'test-message-'));
    service = await PushService.start(publicKey);
    bridge = createServer((request, response) => {
      let text = '';
      request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      request.on('end', () => {
        posted.push({ headers: request.headers, text });
        response.writeHead(answer).end();
      });
    });
    await new Promise<void>((resolve) => bridge.listen(0, '127.0.0.1', resolve));
    writeFileSync(join(folder, 'key'), privateKey);
    writeFileSync(join(folder, 'secret'), `whsec_${secret.toString('base64')}`);
    env = {
      WEB_PUSH_PUBLIC_KEY: publicKey,
      WEB_PUSH_PRIVATE_KEY_FILE: join(folder, 'key'),
      WEB_PUSH_SUBJECT: 'mailto:alerts@example.org',
      WEB_PUSH_SERVICES: service.host,
      DELIVERY_WEBHOOK_URL: `http://127.0.0.1:${(bridge.address() as AddressInfo).port}/`,
      DELIVERY_WEBHOOK_SECRET_FILE: join(folder, 'secret'),
      SESSION_URL: 'https://host/{session}',
    };
  });
  afterAll(async () => {
    await service.close();
    await new Promise((resolve) => {
      bridge.close(resolve);
      bridge.closeAllConnections();
    });
    rmSync(folder, { recursive: true });
  });
  beforeEach(() => {
    service.pushes = [];
    posted = [];
    answer = 204;
  });

  const send = (...args: string[]) => sessionAlerts(['send-test-message', '--channel', ...args], env);

  function sendTo(browser: PushedBrowser): Promise<Run> {
    const file = join(folder, 'subscription.json');
    writeFileSync(file, JSON.stringify({ ...browser.subscription, expirationTime: null }));
    return send('web_push', '--subscription', file);
  }

  it('posts to the webhook, signed', async () => {
    expect(await send('webhook')).toEqual({
      status: 0,
      stdout: 'The webhook took the test message: look whether it has arrived.\n',
      stderr: '',
    });
    const [{ headers, text }] = posted as [(typeof posted)[number]];
    const content = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${text}`;
    const hmac = createHmac('sha256', secret).update(content).digest('base64');
    expect(headers['webhook-signature']).toBe(`v1,${hmac}`);
    expect(JSON.parse(text)).toMatchObject({
      data: { alerts: [{ title: 'Test message', severity: 'info', link: 'https://host/test-session' }] },
    });
  });

  it('says what the webhook does not take', async () => {
    answer = 422;
    expectFailure(await send('webhook'), 1, /^The webhook refused the test message: .* 422\.$/m);
    answer = 500;
    expectFailure(await send('webhook'), 3, /^The webhook did not take the test message: .* 500\.$/m);
  });

  it('pushes to a browser', async () => {
    expect(await sendTo(service.browser())).toMatchObject({ status: 0, stderr: '' });
    expect(service.pushes).toMatchObject([{ payload: { title: 'Test message' } }]);
    expect(service.failures).toEqual([]);
  });

  it('says where a browser is gone, and whom nobody knows', async () => {
    const gone = service.browser();
    gone.answers = [{ status: 410 }];
    expectFailure(await sendTo(gone), 1, /^There is nobody to take it: .* 410: .*subscription\.$/m);
    env = { ...env, WEB_PUSH_SERVICES: '' };
    const run = await sendTo(gone);
    env = { ...env, WEB_PUSH_SERVICES: service.host };
    expectFailure(run, 1, /not one of a push service known here/);
    expect(run.stderr).not.toContain(gone.path);
  });

  it.each([
    [['email'], /--to/],
    [['email', '--to', 'jane'], /--to must be an address/],
    [['email', '--to', 'jane@example.org'], /email is not set: set SMTP_URL/],
    [['webhook', '--to', 'jane@example.org'], /--to/],
    [['web_push'], /--subscription/],
    [['web_push', '--subscription', '/does/not/exist'], /file that can be read/],
    [['web_push', '--subscription', join(ROOT, 'package.json')], /endpoint and keys/],
  ])('refuses %j, and says why', async (args, saying) => {
    expectFailure(await send(...args), 2, saying);
    expect(posted).toEqual([]);
  });

  it('says what is wrong with the environment', async () => {
    const without = { ...env, WEB_PUSH_SUBJECT: '' };
    expectFailure(
      await sessionAlerts(['send-test-message', '--channel', 'webhook'], without),
      2,
      /WEB_PUSH_SUBJECT go together/,
    );
    const url = { ...env, SESSION_URL: 'https://host/' };
    expectFailure(await sessionAlerts(['send-test-message', '--channel', 'webhook'], url), 2, /sessionUrl/);
  });
});

describe('session-alerts send-test-alert', () => {
  let server: TestServer;
  let issuer: TestIssuer;
  let jane: AlertsApi;
  let folder: string;

  beforeAll(async () => {
    issuer = await startIssuer();
    server = await startTestServer({}, { issuer });
    jane = new AlertsApi(`${server.url}/api/data`, issuer.issuer);
    folder = mkdtempSync(join(tmpdir(), 'command-line-'));
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await server.close();
    await issuer.close();
  });
  afterEach(async () => {
    await forgetAlerts(server.databaseUrl);
  });

  function send(
    args: string[] = [],
    env: NodeJS.ProcessEnv = { ALERTMANAGER_CLIENT_SECRET: 'secret' },
  ): Promise<Run> {
    const addresses = ['--api-url', `${server.url}/api/data`, '--issuer', issuer.issuer.url];
    return sessionAlerts(['send-test-alert', ...addresses, '--user', JANE, ...args], env);
  }

  it("posts the guide's alert, which its user sees", async () => {
    const run = await send(['--session', 'my-session']);
    expect(run).toMatchObject({ status: 0, stdout: expect.stringMatching(/^Stored: .*\n$/) as string });
    expect(await jane.openAlerts(JANE)).toMatchObject([
      {
        title: 'Test Alert',
        message: 'Testing the webhook integration',
        user_id: JANE,
        session_name: 'my-session',
      },
    ]);
    expect(run.stdout + run.stderr).not.toMatch(/"secret"|eyJ/);
  });

  it('ends it', async () => {
    await send();
    expect(await send(['--resolve'])).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^Resolved: /) as string,
    });
    expect(await jane.openAlerts(JANE)).toEqual([]);
  });

  it('shows it again to a user who has dismissed it', async () => {
    await send();
    const { id } = await jane.onlyAlert(JANE);
    await jane.update(id, { dismissed: true }, { sub: JANE });
    expect(await send()).toMatchObject({ status: 0 });
    expect(await jane.openAlerts(JANE)).toHaveLength(1);
  });

  it('only asks in a dry run', async () => {
    const run = await send(['--dry-run']);
    expect(run).toMatchObject({ status: 0, stdout: expect.stringMatching(/^Would be stored: /) as string });
    expect(await jane.openAlerts(JANE)).toEqual([]);
  });

  it("prints the server's answer for machines", async () => {
    const run = await send(['--json', '--dry-run']);
    expect(JSON.parse(run.stdout)).toMatchObject({
      dry_run: true,
      stored: 1,
      alerts: [{ result: 'opened', user_id: JANE, session_name: 'test-session', title: 'Test Alert' }],
    });
    const skipped = await send(['--json', '--resolve']);
    expect(skipped.status).toBe(1);
    expect(JSON.parse(skipped.stdout)).toMatchObject({ skipped: 1, reasons: { unknown_series: 1 } });
  });

  it('says that there is nothing to end', async () => {
    expectFailure(await send(['--resolve']), 1, /skipped \(unknown_series\): there is nothing to end/);
    await send();
    await send(['--resolve']);
    expectFailure(await send(['--resolve']), 1, /skipped \(unknown_series\): .*it has ended already/);
  });

  it('says that a user id is none', async () => {
    expectFailure(await send(['--user', '<nil>']), 1, /skipped \(invalid_user\): --user is no user's id/);
  });

  it('notes that a user name is no id', async () => {
    const run = await send(['--user', 'jane']);
    expect(run).toMatchObject({ status: 0, stderr: expect.stringMatching(/"jane" does not/) as string });
  });

  it('reads the secret from a file', async () => {
    const file = join(folder, 'secret');
    writeFileSync(file, 'secret\n');
    expect(await send(['--client-secret-file', file], {})).toMatchObject({ status: 0 });
  });

  it('asks for the secret, and takes none as an argument', async () => {
    expectFailure(await send([], {}), 2, /ALERTMANAGER_CLIENT_SECRET.*--client-secret-file/);
    expectFailure(await send(['--client-secret', 'secret']), 2, /unknown option '--client-secret'/);
  });

  it('says that the secret is wrong, without repeating it', async () => {
    const run = await send([], { ALERTMANAGER_CLIENT_SECRET: 'not-the-right-one' });
    expectFailure(run, 1, /401, invalid_client.*check the client's id and secret/);
    expect(run.stderr).not.toContain('not-the-right-one');
  });

  it('asks no discovery where the token address is given', async () => {
    const before = issuer.issuer.requests.discovery;
    const run = await send([
      '--token-url',
      `${issuer.issuer.url}/protocol/openid-connect/token`,
      '--issuer',
      NOWHERE,
    ]);
    expect(run).toMatchObject({ status: 0 });
    expect(issuer.issuer.requests.discovery).toBe(before);
  });

  it('says that the client lacks the role', async () => {
    const other = await EmbeddedIssuer.create({
      url: issuer.issuer.url,
      clients: [{ id: 'without-role', secret: 'secret', roles: [] }],
    });
    // Signed by the issuer that the server trusts, as if it had that client.
    issuer.answerInstead = (request, response) => {
      if (!request.url?.endsWith('/token')) return false;
      void issuer.issuer.sign({ sub: 'without-role' }).then((token) => {
        response
          .writeHead(200, { 'content-type': 'application/json' })
          .end(JSON.stringify({ access_token: token }));
      });
      return true;
    };
    try {
      expectFailure(await send(['--client-id', 'without-role']), 1, /answers 403 .*lacks the role/);
    } finally {
      issuer.answerInstead = undefined;
    }
    const foreign = await other.userToken({ sub: 'x', roles: ['alertmanager-webhook'] });
    issuer.answerInstead = (request, response) => {
      if (!request.url?.endsWith('/token')) return false;
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ access_token: foreign }));
      return true;
    };
    try {
      expectFailure(await send(), 1, /answers 401 .*OIDC_ISSUER/);
    } finally {
      issuer.answerInstead = undefined;
    }
  });

  it('says that issuer or server cannot be reached', async () => {
    expectFailure(await send(['--issuer', NOWHERE]), 3, /check --issuer/);
    expectFailure(await send(['--token-url', NOWHERE]), 3, /does not answer/);
    expectFailure(await send(['--api-url', NOWHERE]), 3, /does not answer/);
  });

  it('says that the server cannot store it now', async () => {
    await takeDatabaseAway(server.databaseUrl);
    try {
      expectFailure(await send(), 3, /answers 503 .*try again/);
    } finally {
      await giveDatabaseBack(server.databaseUrl);
    }
  });

  it('follows no redirect, which would lose the alert', async () => {
    const redirecting = createServer((_request, response) => {
      response.writeHead(301, { location: server.webhookUrl }).end();
    });
    await new Promise<void>((resolve) => redirecting.listen(0, '127.0.0.1', resolve));
    const { port } = redirecting.address() as AddressInfo;
    const run = await send(['--api-url', `http://127.0.0.1:${port}`]);
    await new Promise((resolve) => {
      redirecting.close(resolve);
      redirecting.closeAllConnections();
    });
    expectFailure(run, 1, /answers 301, .*check --instance or --api-url/);
  });
});

describe('session-alerts migrate', () => {
  let database: TestDatabase;
  const names = alertsMigrations.map(({ name }) => name);

  beforeEach(async () => {
    database = await createTestDatabase({ migrated: false });
  });
  afterEach(() => database.drop());

  function migrate(...args: string[]): Promise<Run> {
    return sessionAlerts(['migrate', ...args], { DATABASE_URL: database.url });
  }

  async function tables(): Promise<string[]> {
    const rows = await execute<{ name: string }>(
      database.url,
      `SELECT format('%s.%s', schemaname, tablename) AS name FROM pg_tables
        WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1`,
    );
    return rows.map(({ name }) => name);
  }

  it('runs what is pending, once', async () => {
    expect(await migrate()).toEqual({
      status: 0,
      stdout: names.map((name) => `migrated  ${name}\n`).join(''),
      stderr: '',
    });
    expect(await tables()).toEqual(expect.arrayContaining(['session_alerts.alerts']));
    expect(await migrate()).toEqual({
      status: 0,
      stdout: 'All migrations are in: there is nothing to do.\n',
      stderr: '',
    });
  });

  it('only lists what is pending in a dry run', async () => {
    expect(await migrate('--dry-run')).toEqual({
      status: 0,
      stdout: names.map((name) => `pending  ${name}\n`).join(''),
      stderr: '',
    });
    expect(await tables()).toEqual([]);
    await migrate();
    expect((await migrate('--dry-run')).stdout).toMatch(/^All migrations are in/);
  });

  it('tells machines', async () => {
    expect(JSON.parse((await migrate('--dry-run', '--json')).stdout)).toEqual({ pending: names });
    expect(JSON.parse((await migrate('--json')).stdout)).toEqual({ migrated: names });
    expect(JSON.parse((await migrate('--json')).stdout)).toEqual({ migrated: [] });
  });

  it('does it once where several start together', async () => {
    const runs = await Promise.all([migrate('--json'), migrate('--json'), migrate('--json')]);
    expect(runs.map(({ status }) => status)).toEqual([0, 0, 0]);
    const migrated = runs.map(({ stdout }) => (JSON.parse(stdout) as { migrated: string[] }).migrated);
    expect(migrated.sort((a, b) => b.length - a.length)).toEqual([names, [], []]);
  });

  it('knows what an application has run, and leaves its list to it', async () => {
    const theirs = await new DataSource({
      type: 'postgres',
      url: database.url,
      migrations: alertsMigrations.slice(0, 3),
      migrationsRun: true,
    }).initialize();
    await theirs.destroy();
    // As versions before had it.
    await execute(database.url, 'DROP TABLE session_alerts.session_alerts_migrations');
    const list = 'SELECT name FROM public.migrations ORDER BY id';
    const before = await execute(database.url, list);

    expect(JSON.parse((await migrate('--dry-run', '--json')).stdout)).toEqual({ pending: names.slice(3) });
    expect(JSON.parse((await migrate('--json')).stdout)).toEqual({ migrated: names.slice(3) });
    expect((await migrate()).stdout).toMatch(/^All migrations are in/);
    expect(await execute(database.url, list)).toEqual(before);
  });

  it('says what is in the way, and leaves it there', async () => {
    await execute(database.url, 'CREATE SCHEMA session_alerts; CREATE TABLE session_alerts.feed (id int)');
    expectFailure(await migrate(), 1, /"feed" already exists.*run it again/);
    expect(await tables()).toEqual(['session_alerts.feed']);
  });

  it('says that the tables are those of a newer version', async () => {
    await migrate();
    await execute(
      database.url,
      `INSERT INTO session_alerts.session_alerts_migrations (timestamp, name)
       VALUES (2000000000000, 'Later2000000000000')`,
    );
    const sentence =
      /those of a newer version, which has run Later2000000000000\. Use that version, or undo it/;
    expectFailure(await migrate(), 1, sentence);
    expectFailure(await migrate('--dry-run'), 1, sentence);
  });

  it.each([undefined, '', 'renku', 'https://db.example.org'])(
    'asks for DATABASE_URL where it is %j',
    async (url) => {
      const env = url === undefined ? {} : { DATABASE_URL: url };
      expectFailure(
        await sessionAlerts(['migrate'], env),
        2,
        /DATABASE_URL.*postgresql:\/\/user:password@host/,
      );
    },
  );

  it('says that the database cannot be reached, or refuses, without the password', async () => {
    const away = await sessionAlerts(['migrate'], {
      DATABASE_URL: 'postgresql://me:pa55word@127.0.0.1:9/alerts',
    });
    expectFailure(away, 3, /127\.0\.0\.1:9 cannot be reached: .*check DATABASE_URL/);
    expect(away.stderr).not.toContain('pa55word');

    const url = new URL(database.url);
    url.pathname = '/no_such_database';
    const refused = await sessionAlerts(['migrate'], { DATABASE_URL: url.href });
    expectFailure(refused, 1, /refuses the connection: .*no_such_database.*check DATABASE_URL/);
  });
});

describe('session-alerts config print', () => {
  const instance = ['--instance', 'https://renku.example.org'];

  function print(...args: string[]): Promise<Run> {
    return sessionAlerts(['config', 'print', ...args]);
  }

  it("prints Alertmanager's configuration with the instance's addresses", async () => {
    const run = await print('alertmanager', ...instance);
    expect(run).toMatchObject({ status: 0, stderr: '' });
    expect(run.stdout).not.toContain('your-renku-instance');
    const { receivers } = parse(run.stdout) as { receivers: { webhook_configs?: object[] }[] };
    expect(receivers.flatMap(({ webhook_configs: webhooks = [] }) => webhooks)).toMatchObject([
      {
        url: 'https://renku.example.org/api/data/webhooks/alertmanager',
        http_config: {
          oauth2: { token_url: 'https://renku.example.org/auth/realms/Renku/protocol/openid-connect/token' },
        },
      },
    ]);
    const file = readFileSync(join(ROOT, 'deploy', 'alertmanager', 'alertmanager.yml'), 'utf8');
    expect(run.stdout).toBe(file.replaceAll('your-renku-instance.com', 'renku.example.org'));
  });

  const all = (Object.keys(CONFIGURATIONS) as Configuration[]).flatMap((what) =>
    partsOf(what).map((part) => [what, part] as const),
  );
  it.each(all)('has %s, %s, with no address left to fill in', async (what, part) => {
    const run = await print(what, part, ...instance);
    expect(run).toMatchObject({ status: 0, stderr: '' });
    expect(run.stdout).not.toContain('your-renku-instance');
    const documents = parseAllDocuments(run.stdout).map((document) => document.toJS() as unknown);
    expect(documents).toEqual(documents.map(() => expect.any(Object) as unknown));
    const { stdout } = await print(what, part, ...instance, '--json');
    expect(JSON.parse(stdout)).toEqual(documents.length === 1 ? documents[0] : documents);
  });

  it('asks for the instance', async () => {
    expectFailure(await print('alertmanager'), 2, /Give --instance/);
    expectFailure(
      await print('alertmanager', '--instance', 'renku.example.org'),
      2,
      /--instance must be an address/,
    );
  });
});
