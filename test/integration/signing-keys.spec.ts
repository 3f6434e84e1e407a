import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Logger } from '@nestjs/common';
import { TOKEN_ALGORITHMS } from '../../src/options/module-options.js';
import { EmbeddedIssuer } from '../../server/demo/embedded-issuer.js';
import { startIssuer, startTestServer, waitUntil } from '../support/server.js';
import type { TestIssuer, TestServer } from '../support/server.js';
import { Signer } from '../support/signer.js';

/** A look-up is granted every 15 s at the least, and one that hangs is given up after 5 s each step. */
const RECOVERY = 45_000;

let issuer: TestIssuer;
let server: TestServer;

beforeEach(async () => {
  issuer = await startIssuer();
});
afterEach(async () => {
  jest.restoreAllMocks();
  await server.close();
  await issuer.close();
});

function bearing(token: string): { headers: { authorization: string } } {
  return { headers: { authorization: `Bearer ${token}` } };
}

function list(token: string): Promise<Response> {
  return fetch(`${server.url}/api/data/alerts`, bearing(token));
}

async function statusOf(token: string): Promise<number> {
  const response = await list(token);
  await response.arrayBuffer();
  return response.status;
}

/** How many seconds from now the issuer may be asked again, at the most: 15 s pass between two look-ups. */
const LONGEST_WAIT = 15;

async function expectUnavailable(token: string): Promise<void> {
  const response = await list(token);
  expect(response.status).toBe(503);
  const retryAfter = response.headers.get('retry-after') ?? '';
  expect(retryAfter).toMatch(/^[1-9]\d?$/);
  expect(Number(retryAfter)).toBeLessThanOrEqual(LONGEST_WAIT);
  expect(await response.json()).toEqual({
    error: {
      code: 503,
      message: expect.stringMatching(/\S/) as string,
      trace_id: expect.stringMatching(/\S/) as string,
    },
  });
}

/** Waits until the token is accepted; until then it must be "try again" and never "you may not". */
async function waitUntilAccepted(token: string): Promise<void> {
  const before = new Set<number>();
  await waitUntil(async () => {
    const status = await statusOf(token);
    if (status !== 200) before.add(status);
    return status === 200;
  }, RECOVERY);
  expect([...before].filter((status) => status !== 503)).toEqual([]);
}

/** Does something with a clock that has gone on by so many ms. */
async function later(ms: number, act: () => Promise<void>): Promise<void> {
  const now = performance.now.bind(performance);
  const clock = jest.spyOn(performance, 'now').mockImplementation(() => now() + ms);
  try {
    await act();
  } finally {
    clock.mockRestore();
  }
}

function goodToken(): Promise<string> {
  return issuer.issuer.userToken({ sub: 'jane' });
}

/** Answers in the issuer's place at the path that ends so. */
function answerInstead(path: string, answer: UselessAnswer[1]) {
  let times = 0;
  issuer.answerInstead = (request, response) => {
    if (!request.url?.endsWith(path)) return false;
    times += 1;
    answer(response, request);
    return true;
  };
  return { times: () => times };
}

/** Publishes these in place of the issuer's own keys. */
function publish(...keys: unknown[]): void {
  answerInstead(CERTS, (response) => response.end(JSON.stringify({ keys })));
}

const DISCOVERY = '/.well-known/openid-configuration';
const CERTS = '/protocol/openid-connect/certs';

describe('Unknown kids', () => {
  it.each(['at once', 'one after the other'])(
    'that flood in %s cost the issuer a handful of requests, and no good token its answer',
    async (manner) => {
      server = await startTestServer({}, { issuer });
      const impostor = await EmbeddedIssuer.create({ url: issuer.issuer.url });
      const flood = await Promise.all(
        Array.from({ length: 200 }, () => impostor.sign({}, { kid: randomUUID() })),
      );
      const good = await goodToken();
      const atStart = { ...issuer.issuer.requests };

      let isOver = false;
      const goodAnswers: number[] = [];
      const sendGoodOnes = async (): Promise<void> => {
        do goodAnswers.push(await statusOf(good));
        while (!isOver);
      };
      const sendFlood = async (): Promise<number[]> => {
        if (manner === 'at once') return Promise.all(flood.map(statusOf));
        const answers: number[] = [];
        for (const token of flood) answers.push(await statusOf(token));
        return answers;
      };
      const [answers] = await Promise.all([sendFlood().finally(() => (isOver = true)), sendGoodOnes()]);

      // Who could be looked up is told that there is no such key, and nobody else.
      expect(answers.filter((status) => status !== 503).length).toBeGreaterThan(0);
      expect(answers.filter((status) => status !== 401 && status !== 503)).toEqual([]);
      expect(new Set(goodAnswers)).toEqual(new Set([200]));
      expect(issuer.issuer.requests.certs - atStart.certs).toBeLessThanOrEqual(5);
      expect(issuer.issuer.requests.discovery - atStart.discovery).toBeLessThanOrEqual(5);
    },
  );

  it('do not cost the issuer more while it is failing', async () => {
    server = await startTestServer({}, { issuer });
    const impostor = await EmbeddedIssuer.create({ url: issuer.issuer.url });
    const good = await goodToken();
    const broken = answerInstead(DISCOVERY, (response) => response.writeHead(500).end());
    const flood = await Promise.all(
      Array.from({ length: 100 }, () => impostor.sign({}, { kid: randomUUID() })),
    );
    for (const token of flood) expect(await statusOf(token)).toBe(503);
    expect(broken.times()).toBeLessThanOrEqual(5);
    expect(await statusOf(good)).toBe(200);
  });
});

describe('When the look-ups are used up', () => {
  /** Sends tokens under unknown keys until there is no look-up left. */
  async function useUpLookUps(): Promise<void> {
    const impostor = await EmbeddedIssuer.create({ url: issuer.issuer.url });
    for (let sent = 0; sent < 6; sent += 1) await statusOf(await impostor.sign({}, { kid: randomUUID() }));
  }

  it('a token under an unknown key is told when to try again, and then it is good', async () => {
    server = await startTestServer({}, { issuer });
    await useUpLookUps();
    await issuer.issuer.rotateKeys();
    const token = await goodToken();
    await expectUnavailable(token);
    const retryAfter = Number((await list(token)).headers.get('retry-after'));
    await later(retryAfter * 1000, async () => {
      expect(await statusOf(token)).toBe(200);
    });
  });

  it('a webhook under an unknown key is 503, so that Alertmanager sends it again', async () => {
    server = await startTestServer({}, { issuer });
    await useUpLookUps();
    await issuer.issuer.rotateKeys();
    const response = await fetch(server.webhookUrl, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await server.alertmanagerToken()}`,
        'content-type': 'application/json',
      },
      body: '{"version":"4","alerts":[]}',
    });
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toMatch(/^[1-9]\d?$/);
  });

  it('a signature that fails under a known key may be that of a new key: it is told when to try again', async () => {
    server = await startTestServer({}, { issuer });
    const known = await goodToken();
    await useUpLookUps();
    await expectUnavailable(new Signer('RS256').token(issuer.issuer.url, { kid: issuer.issuer.currentKid }));
    expect(await statusOf(known)).toBe(200);
  });

  it('what no key could make good is 401, and costs no look-up', async () => {
    server = await startTestServer({}, { issuer });
    await issuer.issuer.rotateKeys();
    const { certs } = issuer.issuer.requests;
    const hopeless = await Promise.all([
      issuer.issuer.userToken({ sub: 'jane', lifetime: -31 }),
      issuer.issuer.sign({ exp: undefined }),
      issuer.issuer.sign({ sub: undefined }),
      issuer.issuer.sign({ iss: 'https://elsewhere.example/auth/realms/Renku' }),
      issuer.issuer.sign({ typ: 'ID' }),
      issuer.issuer.sign({}, { alg: 'RS512' }),
      issuer.issuer.sign({}, { crit: ['b64'], b64: true }),
      issuer.issuer.signText('null'),
      goodToken().then((token) => `${token}.e30.e30`),
    ]);
    for (const token of hopeless) expect(await statusOf(token)).toBe(401);
    expect(issuer.issuer.requests.certs).toBe(certs);
    expect(await statusOf(await goodToken())).toBe(200);
  });
});

describe('The same kid with a new key', () => {
  it('is asked for when the signature fails, and the old key is none any more', async () => {
    const [old, young] = [
      new Signer('RS256', { kid: 'one' }),
      new Signer('RS256', { kid: 'one', bits: 3072 }),
    ];
    publish(old.jwk);
    server = await startTestServer({}, { issuer });
    expect(await statusOf(old.token(issuer.issuer.url))).toBe(200);
    publish(young.jwk);
    expect(await statusOf(young.token(issuer.issuer.url))).toBe(200);
    expect(await statusOf(old.token(issuer.issuer.url))).toBe(401);
  });

  it('and another algorithm is asked for as well', async () => {
    const [old, young] = [new Signer('RS256', { kid: 'one' }), new Signer('ES256', { kid: 'one' })];
    publish(old.jwk);
    server = await startTestServer({ TOKEN_ALGORITHMS: 'RS256 ES256' }, { issuer });
    expect(await statusOf(old.token(issuer.issuer.url))).toBe(200);
    publish(young.jwk);
    expect(await statusOf(young.token(issuer.issuer.url))).toBe(200);
    expect(await statusOf(old.token(issuer.issuer.url))).toBe(401);
  });

  it.each(['at once', 'one after the other'])(
    'is not confused by signatures of nobody that flood in %s: they cost a handful of requests',
    async (manner) => {
      server = await startTestServer({}, { issuer });
      const good = await goodToken();
      const impostor = new Signer('RS256', { kid: issuer.issuer.currentKid });
      const { certs } = issuer.issuer.requests;
      const flood = Array.from({ length: 100 }, () => impostor.token(issuer.issuer.url));
      const answers: number[] = [];
      if (manner === 'at once') answers.push(...(await Promise.all(flood.map(statusOf))));
      else for (const token of flood) answers.push(await statusOf(token));
      expect(answers.filter((status) => status === 401).length).toBeGreaterThan(0);
      expect(answers.filter((status) => status !== 401 && status !== 503)).toEqual([]);
      expect(issuer.issuer.requests.certs - certs).toBeLessThanOrEqual(5);
      expect(await statusOf(good)).toBe(200);
      expect(await statusOf(await goodToken())).toBe(200);
    },
  );
});

describe('A token of the algorithm', () => {
  it.each(TOKEN_ALGORITHMS)('%s is good where it is allowed, and 401 where another is', async (algorithm) => {
    const signer = new Signer(algorithm);
    const other = algorithm === 'RS256' ? 'ES256' : 'RS256';
    publish(signer.jwk, new Signer(other).jwk);
    const token = signer.token(issuer.issuer.url);
    server = await startTestServer({ TOKEN_ALGORITHMS: algorithm }, { issuer });
    expect(await statusOf(token)).toBe(200);
    const strict = await startTestServer({ TOKEN_ALGORITHMS: other }, { issuer });
    try {
      expect((await fetch(`${strict.url}/api/data/alerts`, bearing(token))).status).toBe(401);
    } finally {
      await strict.close();
    }
  });

  it('is good under every key of its kind whose entry names none, and under no other', async () => {
    const [rsa, curve] = [new Signer('PS384', { kid: 'one' }), new Signer('ES384', { kid: 'two' })];
    publish({ ...rsa.jwk, alg: undefined }, { ...curve.jwk, alg: undefined });
    server = await startTestServer({ TOKEN_ALGORITHMS: TOKEN_ALGORITHMS.join() }, { issuer });
    for (const signer of [rsa, curve]) expect(await statusOf(signer.token(issuer.issuer.url))).toBe(200);
    // Keys that no signature of that algorithm can be of: the answer is 401, and no fault of ours.
    expect(await statusOf(rsa.token(issuer.issuer.url, { alg: 'ES384' }))).toBe(401);
    expect(await statusOf(curve.token(issuer.issuer.url, { alg: 'RS256' }))).toBe(401);
    expect(await statusOf(curve.token(issuer.issuer.url, { alg: 'ES256' }))).toBe(401);
  });

  it('other than that which the entry of its key names is 401', async () => {
    const signer = new Signer('PS256', { kid: 'one' });
    publish({ ...signer.jwk, alg: 'RS256' });
    server = await startTestServer({ TOKEN_ALGORITHMS: 'RS256,PS256' }, { issuer });
    expect(await statusOf(signer.token(issuer.issuer.url))).toBe(401);
  });

  it.each<[string, Signer[]]>([
    ['kinds', [new Signer('RS256', { kid: 'one' }), new Signer('ES256', { kid: 'one' })]],
    ['algorithms', [new Signer('RS256', { kid: 'one' }), new Signer('PS256', { kid: 'one' })]],
    ['moduli', [new Signer('RS256', { kid: 'one' }), new Signer('RS256', { kid: 'one' })]],
  ])('is good under each of two keys that share a kid: of different %s', async (_what, signers) => {
    publish(...signers.map(({ jwk }) => jwk));
    server = await startTestServer({ TOKEN_ALGORITHMS: 'RS256,PS256,ES256' }, { issuer });
    for (const signer of signers) expect(await statusOf(signer.token(issuer.issuer.url))).toBe(200);
  });
});

describe('Key rotation', () => {
  it('needs no restart, and the old key goes on while the issuer keeps it', async () => {
    server = await startTestServer({}, { issuer });
    const old = await goodToken();
    expect(await statusOf(old)).toBe(200);
    for (let rotation = 0; rotation < 3; rotation += 1) {
      await issuer.issuer.rotateKeys({ keepOld: true });
      expect(await statusOf(await goodToken())).toBe(200);
      expect(await statusOf(old)).toBe(200);
    }
  });

  it('needs no restart after a flood has used up the look-ups', async () => {
    server = await startTestServer({}, { issuer });
    const impostor = await EmbeddedIssuer.create({ url: issuer.issuer.url });
    for (let sent = 0; sent < 20; sent += 1) await statusOf(await impostor.sign({}, { kid: randomUUID() }));
    await issuer.issuer.rotateKeys({ keepOld: true });
    const token = await goodToken();
    await later(15_000, async () => {
      expect(await statusOf(token)).toBe(200);
    });
  });

  it('tokens that come together under a new key cost one look-up and are all accepted', async () => {
    server = await startTestServer({}, { issuer });
    await issuer.issuer.rotateKeys();
    const { certs } = issuer.issuer.requests;
    const tokens = await Promise.all(Array.from({ length: 50 }, goodToken));
    expect(new Set(await Promise.all(tokens.map(statusOf)))).toEqual(new Set([200]));
    expect(issuer.issuer.requests.certs).toBe(certs + 1);
  });

  it('a withdrawn key is refused as soon as the keys are fetched anew', async () => {
    server = await startTestServer({}, { issuer });
    const old = await goodToken();
    await issuer.issuer.rotateKeys({ keepOld: false });
    expect(await statusOf(await goodToken())).toBe(200);
    expect(await statusOf(old)).toBe(401);
  });

  it('a withdrawn key is refused a while after, though nobody sends another', async () => {
    server = await startTestServer({}, { issuer });
    const old = await goodToken();
    await issuer.issuer.rotateKeys({ keepOld: false });
    expect(await statusOf(old)).toBe(200);
    await later(11 * 60_000, () => waitUntil(async () => (await statusOf(old)) === 401));
  });

  it('keys for other uses beside the signing key, as Keycloak publishes them, do no harm', async () => {
    const [signing] = await publishedKeys();
    answerInstead(CERTS, (response) => {
      const others = [
        { ...signing, kid: 'encryption', use: 'enc', alg: 'RSA-OAEP' },
        {
          kid: 'agreement',
          kty: 'OKP',
          crv: 'X25519',
          use: 'sig',
          x: '3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08',
        },
        { kid: 'of-tomorrow', kty: 'AKP', alg: 'ML-DSA-65', use: 'sig', pub: 'AAAA' },
        { kid: 'broken', kty: 'RSA', use: 'sig', alg: 'RS256', n: '', e: '' },
      ];
      response.end(JSON.stringify({ keys: [...others, signing] }));
    });
    server = await startTestServer({}, { issuer });
    expect(await statusOf(await goodToken())).toBe(200);
    expect(await statusOf(await issuer.issuer.sign({}, { kid: 'encryption' }))).toBe(401);
  });
});

/** One entry of a key set that is none, or none for us, beside a good one. */
const UNUSABLE: [what: string, entry: (signer: Signer) => unknown][] = [
  ['null', () => null],
  ['a number', () => 7],
  ['a text', () => 'key'],
  ['a list', () => []],
  ['an empty object', () => ({})],
  ['of an unknown kind', () => ({ kty: 'AKP', alg: 'ML-DSA-65', kid: 'other', use: 'sig', pub: 'AAAA' })],
  ['a secret', () => ({ kty: 'oct', alg: 'HS256', kid: 'other', k: 'c2VjcmV0' })],
  ['without a kind', ({ jwk: { kty: _kty, ...rest } }) => ({ ...rest, kid: 'other' })],
  ['without a kid', ({ jwk: { kid: _kid, ...rest } }) => rest],
  ['whose kid is a number', ({ jwk }) => ({ ...jwk, kid: 7 })],
  ['whose kid is an object', ({ jwk }) => ({ ...jwk, kid: { toString: 1 } })],
  ['with an empty modulus', ({ jwk }) => ({ ...jwk, kid: 'other', n: '' })],
  ['whose modulus is no text', ({ jwk }) => ({ ...jwk, kid: 'other', n: 5 })],
  ['whose modulus is no base64', ({ jwk }) => ({ ...jwk, kid: 'other', n: '💥' })],
  ['with nothing but a certificate of nonsense', () => ({ kty: 'RSA', kid: 'other', x5c: ['AAAA'] })],
  ['with a certificate of nonsense beside its modulus', ({ jwk }) => ({ ...jwk, kid: 'other', x5c: [5] })],
  ['of a curve that there is not', ({ jwk }) => ({ ...jwk, kid: 'other', kty: 'EC', crv: 'P-1' })],
  [
    'of a point that is not on its curve',
    () => ({ kty: 'EC', kid: 'other', crv: 'P-256', x: 'A'.repeat(43), y: 'A'.repeat(43) }),
  ],
  ['whose uses are no list', ({ jwk }) => ({ ...jwk, kid: 'other', key_ops: 5 })],
  ['whose algorithm is no text', ({ jwk }) => ({ ...jwk, kid: 'other', alg: 5 })],
  ['of its own kid, for encryption', ({ jwk }) => ({ ...new Signer('RS256', jwk).jwk, use: 'enc' })],
  [
    'of its own kid, to sign with only',
    ({ jwk }) => ({ ...new Signer('RS256', jwk).jwk, key_ops: ['sign'] }),
  ],
  ['of its own kid, too weak', ({ jwk }) => new Signer('RS256', { ...jwk, bits: 1024 }).jwk],
];

describe('An entry of the key set', () => {
  it.each(UNUSABLE)('that cannot be used spoils no other: %s', async (_what, entry) => {
    const signer = new Signer('RS256', { kid: 'one' });
    publish(entry(signer), signer.jwk);
    server = await startTestServer({}, { issuer });
    expect(await statusOf(signer.token(issuer.issuer.url))).toBe(200);
  });

  it.each<[string, (signer: Signer) => unknown]>([
    ['for encryption', ({ jwk }) => ({ ...jwk, use: 'enc' })],
    ['for an unknown use', ({ jwk }) => ({ ...jwk, use: 'tls' })],
    ['to sign with only', ({ jwk }) => ({ ...jwk, key_ops: ['sign'] })],
    ['to encrypt with', ({ jwk }) => ({ ...jwk, alg: 'RSA-OAEP-256' })],
    ['with its private part', ({ jwk }) => ({ ...jwk, d: 'AQAB' })],
  ])('vouches for nothing: %s', async (_what, entry) => {
    const signer = new Signer('RS256', { kid: 'one' });
    publish(entry(signer), new Signer('RS256').jwk);
    server = await startTestServer({}, { issuer });
    expect(await statusOf(signer.token(issuer.issuer.url))).toBe(401);
  });

  it.each([
    ['under 2048 bits', { bits: 2040 }],
    ['of 1024 bits', { bits: 1024 }],
    ['whose exponent is 1', undefined],
  ])('vouches for nothing, and is named in the log: an RSA key %s', async (_what, options) => {
    const warn = jest.spyOn(Logger.prototype, 'warn');
    const signer = new Signer('RS256', { kid: 'feeble', ...options });
    publish({ ...signer.jwk, ...(!options && { e: 'AQ' }) }, new Signer('RS256').jwk);
    server = await startTestServer({}, { issuer });
    const said = () => warn.mock.calls.map(String).filter((line) => line.includes('feeble'));
    expect(said()).toEqual([expect.stringMatching(/RSA keys under 2048 bits are not taken: "feeble"/)]);
    expect(await statusOf(signer.token(issuer.issuer.url))).toBe(401);
  });

  it('is one of a hundred that are taken at the most', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn');
    const [first, last] = [new Signer('ES256'), new Signer('ES256')];
    const others = Array.from({ length: 99 }, () => new Signer('ES256').jwk);
    publish(first.jwk, ...others, last.jwk);
    server = await startTestServer({ TOKEN_ALGORITHMS: 'ES256' }, { issuer });
    expect(await statusOf(first.token(issuer.issuer.url))).toBe(200);
    expect(await statusOf(last.token(issuer.issuer.url))).toBe(401);
    expect(warn.mock.calls.map(String).join()).toMatch(/only the first 100 of 101 keys are taken/);
  });
});

describe('A redirect of the issuer', () => {
  /** Another host: it has what the attacker would like to be believed. */
  let elsewhere: TestIssuer;
  let elsewhereWasAsked = 0;

  beforeEach(async () => {
    elsewhere = await startIssuer();
    elsewhereWasAsked = 0;
    elsewhere.answerInstead = () => {
      elsewhereWasAsked += 1;
      return false;
    };
  });
  afterEach(() => elsewhere.close());

  it.each<[string, string, boolean, number]>([
    ['discovery', DISCOVERY, false, 302],
    ['discovery', DISCOVERY, false, 307],
    ['the key set', CERTS, false, 301],
    ['the key set', CERTS, false, 308],
    ['the key set named by OIDC_JWKS_URI', CERTS, true, 303],
  ])('to another host is not followed: %s (%s, %s, %d)', async (_what, path, isNamed, status) => {
    const warn = jest.spyOn(Logger.prototype, 'warn');
    const location = `${elsewhere.issuer.url}${path}?secret=hunter2`;
    const redirected = answerInstead(path, (response) => response.writeHead(status, { location }).end());
    const env = isNamed ? { OIDC_JWKS_URI: `${issuer.issuer.url}${CERTS}` } : {};
    server = await startTestServer(env, { issuer, untilReady: false });
    await waitUntil(() => redirected.times() >= 2);
    await expectUnavailable(await goodToken());
    expect(elsewhereWasAsked).toBe(0);
    const said = warn.mock.calls.map(String).join('\n');
    expect(said).toContain(`redirects to another host (${new URL(elsewhere.issuer.url).origin})`);
    expect(said).not.toContain('hunter2');

    issuer.answerInstead = undefined;
    await waitUntilAccepted(await goodToken());
  });

  it.each<[string, (path: string) => string]>([
    ['whole', (path) => `${new URL(issuer.issuer.url).origin}/moved${path}`],
    ['relative', (path) => `/moved${path}`],
  ])('within its own host is followed: %s', async (_what, target) => {
    issuer.answerInstead = (request, response) => {
      const { url = '' } = request;
      if (url.startsWith('/moved')) {
        request.url = url.slice('/moved'.length);
        void issuer.issuer.handle(request, response);
      } else {
        response.writeHead(302, { location: target(url) }).end();
      }
      return true;
    };
    server = await startTestServer({}, { issuer });
    expect(await statusOf(await goodToken())).toBe(200);
  });

  it.each([
    ['without end', DISCOVERY],
    ['to what is no address', 'http://['],
    ['to a file', 'file:///etc/passwd'],
  ])('%s is given up', async (_what, location) => {
    const discovery = answerInstead(DISCOVERY, (response, request) =>
      response.writeHead(302, { location: location === DISCOVERY ? request.url : location }).end(),
    );
    server = await startTestServer({}, { issuer, untilReady: false });
    await waitUntil(() => discovery.times() > 0);
    await expectUnavailable(await goodToken());
    issuer.answerInstead = undefined;
    await waitUntilAccepted(await goodToken());
  });
});

async function publishedKeys(): Promise<Record<string, unknown>[]> {
  const response = await fetch(`${issuer.issuer.url}${CERTS}`);
  return ((await response.json()) as { keys: Record<string, unknown>[] }).keys;
}

describe('The issuer away', () => {
  it('a token under an unknown key is told to try again, known keys go on, and it heals by itself', async () => {
    server = await startTestServer({}, { issuer });
    const known = await goodToken();
    await issuer.issuer.rotateKeys({ keepOld: true });
    const unknown = await goodToken();

    await issuer.stop();
    // More often than there are look-ups.
    for (let sent = 0; sent < 8; sent += 1) {
      await expectUnavailable(unknown);
      expect(await statusOf(known)).toBe(200);
    }

    await issuer.start();
    await waitUntilAccepted(unknown);
    expect(await statusOf(known)).toBe(200);
  });

  it('a webhook under an unknown key is 503 too, so that Alertmanager sends it again', async () => {
    server = await startTestServer({}, { issuer });
    await issuer.issuer.rotateKeys();
    await issuer.stop();
    const response = await fetch(server.webhookUrl, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await issuer.issuer.userToken({ sub: 'alertmanager', roles: ['alertmanager-webhook'] })}`,
        'content-type': 'application/json',
      },
      body: '{"version":"4","alerts":[]}',
    });
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ error: { code: 503 } });
  });

  it('before the server starts: it starts, says 503, and works once the issuer is up', async () => {
    await issuer.stop();
    server = await startTestServer({}, { issuer, untilReady: false });
    const token = await goodToken();
    await expectUnavailable(token);
    // What needs no key to be refused needs no issuer.
    expect(await statusOf('a.b.c')).toBe(401);
    expect((await fetch(`${server.url}/readyz`)).status).toBe(503);
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);

    await issuer.start();
    await waitUntil(async () => (await fetch(`${server.url}/readyz`)).ok, RECOVERY);
    expect(await statusOf(token)).toBe(200);
  });
});

describe('The discovery document', () => {
  it.each<[string, (url: string) => unknown]>([
    ['names another issuer', (url) => ({ issuer: 'https://elsewhere.example', jwks_uri: `${url}${CERTS}` })],
    ['names the issuer with a slash', (url) => ({ issuer: `${url}/`, jwks_uri: `${url}${CERTS}` })],
    ['names no issuer', (url) => ({ jwks_uri: `${url}${CERTS}` })],
    ['names no keys', (url) => ({ issuer: url })],
    ['has keys in a file', (url) => ({ issuer: url, jwks_uri: 'file:///etc/passwd' })],
    ['is null', () => null],
    ['is a list', () => []],
  ])('is never trusted while it %s', async (_what, document) => {
    const { url, requests } = issuer.issuer;
    const discovery = answerInstead(DISCOVERY, (response) => response.end(JSON.stringify(document(url))));
    server = await startTestServer({}, { issuer, untilReady: false });
    const token = await goodToken();
    await waitUntil(() => discovery.times() >= 2);
    await expectUnavailable(token);
    expect(requests.certs).toBe(0);

    issuer.answerInstead = undefined;
    await waitUntilAccepted(token);
  });

  it('is not asked for where OIDC_JWKS_URI says where the keys are', async () => {
    const discovery = answerInstead(DISCOVERY, (response) => response.writeHead(500).end());
    server = await startTestServer({ OIDC_JWKS_URI: `${issuer.issuer.url}${CERTS}` }, { issuer });
    expect(await statusOf(await goodToken())).toBe(200);
    await issuer.issuer.rotateKeys();
    expect(await statusOf(await goodToken())).toBe(200);
    expect(discovery.times()).toBe(0);
  });
});

type UselessAnswer = [what: string, answer: (response: ServerResponse, request: IncomingMessage) => unknown];

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const USELESS: UselessAnswer[] = [
  ['HTML', (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Welcome</h1>')],
  ['500', (response) => response.writeHead(500).end()],
  ['500 in HTML', (response) => response.writeHead(500).end('<h1>Sorry</h1>')],
  ['nothing', (response) => response.end()],
  ['null', (response) => response.end('null')],
  ['half of it', (response) => response.end('{"keys":[{"kid":')],
  ['the start of an answer, and no more', (response) => response.write('{"keys":[')],
  [
    'no answer',
    (response) => {
      // A time-out that nothing holds but the garbage collector would never come.
      const collecting = setInterval(collectGarbage, 500);
      response.on('close', () => {
        clearInterval(collecting);
      });
    },
  ],
  [
    'a drop every second',
    (response) => {
      const dripping = setInterval(() => response.write(' '), 1_000);
      response.on('close', () => {
        clearInterval(dripping);
      });
    },
  ],
  ['a closed connection', (_response, request) => request.socket.destroy()],
  [
    'a connection that is closed half way',
    (response, request) => {
      response.writeHead(200, { 'content-length': 1_000 });
      response.write('{"keys":[', () => request.socket.destroy());
    },
  ],
];

const USELESS_KEYS: UselessAnswer[] = [
  ['no keys', (response) => response.end('{"keys":[]}')],
  ['keys of another shape', (response) => response.end('{"keys":{"length":1}}')],
];

describe.each([
  { path: CERTS, answers: [...USELESS, ...USELESS_KEYS] },
  { path: DISCOVERY, answers: USELESS },
])('$path answered with', ({ path, answers }) => {
  it.each(answers)('%s is 503, and recovers', async (_what, answer) => {
    const asked = answerInstead(path, answer);
    server = await startTestServer({}, { issuer, untilReady: false });
    const token = await goodToken();
    await waitUntil(() => asked.times() > 0);
    await expectUnavailable(token);

    issuer.answerInstead = undefined;
    await waitUntilAccepted(token);
  });

  it('what has no end is cut off, is 503, and recovers', async () => {
    let bytes = 0;
    answerInstead(path, (response) => {
      const piece = ' '.repeat(64 * 1024);
      Readable.from(
        (function* () {
          for (;;) {
            bytes += piece.length;
            yield piece;
          }
        })(),
      ).pipe(response);
    });
    server = await startTestServer({}, { issuer, untilReady: false });
    const token = await goodToken();
    await expectUnavailable(token);
    // What the sockets' buffers took is in it, for each of the attempts.
    expect(bytes).toBeLessThan(64 * 1024 * 1024);

    issuer.answerInstead = undefined;
    await waitUntilAccepted(token);
  });
});

it('known keys go on while a look-up hangs, and the server can be stopped meanwhile', async () => {
  server = await startTestServer({}, { issuer });
  const known = await goodToken();
  const hanging = answerInstead(CERTS, () => undefined);
  await issuer.issuer.rotateKeys({ keepOld: true });
  const waiting = statusOf(await goodToken()).catch(() => 'cut');
  await waitUntil(() => hanging.times() > 0);
  expect(await statusOf(known)).toBe(200);

  await server.app.close();
  // Either is "try again" to Alertmanager.
  expect([503, 'cut']).toContain(await waiting);
});
