import { randomBytes, randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';

/** So many of one kind come at once. */
export const AT_ONCE = 30;

/** Who sends them. */
export interface HostileCallers {
  /** Whose tokens are taken. */
  issuerUrl: string;
  userToken: string;
  /** Of a user whose roles make it weigh 17 kB. */
  heavyToken: string;
  webhookToken: string;
}

/** A request that hurts others where a server takes it as it comes. */
export interface HostileKind {
  name: string;
  /** What it may be answered. */
  statuses: readonly number[];
  /** It is another one each time it is made. */
  isNew?: true;
  /** As it goes over the wire. */
  request: (callers: HostileCallers) => Buffer[];
}

const MEGABYTE = 1024 * 1024;
/** Just within the limit of all bodies. */
const LARGE = 31 * MEGABYTE;
const CHUNK = 64 * 1024;

export const HOSTILE_KINDS: readonly HostileKind[] = [
  {
    name: "100,000 fields (1 MB) in a user's PATCH",
    statuses: [413],
    request: ({ userToken }) =>
      withBody('PATCH', '/alerts/x', userToken, `{${numbered(100_000, (n) => `"k${n}":1`)}}`),
  },
  {
    name: "31 MB of items in a user's PATCH",
    statuses: [413],
    request: ({ userToken }) => withBody('PATCH', '/alerts/x', userToken, items(LARGE)),
  },
  {
    name: "31 MB of items in an ordinary user's POST",
    statuses: [403],
    request: ({ userToken }) => withBody('POST', '/alerts', userToken, items(LARGE)),
  },
  {
    name: 'the same in chunks',
    statuses: [403, 413],
    request: ({ userToken }) => inChunks('POST', '/alerts', userToken, items(LARGE)),
  },
  {
    name: '14 kB of query',
    statuses: [422],
    request: ({ userToken }) => get(`/alerts?${numbered(1_800, (n) => `k${n}=1`, '&')}`, userToken),
  },
  {
    name: 'a token of 300 roles',
    statuses: [200],
    request: ({ heavyToken }) => get('/alerts', heavyToken),
  },
  {
    name: 'a token of an unknown key each',
    statuses: [401, 503],
    isNew: true,
    request: ({ issuerUrl }) => get('/alerts', unknownToken(issuerUrl)),
  },
  {
    name: 'the history of a session that never was',
    statuses: [200],
    request: ({ userToken }) => get('/alerts?status=resolved&session_name=never', userToken),
  },
  {
    name: 'a compressed webhook that would be 31 MB',
    statuses: [415],
    request: ({ webhookToken }) =>
      withBody('POST', WEBHOOKS, webhookToken, gzipSync(items(LARGE)), 'Content-Encoding: gzip\r\n'),
  },
  {
    name: 'a webhook of 31 MB of items in chunks',
    statuses: [413, 503],
    request: ({ webhookToken }) => inChunks('POST', WEBHOOKS, webhookToken, items(LARGE)),
  },
  {
    name: 'a webhook of a million labels without fingerprint (14 MB)',
    statuses: [413, 503],
    request: ({ webhookToken }) =>
      withBody('POST', WEBHOOKS, webhookToken, webhookOf(`{${numbered(1_000_000, (n) => `"k${n}":"1"`)}}`)),
  },
  {
    name: 'a webhook of 400,000 labels without fingerprint (6 MB)',
    statuses: [413, 503],
    request: ({ webhookToken }) =>
      withBody('POST', WEBHOOKS, webhookToken, webhookOf(`{${numbered(400_000, (n) => `"k${n}":"1"`)}}`)),
  },
  {
    name: 'a webhook of 10,000 bad alerts',
    statuses: [200, 503],
    request: ({ webhookToken }) =>
      withBody('POST', WEBHOOKS, webhookToken, `{"alerts":[${numbered(10_000, () => 'null')}]}`),
  },
  {
    name: 'a webhook nested a million deep (2 MB)',
    statuses: [413, 503],
    request: ({ webhookToken }) =>
      withBody('POST', WEBHOOKS, webhookToken, `{"alerts":[${'['.repeat(1e6)}${']'.repeat(1e6)}]}`),
  },
];

const WEBHOOKS = '/webhooks/alertmanager';

/** As Keycloak writes it for somebody in 300 groups. */
export const HEAVY_ROLES = Array.from(
  { length: 300 },
  (_, n) => `group-${n}-members-of-the-faculty-of-letters`,
);

function get(path: string, token: string): Buffer[] {
  return [head('GET', path, token, '')];
}

function withBody(
  method: string,
  path: string,
  token: string,
  content: string | Buffer,
  more = '',
): Buffer[] {
  const body = Buffer.from(content);
  return [
    head(method, path, token, `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n${more}`),
    body,
  ];
}

function inChunks(method: string, path: string, token: string, content: string): Buffer[] {
  const body = Buffer.from(content);
  const chunks: Buffer[] = [];
  for (let at = 0; at < body.length; at += CHUNK) {
    const chunk = body.subarray(at, at + CHUNK);
    chunks.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n'));
  }
  const headers = 'Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n';
  return [head(method, path, token, headers), ...chunks, Buffer.from('0\r\n\r\n')];
}

function head(method: string, path: string, token: string, headers: string): Buffer {
  return Buffer.from(
    `${method} /api/data${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n${headers}\r\n`,
  );
}

function items(bytes: number): string {
  return `{"x":[${'1,'.repeat(bytes / 2 - 10)}1]}`;
}

/** A webhook of one alert with these labels besides those that it must have. */
function webhookOf(labels: string): string {
  const own = '"alertname":"A","safe_username":"hostile","statefulset":"hostile-1",';
  const alert = `{"status":"firing","labels":{${own}${labels.slice(1)},"annotations":{"title":"T","description":"D"}}`;
  return `{"version":"4","alerts":[${alert}]}`;
}

function numbered(count: number, piece: (number: number) => string, between = ','): string {
  return Array.from({ length: count }, (_, number) => piece(number)).join(between);
}

/** Nothing is wrong with it but that no key is of that name. */
function unknownToken(iss: string): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Math.floor(Date.now() / 1000) + 3600;
  const header = { alg: 'RS256', typ: 'JWT', kid: randomUUID() };
  const signature = randomBytes(256).toString('base64url');
  return `${part(header)}.${part({ iss, aud: 'renku', sub: 'hostile', typ: 'Bearer', exp })}.${signature}`;
}
