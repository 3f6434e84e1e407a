import { createPublicKey } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { once } from 'node:events';
import { TrustedClock } from '../../src/clock/trusted-clock.js';
import { EmbeddedIssuer } from '../../server/demo/embedded-issuer.js';
import { startIssuer, startTestServer } from '../support/server.js';
import type { TestIssuer, TestServer } from '../support/server.js';

let server: TestServer;
/** Signs what the real issuer would, with a key that the real issuer does not have. */
let impostor: EmbeddedIssuer;
/** A server of the attacker's, whose address a token's header names. */
let attackerServer: TestIssuer;
let attackerWasAsked = 0;

beforeAll(async () => {
  server = await startTestServer();
  impostor = await EmbeddedIssuer.create({ url: server.issuer.url });
  attackerServer = await startIssuer();
  attackerServer.answerInstead = () => {
    attackerWasAsked += 1;
    return false;
  };
});
afterAll(async () => {
  jest.restoreAllMocks();
  await attackerServer.close();
  await server.close();
});

const now = performance.now.bind(performance);
let ahead = 0;

/** The issuer is asked a few times a minute: what a test does not look at must not depend on the tests before it. */
function grantLookUps(): void {
  ahead += 60_000;
  jest.spyOn(performance, 'now').mockImplementation(() => now() + ahead);
  // That alone is what passes, for no clock.
  const clock = server.app.get(TrustedClock, { strict: false });
  jest.spyOn(clock, 'now').mockImplementation(() => Date.now());
}

const WEBHOOK = 'POST /webhooks/alertmanager';
const LIST = 'GET /alerts';
const NEW_ALERT = { title: 'T', message: 'M', event_type: 'E', user_id: 'jane' };

interface Answer {
  status: number;
  body: unknown;
  /** What WWW-Authenticate says; absent where there is no such header. */
  challenge: Record<string, string> | undefined;
  /** All that came over the wire. */
  text: string;
}

async function send(call: string, headers: Record<string, string>, body?: unknown): Promise<Answer> {
  const [method = '', path = ''] = call.split(' ');
  const content = body ?? (path.startsWith('/webhooks') ? { version: '4', alerts: [] } : NEW_ALERT);
  const response = await fetch(`${server.url}/api/data${path}`, {
    method,
    headers: { ...headers, ...(method !== 'GET' && { 'content-type': 'application/json' }) },
    ...(method !== 'GET' && { body: JSON.stringify(content) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    body: JSON.parse(text),
    challenge: readChallenge(response.headers.get('www-authenticate')),
    text: [...response.headers].map(([name, value]) => `${name}: ${value}`).join('\n') + text,
  };
}

function sendToken(call: string, token: string): Promise<Answer> {
  return send(call, { authorization: `Bearer ${token}` });
}

/** Reads a challenge by the grammar of RFC 6750, section 3. */
function readChallenge(header: string | null): Record<string, string> | undefined {
  if (header === null) return undefined;
  expect(header).toMatch(
    /^Bearer \w+="[\x20\x21\x23-\x5b\x5d-\x7e]*"(, \w+="[\x20\x21\x23-\x5b\x5d-\x7e]*")*$/,
  );
  return Object.fromEntries(
    [...header.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]),
  ) as Record<string, string>;
}

function expectError(answer: Answer, code: number): void {
  expect(answer).toMatchObject({ status: code, body: { error: { code } } });
  expect(answer.body).toEqual({ error: { code, message: expect.stringMatching(/\S/) as string } });
  expect(answer.text).not.toMatch(/\n\s+at |node_modules|\.[jt]s\b|\/(src|dist|work|home|usr)\//);
}

function expectNoTokenCame(answer: Answer): void {
  expectError(answer, 401);
  expect(answer.challenge).toBeDefined();
  expect(answer.challenge).not.toHaveProperty('error');
}

function expectRefused(answer: Answer, token: string): void {
  expectError(answer, 401);
  expect(answer.challenge).toMatchObject({ error: 'invalid_token' });
  expectNothingOf(token, answer);
}

function expectForbidden(answer: Answer, token: string): void {
  expectError(answer, 403);
  expect(answer.challenge).toMatchObject({ error: 'insufficient_scope' });
  expectNothingOf(token, answer);
}

function expectNothingOf(token: string, answer: Answer): void {
  const parts = token.split('.');
  const contents = parts.map((part) => Buffer.from(part, 'base64url').toString());
  for (const piece of [token, ...parts, ...contents]) {
    if (piece.length > 8) expect(answer.text).not.toContain(piece);
  }
}

/** A token that may post webhooks, but for what is overridden; `undefined` leaves out. */
function webhookToken(
  claims: Record<string, unknown> = {},
  header: Record<string, unknown> = {},
  issuer = server.issuer,
): Promise<string> {
  return issuer.sign(
    { sub: 'alertmanager', realm_access: { roles: ['alertmanager-webhook'] }, ...claims },
    header,
  );
}

function inSeconds(seconds: number): number {
  return Math.floor(Date.now() / 1000) + seconds;
}

function encoded(text: string): string {
  return Buffer.from(text).toString('base64url');
}

async function withParts(parts: { header?: string; payload?: string; signature?: string }): Promise<string> {
  const [header, payload, signature] = (await webhookToken()).split('.') as [string, string, string];
  return [parts.header ?? header, parts.payload ?? payload, parts.signature ?? signature].join('.');
}

/** A good token's claims, with something before and behind them, signed. */
async function signedAround(before: string, behind: string): Promise<string> {
  const [, payload = ''] = (await webhookToken()).split('.');
  return server.issuer.signText(before + Buffer.from(payload, 'base64url').toString() + behind);
}

/** A good token, signed, with a claim more that stands there so. */
function withClaim(claim: string): Promise<string> {
  const claims = { iss: server.issuer.url, aud: 'renku', sub: 'alertmanager', typ: 'Bearer' };
  return server.issuer.signText(`${JSON.stringify(claims).slice(0, -1)},${claim}}`);
}

/** The five parts of an encrypted token (RFC 7516). */
function encryptedToken(): string {
  const header = { alg: 'RSA-OAEP', enc: 'A256GCM', kid: server.issuer.currentKid };
  return [encoded(JSON.stringify(header)), 'AAAA', 'AAAA', 'AAAA', 'AAAA'].join('.');
}

type Token = () => string | Promise<string>;

describe.each([WEBHOOK, LIST])('%s', (call) => {
  it.each<[string, () => Record<string, string> | Promise<Record<string, string>>]>([
    ['no Authorization header', () => ({})],
    ['an empty Authorization header', () => ({ authorization: '' })],
    ['the word Bearer alone', () => ({ authorization: 'Bearer' })],
    ['another scheme', () => ({ authorization: 'Basic YWxlcnRtYW5hZ2VyOnNlY3JldA==' })],
    ['another scheme with a good token', async () => ({ authorization: `Token ${await webhookToken()}` })],
    ['a good token without a scheme', async () => ({ authorization: await webhookToken() })],
    [
      'a good token behind another scheme',
      async () => ({ authorization: `Basic Bearer ${await webhookToken()}` }),
    ],
    ['a good token in a cookie', async () => ({ cookie: `access_token=${await webhookToken()}` })],
  ])('answers 401 without an error code to %s', async (_what, headers) => {
    expectNoTokenCame(await send(call, await headers()));
  });

  it('does not read a token from the query, where logs would keep it', async () => {
    expectNoTokenCame(await send(`${call}?access_token=${await webhookToken()}`, {}));
  });

  describe('answers 401 invalid_token to', () => {
    beforeEach(grantLookUps);

    it.each<[string, Token]>([
      ['one part', () => 'a'],
      ['two parts', () => 'a.b'],
      ['three parts of nonsense', () => 'a.b.c'],
      ['four parts', async () => `${await webhookToken()}.d`],
      ['only dots', () => '..'],
      ['twelve thousand letters', () => 'a'.repeat(12_000)],
      ['twelve thousand dots', () => '.'.repeat(12_000)],
      ['a good token and another word', async () => `${await webhookToken()} please`],
      ['two good tokens', async () => `${await webhookToken()},${await webhookToken()}`],
      ['a header that is no JSON', () => withParts({ header: encoded('hello') })],
      ['a header that is an array', () => withParts({ header: encoded('[{"alg":"RS256"}]') })],
      ['a header that is null', () => withParts({ header: encoded('null') })],
      ['a header that is a string', () => withParts({ header: encoded('"RS256"') })],
      ['a header without an algorithm', () => webhookToken({}, { alg: undefined })],
      ['a header whose algorithm is a list', () => withParts({ header: encoded('{"alg":["RS256"]}') })],
      ['a payload that is no JSON, unsigned', () => withParts({ payload: encoded('the secret of jane') })],
      ['a payload that is null, unsigned', () => withParts({ payload: encoded('null') })],
      ['a payload that is an array, unsigned', () => withParts({ payload: encoded('[]') })],
      ['an empty payload', () => withParts({ payload: '' })],
      ['a payload that is null', () => server.issuer.signText('null')],
      ['a payload that is a text', () => server.issuer.signText('"text"')],
      ['a payload that is a number', () => server.issuer.signText('5')],
      ['a payload that is true', () => server.issuer.signText('true')],
      ['a payload that is an array', () => server.issuer.signText('[]')],
      ['a payload that is a good one in an array', () => signedAround('[', ']')],
      ['a payload that is no JSON', () => server.issuer.signText('the secret of jane')],
      ['a payload that is a good one twice', () => signedAround('', '{}')],
      ['a payload that is null and of no type', () => server.issuer.signText('null', { typ: undefined })],
      ['a payload nested ten thousand deep', () => server.issuer.signText('['.repeat(9_000))],
      ['five parts, as an encrypted one has', async () => `${await webhookToken()}.e30.e30`],
      ['five parts and an algorithm for encryption', () => encryptedToken()],
      ['empty parts', async () => `${(await webhookToken()).split('.')[0] ?? ''}..`],
      ['padding', async () => withParts({ signature: 'AA==' })],
    ])('a malformed token: %s', async (_what, token) => {
      const sent = await token();
      expectRefused(await sendToken(call, sent), sent);
    });

    it.each<[string, Token]>([
      ['expired for more than 30 s', () => webhookToken({ exp: inSeconds(-31) })],
      ['expired for a day', () => webhookToken({ exp: inSeconds(-86_400) })],
      ['without an expiry', () => webhookToken({ exp: undefined })],
      ['whose expiry is null', () => webhookToken({ exp: null })],
      ['whose expiry is a string', () => webhookToken({ exp: String(inSeconds(300)) })],
      ['not yet valid for more than 30 s', () => webhookToken({ nbf: inSeconds(50) })],
      ['whose nbf is a string', () => webhookToken({ nbf: String(inSeconds(-300)) })],
      ['whose nbf is an object', () => webhookToken({ nbf: {} })],
      ['whose nbf is null', () => webhookToken({ nbf: null })],
      ['whose nbf is beyond all dates', () => webhookToken({ nbf: 1e308 })],
      ['whose expiry is an object', () => webhookToken({ exp: { valueOf: inSeconds(300) } })],
      ['whose expiry is a list', () => webhookToken({ exp: [inSeconds(300)] })],
      ['whose expiry is before all dates', () => webhookToken({ exp: -1e308 })],
      ['whose expiry is a number that nothing can hold', () => withClaim('"exp":1e999')],
    ])('a token %s', async (_what, token) => {
      const sent = await token();
      expectRefused(await sendToken(call, sent), sent);
    });

    it.each<[string, Token]>([
      ['without a subject', () => webhookToken({ sub: undefined })],
      ['with an empty subject', () => webhookToken({ sub: '' })],
      ['with a blank subject', () => webhookToken({ sub: ' ' })],
      ['with a number as its subject', () => webhookToken({ sub: 42 })],
      ['without an issuer', () => webhookToken({ iss: undefined })],
      ['of another issuer', () => webhookToken({ iss: 'https://elsewhere.example/auth/realms/Renku' })],
      [
        'of another realm of the same host',
        () => webhookToken({ iss: server.issuer.url.replace('Renku', 'Master') }),
      ],
      ['whose issuer has a slash at its end', () => webhookToken({ iss: `${server.issuer.url}/` })],
      ['whose issuer is in another case', () => webhookToken({ iss: server.issuer.url.toUpperCase() })],
      ['whose issuer is a list', () => webhookToken({ iss: [server.issuer.url] })],
      ['whose issuer is an object', () => webhookToken({ iss: { toString: server.issuer.url } })],
      ['whose issuer is null', () => webhookToken({ iss: null })],
      ['whose audience is an object', () => webhookToken({ aud: { 0: 'renku', length: 1 } })],
      ['whose audience is a number', () => webhookToken({ aud: 5 })],
      ['whose audience holds no texts', () => webhookToken({ aud: [null, 5, {}, ['renku']] })],
      ['whose subject is a list', () => webhookToken({ sub: ['jane'] })],
      ['whose type is a list', () => webhookToken({ typ: ['Bearer'] })],
      ['without an audience', () => webhookToken({ aud: undefined })],
      ['with an empty audience', () => webhookToken({ aud: [] })],
      ['with null as its audience', () => webhookToken({ aud: null })],
      ['for another audience', () => webhookToken({ aud: 'account' })],
      ['for several others', () => webhookToken({ aud: ['account', 'grafana'] })],
      ['for an audience that contains our name', () => webhookToken({ aud: ['renku-ui', 'my renku'] })],
      ['for our name in another case', () => webhookToken({ aud: 'Renku' })],
      ['whose audience is a list in a list', () => webhookToken({ aud: [['renku']] })],
      ['that is an ID token', () => webhookToken({ typ: 'ID' })],
      ['that is a refresh token', () => webhookToken({ typ: 'Refresh' })],
      ['that is an offline token', () => webhookToken({ typ: 'Offline' })],
      ['that does not say what it is', () => webhookToken({ typ: undefined })],
    ])('a token %s', async (_what, token) => {
      const sent = await token();
      expectRefused(await sendToken(call, sent), sent);
    });

    it.each<[string, Token]>([
      ['no signature, alg none', () => webhookToken({}, { alg: 'none' })],
      ['no signature, alg None', () => withParts({ header: encoded('{"alg":"None"}'), signature: '' })],
      ['alg none with the signature left on', () => withParts({ header: encoded('{"alg":"none"}') })],
      ['no signature, alg RS256', () => withParts({ signature: '' })],
      ['an HMAC keyed with the public key', () => webhookToken({}, { alg: 'HS256' })],
      ['RS512, which is not configured', () => webhookToken({}, { alg: 'RS512' })],
      ['PS256, which is not configured', () => webhookToken({}, { alg: 'PS256' })],
      ['rs256 in small letters', () => withParts({ header: encoded('{"alg":"rs256"}') })],
      ['another key under our kid', () => webhookToken({}, { kid: server.issuer.currentKid }, impostor)],
      ['an unknown kid', () => webhookToken({}, {}, impostor)],
      ['our key under an unknown kid', () => webhookToken({}, { kid: 'no-such-key' })],
      ['our key without a kid', () => webhookToken({}, { kid: undefined })],
      ['our key under an empty kid', () => webhookToken({}, { kid: '' })],
      ['our key under a kid that is a list', () => webhookToken({}, { kid: [server.issuer.currentKid] })],
      ['a kid that every object has', () => webhookToken({}, { kid: '__proto__' })],
      ['a critical extension', () => webhookToken({}, { crit: ['b64'], b64: true })],
      [
        'one letter of the signature changed',
        async () =>
          (await webhookToken()).replace(
            /\.([\w-])([^.]*)$/,
            (_all, first: string, rest: string) => `.${first === 'A' ? 'B' : 'A'}${rest}`,
          ),
      ],
      [
        'the signature of another token',
        async () => {
          const [, , signature] = (await webhookToken({ sub: 'somebody-else' })).split('.');
          return withParts({ signature: signature ?? '' });
        },
      ],
      [
        'the payload changed',
        async () => {
          const [, payload = ''] = (await webhookToken({ realm_access: { roles: ['renku-admin'] } })).split(
            '.',
          );
          return withParts({ payload });
        },
      ],
    ])('a signature that does not hold: %s', async (_what, token) => {
      const sent = await token();
      expectRefused(await sendToken(call, sent), sent);
    });

    it.each<[string, (address: string) => Record<string, unknown>]>([
      ['jku', (address) => ({ jku: address })],
      ['jku under our kid', (address) => ({ jku: address, kid: server.issuer.currentKid })],
      ['x5u', (address) => ({ x5u: address })],
      ['x5u under our kid', (address) => ({ x5u: address, kid: server.issuer.currentKid })],
      ['kid', (address) => ({ kid: address })],
      ['jwk', () => ({ jwk: createPublicKey(impostor.publicKeyPem).export({ format: 'jwk' }) })],
      [
        'jwk under our kid',
        () => ({
          jwk: createPublicKey(impostor.publicKeyPem).export({ format: 'jwk' }),
          kid: server.issuer.currentKid,
        }),
      ],
    ])(
      "a token that brings the attacker's key in its header's %s, and asks nobody for it",
      async (_what, header) => {
        const address = `${attackerServer.issuer.url}/protocol/openid-connect/certs`;
        const sent = await webhookToken({}, header(address), impostor);
        expectRefused(await sendToken(call, sent), sent);
        expect(attackerWasAsked).toBe(0);
      },
    );
  });

  describe('says why a token was refused', () => {
    beforeEach(grantLookUps);

    it.each<[string, Token]>([
      ['it is malformed', () => 'a.b'],
      ['it is malformed', () => withParts({ header: encoded('null') })],
      ['it is malformed', () => withParts({ header: encoded('"RS256"') })],
      ['its signature algorithm is not accepted', () => webhookToken({}, { alg: 'PS256' })],
      ['its signature algorithm is not accepted', () => withParts({ header: encoded('{"alg":["RS256"]}') })],
      ['its header has critical extensions', () => webhookToken({}, { crit: ['b64'], b64: true })],
      ['its header names no key', () => webhookToken({}, { kid: undefined })],
      ['its header names no key', () => webhookToken({}, { kid: '' })],
      ['its header names no key', () => webhookToken({}, { kid: [server.issuer.currentKid] })],
      [
        'it is signed with a key that the issuer does not have for its algorithm',
        () => webhookToken({}, { kid: 'no-such-key' }),
      ],
      ['invalid signature', () => webhookToken({}, { kid: server.issuer.currentKid }, impostor)],
      ['its issuer is not {issuer}', () => webhookToken({ iss: 'https://elsewhere.example/' })],
      ['it has no expiry', () => webhookToken({ exp: undefined })],
      ['it has no expiry', () => withClaim('"exp":1e999')],
      ['it has expired', () => webhookToken({ exp: inSeconds(-31) })],
      ['it is not valid yet', () => webhookToken({ nbf: inSeconds(50) })],
      ['jwt audience invalid. expected: renku', () => webhookToken({ aud: 'account' })],
      ['invalid nbf value', () => webhookToken({ nbf: {} })],
      ['it has no subject', () => webhookToken({ sub: ' ' })],
      ['it is not an access token', () => webhookToken({ typ: 'ID' })],
    ])('%s', async (problem, token) => {
      const reason = problem.replace('{issuer}', server.issuer.url);
      const answer = await sendToken(call, await token());
      expectError(answer, 401);
      expect(answer.body).toMatchObject({
        error: { message: `The access token was refused: ${reason}` },
      });
      expect(answer.challenge).toMatchObject({ error_description: reason });
    });
  });

  it('asks the issuer for no other key where the signature is good and the rest is not', async () => {
    const { certs } = server.issuer.requests;
    for (let sent = 0; sent < 6; sent += 1) {
      const token = await webhookToken({ aud: 'account' });
      expectRefused(await sendToken(call, token), token);
    }
    expect(server.issuer.requests.certs).toBe(certs);
  });

  it.each<[string, Token]>([
    ['just expired, within 30 s', () => webhookToken({ exp: inSeconds(-15) })],
    ['valid from now on, within 30 s', () => webhookToken({ nbf: inSeconds(20) })],
    ['whose audience is a string', () => webhookToken({ aud: 'renku' })],
    ['that never expires, as far as dates go', () => webhookToken({ exp: 1e308 })],
    ['valid since before all dates', () => webhookToken({ nbf: -1e308 })],
    ['issued at no time', () => webhookToken({ iat: { at: 'noon' } })],
    ['issued in the future', () => webhookToken({ iat: 1e308 })],
    [
      'whose audience is a list of anything with ours in it',
      () => webhookToken({ aud: [null, {}, 'renku'] }),
    ],
    ['whose audience is a list with ours in it', () => webhookToken({ aud: ['account', 'renku', 'x'] })],
    ['of an administrator', () => webhookToken({ realm_access: { roles: ['renku-admin'] } })],
    [
      'with other roles beside ours',
      () => webhookToken({ realm_access: { roles: [null, 7, 'offline_access', 'alertmanager-webhook'] } }),
    ],
    [
      'with claims and headers that we do not know',
      () =>
        webhookToken({ acr: '1', 'allowed-origins': ['*'], iat: undefined }, { cty: 'JWT', typ: undefined }),
    ],
  ])('accepts a token %s', async (_what, token) => {
    expect(await sendToken(call, await token())).toMatchObject({ status: 200 });
  });

  it.each([
    ['a good one', 'a bad one', 200],
    ['a bad one', 'a good one', 401],
  ])('of two Authorization headers, %s before %s, the first counts', async (first, _second, status) => {
    const headers = [`Bearer ${await webhookToken()}`, 'Bearer a.b.c'];
    if (first === 'a bad one') headers.reverse();
    const [method, path = ''] = call.split(' ');
    const request = httpRequest(`${server.url}/api/data${path}`, {
      method,
      headers: { authorization: headers as unknown as string, 'content-type': 'application/json' },
    });
    request.end(method === 'POST' ? JSON.stringify({ version: '4', alerts: [] }) : undefined);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    response.resume();
    expect(response.statusCode).toBe(status);
  });

  it.each(['bearer', 'BEARER', 'Bearer  '])('knows the scheme written as "%s"', async (scheme) => {
    const authorization = `${scheme} ${await webhookToken()}`;
    expect(await send(call, { authorization })).toMatchObject({ status: 200 });
  });
});

describe('Roles', () => {
  it.each<[string, Record<string, unknown>]>([
    ['no roles at all', { realm_access: undefined }],
    ['an empty list of roles', { realm_access: { roles: [] } }],
    ["a user's roles", { realm_access: { roles: ['offline_access', 'default-roles-renku'] } }],
    [
      "a client's role",
      {
        realm_access: undefined,
        resource_access: { renku: { roles: ['alertmanager-webhook', 'renku-admin'] } },
      },
    ],
    ['roles as a string', { realm_access: { roles: 'alertmanager-webhook' } }],
    ['roles as an object', { realm_access: { roles: { 0: 'alertmanager-webhook', length: 1 } } }],
    ['roles as a list in a list', { realm_access: { roles: [['alertmanager-webhook']] } }],
    ['null as roles', { realm_access: { roles: null } }],
    ['null as realm_access', { realm_access: null }],
    ['realm_access as a string', { realm_access: 'alertmanager-webhook' }],
    ['realm_access as a number', { realm_access: 5 }],
    ['realm_access as true', { realm_access: true }],
    ['realm_access as a list', { realm_access: ['alertmanager-webhook'] }],
    [
      'a role that contains ours',
      {
        realm_access: { roles: ['alertmanager-webhook-viewer', 'not-alertmanager-webhook', 'renku-admin2'] },
      },
    ],
    ['our role in another case', { realm_access: { roles: ['Alertmanager-Webhook', 'RENKU-ADMIN'] } }],
    [
      'the role anywhere else',
      {
        realm_access: undefined,
        roles: ['alertmanager-webhook'],
        groups: ['alertmanager-webhook'],
        scope: 'alertmanager-webhook renku-admin',
      },
    ],
  ])('a webhook with %s is forbidden', async (_what, claims) => {
    const token = await webhookToken(claims);
    expectForbidden(await sendToken(WEBHOOK, token), token);
    expectForbidden(await sendToken(`${WEBHOOK}?dry_run=true`, token), token);
    // Yet the token is good.
    expect(await sendToken(LIST, token)).toMatchObject({ status: 200 });
  });

  it.each(['alertmanager-webhook', 'offline_access'])(
    'the role %s may not open alerts by hand, whether the body fits or not',
    async (role) => {
      const token = await webhookToken({ realm_access: { roles: [role] } });
      expectForbidden(await sendToken('POST /alerts', token), token);
      expectForbidden(await send('POST /alerts', { authorization: `Bearer ${token}` }, {}), token);
    },
  );

  it('an administrator may open alerts and post webhooks', async () => {
    const token = await server.issuer.userToken({ sub: 'ada', roles: ['renku-admin'] });
    expect(await sendToken('POST /alerts', token)).toMatchObject({ status: 201 });
    expect(await sendToken(WEBHOOK, token)).toMatchObject({ status: 200 });
    expect(await sendToken(`${WEBHOOK}?dry_run=true`, token)).toMatchObject({ status: 200 });
  });

  it("Alertmanager's own token, by client credentials, may post webhooks", async () => {
    const response = await fetch(`${server.issuer.url}/protocol/openid-connect/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: 'alertmanager',
        client_secret: 'secret',
      }),
    });
    const { access_token: token } = (await response.json()) as { access_token: string };
    expect(await sendToken(WEBHOOK, token)).toMatchObject({ status: 200 });
  });
});

it.each([
  `${WEBHOOK}?dry_run=true`,
  'POST /alerts',
  'PATCH /alerts/01KAMJ2Q2Y9W2V2Q8Z2J3D5X7R',
  'GET /alerts?session_name=x',
])('%s needs a token', async (call) => {
  expectNoTokenCame(await send(call, {}));
  const expired = await webhookToken({ exp: inSeconds(-31) });
  expectRefused(await sendToken(call, expired), expired);
});

it('a header of 15 kB without a space keeps nobody waiting', async () => {
  const authorization = 'a'.repeat(15_000);
  const start = performance.now();
  for (let sent = 0; sent < 20; sent += 1) expectNoTokenCame(await send(WEBHOOK, { authorization }));
  // One that backtracks over the header takes a quarter of a second each.
  expect(performance.now() - start).toBeLessThan(2_000);
});

describe('The body of a webhook', () => {
  const LONG = 20 * 1024 * 1024;

  /** Sends the head of a request, and not a byte of its body. */
  function sendHead(
    to: TestServer,
    headers: OutgoingHttpHeaders,
    { method = 'POST', url = to.webhookUrl } = {},
  ): ClientRequest {
    const request = httpRequest(url, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
    });
    request.flushHeaders();
    return request;
  }

  async function answerTo(request: ClientRequest): Promise<{ status: number | undefined; body: unknown }> {
    // The server may close the connection on us while we still write.
    request.on('error', () => undefined);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const text = (await response.setEncoding('utf8').toArray()).join('');
    request.destroy();
    return { status: response.statusCode, body: JSON.parse(text) };
  }

  it.each<[string, number, () => OutgoingHttpHeaders | Promise<OutgoingHttpHeaders>]>([
    ['without a token', 401, () => ({})],
    ['with a bad one', 401, async () => ({ authorization: `Bearer ${await webhookToken({ aud: 'x' })}` })],
    [
      'without the role',
      403,
      async () => ({ authorization: `Bearer ${await server.issuer.userToken({ sub: 'jane' })}` }),
    ],
    ['without a token, of another type', 401, () => ({ 'content-type': 'text/plain' })],
  ])('is refused before it is read: %s', async (_what, code, headers) => {
    const request = sendHead(server, { 'content-length': LONG, ...(await headers()) });
    expect(await answerTo(request)).toMatchObject({ status: code, body: { error: { code } } });
  });

  it.each([
    ['POST', '/alerts'],
    ['PATCH', '/alerts/01KAMJ2Q2Y9W2V2Q8Z2J3D5X7R'],
  ])('is refused before it is read, without a token: %s %s', async (method, path) => {
    const request = sendHead(
      server,
      { 'content-length': LONG },
      { method, url: `${server.url}/api/data${path}` },
    );
    expect(await answerTo(request)).toMatchObject({ status: 401, body: { error: { code: 401 } } });
  });

  describe('over the limit', () => {
    let strict: TestServer;
    let authorization: string;
    beforeAll(async () => {
      strict = await startTestServer({ BODY_LIMIT_MB: '1' });
      authorization = `Bearer ${await strict.alertmanagerToken()}`;
    });
    afterAll(() => strict.close());

    it('is refused by its declared length, before it is read', async () => {
      const request = sendHead(strict, { authorization, 'content-length': LONG });
      expect(await answerTo(request)).toMatchObject({ status: 413, body: { error: { code: 413 } } });
    });

    it('is refused where a chunked body runs over it', async () => {
      const request = sendHead(strict, { authorization, 'transfer-encoding': 'chunked' });
      const answer = answerTo(request);
      request.write('{"alerts":[],"padding":"');
      // More than the limit, and never the end.
      for (let written = 0; written < 20; written += 1) request.write('x'.repeat(100 * 1024));
      expect(await answer).toMatchObject({ status: 413, body: { error: { code: 413 } } });
    });

    it('is not yet reached by a body just below it', async () => {
      const alerts = JSON.stringify({ version: '4', alerts: [], padding: '' });
      const request = sendHead(strict, { authorization, 'transfer-encoding': 'chunked' });
      request.end(alerts.replace('""', `"${'x'.repeat(1024 * 1024 - alerts.length)}"`));
      expect(await answerTo(request)).toMatchObject({ status: 200 });
    });
  });
});
