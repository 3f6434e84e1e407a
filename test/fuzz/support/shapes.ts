import { firing, webhook } from '../../support/alerts.js';
import type { World } from './world.js';

/** Input of one shape and any size. */
export interface Shape {
  name: string;
  /** The most bytes of it that are tried. */
  largest: number;
  /** It makes something new each time; otherwise the same request is sent again and again. */
  isNew?: true;
  /** What goes over the wire, of about so many bytes; `number` is another one for each that is made. */
  request(bytes: number, number: number): Buffer[];
}

const KILOBYTE = 1024;
const MEGABYTE = 1024 * KILOBYTE;
/** Just within the limits of a call's query, of all headers, of an administrator's body. */
const QUERY = 4_000;
const HEADERS = 60 * KILOBYTE;
const ADMIN_BODY = 127 * KILOBYTE;
/** Of a user's call that lists things. */
const LIST_BODY = 63 * KILOBYTE;
/** What nobody but Alertmanager may send, and what takes long enough of what it may. */
const BODY = MEGABYTE;
const WEBHOOK = 2 * MEGABYTE;
/** Some two thousand alerts that are stored. */
const STORED_WEBHOOK = MEGABYTE;

export function shapesOf({ tokens, users, alerts }: World): Shape[] {
  const [user = ''] = users;
  const userToken = tokens.users.get(user) ?? '';
  const [alert] = alerts;

  const get = (query: string, headers = `Authorization: Bearer ${userToken}\r\n`): Buffer[] => [
    Buffer.from(`GET /api/data/alerts${query} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`, 'latin1'),
  ];
  const send = (method: string, path: string, token: string, json: string): Buffer[] => {
    const body = Buffer.from(json);
    const head =
      `${method} /api/data${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
    return [Buffer.from(head), body];
  };
  const update = (json: string): Buffer[] => send('PATCH', `/alerts/${alert?.id ?? ''}`, userToken, json);
  const create = (json: string): Buffer[] => send('POST', '/alerts', tokens.admin, json);
  const post = (json: string, query = ''): Buffer[] =>
    send('POST', `/webhooks/alertmanager${query}`, tokens.alertmanager, json);
  const postAlerts = (list: unknown[], query?: string): Buffer[] =>
    post(JSON.stringify(webhook(list)), query);
  const titled = (title: string): string =>
    `{"title":"${title}","message":"M","event_type":"E","user_id":"${user}","severity":""}`;
  const labelled = (labels: Record<string, string>, hasFingerprint: boolean): object => {
    const one = firing({ user, session: `${user}-labels`, labels });
    return { ...one, fingerprint: hasFingerprint ? '0123456789abcdef' : undefined };
  };

  const say = (json: string): Buffer[] => send('PUT', '/alerts/preferences', userToken, json);
  const see = (json: string): Buffer[] => send('POST', '/alerts/seen', userToken, json);

  return [
    { name: 'query: distinct names', largest: QUERY, request: (n) => get(`?${names(n, '=1&')}`) },
    { name: 'query: one name', largest: QUERY, request: (n) => get(`?${times('a=1&', n)}`) },
    { name: 'query: escapes', largest: QUERY, request: (n) => get(`?session_name=${times('%00', n)}`) },
    { name: 'query over the limit', largest: HEADERS, request: (n) => get(`?${names(n, '=1&')}`) },
    {
      name: 'path: a long id',
      largest: HEADERS,
      request: (n) => send('PATCH', `/alerts/${times('x', n)}`, userToken, '{"dismissed":true}'),
    },
    {
      name: 'path: slashes',
      largest: HEADERS,
      request: (n) => send('PATCH', `/alerts${times('/x', n)}`, userToken, '{}'),
    },
    {
      name: 'headers: many',
      largest: HEADERS,
      request: (n) => get('', `${names(n, ': 1\r\n')}Authorization: Bearer ${userToken}\r\n`),
    },
    {
      name: 'headers: one again and again',
      largest: HEADERS,
      request: (n) => get('', `${times('Accept: a\r\n', n)}Authorization: Bearer ${userToken}\r\n`),
    },
    {
      name: 'headers: If-None-Match of commas',
      largest: HEADERS,
      request: (n) => get('', `If-None-Match: ${times(',', n)}\r\nAuthorization: Bearer ${userToken}\r\n`),
    },
    {
      name: 'headers: If-None-Match of blanks',
      largest: HEADERS,
      request: (n) => get('', `If-None-Match: W/${times(' ', n)}x\r\nAuthorization: Bearer ${userToken}\r\n`),
    },
    {
      name: 'headers: Content-Type of blanks',
      largest: HEADERS,
      request: (n) =>
        get(
          '',
          `Content-Type: application/json${times(' ', n)}x\r\nContent-Length: 0\r\nAuthorization: Bearer ${userToken}\r\n`,
        ),
    },
    {
      name: 'token: no token at all',
      largest: HEADERS,
      request: (n) => get('', `Authorization: ${times('Bearer ', n)}\r\n`),
    },
    {
      name: 'token: blanks',
      largest: HEADERS,
      request: (n) => get('', `Authorization: Bearer${times(' ', n)}x\r\n`),
    },
    {
      name: 'token: dots',
      largest: HEADERS,
      request: (n) => get('', `Authorization: Bearer ${times('.', n)}\r\n`),
    },
    {
      name: 'token: a long header',
      largest: HEADERS,
      request: (n) =>
        get(
          '',
          `Authorization: Bearer ${encoded(`{"alg":"RS256","kid":"${times('k', (n * 3) / 4)}"}`)}.e30.x\r\n`,
        ),
    },
    {
      name: 'token: a deep header',
      largest: HEADERS,
      request: (n) => get('', `Authorization: Bearer ${encoded(times('[', (n * 3) / 4))}.e30.x\r\n`),
    },
    { name: "user's body: distinct names", largest: BODY, request: (n) => update(`{${members(n)}}`) },
    { name: "user's body: one name", largest: BODY, request: (n) => update(`{${times('"a":1,', n)}"a":1}`) },
    { name: "user's body: nested", largest: BODY, request: (n) => update(nested(n)) },
    { name: "user's body: items", largest: BODY, request: (n) => update(`{"x":[${times('1,', n)}1]}`) },
    {
      name: "user's body within the limit: distinct names",
      largest: QUERY,
      request: (n) => update(`{${members(n)}}`),
    },
    { name: "user's body within the limit: nested", largest: QUERY, request: (n) => update(nested(n)) },
    { name: 'preferences: mutes', largest: LIST_BODY, request: (n) => say(`{"mutes":[${mutesOf(n)}]}`) },
    {
      name: 'preferences: a long event type',
      largest: LIST_BODY,
      request: (n) => say(`{"mutes":[{"event_type":"${times('x', n)}"}]}`),
    },
    {
      name: 'preferences: distinct names',
      largest: LIST_BODY,
      request: (n) => say(`{"channels":{${members(n)}}}`),
    },
    {
      name: 'seen: the same id',
      largest: LIST_BODY,
      request: (n) => see(`{"ids":[${times(`"${alert?.id ?? ''}",`, n)}"${alert?.id ?? ''}"]}`),
    },
    { name: 'seen: what is no id', largest: LIST_BODY, request: (n) => see(`{"ids":["${times('0', n)}"]}`) },
    {
      name: "user's body for administrators: items",
      largest: BODY,
      request: (n) => send('POST', '/alerts', userToken, `{"x":[${times('1,', n)}1]}`),
    },
    {
      name: "administrator's body: distinct names",
      largest: ADMIN_BODY,
      request: (n) => create(`{${members(n)}}`),
    },
    { name: "administrator's body: nested", largest: ADMIN_BODY, request: (n) => create(nested(n)) },
    {
      name: "administrator's body: a long title",
      largest: ADMIN_BODY,
      request: (n) => create(titled(times('x', n))),
    },
    {
      name: "administrator's body: escapes",
      largest: ADMIN_BODY,
      request: (n) => create(titled(times('\\u0000', n))),
    },
    {
      name: "administrator's body: blanks",
      largest: ADMIN_BODY,
      request: (n) => create(titled(times(' ', n))),
    },
    {
      name: 'webhook: distinct names',
      largest: WEBHOOK,
      request: (n) => post(`{"alerts":[],${members(n)}}`),
    },
    { name: 'webhook: nested', largest: WEBHOOK, request: (n) => post(`{"alerts":[${nested(n)}]}`) },
    {
      name: 'webhook: labels of an alert',
      largest: WEBHOOK,
      request: (n) => postAlerts([labelled(labels(n), true)]),
    },
    {
      name: 'webhook: labels of an alert without fingerprint',
      largest: WEBHOOK,
      request: (n) => postAlerts([labelled(labels(n), false)]),
    },
    {
      name: 'webhook: a long label without fingerprint',
      largest: WEBHOOK,
      request: (n) => postAlerts([labelled({ long: times('x', n) }, false)]),
    },
    {
      name: 'webhook: a long label of escapes',
      largest: WEBHOOK,
      request: (n) => postAlerts([labelled({ long: times('\0', n / 6) }, false)]),
    },
    {
      name: 'webhook: a long message',
      largest: WEBHOOK,
      request: (n) => postAlerts([firing({ user, message: times('x', n) })]),
    },
    {
      name: 'webhook: a long blank title',
      largest: WEBHOOK,
      request: (n) => postAlerts([firing({ user, title: times(' ', n) })]),
    },
    {
      name: 'webhook: nothing but commas',
      largest: WEBHOOK / 10,
      request: (n) => post(`{"alerts":[${times('1,', n)}1]}`),
    },
    {
      name: 'webhook: alerts of one series',
      largest: STORED_WEBHOOK,
      request: (n) => postAlerts(Array(alertsIn(n)).fill(firing({ user, session: `${user}-series` }))),
    },
    {
      name: 'webhook: alerts of a session each',
      largest: STORED_WEBHOOK,
      isNew: true,
      request: (n, number) =>
        postAlerts(each(n, (index) => firing({ user: 'crowded', session: `session-${number}-${index}` }))),
    },
    {
      name: 'webhook: alerts of a user each',
      largest: STORED_WEBHOOK,
      isNew: true,
      request: (n, number) =>
        postAlerts(each(n, (index) => firing({ user: `user-${number}-${index}`, session: 'session' }))),
    },
    {
      name: 'webhook: series of one alert each',
      largest: STORED_WEBHOOK,
      isNew: true,
      request: (n, number) =>
        postAlerts(
          each(n, (index) =>
            firing({ user: `user-${number}`, session: 'session', labels: { volume: `${index}` } }),
          ),
        ),
    },
    {
      name: 'dry run: alerts of a session each',
      largest: STORED_WEBHOOK,
      request: (n) =>
        postAlerts(
          each(n, (index) => firing({ user, session: `session-${index}` })),
          '?dry_run=true',
        ),
    },
  ];
}

/** So much of a piece as makes about that many bytes. */
function times(piece: string, bytes: number): string {
  return piece.repeat(Math.max(1, Math.round(bytes / piece.length)));
}

/** Distinct names, each with what follows it. */
function names(bytes: number, follows: string): string {
  return Array.from(
    { length: Math.ceil(bytes / (7 + follows.length)) },
    (_, index) => `k${padded(index)}${follows}`,
  ).join('');
}

function members(bytes: number): string {
  return Array.from({ length: Math.ceil(bytes / 12) }, (_, index) => `"k${padded(index)}":1`).join(',');
}

/** As many mutes as one may have, and longer ones beyond that. */
function mutesOf(bytes: number): string {
  const count = Math.min(Math.ceil(bytes / 40), 200);
  const name = 'x'.repeat(Math.max(1, Math.floor(bytes / count) - 30));
  return Array.from({ length: count }, (_, index) => `{"event_type":"${padded(index)}${name}"}`).join(',');
}

function labels(bytes: number): Record<string, string> {
  return Object.fromEntries(
    Array.from({ length: Math.ceil(bytes / 14) }, (_, index) => [`k${padded(index)}`, '1'] as const),
  );
}

function nested(bytes: number): string {
  return `${'['.repeat(bytes / 2)}${']'.repeat(bytes / 2)}`;
}

function each(bytes: number, alert: (index: number) => object): object[] {
  return Array.from({ length: alertsIn(bytes) }, (_, index) => alert(index));
}

function alertsIn(bytes: number): number {
  return Math.ceil(bytes / 500);
}

function padded(index: number): string {
  return `${index}`.padStart(6, '0');
}

function encoded(json: string): string {
  return Buffer.from(json).toString('base64url');
}
