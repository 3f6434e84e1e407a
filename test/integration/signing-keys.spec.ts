import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { EmbeddedIssuer } from '../../src/server/demo/embedded-issuer.js';
import { startIssuer, startTestServer, waitUntil } from '../support/server.js';
import type { TestIssuer, TestServer } from '../support/server.js';

/** A look-up is granted every 15 s at the least, and one that hangs is given up after 5 s each step. */
const RECOVERY = 45_000;

let issuer: TestIssuer;
let server: TestServer;

beforeEach(async () => {
  issuer = await startIssuer();
});
afterEach(async () => {
  await server.close();
  await issuer.close();
});

function list(token: string): Promise<Response> {
  return fetch(`${server.url}/api/data/alerts`, { headers: { authorization: `Bearer ${token}` } });
}

async function statusOf(token: string): Promise<number> {
  const response = await list(token);
  await response.arrayBuffer();
  return response.status;
}

async function expectUnavailable(token: string): Promise<void> {
  const response = await list(token);
  expect(response.status).toBe(503);
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

      expect(new Set(answers)).toEqual(new Set([401]));
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
