import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { guideBlocksOf } from '../support/administration-guide.js';
import { firing, webhook } from '../support/alerts.js';
import { waitUntil } from '../support/server.js';
import { replaceWords, runInBash } from '../support/shell.js';
import { Alertmanager } from './support/alertmanager.js';
import { sessionAlerts } from './support/command-line.js';
import type { CommandRun } from './support/command-line.js';
import { ADMIN, Keycloak, keyIdOf } from './support/keycloak.js';
import { startPostgres } from './support/postgres.js';
import type { StackPostgres } from './support/postgres.js';
import { ServerProcess } from './support/server-process.js';
import { ADMINISTRATORS_CONFIG } from './support/stack.js';
import type { ShownAlert } from './support/stack.js';

/** The first run fetches Keycloak's distribution (ms). */
const START_TIMEOUT = 900_000;

interface Step {
  what: string;
  state: string;
  changes: string[];
}

interface Setup {
  dry_run: boolean;
  realm: string;
  issuer?: string;
  client_id: string;
  warnings: string[];
  steps: Step[];
  client_secret?: string;
  secret_file?: string;
  kubectl?: string;
}

let keycloak: Keycloak;
let postgres: StackPostgres;
let server: ServerProcess;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'session-alerts-command-line-'));
  [keycloak, postgres] = await Promise.all([Keycloak.start(), startPostgres()]);
}, START_TIMEOUT);
afterAll(async () => {
  await (server as ServerProcess | undefined)?.stop();
  await (postgres as StackPostgres | undefined)?.close();
  await (keycloak as Keycloak | undefined)?.close();
  await rm(folder, { recursive: true, force: true });
});

function setUp(...args: string[]): Promise<CommandRun> {
  return sessionAlerts(['keycloak', 'setup', '--url', keycloak.url, '--admin-user', ADMIN.user, ...args], {
    KEYCLOAK_ADMIN_PASSWORD: ADMIN.password,
  });
}

/** Sets a realm up, which must succeed, and reads what was said for machines. */
async function setUpAsJson(...args: string[]): Promise<Setup> {
  const run = await setUp('--json', ...args);
  expect({ status: run.status, stderr: run.stderr }).toEqual({
    status: 0,
    stderr: `Logged in to ${keycloak.url}.\n`,
  });
  return JSON.parse(run.stdout) as Setup;
}

function states({ steps }: Setup): string[] {
  return [...new Set(steps.map(({ state }) => state))];
}

function stepsNotOk({ steps }: Setup): Step[] {
  return steps.filter(({ state }) => state !== 'ok');
}

/** Expects one sentence or two that say what to do, and nothing of our insides. */
function expectSentence(text: string): void {
  expect(text).toMatch(/^(Logged in to .*\n)?[A-Z].*[.:].*\n$/);
  expect(text).not.toMatch(/\n\s+at |node_modules|\.js\b|undefined|\[object/);
}

interface KnownClient {
  id: string;
  clientId: string;
  [setting: string]: unknown;
}

async function clientOf(realm: string, clientId = 'alertmanager'): Promise<KnownClient> {
  const clients = await keycloak.administer<KnownClient[]>('GET', `/${realm}/clients?clientId=${clientId}`);
  expect(clients).toHaveLength(1);
  return clients[0]!;
}

/** All that a set-up has made in a realm, as Keycloak tells it. */
async function madeIn(realm: string): Promise<unknown> {
  const client = await clientOf(realm);
  const account = await keycloak.administer<{ id: string }>(
    'GET',
    `/${realm}/clients/${client.id}/service-account-user`,
  );
  return {
    client,
    account,
    rolesOfAccount: await keycloak.administer('GET', `/${realm}/users/${account.id}/role-mappings`),
    scope: await keycloak.administer('GET', `/${realm}/clients/${client.id}/scope-mappings`),
    roles: await keycloak.administer('GET', `/${realm}/roles`),
  };
}

describe('A realm that is set up on an empty server', () => {
  let secret: string;

  /** What the server answers to a webhook with that token. */
  async function postWebhook(token: string): Promise<number> {
    const response = await fetch(server.webhookUrl, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(webhook([firing({ user: 'somebody' })])),
    });
    await response.arrayBuffer();
    return response.status;
  }

  async function listAlerts(token: string): Promise<number> {
    const response = await fetch(`${server.url}/api/data/alerts`, {
      headers: { authorization: `Bearer ${token}` },
    });
    await response.arrayBuffer();
    return response.status;
  }

  async function alertmanagersToken(): Promise<string> {
    const form = { client_id: 'alertmanager', client_secret: secret };
    return (await keycloak.tokens('Renku', form)).access_token;
  }

  function janesTokens(): ReturnType<Keycloak['tokens']> {
    return keycloak.tokens('Renku', { client_id: 'renku-ui', username: 'jane', password: 'janes-password' });
  }

  const toRenku = {
    name: 'audience',
    protocol: 'openid-connect',
    protocolMapper: 'oidc-audience-mapper',
    config: {
      'included.custom.audience': 'renku',
      'access.token.claim': 'true',
      'id.token.claim': 'true',
      'lightweight.claim': 'true',
    },
  };

  /** A client with a service account, and the token that it gets. */
  async function tokenOfNewClient(
    clientId: string,
    { role, ...settings }: { role?: string; protocolMappers?: object[]; attributes?: Record<string, string> },
  ): Promise<string> {
    const id = await keycloak.administer('POST', '/Renku/clients', {
      clientId,
      secret: 'its-secret',
      serviceAccountsEnabled: true,
      ...settings,
    });
    if (role !== undefined) await giveRole(await serviceAccountOf(id), role);
    return (await keycloak.tokens('Renku', { client_id: clientId, client_secret: 'its-secret' }))
      .access_token;
  }

  async function serviceAccountOf(clientUuid: string): Promise<string> {
    const account = await keycloak.administer<{ id: string }>(
      'GET',
      `/Renku/clients/${clientUuid}/service-account-user`,
    );
    return account.id;
  }

  async function giveRole(userId: string, name: string): Promise<void> {
    const role = await keycloak.administer<object>('GET', `/Renku/roles/${name}`);
    await keycloak.administer('POST', `/Renku/users/${userId}/role-mappings/realm`, [role]);
  }

  it('is not made without being asked for', async () => {
    const run = await setUp();
    expect(run).toMatchObject({ status: 1, stdout: '' });
    expectSentence(run.stderr);
    expect(run.stderr).toContain('--create-realm');
  });

  it('is only announced by a dry run', async () => {
    const output = join(folder, 'unmade');
    const planned = await setUpAsJson('--create-realm', '--dry-run', '--secret-output', output);
    expect(planned).toMatchObject({ dry_run: true, realm: 'Renku' });
    expect(planned).not.toHaveProperty('client_secret');
    expect(planned).not.toHaveProperty('kubectl');
    expect(states(planned)).toEqual(['created']);
    expect((await fetch(keycloak.issuer('Renku'))).status).toBe(404);
    await expect(stat(output)).rejects.toThrow('ENOENT');
  });

  it('is made with a secret in a file that nobody else may read', async () => {
    const output = join(folder, "the secret's file");
    const made = await setUpAsJson('--create-realm', '--secret-output', output);
    expect(made).toMatchObject({ dry_run: false, realm: 'Renku', issuer: keycloak.issuer('Renku') });
    expect(stepsNotOk(made).map(({ what, state }) => `${state} ${what}`)).toEqual([
      'created realm Renku',
      'created role alertmanager-webhook',
      'created role renku-admin',
      'created client alertmanager',
      'created audience renku in its access tokens',
      'created role alertmanager-webhook in its scope',
      'created role alertmanager-webhook of its service account, and no other',
      'created client secret',
    ]);
    secret = await readFile(output, 'utf8');
    expect(secret).toMatch(/^\S{32,}$/);
    expect((await stat(output)).mode & 0o777).toBe(0o600);
    expect(JSON.stringify(made)).not.toContain(secret);
    expect(made.secret_file).toBe(output);
    expect(made.kubectl).toContain(`--from-file=oauth2-client-secret='${output.replaceAll("'", `'\\''`)}'`);
  });

  it('has a client that can do nothing but ask for its own tokens', async () => {
    expect(await clientOf('Renku')).toMatchObject({
      enabled: true,
      publicClient: false,
      serviceAccountsEnabled: true,
      standardFlowEnabled: false,
      implicitFlowEnabled: false,
      directAccessGrantsEnabled: false,
      fullScopeAllowed: false,
      redirectUris: [],
      webOrigins: [],
      defaultClientScopes: expect.arrayContaining(['basic', 'roles']) as string[],
      optionalClientScopes: [],
    });
    const form = { client_id: 'alertmanager', client_secret: secret, username: 'admin', password: 'x' };
    const login = await keycloak.askForTokens('Renku', { grant_type: 'password', ...form });
    expect({ status: login.status, body: await login.json() }).toMatchObject({
      status: 400,
      body: { error: 'unauthorized_client' },
    });
  });

  it('has a service account with the one role, behind which there is no other', async () => {
    const { id } = await clientOf('Renku');
    const account = await serviceAccountOf(id);
    const effective = await keycloak.administer<{ name: string }[]>(
      'GET',
      `/Renku/users/${account}/role-mappings/realm/composite`,
    );
    expect(effective.map(({ name }) => name)).toEqual(['alertmanager-webhook']);
    const all = await keycloak.administer<object>('GET', `/Renku/users/${account}/role-mappings`);
    expect(Object.keys(all)).toEqual(['realmMappings']);
  });

  it('is as it was after a second run, which says so', async () => {
    const before = await madeIn('Renku');
    const again = await setUp('--create-realm');
    expect(again).toMatchObject({ status: 0 });
    const lines = again.stdout.split('\n\n')[0]!.split('\n');
    expect(lines).toHaveLength(9);
    for (const line of lines) expect(line).toMatch(/^ok {2,}\S/);
    expect(again.stdout + again.stderr).not.toContain(secret);
    expect(await madeIn('Renku')).toEqual(before);
  });

  it('has another secret after a rotation, and the old one opens nothing', async () => {
    const old = secret;
    const rotated = await setUpAsJson('--rotate-secret');
    expect(stepsNotOk(rotated)).toEqual([
      { what: 'client secret', state: 'changed', changes: ['a new one'] },
    ]);
    secret = rotated.client_secret!;
    expect(secret).not.toBe(old);
    expect(rotated.kubectl).toContain(`--from-literal=oauth2-client-secret='${secret}'`);

    const form = { grant_type: 'client_credentials', client_id: 'alertmanager' };
    const refused = await keycloak.askForTokens('Renku', { ...form, client_secret: old });
    expect(refused.status).toBe(401);
    const given = await keycloak.askForTokens('Renku', { ...form, client_secret: secret });
    expect(given.status).toBe(200);
  });

  it('takes a secret that is given, and shows it to nobody', async () => {
    const given = "it's chosen & long enough: $HOME";
    const env = { KEYCLOAK_ADMIN_PASSWORD: ADMIN.password, ALERTMANAGER_CLIENT_SECRET: given };
    const args = ['keycloak', 'setup', '--url', keycloak.url, '--admin-user', ADMIN.user];
    const run = await sessionAlerts(args, env);
    expect(run.status).toBe(0);
    expect(run.stdout).toMatch(/^changed +client secret \(the given one\)$/m);
    expect(run.stdout).toContain('--from-literal=oauth2-client-secret="$ALERTMANAGER_CLIENT_SECRET"');
    expect(run.stdout + run.stderr).not.toContain(given);
    const form = { client_id: 'alertmanager', client_secret: given };
    expect((await keycloak.tokens('Renku', form)).access_token).toMatch(/^ey/);
    secret = given;
  });

  describe('and a server that trusts it', () => {
    let jane: string;

    beforeAll(async () => {
      server = await ServerProcess.start({
        DATABASE_URL: await postgres.createDatabase(),
        OIDC_ISSUER: keycloak.issuer('Renku'),
      });
      await keycloak.administer('POST', '/Renku/clients', {
        clientId: 'renku-ui',
        publicClient: true,
        directAccessGrantsEnabled: true,
        protocolMappers: [toRenku],
      });
      jane = await keycloak.administer('POST', '/Renku/users', {
        username: 'jane',
        enabled: true,
        email: 'jane@example.org',
        emailVerified: true,
        firstName: 'Jane',
        lastName: 'Doe',
        credentials: [{ type: 'password', value: 'janes-password' }],
      });
    });

    async function janesAlerts(): Promise<ShownAlert[]> {
      const { access_token: token } = await janesTokens();
      const response = await fetch(`${server.url}/api/data/alerts`, {
        headers: { authorization: `Bearer ${token}` },
      });
      expect(response.status).toBe(200);
      return (await response.json()) as ShownAlert[];
    }

    function sendTestAlert(...args: string[]): Promise<CommandRun> {
      return sessionAlerts(
        [
          'send-test-alert',
          ...['--api-url', `${server.url}/api/data`, '--issuer', keycloak.issuer('Renku'), '--user', jane],
          ...args,
        ],
        { ALERTMANAGER_CLIENT_SECRET: secret },
      );
    }

    it('takes a test alert, which its user sees until it is resolved', async () => {
      const sent = await sendTestAlert();
      expect(sent).toMatchObject({ status: 0, stdout: expect.stringMatching(/^Stored: .*\n$/) as string });
      expect(await janesAlerts()).toMatchObject([
        { title: 'Test Alert', message: 'Testing the webhook integration', user_id: jane },
      ]);
      const ended = await sendTestAlert('--resolve');
      expect(ended).toMatchObject({ status: 0, stdout: expect.stringMatching(/^Resolved: .*\n$/) as string });
      expect(await janesAlerts()).toEqual([]);
    });

    it("takes an alert from Alertmanager with the administrators' configuration", async () => {
      const alertmanager = await Alertmanager.start({
        config: await readFile(ADMINISTRATORS_CONFIG, 'utf8'),
        clientSecret: secret,
        addresses: { webhookUrl: server.webhookUrl, tokenUrl: keycloak.tokenUrl('Renku') },
        route: { group_interval: '1s' },
      });
      try {
        await alertmanager.fire({
          labels: { ...firing({ user: jane, session: 'jane-1' }).labels },
          annotations: { title: 'High memory usage', description: 'Memory usage over 90% of capacity' },
          startsAt: new Date().toISOString(),
        });
        await waitUntil(async () =>
          (await janesAlerts()).some(({ session_name: name }) => name === 'jane-1'),
        );
      } finally {
        await alertmanager.stop();
      }
    });

    it("lets its user read, and not post Alertmanager's webhooks", async () => {
      const { access_token: token } = await janesTokens();
      expect(await listAlerts(token)).toBe(200);
      expect(await postWebhook(token)).toBe(403);
    });

    it('lets an administrator post', async () => {
      const root = await keycloak.administer('POST', '/Renku/users', {
        username: 'root',
        enabled: true,
        email: 'root@example.org',
        emailVerified: true,
        firstName: 'Root',
        lastName: 'Doe',
        credentials: [{ type: 'password', value: 'roots-password' }],
      });
      const login = { client_id: 'renku-ui', username: 'root', password: 'roots-password' };
      expect(await postWebhook((await keycloak.tokens('Renku', login)).access_token)).toBe(403);
      await giveRole(root, 'renku-admin');
      expect(await postWebhook((await keycloak.tokens('Renku', login)).access_token)).toBe(200);
    });

    it('answers 403 to a client of the same realm without the role', async () => {
      const token = await tokenOfNewClient('without-role', { protocolMappers: [toRenku] });
      expect(await postWebhook(token)).toBe(403);
    });

    it('answers 401 to a client of the same realm with the role but without the audience', async () => {
      const token = await tokenOfNewClient('without-audience', { role: 'alertmanager-webhook' });
      expect(await postWebhook(token)).toBe(401);
    });

    it('answers 401 to ID and refresh tokens', async () => {
      const tokens = await janesTokens();
      for (const token of [tokens.id_token, tokens.refresh_token]) {
        expect([await listAlerts(token), await postWebhook(token)]).toEqual([401, 401]);
      }
    });

    it('refuses lightweight access tokens, which lack what it needs', async () => {
      const attributes = { 'client.use.lightweight.access.token.enabled': 'true' };
      const role = 'alertmanager-webhook';
      const plain = await tokenOfNewClient('lightweight', { attributes, role });
      expect(await postWebhook(plain)).toBe(401);
      const withAudience = await tokenOfNewClient('lightweight-with-audience', {
        attributes,
        role,
        protocolMappers: [toRenku],
      });
      expect(await postWebhook(withAudience)).toBe(403);
    });

    it('answers 401 to a token of another realm', async () => {
      const login = { client_id: 'admin-cli', username: ADMIN.user, password: ADMIN.password };
      expect(await postWebhook((await keycloak.tokens('master', login)).access_token)).toBe(401);
    });

    it('follows the keys of the realm, new ones and withdrawn ones', async () => {
      const first = await alertmanagersToken();
      const [signing] = (await keysOf()).filter(({ kid }) => kid === keyIdOf(first));

      await addKey(200);
      const second = await alertmanagersToken();
      expect(keyIdOf(second)).not.toBe(keyIdOf(first));
      expect([await postWebhook(second), await postWebhook(first)]).toEqual([200, 200]);

      await withdrawKey(signing!.providerId);
      await addKey(300);
      const third = await alertmanagersToken();
      expect([keyIdOf(first), keyIdOf(second)]).not.toContain(keyIdOf(third));
      expect([await postWebhook(third), await postWebhook(second)]).toEqual([200, 200]);
      expect(await postWebhook(first)).toBe(401);
    });

    it("takes the requests of the administrators' guide and of the older one, as they are printed", async () => {
      // Between their quotes goes what Keycloak makes, not any secret.
      secret = (await setUpAsJson('--rotate-secret')).client_secret!;
      const older = await readFile(join(import.meta.dirname, 'guide', 'verification.sh'), 'utf8');
      for (const text of [older, ...guideBlocksOf('requests').map(({ text }) => text)]) {
        const script = replaceWords(text, {
          'https://your-renku-instance.com/auth/realms/Renku': keycloak.issuer('Renku'),
          'https://your-renku-instance.com': server.url,
          YOUR_CLIENT_SECRET: secret,
          KEYCLOAK_USER_ID: jane,
        });
        const { status, stdout } = await runInBash(script);
        expect({ status, stdout }).toEqual({
          status: 0,
          stdout: expect.stringContaining('"stored":1') as string,
        });
      }
      const titles = (await janesAlerts()).map(({ title }) => title);
      expect(titles).toEqual(expect.arrayContaining(['A first alert', 'Test Alert']));
    });

    async function keysOf(): Promise<{ kid: string; providerId: string }[]> {
      return (
        await keycloak.administer<{ keys: { kid: string; providerId: string }[] }>('GET', '/Renku/keys')
      ).keys;
    }

    async function addKey(priority: number): Promise<void> {
      const { id } = await keycloak.administer<{ id: string }>('GET', '/Renku');
      await keycloak.administer('POST', '/Renku/components', {
        name: `rsa-${priority}`,
        providerId: 'rsa-generated',
        providerType: 'org.keycloak.keys.KeyProvider',
        parentId: id,
        config: { priority: [`${priority}`], algorithm: ['RS256'] },
      });
    }

    async function withdrawKey(providerId: string): Promise<void> {
      const component = await keycloak.administer<{ config: object }>(
        'GET',
        `/Renku/components/${providerId}`,
      );
      const config = { ...component.config, enabled: ['false'], active: ['false'] };
      await keycloak.administer('PUT', `/Renku/components/${providerId}`, { ...component, config });
    }
  });
});

describe('A realm whose client was made by hand', () => {
  const REALM = 'by-hand';

  beforeAll(async () => {
    await keycloak.administer('POST', '', { realm: REALM, enabled: true });
    for (const name of ['alertmanager-webhook', 'secrets-of-all']) {
      await keycloak.administer('POST', `/${REALM}/roles`, { name });
    }
    const [webhookRole, other] = await Promise.all(
      ['alertmanager-webhook', 'secrets-of-all'].map((name) =>
        keycloak.administer<{ id: string }>('GET', `/${REALM}/roles/${name}`),
      ),
    );
    await keycloak.administer('POST', `/${REALM}/roles-by-id/${webhookRole!.id}/composites`, [other]);
    const client = await keycloak.administer('POST', `/${REALM}/clients`, {
      clientId: 'alertmanager',
      description: 'Made by hand',
      publicClient: true,
      standardFlowEnabled: true,
      directAccessGrantsEnabled: true,
      redirectUris: ['https://example.org/*'],
      webOrigins: ['*'],
      attributes: { 'client.use.lightweight.access.token.enabled': 'true', login_theme: 'keycloak' },
      defaultClientScopes: ['email'],
      optionalClientScopes: ['roles'],
      protocolMappers: [
        {
          name: 'to renku',
          protocol: 'openid-connect',
          protocolMapper: 'oidc-audience-mapper',
          config: {
            'included.custom.audience': 'renku',
            'access.token.claim': 'false',
            'id.token.claim': 'true',
          },
        },
      ],
    });
    await keycloak.administer('POST', `/${REALM}/clients/${client}/scope-mappings/realm`, [other]);
  });

  it('is put right, and nothing else about it is changed', async () => {
    const planned = await setUpAsJson('--realm', REALM, '--dry-run');
    expect(await clientOf(REALM)).toMatchObject({ publicClient: true });
    const secretFile = join(folder, 'given');
    await writeFile(secretFile, 'a-secret-that-is-given\n');
    const done = await setUpAsJson('--realm', REALM, '--secret-file', secretFile);
    expect(done.kubectl).toContain(`--from-file=oauth2-client-secret=${secretFile}`);
    const form = { client_id: 'alertmanager', client_secret: 'a-secret-that-is-given' };
    expect((await keycloak.tokens(REALM, form)).access_token).toMatch(/^ey/);
    const byWhat = Object.fromEntries(done.steps.map(({ what, ...rest }) => [what, rest]));
    expect(byWhat).toMatchObject({
      [`realm ${REALM}`]: { state: 'ok' },
      'role alertmanager-webhook': { state: 'changed', changes: ['no longer brings secrets-of-all'] },
      'role renku-admin': { state: 'created' },
      'client alertmanager': {
        state: 'changed',
        changes: expect.arrayContaining([
          'publicClient: true → false',
          'serviceAccountsEnabled: false → true',
          'standardFlowEnabled: true → false',
          'directAccessGrantsEnabled: true → false',
          'fullScopeAllowed: true → false',
          'redirectUris: https://example.org/* → none',
          'webOrigins: * → none',
          'client.use.lightweight.access.token.enabled: true → false',
          'default scope basic: added',
          'default scope roles: added',
        ]) as string[],
      },
      'audience renku in its access tokens': {
        state: 'changed',
        changes: ['access.token.claim: off → true', 'id.token.claim: true → false'],
      },
      'role alertmanager-webhook in its scope': {
        state: 'created',
        changes: ['role secrets-of-all: no longer in its scope'],
      },
    });
    // A dry run cannot know the service account that there is not, nor the token.
    const comparable = ({ steps }: Setup): Step[] => steps.slice(0, 6);
    expect(comparable(planned)).toEqual(comparable(done));
    expect(await clientOf(REALM)).toMatchObject({
      description: 'Made by hand',
      attributes: { login_theme: 'keycloak' },
      protocolMappers: [{ name: 'to renku' }],
    });
    expect(states(await setUpAsJson('--realm', REALM))).toEqual(['ok']);
  });

  it('loses what its service account was given besides', async () => {
    const { id } = await clientOf(REALM);
    const account = await keycloak.administer<{ id: string }>(
      'GET',
      `/${REALM}/clients/${id}/service-account-user`,
    );
    const { id: management } = await clientOf(REALM, 'realm-management');
    const right = await keycloak.administer<object>(
      'GET',
      `/${REALM}/clients/${management}/roles/manage-users`,
    );
    await keycloak.administer('POST', `/${REALM}/users/${account.id}/role-mappings/clients/${management}`, [
      right,
    ]);
    await keycloak.administer('POST', `/${REALM}/clients/${id}/scope-mappings/clients/${management}`, [
      right,
    ]);

    expect(stepsNotOk(await setUpAsJson('--realm', REALM))).toEqual([
      {
        what: 'role alertmanager-webhook in its scope',
        state: 'changed',
        changes: ['role manage-users: no longer in its scope'],
      },
      {
        what: 'role alertmanager-webhook of its service account, and no other',
        state: 'changed',
        changes: ['role manage-users: taken from it'],
      },
    ]);
    expect(states(await setUpAsJson('--realm', REALM))).toEqual(['ok']);
  });

  it("can be set up by a client of its own, with the rights that the error's sentence names", async () => {
    const id = await keycloak.administer('POST', `/${REALM}/clients`, {
      clientId: 'set-up',
      secret: 'its-secret',
      serviceAccountsEnabled: true,
    });
    const args = [
      ...['keycloak', 'setup', '--url', keycloak.url, '--realm', REALM],
      ...['--admin-realm', REALM, '--admin-client', 'set-up'],
    ];
    const env = { KEYCLOAK_ADMIN_CLIENT_SECRET: 'its-secret' };
    const refused = await sessionAlerts(args, env);
    expect(refused.status).toBe(1);
    expectSentence(refused.stderr);
    const rights = refused.stderr.match(/manage-\w+/g) ?? [];
    expect(rights).not.toEqual([]);

    const account = await keycloak.administer<{ id: string }>(
      'GET',
      `/${REALM}/clients/${id}/service-account-user`,
    );
    const { id: management } = await clientOf(REALM, 'realm-management');
    const roles = await Promise.all(
      rights.map((name) => keycloak.administer('GET', `/${REALM}/clients/${management}/roles/${name}`)),
    );
    await keycloak.administer(
      'POST',
      `/${REALM}/users/${account.id}/role-mappings/clients/${management}`,
      roles,
    );
    expect(await sessionAlerts([...args, '--rotate-secret'], env)).toMatchObject({ status: 0 });
  });
});

describe('A realm whose tokens carry no roles', () => {
  it('is named as what is wrong, after a new secret was handed over', async () => {
    await keycloak.administer('POST', '', { realm: 'without-roles', enabled: true });
    const scopes = await keycloak.administer<
      { id: string; name: string; protocolMappers?: { id: string }[] }[]
    >('GET', '/without-roles/client-scopes');
    const roles = scopes.find(({ name }) => name === 'roles');
    for (const { id } of roles?.protocolMappers ?? []) {
      await keycloak.administer(
        'DELETE',
        `/without-roles/client-scopes/${roles!.id}/protocol-mappers/models/${id}`,
      );
    }

    const run = await setUp('--realm', 'without-roles', '--json');
    expect(run.status).toBe(1);
    expectSentence(run.stderr);
    expect(run.stderr).toContain('it does not carry the role alertmanager-webhook');
    const { client_secret: secret } = JSON.parse(run.stdout) as Setup;
    const form = { client_id: 'alertmanager', client_secret: secret! };
    expect((await keycloak.tokens('without-roles', form)).access_token).toMatch(/^ey/);
  });
});

describe('The realm that comes with the package', () => {
  it('is as the set-up would make it', async () => {
    const file = join(import.meta.dirname, '..', '..', 'deploy', 'keycloak', 'realm-renku.json');
    const realm = JSON.parse((await readFile(file, 'utf8')).replaceAll(/\$\{\w+\}/g, 'filled-in')) as object;
    await keycloak.administer('POST', '', { ...realm, realm: 'packaged' });
    expect(stepsNotOk(await setUpAsJson('--realm', 'packaged'))).toEqual([]);
  });
});

describe('Errors', () => {
  it('say that the login is wrong, without the password', async () => {
    const args = ['keycloak', 'setup', '--url', keycloak.url, '--admin-user', ADMIN.user];
    const run = await sessionAlerts(args, { KEYCLOAK_ADMIN_PASSWORD: 'no-such-password' });
    expect(run).toMatchObject({ status: 1, stdout: '' });
    expectSentence(run.stderr);
    expect(run.stderr).toContain('--admin-realm');
    expect(run.stderr).not.toContain('no-such-password');
  });

  it('say that there is no Keycloak', async () => {
    const url = keycloak.url.replace('/auth', '/elsewhere');
    const env = { KEYCLOAK_ADMIN_PASSWORD: ADMIN.password };
    const run = await sessionAlerts(['keycloak', 'setup', '--url', url, '--admin-user', ADMIN.user], env);
    expect(run).toMatchObject({ status: 1, stdout: '' });
    expectSentence(run.stderr);
    expect(run.stderr).toContain('--url');
  });

  it('say that a secret is wrong', async () => {
    const args = ['--api-url', 'http://127.0.0.1:9', '--issuer', keycloak.issuer('Renku'), '--user', 'jane'];
    const run = await sessionAlerts(['send-test-alert', ...args], {
      ALERTMANAGER_CLIENT_SECRET: 'no-such-secret',
    });
    expect(run).toMatchObject({ status: 1, stdout: '' });
    expect(run.stderr).toContain("check the client's id and secret");
    expect(run.stderr).not.toContain('no-such-secret');
  });

  it('leave no secret in what Keycloak logs', async () => {
    const { client_secret: secret } = await setUpAsJson('--realm', 'by-hand', '--rotate-secret');
    expect(secret).toMatch(/\S{32}/);
    expect(keycloak.log).not.toContain(secret!);
    expect(keycloak.log).not.toContain(ADMIN.password);
  });

  it('are none where Keycloak is named without its path', async () => {
    const url = keycloak.url.replace('/auth', '');
    const env = { KEYCLOAK_ADMIN_PASSWORD: ADMIN.password };
    const args = [
      'keycloak',
      'setup',
      '--url',
      url,
      '--admin-user',
      ADMIN.user,
      '--realm',
      'by-hand',
      '--dry-run',
    ];
    expect(await sessionAlerts(args, env)).toMatchObject({
      status: 0,
      stderr: `Logged in to ${keycloak.url}.\n`,
    });
  });
});

describe("A realm in which Renku's own script has made the client", () => {
  const REALM = 'Renkus-own';

  async function addClient(clientId: string, role: object): Promise<void> {
    const id = await keycloak.administer('POST', `/${REALM}/clients`, {
      clientId,
      secret: `the secret of ${clientId}`,
      serviceAccountsEnabled: true,
    });
    const account = await keycloak.administer<{ id: string }>(
      'GET',
      `/${REALM}/clients/${id}/service-account-user`,
    );
    await keycloak.administer('POST', `/${REALM}/users/${account.id}/role-mappings/realm`, [role]);
  }

  const clientIds = async (): Promise<string[]> =>
    (await keycloak.administer<KnownClient[]>('GET', `/${REALM}/clients`))
      .map(({ clientId }) => clientId)
      .filter((clientId) => clientId.startsWith('alertmanager'))
      .sort();

  let role: object;
  beforeAll(async () => {
    await keycloak.administer('POST', '', { realm: REALM, enabled: true });
    await keycloak.administer('POST', `/${REALM}/roles`, { name: 'alertmanager-webhook' });
    role = await keycloak.administer<object>('GET', `/${REALM}/roles/alertmanager-webhook`);
    await addClient('alertmanager-webhook', role);
  });

  it('keeps it with its secret, sets it right, and says how it is called', async () => {
    const run = await setUp('--realm', REALM);
    expect(run.status).toBe(0);
    expect(run.stdout).toMatch(/^changed +client alertmanager-webhook /m);
    expect(run.stdout).toMatch(/^ok +client secret$/m);
    expect(run.stdout).toContain('The client is called alertmanager-webhook: give --client-id');
    expect(run.stdout).not.toContain('warning');
    expect(await clientIds()).toEqual(['alertmanager-webhook']);
    const form = {
      client_id: 'alertmanager-webhook',
      client_secret: 'the secret of alertmanager-webhook',
    };
    expect((await keycloak.tokens(REALM, form)).access_token).toMatch(/^ey/);
  });

  it("takes the guide's where both have the role, and warns of the other", async () => {
    await addClient('alertmanager', role);
    const setup = await setUpAsJson('--realm', REALM);
    expect(setup.client_id).toBe('alertmanager');
    expect(setup.warnings).toEqual([
      expect.stringMatching(/^The client alertmanager-webhook may post webhooks as well: .*--client-id/),
    ]);
    const other = await setUpAsJson('--realm', REALM, '--client-id', 'alertmanager-webhook');
    expect(other.client_id).toBe('alertmanager-webhook');
    expect(other.warnings).toEqual([expect.stringMatching(/^The client alertmanager may post webhooks/)]);
  });

  it('takes the one that has the role, and no other has', async () => {
    const { id } = await keycloak.administer<{ id: string }>(
      'GET',
      `/${REALM}/clients/${(await clientOf(REALM)).id}/service-account-user`,
    );
    await keycloak.administer('DELETE', `/${REALM}/users/${id}/role-mappings/realm`, [role]);
    const setup = await setUpAsJson('--realm', REALM);
    expect([setup.client_id, setup.warnings]).toEqual(['alertmanager-webhook', []]);
  });
});
