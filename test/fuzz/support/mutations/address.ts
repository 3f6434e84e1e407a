import type { Random } from '../../../stack/support/random.js';
import type { FuzzRequest } from '../fuzz-request.js';
import { sizeBetween } from './mutation.js';
import type { Mutation } from './mutation.js';

const METHODS = [
  ...['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE', 'PATCH', 'POST', 'PROPFIND', 'SEARCH', 'QUERY'],
  ...['MKCOL', 'PURGE', 'LINK', 'M-SEARCH', 'REPORT', 'LOCK', 'SUBSCRIBE'],
];
const SEGMENTS = [
  ...[
    '',
    '.',
    '..',
    '%2e%2e',
    '%2E%2e%2f',
    '%00',
    '%',
    '%zz',
    '%ff',
    '%c0%af',
    '%5c',
    '*',
    ':id',
    '__proto__',
    'x y',
  ],
  ...[
    'stream',
    'feed',
    'seen',
    'preferences',
    'constructor',
    '01KAMJ2Q2Y9W2V2Q8Z2J3D5X7R',
    '\u00e9',
    ';a=b',
    '//',
    '%252e',
    'x%2fy',
  ],
];
const NAMES = [
  ...[
    'session_name',
    'status',
    'since',
    'limit',
    'cursor',
    'dry_run',
    'sesion_name',
    'user_id',
    'x',
    '',
    '__proto__',
  ],
  ...['constructor', 'toString', 'hasOwnProperty', 'length', '%00', '%', '%ff', '[]', 'a.b', 'access_token'],
];
const VALUES = [
  ...[
    '',
    '0',
    '1',
    '-1',
    '200',
    '201',
    '1e3',
    '1.5',
    '0x10',
    '%205',
    'NaN',
    'Infinity',
    '999999999999999999999',
  ],
  ...[
    'resolved',
    'RESOLVED',
    'open',
    'true',
    'false',
    'null',
    '%00',
    'a%00b',
    '%',
    '%zz',
    '%ff',
    '%ed%a0%80',
    '%u0041',
  ],
  ...[
    '%c0%af',
    '2025-11-27T12:00:00Z',
    '2025-11-27T12:00:60Z',
    '2025-11-27',
    '0000-01-01T00:00:00Z',
    '+05:00',
    '*',
  ],
  ...[
    '9999-12-31T23:59:59-23:59',
    '2025-11-27T12:00:00.123456789123Z',
    '%27%3B--',
    '%F0%9F%98%80',
    '01KAMJ2Q2Y9W2V2Q8Z2J3D5X7R',
  ],
  ...[
    '80000000000000000000000000',
    'ZZZZZZZZZZZZZZZZZZZZZZZZZZ',
    'x'.repeat(256),
    '[object%20Object]',
    '\u00ff',
  ],
];

export const ADDRESS_MUTATIONS: readonly Mutation[] = [
  {
    name: 'another method',
    apply(request, random) {
      request.method = random.oneOf(METHODS);
      unaddressed(request);
    },
  },
  {
    name: 'another path',
    apply(request, random) {
      const segments = request.path.split('/');
      const segment = random.oneOf(SEGMENTS).replace(' ', '%20');
      segments.splice(random.between(1, segments.length), random.between(0, 1), segment);
      request.path = `/${segments.filter((_, index) => index > 0).join('/')}`;
      unaddressed(request);
    },
  },
  {
    name: 'a path in other letters',
    apply(request, random) {
      const letters = [...request.path];
      const at = random.between(1, letters.length - 1);
      const letter = letters[at] ?? '';
      letters[at] = random.oneOf([
        letter.toUpperCase(),
        `%${letter.charCodeAt(0).toString(16).padStart(2, '0')}`,
        letter.repeat(2),
      ]);
      request.path = letters.join('');
      unaddressed(request);
    },
  },
  {
    name: 'a long path',
    apply(request, random) {
      const piece = random.oneOf(['x', '/', '/x', '%41', '%', '../', 'é']);
      request.path += piece.repeat(sizeBetween(random, 10, 12_000) / piece.length);
      unaddressed(request);
    },
  },
];

export const QUERY_MUTATIONS: readonly Mutation[] = [
  ofQuery('a parameter more', (random) => [`${random.oneOf(NAMES)}=${random.oneOf(VALUES)}`]),
  ofQuery('a parameter of an odd value', (random, { query }) => {
    const name = query === '' ? random.oneOf(NAMES) : (random.oneOf(query.split('&')).split('=')[0] ?? '');
    return [`${name}=${random.oneOf(VALUES)}`];
  }),
  ofQuery('a parameter twice', (random) => {
    const name = random.oneOf(NAMES);
    return [`${name}=${random.oneOf(VALUES)}`, `${name}=${random.oneOf(VALUES)}`];
  }),
  ofQuery('parameters in brackets', (random) => {
    const inner = random.oneOf([
      '',
      '0',
      '1000000',
      '__proto__',
      'constructor][prototype',
      'length',
      'b][c][d',
    ]);
    return [`${random.oneOf(NAMES)}[${inner}]=${random.oneOf(VALUES)}`];
  }),
  ofQuery('rubbish', (random) => [
    random.oneOf(['&&&&', '=', '?', '?a=b', ';', '&=&=', '%', '%%%', '%00=%00', '=&a']),
  ]),
  ofQuery('many parameters', (random) =>
    Array.from({ length: sizeBetween(random, 10, 2_500) }, (_, index) => `k${index}=1`),
  ),
  ofQuery('a parameter again and again', (random) =>
    Array<string>(sizeBetween(random, 10, 1_000)).fill(`${random.oneOf(NAMES)}=1`),
  ),
  ofQuery('a long value', (random) => {
    const piece = random.oneOf(['x', '%00', ',', '%F0%9F%98%80', '%', '+', '[', '%ff']);
    return [`session_name=${piece.repeat(sizeBetween(random, 10, 14_000) / piece.length)}`];
  }),
  {
    name: 'another query',
    apply(request, random) {
      request.query = random.oneOf(['', '=', 'a', `${random.oneOf(NAMES)}=${random.oneOf(VALUES)}`]);
      request.is.valid = false;
    },
  },
];

function ofQuery(name: string, more: (random: Random, request: FuzzRequest) => string[]): Mutation {
  return {
    name,
    apply(request, random) {
      request.query = [request.query, ...more(random, request)].filter((part) => part !== '').join('&');
      request.is.valid = false;
    },
  };
}

function unaddressed(request: FuzzRequest): void {
  request.is.valid = false;
  request.is.addressed = false;
}
