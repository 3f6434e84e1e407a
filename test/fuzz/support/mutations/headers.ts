import { removeHeader, setHeader } from '../fuzz-request.js';
import { sizeBetween } from './mutation.js';
import type { Mutation } from './mutation.js';

const TYPES = [
  ...[
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    'multipart/form-data; boundary=x',
  ],
  ...[
    'application/json; charset=utf-16',
    'application/json; charset=latin1',
    'application/json;',
    'APPLICATION/JSON',
  ],
  ...[
    'application/vnd.api+json',
    'application/json, text/plain',
    'application/jsonp',
    'json',
    '*/*',
    '',
    ';',
    'a/b/c',
  ],
  ...[
    'application/json; charset="utf-8"; x=y',
    `application/json;${' '.repeat(5_000)}x`,
    `application/${'x'.repeat(5_000)}`,
  ],
  ...[
    'application/octet-stream',
    'text/html',
    'application/x-ndjson',
    '\u00ff/\u00ff',
    'application/json\t;\tcharset=utf-8',
  ],
];
const ODD_HEADERS: [name: string, value: string][] = [
  ['Accept', 'text/html;q=0.9, */*;q=oops'],
  ['Accept', ','.repeat(5_000)],
  ['Accept-Encoding', 'gzip;q=1, br, *;q=0'],
  ['Accept-Charset', 'utf-16'],
  ['Accept-Language', 'en,'.repeat(2_000)],
  ['Origin', 'null'],
  ['Origin', 'https://elsewhere.example'],
  ['Access-Control-Request-Method', 'PATCH'],
  ['Access-Control-Request-Headers', 'authorization'],
  ['Range', 'bytes=0-1'],
  ['Range', `bytes=${'0-1,'.repeat(1_000)}2-3`],
  ['Range', 'bytes=-99999999999999999999'],
  ['If-Range', '"x"'],
  ['If-Match', '"x"'],
  ['If-Modified-Since', 'Thu, 01 Jan 1970 00:00:00 GMT'],
  ['If-Modified-Since', 'tomorrow'],
  ['If-Unmodified-Since', 'Thu, 01 Jan 1970 00:00:00 GMT'],
  ['Cookie', 'a=b; '.repeat(1_000)],
  ['Forwarded', 'for=_hidden;proto=https;host="a\\"b"'],
  ['X-Forwarded-For', '127.0.0.1, '.repeat(500)],
  ['X-Forwarded-Host', 'elsewhere.example'],
  ['X-Forwarded-Proto', 'gopher'],
  ['X-HTTP-Method-Override', 'DELETE'],
  ['X-Original-URL', '/metrics'],
  ['Last-Event-ID', '1'],
  ['Last-Event-ID', '\u00ff'],
  ['Referer', 'x'.repeat(8_000)],
  ['User-Agent', ''],
  ['Prefer', 'respond-async, wait=999'],
  ['Max-Forwards', '0'],
  ['Trailer', 'Authorization'],
  ['TE', 'trailers, deflate'],
  ['Keep-Alive', 'timeout=99999999999'],
  ['Connection', 'close'],
  ['Connection', 'keep-alive, authorization'],
  ['Via', '1.0 fred, '.repeat(500)],
  ['__proto__', 'x'],
  ['constructor', 'x'],
  ['toString', 'x'],
  ['X-Odd', '\u0080\u00ff'],
  ['X-Trace-Id', '\t \t'],
  ['traceparent', '00-zz-zz-00'],
  ['Content-Language', ','],
  ['Content-Range', 'bytes 0-0/1'],
  ['Digest', 'sha-256=x'],
];
const TAGS = [
  '*',
  '',
  '"x"',
  'W/"x"',
  '"x',
  'W/',
  '\u00ff',
  '"a", "b", W/"c"',
  '**',
  '"*"',
  '"a""b"',
  'w/"x"',
];

export const HEADER_MUTATIONS: readonly Mutation[] = [
  {
    name: 'another content type',
    apply(request, random) {
      setHeader(request, 'Content-Type', random.oneOf(TYPES));
      request.is.valid = false;
    },
  },
  {
    name: 'no content type',
    apply(request) {
      removeHeader(request, 'Content-Type');
      request.is.valid = false;
    },
  },
  {
    name: 'two content types',
    apply(request, random) {
      request.headers.push(['Content-Type', random.oneOf(TYPES)]);
      request.is.valid = false;
    },
  },
  {
    name: 'an odd header',
    apply(request, random) {
      request.headers.push(random.oneOf(ODD_HEADERS));
      request.is.valid = false;
    },
  },
  {
    name: 'an If-None-Match',
    apply(request, random) {
      setHeader(request, 'If-None-Match', random.oneOf(TAGS));
      request.is.valid = false;
    },
  },
  {
    name: 'a long If-None-Match',
    apply(request, random) {
      const piece = random.oneOf([',', '"x",', 'W/"x", ', ' ', 'W/']);
      setHeader(request, 'If-None-Match', piece.repeat(sizeBetween(random, 10, 12_000) / piece.length));
      request.is.valid = false;
    },
  },
  {
    name: 'many headers',
    apply(request, random) {
      const count = sizeBetween(random, 10, 1_500);
      const more = Array.from({ length: count }, (_, index): [string, string] => [`X-${index}`, 'x']);
      request.headers.push(...more);
      request.is.valid = false;
    },
  },
  {
    name: 'a long header',
    apply(request, random) {
      request.headers.push(['X-Long', 'x'.repeat(sizeBetween(random, 100, 90_000))]);
      request.is.valid = false;
    },
  },
];

export const TOKEN_MUTATIONS: readonly Mutation[] = [
  {
    name: 'no token',
    apply(request) {
      removeHeader(request, 'Authorization');
      unknown(request);
    },
  },
  {
    name: 'an odd token',
    apply(request, random, { oddTokens }) {
      const [, token] = random.oneOf(oddTokens);
      setHeader(request, 'Authorization', `Bearer ${token}`);
      unknown(request);
    },
  },
  {
    name: "somebody else's token",
    apply(request, random, { tokens }) {
      const token = random.oneOf([tokens.admin, tokens.alertmanager, ...tokens.users.values()]);
      setHeader(request, 'Authorization', `Bearer ${token}`);
      unknown(request);
    },
  },
  {
    name: 'another scheme',
    apply(request, random, { tokens }) {
      const value = random.oneOf([
        'Basic YWRtaW46YWRtaW4=',
        'Bearer',
        'Bearer ',
        `bearer ${tokens.admin}`,
        `Bearer  \t ${tokens.admin}`,
        `Bearer ${tokens.admin} ${tokens.admin}`,
        `Bearer ${tokens.admin}, Bearer ${tokens.alertmanager}`,
        `${'Bearer '.repeat(1_000)}${tokens.admin}`,
        `Bearer ${' '.repeat(10_000)}x`,
        'Digest username="x", realm="y"',
        `JWT ${tokens.admin}`,
        tokens.admin,
        '',
        '\u00ff',
      ]);
      setHeader(request, 'Authorization', value);
      unknown(request);
    },
  },
  {
    name: 'two tokens',
    apply(request, random, { tokens, oddTokens }) {
      request.headers.push([
        'Authorization',
        `Bearer ${random.oneOf([tokens.admin, random.oneOf(oddTokens)[1]])}`,
      ]);
      unknown(request);
    },
  },
];

function unknown(request: Parameters<Mutation['apply']>[0]): void {
  request.is.valid = false;
  request.caller = undefined;
}
