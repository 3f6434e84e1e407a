import type { Random } from '../../../stack/support/random.js';
import { hasHeader, isChunked, removeHeader, setHeader } from '../fuzz-request.js';
import type { FuzzRequest } from '../fuzz-request.js';
import { sizeBetween } from './mutation.js';
import type { Mutation } from './mutation.js';

const SMUGGLED = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n';
const NO_LENGTHS = [
  'abc',
  '-1',
  '1e3',
  '0x10',
  '+5',
  '5, 5',
  ' ',
  '',
  '99999999999999999999',
  '1'.repeat(500),
  '5;',
];
const PRELUDES = [
  Buffer.from('\r\n'),
  Buffer.from('\r\n'.repeat(1_000)),
  Buffer.from('\n\n'),
  Buffer.from('\0'),
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03]),
  Buffer.from('GET\r\n\r\n'),
  Buffer.from('x'.repeat(100_000)),
  Buffer.from('SSH-2.0-OpenSSH_9.2\r\n'),
  Buffer.from('*1\r\n$4\r\nPING\r\n'),
];
const CHUNKINGS: ((body: Buffer, random: Random) => Buffer)[] = [
  (body) => Buffer.concat([chunk(body, `${body.length.toString(16)};name=value`), LAST]),
  (body) => Buffer.concat([chunk(body, `${'0'.repeat(10)}${body.length.toString(16)}`), LAST]),
  (body) =>
    Buffer.concat([
      chunk(body, body.length.toString(16).toUpperCase()),
      Buffer.from('0\r\nX-Trailer: x\r\n\r\n'),
    ]),
  (body) =>
    Buffer.concat([
      chunk(body, body.length.toString(16)),
      Buffer.from('0\r\nAuthorization: Bearer x\r\n\r\n'),
    ]),
];
const NO_CHUNKINGS: ((body: Buffer, random: Random) => Buffer)[] = [
  (body) => Buffer.concat([chunk(body, 'zz'), LAST]),
  (body) => Buffer.concat([chunk(body, '-1'), LAST]),
  (body) => Buffer.concat([chunk(body, 'ffffffffffffffffff'), LAST]),
  (body) => Buffer.concat([chunk(body, (body.length + 1).toString(16)), LAST]),
  (body) => Buffer.concat([chunk(body, Math.max(1, body.length - 1).toString(16)), LAST]),
  (body) => Buffer.concat([chunk(body, `${body.length.toString(16)};${'x'.repeat(50_000)}`), LAST]),
  (body) => Buffer.concat([chunk(body, body.length.toString(16)), Buffer.from('0\n\n')]),
  (body) =>
    Buffer.concat([
      chunk(body, body.length.toString(16)),
      Buffer.from(`0\r\n${'X: x\r\n'.repeat(20_000)}\r\n`),
    ]),
  () => Buffer.from('\0\0\0\0\r\n\r\n'),
];
const LAST = Buffer.from('0\r\n\r\n');

/** Ways to send what is still HTTP. */
export const MANNER_MUTATIONS: readonly Mutation[] = [
  {
    name: 'in pieces',
    apply(request, random) {
      request.manner = { how: 'in pieces', of: sizeBetween(random, 40, 4_000) };
    },
  },
  {
    name: 'pipelined',
    apply(request, random) {
      // A stream is never answered to its end, and what comes behind it never begun.
      if (request.route === 'stream' || hasHeader(request, 'Upgrade')) return;
      request.manner = { how: 'pipelined', times: random.between(2, 12) };
    },
  },
  {
    name: 'expecting 100-continue',
    apply(request) {
      if (!request.body) return;
      setHeader(request, 'Expect', '100-continue');
      request.manner = { how: 'expecting' };
    },
  },
  {
    name: 'in chunks',
    apply(request, random) {
      if (!request.body || isChunked(request)) return;
      request.body = inChunks(request.body, sizeBetween(random, 1, 20_000));
      setHeader(request, 'Transfer-Encoding', 'chunked');
    },
  },
  {
    name: 'in odd chunks',
    apply(request, random) {
      if (!request.body || request.body.length === 0 || isChunked(request)) return;
      request.body = random.oneOf(CHUNKINGS)(request.body, random);
      setHeader(request, 'Transfer-Encoding', random.oneOf(['chunked', 'CHUNKED', ' chunked ']));
      request.is.valid = false;
    },
  },
  {
    name: 'an upgrade that nobody has',
    apply(request, random) {
      // Node reads no request behind this one.
      if (request.manner.how === 'pipelined') return;
      request.headers.push(
        ['Connection', 'Upgrade'],
        ['Upgrade', random.oneOf(['websocket', 'h2c', 'TLS/1.0'])],
      );
      request.is.valid = false;
    },
  },
  {
    name: 'half closed',
    apply(request, random) {
      request.manner = { how: 'half closed', share: random.oneOf([1, random.next()]) };
      request.is.http = request.manner.share === 1;
      request.is.valid = false;
    },
  },
  {
    name: 'left',
    apply(request, random) {
      request.manner = { how: 'left', share: random.oneOf([1, 1, random.next()]) };
      request.is.valid = false;
    },
  },
];

/** What makes it no HTTP/1.1. */
export const WIRE_MUTATIONS: readonly Mutation[] = [
  noHttp('another version', (request, random) => {
    request.version = random.oneOf([
      'HTTP/1.0',
      'HTTP/0.9',
      'HTTP/2.0',
      'HTTP/9.9',
      'http/1.1',
      'HTTP/1.1 ',
      'HTTPS/1.1',
      '',
    ]);
  }),
  noHttp('an odd request line', (request, random) => {
    const { path } = request;
    request.path = random.oneOf([
      `http://localhost${path}`,
      `http://elsewhere.example:99999${path}`,
      '*',
      'localhost:80',
      path.slice(1),
      ` ${path}`,
      `${path} x`,
      `${path}\t`,
      `${path}\0`,
      `${path}#fragment`,
      `${path}\u00e9`,
      `\\${path}`,
      `//elsewhere.example${path}`,
      'x'.repeat(100_000),
    ]);
  }),
  noHttp('an unknown method', (request, random) => {
    request.method = random.oneOf([
      'BREW',
      'get',
      'GE',
      'POSTS',
      '',
      'G\tT',
      'CONNECT',
      '\u00ff',
      'X'.repeat(10_000),
      'PRI',
    ]);
  }),
  noHttp('a header that is none', (request, random) => {
    request.headers.push(
      random.oneOf<[string, string]>([
        ['X-Folded', 'a\r\n b'],
        ['X Space', 'x'],
        ['X-Space ', 'x'],
        ['', 'x'],
        ['X-Nul', 'a\0b'],
        ['X-Bare', 'a\rb'],
        ['X-Bare', 'a\nb'],
        ['X-\u00e9', 'x'],
        ['no colon\r\nX', 'x'],
        [`X-${'x'.repeat(70_000)}`, 'x'],
        ['X-Bell', '\u0007'],
        ['Host', 'elsewhere.example'],
      ]),
    );
  }),
  noHttp('no host', (request, random) => {
    removeHeader(request, 'Host');
    request.headers.push(
      ...random.oneOf<[string, string][]>([[], [['Host', '']], [['Host', 'a b']], [['Host', '/']]]),
    );
  }),
  noHttp('no length that could be', (request, random) => {
    request.lengths = [random.oneOf(NO_LENGTHS)];
  }),
  noHttp('another length', (request, random) => {
    const length = request.body?.length ?? 0;
    request.lengths = random.oneOf([
      [`${random.between(0, length)}`],
      [`${length + random.between(1, 10_000)}`],
      ['40000000'],
      [`${length}`, `${length}`],
      [`${length}`, `${length + 1}`],
      [],
    ]);
    // Else the rest is waited for, for long.
    request.manner = { how: 'half closed', share: 1 };
  }),
  noHttp('chunks that are none', (request, random) => {
    request.body = random.oneOf(NO_CHUNKINGS)(request.body ?? Buffer.from('{}'), random);
    setHeader(request, 'Transfer-Encoding', 'chunked');
    request.manner = { how: 'half closed', share: 1 };
  }),
  noHttp('an odd transfer encoding', (request, random) => {
    const codings = [
      'identity',
      'chunked, chunked',
      'xchunked',
      'gzip, chunked',
      'chunked, identity',
      '\vchunked',
      'chunked;x',
    ];
    setHeader(request, 'Transfer-Encoding', random.oneOf(codings));
    request.manner = { how: 'half closed', share: 1 };
  }),
  noHttp('a request inside of another', (request, random) => {
    const inner = Buffer.from(SMUGGLED);
    const ended = Buffer.concat([LAST, inner]);
    request.body = random.oneOf([ended, inChunks(inner, inner.length), Buffer.concat([inner, ended])]);
    setHeader(
      request,
      'Transfer-Encoding',
      random.oneOf(['chunked', 'Chunked', 'chunked\r\nTransfer-Encoding: x']),
    );
    request.lengths = [`${random.oneOf([0, LAST.length, request.body.length])}`];
    request.manner = { how: 'half closed', share: 1 };
  }),
  noHttp('an expectation that nobody has', (request, random) => {
    setHeader(request, 'Expect', random.oneOf(['tea', '100-continue, tea', '']));
  }),
  noHttp('something before', (request, random) => {
    request.prelude = random.oneOf(PRELUDES);
  }),
];

function noHttp(name: string, change: (request: FuzzRequest, random: Random) => void): Mutation {
  return {
    name,
    apply(request, random) {
      change(request, random);
      request.is = { valid: false, addressed: false, http: false };
    },
  };
}

function inChunks(body: Buffer, size: number): Buffer {
  const chunks: Buffer[] = [];
  for (let at = 0; at < body.length; at += size) {
    const piece = body.subarray(at, at + size);
    chunks.push(chunk(piece, piece.length.toString(16)));
  }
  return Buffer.concat([...chunks, LAST]);
}

function chunk(bytes: Buffer, head: string): Buffer {
  return Buffer.concat([Buffer.from(`${head}\r\n`), bytes, Buffer.from('\r\n')]);
}
