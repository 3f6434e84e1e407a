import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import type { Random } from '../../../stack/support/random.js';
import { setHeader } from '../fuzz-request.js';
import type { FuzzRequest } from '../fuzz-request.js';
import type { Mutation } from './mutation.js';

const BOM = Buffer.from([0xef, 0xbb, 0xbf]);
const NO_UTF8 = [
  [0xff],
  [0xc0, 0xaf],
  [0xed, 0xa0, 0x80],
  [0xf5, 0x80, 0x80, 0x80],
  [0xe2, 0x82],
  [0x80],
  [0x00],
];

/** What can be done to the bytes of a body. */
export const BYTE_MUTATIONS: readonly Mutation[] = [
  ofBytes('a body cut short', (body, random) => body.subarray(0, random.between(0, body.length))),
  ofBytes('no body at all', () => Buffer.alloc(0)),
  ofBytes('nothing but blanks', (_body, random) =>
    Buffer.from(random.oneOf([' ', '\r\n', '\t\t', '\ufeff'])),
  ),
  ofBytes('a byte order mark', (body) => Buffer.concat([BOM, body])),
  ofBytes('UTF-16', (body) => Buffer.from(body.toString(), 'utf16le')),
  ofBytes('Latin-1', (body) => Buffer.from(body.toString(), 'latin1')),
  ofBytes('bytes that are no UTF-8', (body, random) => {
    const at = random.between(0, body.length);
    return Buffer.concat([body.subarray(0, at), Buffer.from(random.oneOf(NO_UTF8)), body.subarray(at)]);
  }),
  ofBytes('some other bytes', (body, random) => {
    const changed = Buffer.from(body);
    for (let count = random.between(1, 8); count > 0 && changed.length > 0; count--) {
      changed[random.between(0, changed.length - 1)] = random.between(0, 255);
    }
    return changed;
  }),
  ofBytes('more behind the end', (body, random) =>
    Buffer.concat([body, random.oneOf([body, Buffer.from('}'), Buffer.from('\0'), Buffer.from('// end')])]),
  ),
  ofBytes('another notation', (body, random) => {
    const text = body.toString();
    return Buffer.from(
      random.oneOf([
        text.replaceAll('"', "'"),
        text.replace(/\}$/, ',}'),
        `/**/${text}`,
        'NaN',
        'undefined',
        'a=b&c=d',
      ]),
    );
  }),
  {
    name: 'a compressed body',
    apply(request, random) {
      const body = request.body ?? Buffer.from('{}');
      const [coding, compressed] = random.oneOf<[string, Buffer]>([
        ['gzip', gzipSync(body)],
        ['deflate', deflateSync(body)],
        ['br', brotliCompressSync(body)],
        ['gzip', body],
        ['gzip, br', gzipSync(brotliCompressSync(body))],
        ['identity', body],
        ['unknown', body],
      ]);
      request.body = compressed;
      setHeader(request, 'Content-Encoding', coding);
      request.is.valid = false;
    },
  },
  {
    name: 'a body where none belongs',
    apply(request, random) {
      if (request.body) return;
      request.body = Buffer.from(random.oneOf(['{}', 'text', '{', '\0', `"${'x'.repeat(10_000)}"`]));
      setHeader(request, 'Content-Type', random.oneOf(['application/json', 'text/plain', '']));
      request.is.valid = false;
    },
  },
];

function ofBytes(name: string, change: (body: Buffer, random: Random) => Buffer): Mutation {
  return {
    name,
    apply(request: FuzzRequest, random) {
      if (!request.body) return;
      request.body = change(request.body, random);
      request.is.valid = false;
    },
  };
}
