import type { Random } from '../../../stack/support/random.js';
import type { FuzzRequest } from '../fuzz-request.js';
import { placesIn } from '../json-tree.js';
import type { Items, JsonTree, Members, Place } from '../json-tree.js';
import { sizeBetween } from './mutation.js';
import type { Mutation } from './mutation.js';

/** Bytes: of most bodies, of some, and of few to the webhook, which is within the limit of all. */
const MUCH = 20_000;
const MORE = 1_500_000;
const MOST = 31 * 1024 * 1024;

const ODD_VALUES = [
  ...['null', 'true', 'false', '0', '-0', '-1', '0.1', '1e308', '1e999', '-1E400', '1e-999'],
  ...['9007199254740993', '123456789012345678901234567890', '[]', '{}', '[[]]', '[null]', '{"length":3}'],
  ...['{"toString":1}', '{"__proto__":{"resolved":true}}', '{"constructor":{"prototype":{"a":1}}}'],
  ...['""', '" "', '"x"', '"null"', '"firing"', '"resolved"', '"<nil>"', '"<script>alert(1)</script>"'],
  ...['"\\u0000"', '"a\\u0000b"', '"\\ud800"', '"\\udc00\\ud800"', '"\\u202e"', '"\\ufeff"', '"\u{1f600}"'],
  ...['"0001-01-01T00:00:00Z"', '"9999-12-31T23:59:59.999999999Z"', '"2026-01-15T08:00:00+99:99"'],
  ...[
    '"-271821-04-20T00:00:00Z"',
    '"+275760-09-13T00:00:00Z"',
    '"2026-02-30T25:61:61Z"',
    '"%s%n"',
    '"\'; --"',
  ],
];
const ODD_NAMES = [
  ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', 'length', 'then'],
  ...['', ' ', '\0', '$where', 'id', 'user_id', 'resolved', 'dismissed', 'status', 'alerts', 'labels', 'a.b'],
  ...['a[b]', 'titel', 'Title', 'x'.repeat(300)],
];

/** What can be said otherwise of JSON that stays JSON. */
export const JSON_MUTATIONS: readonly Mutation[] = [
  atPlace('another value', (place, random) => {
    place.replace({ text: random.oneOf(ODD_VALUES) });
  }),
  atPlace('another value', (place, random) => {
    place.replace({ text: random.oneOf(ODD_VALUES) });
  }),
  atMembers('a member left out', ({ members }, random) => {
    members.splice(random.between(0, members.length - 1), 1);
  }),
  atMembers('a member more', ({ members }, random) => {
    const member: Members['members'][number] = [random.oneOf(ODD_NAMES), { text: random.oneOf(ODD_VALUES) }];
    members.splice(random.between(0, members.length), 0, member);
  }),
  atMembers('a member twice', ({ members }, random) => {
    const [name] = random.oneOf(members);
    members.push([name, { text: random.oneOf(ODD_VALUES) }]);
  }),
  atMembers('a member renamed', ({ members }, random) => {
    random.oneOf(members)[0] = random.oneOf(ODD_NAMES);
  }),
  atMembers('many members', (tree, random, most) => {
    const count = sizeBetween(random, 2, most / 12);
    for (let index = 0; index < count; index++) tree.members.push([`k${index}`, { text: '1' }]);
  }),
  atPlace('a long text', (place, random, most) => {
    const piece = random.oneOf([
      'x',
      'word ',
      '\\u0000',
      '\\"',
      'é',
      '\u{1f600}',
      '\\ud800',
      ',',
      '\\n',
      '%00',
    ]);
    place.replace({ text: `"${piece.repeat(sizeBetween(random, 10, most) / piece.length)}"` });
  }),
  atPlace('many items', (place, random, most) => {
    const item = random.oneOf(['1', 'null', '{}', '[]', '""', 'true', '0.1']);
    const count = sizeBetween(random, 2, most / (item.length + 1));
    place.replace({ text: `[${`${item},`.repeat(count)}${item}]` });
  }),
  atPlace('deep nesting', (place, random, most) => {
    const [open, close] = random.oneOf([
      ['[', ']'],
      ['{"a":', '}'],
      ['[{"labels":', '}]'],
    ] as const);
    const depth = sizeBetween(random, 2, most / (open.length + close.length));
    place.replace({ text: `${open.repeat(depth)}1${close.repeat(depth)}` });
  }),
  {
    name: 'items again and again',
    apply(request, random) {
      const lists = placesOf(request).flatMap(({ tree }) =>
        'items' in tree && tree.items.length > 0 ? [tree] : [],
      );
      if (lists.length === 0) return;
      const list = random.oneOf<Items>(lists);
      const [first] = list.items as [JsonTree];
      list.items.push(...Array<JsonTree>(sizeBetween(random, 1, 1_000)).fill(first));
      request.is.valid = false;
    },
  },
  {
    name: 'another body',
    apply(request, random) {
      request.json = { text: random.oneOf([...ODD_VALUES, '{"resolved":true,"dismissed":true}', '{"x":1}']) };
      request.is.valid = false;
    },
  },
];

function placesOf(request: FuzzRequest): Place[] {
  if (!request.json) return [];
  return placesIn(request.json, (by) => void (request.json = by));
}

function atPlace(name: string, change: (place: Place, random: Random, most: number) => void): Mutation {
  return {
    name,
    apply(request, random) {
      const places = placesOf(request);
      if (places.length === 0) return;
      change(random.oneOf(places), random, mostOf(request, random));
      request.is.valid = false;
    },
  };
}

function atMembers(name: string, change: (tree: Members, random: Random, most: number) => void): Mutation {
  return {
    name,
    apply(request, random) {
      const objects = placesOf(request).flatMap(({ tree }) =>
        'members' in tree && tree.members.length > 0 ? [tree] : [],
      );
      if (objects.length === 0) return;
      change(random.oneOf(objects), random, mostOf(request, random));
      request.is.valid = false;
    },
  };
}

/** Large ones are rare, so that a run is not all about them. */
function mostOf({ route }: FuzzRequest, random: Random): number {
  const share = random.next();
  if (share < 0.003 && route === 'webhook') return MOST;
  return share < 0.03 ? MORE : MUCH;
}
