import type { Finding } from '../../cli/src/doctor/check.js';
import { sessionAlerts } from './support/command-line.js';
import { DoctorChain } from './support/doctor-chain.js';
import type { Mend } from './support/issuer-under-test.js';
import { ADMIN, Keycloak } from './support/keycloak.js';
import { startPostgres } from './support/postgres.js';
import type { StackPostgres } from './support/postgres.js';

/** The first run fetches Keycloak's distribution (ms). */
const START_TIMEOUT = 900_000;
const SECRET = 'a-secret-that-nobody-may-print';

let keycloak: Keycloak;
let postgres: StackPostgres;
let chain: DoctorChain;
let clientPath: string;

beforeAll(async () => {
  [keycloak, postgres] = await Promise.all([Keycloak.start(), startPostgres()]);
  await setUp('--create-realm');
  const clients = await keycloak.administer<{ id: string }[]>('GET', '/Renku/clients?clientId=alertmanager');
  clientPath = `/Renku/clients/${clients[0]!.id}`;
  chain = await DoctorChain.start(postgres, {
    url: keycloak.issuer('Renku'),
    clientSecret: SECRET,
    close: () => keycloak.close(),
  });
}, START_TIMEOUT);
afterAll(async () => {
  const started = chain as DoctorChain | undefined;
  await (started ? started.close() : (keycloak as Keycloak | undefined)?.close());
  await (postgres as StackPostgres | undefined)?.close();
});

function wrong(findings: Finding[]): Finding[] {
  return findings.filter(({ status }) => status === 'wrong' || status === 'warning');
}

/** What doctor says to run where client, role or audience are not right. */
async function setUp(...args: string[]): Promise<void> {
  const { status } = await sessionAlerts(
    ['keycloak', 'setup', '--url', keycloak.url, '--admin-user', ADMIN.user, ...args],
    { KEYCLOAK_ADMIN_PASSWORD: ADMIN.password, ALERTMANAGER_CLIENT_SECRET: SECRET },
  );
  expect(status).toBe(0);
}

async function changeClient(change: Record<string, unknown>): Promise<void> {
  const client = await keycloak.administer<Record<string, unknown>>('GET', clientPath);
  await keycloak.administer('PUT', clientPath, { ...client, ...change });
}

/** Gives a setting of the client's tab "Advanced" a value; returns what empties it again. */
async function setAttribute(name: string, value: string): Promise<Mend> {
  await changeClient({ attributes: { [name]: value } });
  return () => changeClient({ attributes: { [name]: '' } });
}

async function takeRoleAway(): Promise<Mend> {
  const account = await keycloak.administer<{ id: string }>('GET', `${clientPath}/service-account-user`);
  const path = `/Renku/users/${account.id}/role-mappings/realm`;
  const roles = await keycloak.administer<{ name: string }[]>('GET', path);
  const webhookRole = roles.filter(({ name }) => name === 'alertmanager-webhook');
  expect(webhookRole).toHaveLength(1);
  await keycloak.administer('DELETE', path, webhookRole);
  return setUp;
}

async function removeAudienceMapper(): Promise<Mend> {
  const path = `${clientPath}/protocol-mappers/models`;
  const mappers = await keycloak.administer<{ id: string; protocolMapper: string }[]>('GET', path);
  const [mapper] = mappers.filter(({ protocolMapper }) => protocolMapper === 'oidc-audience-mapper');
  await keycloak.administer('DELETE', `${path}/${mapper!.id}`);
  return setUp;
}

/** Changes the client in a way that its set-up mends. */
async function spoilClient(change: Record<string, unknown>): Promise<Mend> {
  await changeClient(change);
  return setUp;
}

it('all is ok with a Keycloak that was set up by its command', async () => {
  const { exitCode, stdout } = await chain.examine();

  expect(stdout.split('\n').filter((line) => line !== '' && !line.startsWith('ok '))).toEqual([]);
  expect(exitCode).toBe(0);
  expect(stdout).not.toContain(SECRET);
});

it.each<[string, () => Promise<Mend>, string, string, string]>([
  [
    'the role not assigned',
    takeRoleAway,
    'token.role',
    'lacks the role alertmanager-webhook',
    'Service accounts roles → Assign role → Realm roles → alertmanager-webhook',
  ],
  [
    'the audience mapper missing',
    removeAudienceMapper,
    'token.audience',
    'the server asks for renku: the audience mapper is missing',
    'Included Custom Audience: renku',
  ],
  [
    'a new client secret that doctor does not know',
    () => spoilClient({ secret: 'another-secret' }),
    'token',
    'the client secret is wrong',
    'Clients → alertmanager → Credentials',
  ],
  [
    'its service account turned off',
    () => spoilClient({ serviceAccountsEnabled: false }),
    'token',
    'Client not enabled to retrieve service account',
    'Service accounts roles: On',
  ],
  [
    'tokens signed in another way',
    () => setAttribute('access.token.signed.response.alg', 'PS256'),
    'token',
    'signed with PS256; the server takes RS256',
    'Access token signature algorithm: RS256',
  ],
  [
    'tokens that expire at once',
    () => setAttribute('access.token.lifespan', '20'),
    'token.lifetime',
    'It lives for 20s',
    'Access Token Lifespan: 5 minutes',
  ],
])(
  'with %s it names that and nothing else, and what it says mends it',
  async (_, put, check, message, mend) => {
    const mendIt = await put();
    try {
      expect(wrong(await chain.findings())).toEqual([
        expect.objectContaining({
          check,
          message: expect.stringContaining(message) as string,
          mend: expect.stringContaining(mend) as string,
        }),
      ]);
    } finally {
      await mendIt();
    }
    expect(wrong(await chain.findings())).toEqual([]);
  },
);

it('names a realm that there is not', async () => {
  const env = { OIDC_ISSUER: keycloak.issuer('Renko') };

  expect(wrong(await chain.findings({ env }))).toContainEqual(
    expect.objectContaining({
      check: 'issuer',
      mend: expect.stringContaining("Set OIDC_ISSUER to the realm's address") as string,
    }),
  );
});
