import type { Person } from '../../support/alerts.js';
import { ADMIN, ALERTMANAGER, firing, webhook } from '../../support/alerts.js';
import type { FuzzedServer } from './fuzzed-server.js';

/** Seconds; longer than any run. */
const LIFETIME = 3 * 3600;
const USERS = ['ann', 'bob', 'carla', 'dmitri', 'eve'];
const SESSIONS_EACH = 8;

/** Who never does anything wrong, and has to get what is theirs all the time. */
export const HONEST = 'honest';

/** What requests are about: who calls, with which token, and which alerts there are. */
export interface World {
  users: readonly string[];
  /** Open alerts at the beginning, and who has them. */
  alerts: readonly { id: string; user: string }[];
  sessionsOf(user: string): string[];
  /** Good tokens. */
  tokens: { users: ReadonlyMap<string, string>; admin: string; alertmanager: string };
  /** Tokens that there is something odd about, by what it is. */
  oddTokens: readonly [what: string, token: string][];
}

export async function makeWorld(server: FuzzedServer): Promise<World> {
  const { api, issuer } = server;
  const sessionsOf = (user: string): string[] =>
    Array.from({ length: SESSIONS_EACH }, (_, index) => `${user}-${index}`);
  const alerts = [...USERS, HONEST].flatMap((user) =>
    sessionsOf(user).map((session) => firing({ user, session })),
  );
  const answer = await api.postWebhook(webhook(alerts));
  if (answer.body.stored !== alerts.length) throw new Error(`The world was answered ${answer.status}`);
  const token = ({ sub, roles = [] }: Person): Promise<string> =>
    issuer.userToken({ sub, roles, lifetime: LIFETIME });
  const open = await Promise.all(
    USERS.map(async (user) => (await api.openAlerts(user)).map(({ id }) => ({ id, user }))),
  );
  const userTokens = await Promise.all(USERS.map(async (sub) => [sub, await token({ sub })] as const));
  return {
    users: USERS,
    alerts: open.flat(),
    sessionsOf,
    tokens: {
      users: new Map(userTokens),
      admin: await token(ADMIN),
      alertmanager: await token(ALERTMANAGER),
    },
    oddTokens: await oddTokens(server),
  };
}

/** All for a user whom nobody else is. */
async function oddTokens(server: FuzzedServer): Promise<[what: string, token: string][]> {
  const { issuer } = server;
  const now = Math.floor(Date.now() / 1000);
  const sub = 'odd';
  const exp = now + LIFETIME;
  const good = { sub, exp, iat: now, iss: issuer.url, aud: 'renku', typ: 'Bearer' };
  const signed: [what: string, claims: Record<string, unknown>, header?: Record<string, unknown>][] = [
    ['expired', { exp: now - 60 }],
    ['not valid yet', { nbf: now + 3600 }],
    ['without an expiry', { exp: undefined }],
    ['with a text for expiry', { exp: `${exp}` }],
    ['that never expires', { exp: 1e300 }],
    ['that expired before all time', { exp: -1e300 }],
    ['that expires in a thousand years', { exp: now + 1000 * 31_536_000 }],
    ['without a subject', { sub: undefined }],
    ['with a number for subject', { sub: 7 }],
    ['with a list for subject', { sub: ['odd'] }],
    ['with a long subject', { sub: 'x'.repeat(300) }],
    ['with a subject of spaces', { sub: '  ' }],
    ['with NUL in its subject', { sub: 'a\0b' }],
    ['with half a pair for subject', { sub: '\ud800' }],
    ['with __proto__ for subject', { sub: '__proto__' }],
    ['of another issuer', { iss: 'https://elsewhere.example' }],
    ['with a list of issuers', { iss: [issuer.url] }],
    ['for another audience', { aud: 'account' }],
    ['with objects for audience', { aud: [{}, null, ['renku']] }],
    ['of another type', { typ: 'Refresh' }],
    ['with a time of issue that is none', { iat: 'yesterday' }],
    ['with null for access', { realm_access: null }],
    ['with a text for access', { realm_access: 'renku-admin' }],
    ['with a number for roles', { realm_access: { roles: 7 } }],
    ['with odd roles', { realm_access: { roles: [null, {}, ['renku-admin'], 7] } }],
    ['without a signature', {}, { alg: 'none' }],
    ['without an algorithm', {}, { alg: undefined }],
    ['signed with the public key as a secret', {}, { alg: 'HS256' }],
    ['of another algorithm', {}, { alg: 'RS512' }],
    ['with an unknown key', {}, { kid: 'nobodys' }],
    ['with __proto__ for key', {}, { kid: '__proto__' }],
    ['with a long name of a key', {}, { kid: 'k'.repeat(5_000) }],
    ['without a key', {}, { kid: undefined }],
    ['with an empty name of a key', {}, { kid: '' }],
    ['with a key of its own', {}, { jku: 'http://127.0.0.1:9/keys', x5u: 'http://127.0.0.1:9/x' }],
  ];
  const payloads: [what: string, payload: string][] = [
    ['whose payload is null', 'null'],
    ['whose payload is a number', '7'],
    ['whose payload is a text', '"text"'],
    ['whose payload is a list', '[]'],
    ['whose payload is empty', ''],
    ['whose payload is half an object', '{"sub":"odd",'],
    ['whose payload is no UTF-8', Buffer.from([0x7b, 0xff, 0xfe, 0x7d]).toString('latin1')],
    ['whose payload says the subject twice', JSON.stringify(good).replace('{', '{"sub":"other",')],
    ['whose payload has a prototype', JSON.stringify(good).replace('{', '{"__proto__":{"typ":"Bearer"},')],
    ['whose payload is nested deeply', `{"a":${'['.repeat(3_000)}${']'.repeat(3_000)}}`],
    ['whose expiry is beyond all numbers', JSON.stringify(good).replace(`${exp}`, '1e999')],
  ];
  const good1 = await issuer.sign({ sub, exp });
  const [head = '', body = '', signature = ''] = good1.split('.');
  return [
    ...(await Promise.all(
      signed.map(async ([what, claims, header]): Promise<[string, string]> => [
        what,
        await issuer.sign({ sub, exp, ...claims }, header),
      ]),
    )),
    ...payloads.map(([what, payload]): [string, string] => [what, server.forgeToken(payload)]),
    ['of three hundred roles', await manyRoles(server, 300)],
    ['of eight hundred roles', await manyRoles(server, 800)],
    ['without dots', 'token'],
    ['of dots', '...'],
    ['of many dots', '.'.repeat(8_000)],
    ['of no base64', '!!!.???.***'],
    ['that is cut', good1.slice(0, -20)],
    ['with a signature of another', `${head}.${body}.${signature.split('').reverse().join('')}`],
    ['with a fourth part', `${good1}.${signature}`],
    ['with a header that is null', `${Buffer.from('null').toString('base64url')}.${body}.${signature}`],
    ['of sixty thousand letters', `${head}.${'A'.repeat(30_000)}.${'B'.repeat(30_000)}`],
    ['with bytes above ASCII', 'Bearer \u00ff\u00fe.\u00e4.\u00f6'],
  ];
}

/** As Keycloak writes it for somebody in so many groups: 300 weigh 17 kB. */
function manyRoles({ issuer }: FuzzedServer, count: number): Promise<string> {
  const roles = Array.from(
    { length: count },
    (_, index) => `group-${index}-members-of-the-faculty-of-letters`,
  );
  return issuer.userToken({ sub: 'odd', roles, lifetime: LIFETIME });
}
