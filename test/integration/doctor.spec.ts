import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { RequestListener, ServerResponse } from 'node:http';
import { createServer as createMailServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { makeVapidKeys } from '../../src/delivery/vapid-keys.js';
import { TOKEN_ALGORITHMS } from '../../src/options/module-options.js';
import { selfSignedCertificate, trust } from '../support/certificate.js';
import { createTestDatabase, execute } from '../support/database.js';
import {
  answerJson,
  doctorsFindings,
  notChecked,
  runDoctor,
  troubles,
  withProgram,
} from '../support/doctor.js';
import { startIssuer, startTestServer, waitUntil } from '../support/server.js';
import type { TestIssuer, TestServer } from '../support/server.js';
import { Signer } from '../support/signer.js';

describe('Told nothing', () => {
  it('checks nothing, says what to give, and ends well', async () => {
    const { exitCode, stdout, stderr } = await runDoctor([]);

    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout.split('\n')).toEqual([
      expect.stringMatching(/^ok {11}settings: no issuer given, audience renku/),
      'not checked  database: set DATABASE_URL as the server has it',
      'not checked  issuer: give --issuer or set OIDC_ISSUER',
      'not checked  token: give --issuer or set OIDC_ISSUER',
      'not checked  server: give --api-url, such as https://host/api/data',
      'not checked  readiness: give --api-url, such as https://host/api/data',
      'not checked  clocks: because nobody has told the time',
      'not checked  webhook: give --api-url, such as https://host/api/data',
      'not checked  alertmanager: give --alertmanager-url or set ALERTMANAGER_URLS',
      'not checked  prometheus: give --prometheus-url',
      'not checked  users: give --prometheus-url or --alertmanager-url',
      'not checked  feed: give --api-url, such as https://host/api/data',
      '',
    ]);
  });

  it('has colours on a screen, and none elsewhere or where they are not wanted', async () => {
    const escape = '\u001b[';
    expect((await runDoctor([], {}, { isTTY: true })).stdout).toContain(escape);
    expect((await runDoctor([], { NO_COLOR: '1' }, { isTTY: true })).stdout).not.toContain(escape);
    expect((await runDoctor([])).stdout).not.toContain(escape);
  });
});

describe('Called wrongly', () => {
  it.each([
    ['an unknown option', ['--prometheus', 'http://p']],
    ['no address', ['--prometheus-url', 'prometheus:9090']],
    ['a password in an address', ['--alertmanager-url', 'http://jane:hunter2@alertmanager']],
    ['a secret as an argument', ['--client-secret', 'hunter2']],
    ['a file that is not there', ['--client-secret-file', '/does/not/exist']],
  ])('with %s it ends with 2, looks at nothing and repeats no secret', async (_, args) => {
    const { exitCode, stdout, stderr } = await runDoctor(args);

    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain('--');
    expect(stderr).not.toContain('hunter2');
  });
});

describe('The settings', () => {
  it('are wrong where the server would not start, and the rest is looked at all the same', async () => {
    const findings = await doctorsFindings([], {
      EXPIRE_AFTER: 'long',
      PORT: 'http',
      ALERTMANAGER_USERNAME: 'jane',
      DATABASE_URL: 'postgresql://jane:hunter2@127.0.0.1:1/alerts',
    });

    expect(findings.filter(({ check }) => check === 'settings').map(({ mend }) => mend)).toEqual([
      expect.stringContaining('PORT must be a whole number'),
      expect.stringContaining('EXPIRE_AFTER must be a duration'),
      expect.stringContaining('ALERTMANAGER_USERNAME and ALERTMANAGER_PASSWORD_FILE go together'),
    ]);
    expect(troubles(findings)['database']).toContain('ECONNREFUSED');
    expect(JSON.stringify(findings)).not.toContain('hunter2');
  });

  it('must hold no passwords in addresses', async () => {
    const findings = await doctorsFindings([], {
      ALERTMANAGER_URLS: 'http://alertmanager:9093, http://jane:hunter2@alertmanager:9093',
      OIDC_ISSUER: 'http://jane:hunter2@127.0.0.1:1/realms/Renku',
    });

    expect(findings.filter(({ check }) => check === 'settings').map(({ mend }) => mend)).toEqual([
      'OIDC_ISSUER must hold no user and password',
      'ALERTMANAGER_URLS must hold no user and password',
    ]);
    expect(JSON.stringify(findings)).not.toContain('hunter2');
  });
});

describe('The database', () => {
  it('without tables is named, and stays without', async () => {
    const database = await createTestDatabase({ migrated: false });
    try {
      const findings = await doctorsFindings([], { DATABASE_URL: database.url });
      expect(troubles(findings)).toEqual({
        'database.migrations': expect.stringMatching(/^Not applied: .+, .+session-alerts migrate/) as string,
      });
      const tables = `SELECT relname FROM pg_class WHERE relname LIKE 'session_alerts%'`;
      expect(await execute(database.url, tables)).toEqual([]);
    } finally {
      await database.drop();
    }
  });

  it.each(['migrations', 'session_alerts_migrations'])(
    'with the list of versions before, %s outside of the schema, is migrated, and the list stays there',
    async (list) => {
      const database = await createTestDatabase();
      try {
        await execute(
          database.url,
          `ALTER TABLE session_alerts.session_alerts_migrations SET SCHEMA public;
           ALTER TABLE public.session_alerts_migrations RENAME TO a_list; ALTER TABLE public.a_list RENAME TO ${list}`,
        );
        const findings = await doctorsFindings([], { DATABASE_URL: database.url });
        expect(troubles(findings)).toEqual({});
        expect(findings).toContainEqual(
          expect.objectContaining({ check: 'database.migrations', status: 'ok' }),
        );
        expect(await execute(database.url, `SELECT FROM public.${list}`)).not.toEqual([]);
      } finally {
        await database.drop();
      }
    },
  );

  it('of a newer version is named', async () => {
    const database = await createTestDatabase();
    try {
      await execute(
        database.url,
        `INSERT INTO session_alerts.session_alerts_migrations (timestamp, name)
         VALUES (2000000000000, 'Later2000000000000')`,
      );
      const findings = await doctorsFindings([], { DATABASE_URL: database.url });
      expect(troubles(findings)).toEqual({
        'database.migrations': expect.stringMatching(
          /newer version, .*Later2000000000000.*undo it/,
        ) as string,
      });
    } finally {
      await database.drop();
    }
  });

  it('that does not exist is named', async () => {
    const database = await createTestDatabase();
    await database.drop();

    const findings = await doctorsFindings([], { DATABASE_URL: database.url });

    expect(troubles(findings)).toEqual({
      database: expect.stringContaining('Create the database, or correct its name in DATABASE_URL') as string,
    });
    expect(notChecked(findings)['database.migrations']).toBe('because the database cannot be asked');
  });
});

describe('The issuer and its tokens', () => {
  let issuer: TestIssuer;
  let env: NodeJS.ProcessEnv;

  beforeAll(async () => {
    issuer = await startIssuer();
    env = { OIDC_ISSUER: issuer.issuer.url, ALERTMANAGER_CLIENT_SECRET: 'secret' };
  });
  afterEach(() => {
    issuer.answerInstead = undefined;
  });
  afterAll(() => issuer.close());

  /** Has the token endpoint answer so. */
  function answerTokenRequests(answer: (response: ServerResponse) => void): void {
    issuer.answerInstead = (request, response) => {
      if (!request.url?.endsWith('/token')) return false;
      answer(response);
      return true;
    };
  }

  /** Has the client get tokens with other claims or another header. */
  function giveTokens(claims: Record<string, unknown>, header: Record<string, unknown> = {}): void {
    answerTokenRequests((response) => {
      void issuer.issuer
        .sign({ realm_access: { roles: ['alertmanager-webhook'] }, ...claims }, header)
        .then((token) => {
          answerJson(response, 200, { access_token: token });
        });
    });
  }

  it('are ok, with the secret from a file too', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'session-alerts-doctor-'));
    try {
      const file = join(folder, 'secret');
      await writeFile(file, 'secret\n');
      const findings = await doctorsFindings(['--client-secret-file', file], {
        OIDC_ISSUER: issuer.issuer.url,
      });
      expect(troubles(findings)).toEqual({});
      expect(findings.find(({ check }) => check === 'token.role')?.status).toBe('ok');
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it.each<[string, Record<string, unknown>, Record<string, unknown>, string, string]>([
    [
      'of another issuer',
      { iss: 'https://other/realms/Renku' },
      {},
      'token',
      'Set OIDC_ISSUER to that address',
    ],
    ['that is no access token', { typ: 'ID' }, {}, 'token', 'no lightweight access token'],
    ['without a subject', { sub: undefined }, {}, 'token', 'Add client scope → basic'],
    ['signed with an unknown key', {}, { kid: 'unknown' }, 'token', 'OIDC_JWKS_URI'],
    ['signed in another way', {}, { alg: 'PS256' }, 'token', 'Access token signature algorithm: RS256'],
    ['without roles at all', { realm_access: undefined }, {}, 'token.role', 'Add client scope → roles'],
    [
      "with the administrators' role",
      { realm_access: { roles: ['renku-admin'] } },
      {},
      'token.role',
      'Assign role',
    ],
    ['without an audience', { aud: undefined }, {}, 'token.audience', 'Included Custom Audience: renku'],
    ['without an end', { exp: undefined }, {}, 'token.lifetime', 'Access Token Lifespan: 5 minutes'],
    [
      'that lives for weeks',
      { exp: 4_000_000_000 },
      {},
      'token.lifetime',
      'Access Token Lifespan: 5 minutes',
    ],
  ])('A token %s is named', async (_, claims, header, check, mend) => {
    giveTokens(claims, header);

    expect(troubles(await doctorsFindings([], env))).toEqual({
      [check]: expect.stringContaining(mend) as string,
    });
  });

  it('A token that is over at once is named', async () => {
    const iat = Math.floor(Date.now() / 1000);
    giveTokens({ iat, exp: iat + 20 }, {});

    expect(troubles(await doctorsFindings([], env))).toEqual({
      'token.lifetime': expect.stringContaining('Access Token Lifespan: 5 minutes') as string,
    });
  });

  it('A token whose signature was tampered with is named', async () => {
    const token = await issuer.issuer.sign({});
    const other = await issuer.issuer.sign({});
    const [head = '', payload = ''] = token.split('.');
    answerTokenRequests((response) => {
      answerJson(response, 200, { access_token: [head, payload, other.split('.')[2]].join('.') });
    });

    expect(troubles(await doctorsFindings([], env))).toEqual({
      token: expect.stringContaining("signature does not fit the issuer's published key") as string,
    });
  });

  // Word for word as Keycloak 26 answers.
  it.each([
    [
      401,
      { error: 'unauthorized_client', error_description: 'Client not enabled to retrieve service account' },
      'Service accounts roles: On',
    ],
    [
      401,
      { error: 'unauthorized_client', error_description: 'Invalid client or Invalid client credentials' },
      'Clients → alertmanager → Credentials',
    ],
    [500, { error: 'unknown_error' }, 'See the log of Keycloak'],
  ])('Keycloak refusing with %d %j is explained', async (status, body, mend) => {
    answerTokenRequests((response) => {
      answerJson(response, status, body);
    });

    expect(troubles(await doctorsFindings([], env))).toEqual({
      token: expect.stringContaining(mend) as string,
    });
  });

  it('An issuer that calls itself otherwise is named, and what needs it is not checked', async () => {
    const findings = await doctorsFindings([], {
      ...env,
      OIDC_ISSUER: issuer.issuer.url.replace('127.0.0.1', 'localhost'),
    });

    expect(troubles(findings)).toEqual({
      issuer: expect.stringContaining('(KC_HOSTNAME)') as string,
    });
    expect(notChecked(findings)).toMatchObject({
      'issuer.keys': 'because the issuer cannot be asked',
      token: 'because the issuer or its keys cannot be used',
    });
  });

  it('A realm that does not exist is named', async () => {
    const url = issuer.issuer.url.replace('Renku', 'Renko');

    expect(troubles(await doctorsFindings([], { ...env, OIDC_ISSUER: url }))).toEqual({
      issuer: expect.stringContaining("Set OIDC_ISSUER to the realm's address") as string,
    });
  });

  /** Has the issuer publish the signer's key alone, and give the client tokens that it signs. */
  function signWith(signer: Signer): void {
    const iat = Math.floor(Date.now() / 1000);
    const claims = { iat, realm_access: { roles: ['alertmanager-webhook'] } };
    issuer.answerInstead = (request, response) => {
      if (request.url?.endsWith('/certs')) answerJson(response, 200, { keys: [null, signer.jwk] });
      else if (!request.url?.endsWith('/token')) return false;
      else answerJson(response, 200, { access_token: signer.token(issuer.issuer.url, {}, claims) });
      return true;
    };
  }

  it.each(TOKEN_ALGORITHMS)('Tokens of %s are ok where the server takes them', async (algorithm) => {
    signWith(new Signer(algorithm));
    const findings = await doctorsFindings([], { ...env, TOKEN_ALGORITHMS: algorithm });
    expect(troubles(findings)).toEqual({});
    expect(findings).toContainEqual({
      check: 'issuer.keys',
      status: 'ok',
      message: `Keys for ${algorithm}: 1`,
    });
  });

  it.each<[string, Signer, NodeJS.ProcessEnv, string]>([
    [
      'of another kind',
      new Signer('RS256'),
      { TOKEN_ALGORITHMS: 'ES256' },
      'ecdsa-generated with algorithm ES256',
    ],
    [
      'too weak',
      new Signer('RS256', { kid: 'feeble', bits: 1024 }),
      {},
      'under 2048 bits are not taken: "feeble"',
    ],
  ])('Keys %s are named', async (_, signer, more, said) => {
    signWith(signer);
    expect(troubles(await doctorsFindings([], { ...env, ...more }))).toEqual({
      'issuer.keys': expect.stringContaining(said) as string,
    });
  });

  it('Keys that cannot be used are named', async () => {
    issuer.answerInstead = (request, response) => {
      if (!request.url?.endsWith('/certs')) return false;
      answerJson(response, 200, { keys: [{ kty: 'EC', alg: 'ES256', kid: 'one' }] });
      return true;
    };

    expect(troubles(await doctorsFindings([], env))).toEqual({
      'issuer.keys': expect.stringContaining('rsa-generated with algorithm RS256') as string,
    });
  });
});

describe('The server', () => {
  let issuer: TestIssuer;
  let server: TestServer;
  let env: NodeJS.ProcessEnv;

  beforeAll(async () => {
    issuer = await startIssuer();
    server = await startTestServer({ FEED_STALE_AFTER: '1s' }, { issuer });
    env = {
      DATABASE_URL: server.databaseUrl,
      OIDC_ISSUER: issuer.issuer.url,
      ALERTMANAGER_CLIENT_SECRET: 'secret',
    };
  });
  afterAll(async () => {
    await server.close();
    await issuer.close();
  });

  const api = (): string[] => ['--api-url', `${server.url}/api/data`];

  /** Has the watchdog alert arrive. */
  async function deliverWatchdog(): Promise<void> {
    const response = await fetch(server.webhookUrl, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${await server.alertmanagerToken()}`,
      },
      body: JSON.stringify({ alerts: [{ status: 'firing', labels: { alertname: 'Watchdog' } }] }),
    });
    expect(response.status).toBe(200);
  }

  it('where nothing has come through yet, doctor says where to look', async () => {
    expect(troubles(await doctorsFindings(api(), env))).toEqual({
      feed: expect.stringMatching(
        /has not arrived yet.*two minutes.*--prometheus-url and --alertmanager-url/s,
      ) as string,
    });
  });

  it('where nothing comes through any more, doctor says since when', async () => {
    await deliverWatchdog();
    const token = await server.alertmanagerToken();
    await waitUntil(async () => {
      const response = await fetch(`${server.url}/api/data/alerts/feed`, {
        headers: { authorization: `Bearer ${token}` },
      });
      return ((await response.json()) as { status: string }).status === 'stale';
    });

    expect(troubles(await doctorsFindings(api(), { ...env, FEED_STALE_AFTER: '1s' }))).toEqual({
      feed: expect.stringMatching(/arrived \d+s ago, .* not for 1s since/) as string,
    });
  });

  it('stores nothing of the dry run', async () => {
    await doctorsFindings(api(), env);

    expect(await execute(server.databaseUrl, 'SELECT id FROM session_alerts.alerts')).toEqual([]);
  });

  it('is not found without its prefix', async () => {
    const findings = await doctorsFindings(['--api-url', server.url], env);

    expect(troubles(findings)).toEqual({
      server: expect.stringMatching(/answers with 404.*with the prefix of the API/) as string,
    });
    expect(notChecked(findings)).toMatchObject({
      webhook: 'because of what is wrong with server',
      feed: 'because of what is wrong with server',
    });
  });

  it('behind a redirect is named', async () => {
    await withProgram(
      (_request, response) => response.writeHead(308, { Location: `${server.webhookUrl}?token=x` }).end(),
      async (url) => {
        expect(troubles(await doctorsFindings(['--api-url', `${url}/api/data`], env))).toEqual({
          server: expect.stringContaining(`redirects to ${server.webhookUrl}: `) as string,
        });
      },
    );
  });

  it('that is told other things than doctor is named', async () => {
    issuer.answerInstead = (request, response) => {
      if (!request.url?.endsWith('/token')) return false;
      void issuer.issuer.sign({ aud: 'other', realm_access: { roles: ['other-role'] } }).then((token) => {
        answerJson(response, 200, { access_token: token });
      });
      return true;
    };
    try {
      const told = { ...env, TOKEN_AUDIENCE: 'other', ALERTMANAGER_WEBHOOK_ROLE: 'other-role' };
      expect(troubles(await doctorsFindings(api(), told))).toEqual({
        webhook: expect.stringMatching(/refuses a token that fits these settings.*TOKEN_AUDIENCE/) as string,
      });
    } finally {
      issuer.answerInstead = undefined;
    }
  });

  it('prints no secret and no token, whatever is wrong', async () => {
    for (const secret of ['secret', 'hunter2']) {
      const told = { ...env, ALERTMANAGER_CLIENT_SECRET: secret };
      for (const flags of [[], ['--json']]) {
        const { stdout, stderr } = await runDoctor([...api(), ...flags], told);
        expect(stdout).toContain('token');
        for (const hidden of ['hunter2', 'eyJ', server.databaseUrl]) {
          expect(stdout + stderr).not.toContain(hidden);
        }
      }
    }
  });
});

describe('An Alertmanager that hides the addresses of its webhooks, as from 0.26 on', () => {
  const config = (webhook: string): string => `
receivers:
  - name: pager
    webhook_configs: [{ url: <secret>, send_resolved: true, http_config: { follow_redirects: true } }]
  - name: ours
    webhook_configs:
      - url: <secret>
        send_resolved: true
        max_alerts: 0
        http_config:
          follow_redirects: false
          oauth2: { client_id: ${webhook}, client_secret_file: /secret, token_url: 'http://127.0.0.1:1/realms/Renku/protocol/openid-connect/token' }
route:
  receiver: pager
  routes:
    - { receiver: ours, matchers: ['purpose="renku-session"'], repeat_interval: 1h, continue: false }
    - { receiver: ours, matchers: ['alertname="Watchdog"'], repeat_interval: 2m, group_interval: 1m, continue: false }
`;

  /** One that has this configuration, lists no alerts and has posted a few times. */
  function alertmanager(original: string): RequestListener {
    return ({ url }, response) => {
      if (url?.startsWith('/api/v2/status')) {
        answerJson(response, 200, {
          uptime: new Date(Date.now() - 3_600_000).toISOString(),
          cluster: { status: 'ready' },
          config: { original },
        });
      } else if (url?.startsWith('/api/v2/alerts')) answerJson(response, 200, []);
      else if (url === '/metrics') {
        response.end(
          'alertmanager_notification_requests_total{integration="webhook"} 3\n' +
            'alertmanager_notification_requests_failed_total{integration="webhook"} 1\n',
        );
      } else response.writeHead(404).end();
    };
  }

  it('is known by its client', async () => {
    await withProgram(alertmanager(config('alertmanager')), async (url) => {
      const findings = await doctorsFindings(['--alertmanager-url', url]);

      expect(troubles(findings)).toEqual({});
      expect(notChecked(findings)['alertmanager.address']).toBe('this Alertmanager hides it; give --api-url');
      expect(findings.find(({ check }) => check === 'alertmanager.delivery')?.message).toContain('2 of 3');
    });
  });

  it('is not known where another client posts', async () => {
    await withProgram(alertmanager(config('somebody')), async (url) => {
      expect(troubles(await doctorsFindings(['--alertmanager-url', url]))).toEqual({
        'alertmanager.receiver': expect.stringContaining('Add the receiver of deploy/alertmanager') as string,
      });
    });
  });

  it('is told apart from others', async () => {
    await withProgram(alertmanager(config('alertmanager')), async (one) => {
      await withProgram(alertmanager('route: { receiver: default }'), async (other) => {
        const findings = await doctorsFindings(['--alertmanager-url', one, other]);
        expect(troubles(findings)).toEqual({
          'alertmanager.receiver': expect.stringContaining(`${other}: No receiver`) as string,
        });
      });
    });
  });

  it.each<[string, NodeJS.ProcessEnv, string | undefined]>([
    [
      'is that of the files, where it posts by another',
      {},
      'alerts come by the receiver ours: what webhooks lose is not opened',
    ],
    ['is its own', { RECONCILE_RECEIVER: 'our.' }, undefined],
    ['is any', { RECONCILE_RECEIVER: '.*' }, 'matches pager too'],
  ])('whose receiver to reconcile with %s', async (_what, env, trouble) => {
    await withProgram(alertmanager(config('alertmanager')), async (url) => {
      const found = troubles(await doctorsFindings([], { ALERTMANAGER_URLS: url, ...env }));
      if (trouble === undefined) expect(found).toEqual({});
      else {
        expect(found['alertmanager.reconciling']).toContain(trouble);
        expect(found['alertmanager.reconciling']).toMatch(/>> Set RECONCILE_RECEIVER=ours on the server$/);
      }
    });
  });

  it('that posts and is not reconciled with is named, as the server has noted it', async () => {
    const database = await createTestDatabase();
    const env = { DATABASE_URL: database.url, ALERTMANAGER_URLS: 'http://127.0.0.1:1' };
    try {
      const before = await doctorsFindings([], env);
      expect(troubles(before)).not.toHaveProperty('database.alertmanagers');
      await execute(
        database.url,
        `INSERT INTO session_alerts.reconciling (id, replica, last_run, unasked)
         VALUES (1, gen_random_uuid(), now(), '{http://stranger.example:9093}')`,
      );
      expect(troubles(await doctorsFindings([], env))['database.alertmanagers']).toMatch(
        /"http:\/\/stranger\.example:9093".*ALERTMANAGER_URLS/,
      );
    } finally {
      await database.drop();
    }
  });

  it('whose matchers cannot be evaluated is not judged', async () => {
    const odd = config('alertmanager').replace('purpose="renku-session"', 'purpose=~"[[:alpha:]]("');
    await withProgram(alertmanager(odd), async (url) => {
      const findings = await doctorsFindings(['--alertmanager-url', url]);
      expect(notChecked(findings)['alertmanager.route']).toContain('cannot be evaluated here');
    });
  });
});

describe('A neighbour', () => {
  it('that never answers is given up', async () => {
    const startedAt = Date.now();
    await withProgram(
      () => undefined,
      async (url) => {
        expect(troubles(await doctorsFindings(['--prometheus-url', url]))).toEqual({
          prometheus: expect.stringContaining('gave up waiting for') as string,
        });
      },
    );
    expect(Date.now() - startedAt).toBeLessThan(30_000);
  });

  it('that is another program is named', async () => {
    await withProgram(
      (_request, response) => response.end('<html>'),
      async (url) => {
        const args = ['--prometheus-url', url, '--alertmanager-url', url, '--issuer', url];
        expect(troubles(await doctorsFindings(args))).toEqual({
          issuer: expect.stringContaining('calls itself') as string,
          alertmanager: expect.stringContaining('without /api/v2') as string,
          prometheus: expect.stringContaining('without /api/v1') as string,
        });
      },
    );
  });

  it('cannot make the screen obey it', async () => {
    await withProgram(
      (_request, response) => {
        answerJson(response, 200, { issuer: 'http://x/\u001b[2J' });
      },
      async (url) => {
        const { stdout } = await runDoctor(['--issuer', url]);
        expect(stdout).toContain('calls itself');
        expect(stdout).not.toContain('\u001b');
      },
    );
  });
});

describe('What tells people outside of the page', () => {
  const { publicKey, privateKey } = makeVapidKeys();
  const certificate = selfSignedCertificate('localhost');
  let folder: string;
  let said: string[];
  let mail: Server;
  let port: number;
  let offers: string[];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'doctor-delivery-'));
    await writeFile(join(folder, 'key'), privateKey);
    await writeFile(join(folder, 'other'), makeVapidKeys().privateKey);
    await writeFile(join(folder, 'secret'), `whsec_${Buffer.alloc(24, 7).toString('base64')}`);
    // Takes mail from jane, who knows her password.
    mail = createMailServer((socket) => {
      const speak = (connection: Socket): void => {
        const answer = (command: string): string => {
          said.push(command);
          const [verb = ''] = command.split(' ');
          if (verb === 'EHLO')
            return ['250-here', ...offers.map((offer) => `250-${offer}`), '250 HELP'].join('\r\n');
          if (verb === 'AUTH') {
            const right = Buffer.from('\0jane\0p@ss').toString('base64');
            return command === `AUTH PLAIN ${right}` ? '235 welcome' : '535 5.7.8 wrong credentials';
          }
          if (verb === 'MAIL') return command === 'MAIL FROM:<jane@here>' ? '250 so be it' : '553 not yours';
          return verb === 'STARTTLS' ? '220 go' : '221 bye';
        };
        connection
          .on('error', () => undefined)
          .on('data', (chunk: Buffer) => {
            const command = chunk.toString().trim();
            connection.write(`${answer(command)}\r\n`);
            if (command === 'STARTTLS') {
              connection.removeAllListeners('data');
              speak(new TLSSocket(connection, { isServer: true, ...certificate }));
            }
          });
      };
      speak(socket);
      socket.write('220 here\r\n');
    });
    await new Promise<void>((resolve) => mail.listen(0, resolve));
    port = (mail.address() as AddressInfo).port;
  });
  afterAll(async () => {
    await new Promise((resolve) => mail.close(resolve));
    await rm(folder, { recursive: true });
  });
  beforeEach(() => {
    said = [];
    offers = ['AUTH LOGIN PLAIN'];
  });

  const webPush = (subject = 'mailto:alerts@renku.ch', file = 'key') => ({
    WEB_PUSH_PUBLIC_KEY: publicKey,
    WEB_PUSH_PRIVATE_KEY_FILE: join(folder, file),
    WEB_PUSH_SUBJECT: subject,
  });

  async function delivery(env: NodeJS.ProcessEnv): Promise<string[]> {
    const findings = await doctorsFindings([], env);
    return findings
      .filter(({ check }) => check.startsWith('delivery'))
      .map(({ check, status, message, mend = '' }) => `${status} ${check}: ${message} >> ${mend}`);
  }

  const email = (url: string, from = 'Alerts <jane@here>') =>
    delivery({ SMTP_URL: url, MAIL_FROM: from, PUBLIC_URL: 'https://here/api' });

  it('is not looked at where the environment sets nothing of it', async () => {
    expect(await delivery({})).toEqual([]);
  });

  it('has keys of web push that fit each other, and somebody who is reached', async () => {
    expect(await delivery(webPush())).toEqual([
      expect.stringMatching(/^ok delivery.web_push.keys/),
      expect.stringMatching(/^ok delivery.web_push.subject: .*renku\.ch/),
    ]);
    expect(await delivery(webPush('https://alerts.example.org/contact', 'other'))).toEqual([
      expect.stringMatching(/^wrong delivery.web_push.keys: .* >> Set both as `session-alerts push keys`/),
      expect.stringMatching(/^wrong delivery.web_push.subject: Nobody is reached at alerts\.example\.org/),
    ]);
    expect(await delivery(webPush('mailto:nobody'))).toEqual([
      expect.stringMatching(/^wrong delivery: .* >> delivery.webPush.subject must be an address/),
    ]);
  });

  it('has a webhook that answers, whatever it says', async () => {
    const secret = { DELIVERY_WEBHOOK_SECRET_FILE: join(folder, 'secret') };
    await withProgram(
      (_request, response) => response.writeHead(405).end(),
      async (url) => {
        expect(await delivery({ ...secret, DELIVERY_WEBHOOK_URL: `${url}/hook?token=hunter2` })).toEqual([
          expect.stringMatching(/^ok delivery.webhook: http:[^?]*\/hook answers \(405 to a GET\)/),
        ]);
      },
    );
    expect(await delivery({ ...secret, DELIVERY_WEBHOOK_URL: 'http://127.0.0.1:2/' })).toEqual([
      expect.stringMatching(/^wrong delivery.webhook: .*ECONNREFUSED.* DELIVERY_WEBHOOK_URL/),
    ]);
  });

  it('has a mail server that lets us in and takes mail from the sender, with TLS where it offers it', async () => {
    const undo = trust(certificate.cert);
    try {
      offers.push('STARTTLS');
      expect(await email(`smtp://jane:p%40ss@localhost:${port}`)).toEqual([
        expect.stringMatching(/^ok delivery.email: localhost:\d+ answers, with TLS/),
        expect.stringMatching(/^ok delivery.email.login/),
        expect.stringMatching(/^ok delivery.email.sender: it takes mail from jane@here/),
      ]);
    } finally {
      undo();
    }
    expect(said.slice(0, 3)).toEqual([
      'EHLO session-alerts.invalid',
      'STARTTLS',
      'EHLO session-alerts.invalid',
    ]);
    expect(said.filter((command) => command.startsWith('RCPT'))).toEqual([]);
  });

  it('says what is wrong with the mail server, and repeats no password', async () => {
    const wrong = await email(`smtp://jane:hunter2@127.0.0.1:${port}`);
    expect(wrong.at(-1)).toMatch(/^wrong delivery.email.login: .*wrong credentials >> .*SMTP_PASSWORD_FILE/);
    expect(JSON.stringify(wrong)).not.toContain('hunter2');
    expect((await email(`smtp://127.0.0.1:${port}`, 'joe@here')).at(-1)).toMatch(
      /^wrong delivery.email.sender: .*not yours >> Set MAIL_FROM/,
    );
    expect(await email(`smtp://jane:p%40ss@0.0.0.0:${port}`)).toEqual([
      expect.stringMatching(/^wrong delivery.email.tls: .*STARTTLS/),
    ]);
    expect(said.filter((command) => command.startsWith('AUTH'))).toHaveLength(1);
    offers.push('STARTTLS');
    expect(await email(`smtp://localhost:${port}`)).toEqual([
      expect.stringMatching(/^wrong delivery.email: .*self-signed certificate.*NODE_EXTRA_CA_CERTS/),
    ]);
    expect(await email('smtp://127.0.0.1:9')).toEqual([
      expect.stringMatching(/^wrong delivery.email: 127.0.0.1:9 cannot be reached: .*ECONNREFUSED.*SMTP_URL/),
    ]);
  });
});
