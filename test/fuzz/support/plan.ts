import { Random } from '../../stack/support/random.js';
import type { FuzzRequest, RouteName } from './fuzz-request.js';
import { render } from './json-tree.js';
import { ADDRESS_MUTATIONS, QUERY_MUTATIONS } from './mutations/address.js';
import { BYTE_MUTATIONS } from './mutations/bytes.js';
import { HEADER_MUTATIONS, TOKEN_MUTATIONS } from './mutations/headers.js';
import { JSON_MUTATIONS } from './mutations/json.js';
import type { Mutation } from './mutations/mutation.js';
import { MANNER_MUTATIONS, WIRE_MUTATIONS } from './mutations/wire.js';
import { ROUTES, validRequest } from './routes.js';
import type { World } from './world.js';

/** How a request comes about, so that it can be made again, with all that was done to it or with less. */
export interface Plan {
  /** Of the request in its run. */
  number: number;
  route: RouteName;
  seed: number;
  steps: readonly Step[];
}

interface Step {
  family: number;
  mutation: Mutation;
  seed: number;
}

/** In the order in which they are done, each as often as its weight says. */
const FAMILIES: readonly { weight: number; mutations: readonly Mutation[] }[] = [
  { weight: 2, mutations: ADDRESS_MUTATIONS },
  { weight: 4, mutations: QUERY_MUTATIONS },
  { weight: 8, mutations: JSON_MUTATIONS },
  { weight: 3, mutations: BYTE_MUTATIONS },
  { weight: 4, mutations: HEADER_MUTATIONS },
  { weight: 2, mutations: TOKEN_MUTATIONS },
  { weight: 3, mutations: MANNER_MUTATIONS },
  { weight: 2, mutations: WIRE_MUTATIONS },
];
const TURNS = FAMILIES.flatMap(({ weight }, family) => Array<number>(weight).fill(family));
/** How many mutations a request gets; one in nine stays valid. */
const COUNTS = [0, 1, 1, 1, 1, 2, 2, 3, 4];
/** Where most can go wrong is where most is tried. */
const ROUTE_TURNS: readonly RouteName[] = [
  ...ROUTES,
  ...([
    'webhook',
    'webhook',
    'webhook',
    'create',
    'create',
    'update',
    'update',
    'list',
    'history',
    'seen',
    'say',
    'say',
  ] as const),
];

/** The plan of so many requests' one, the same for the same seed. */
export function planOf(runSeed: number, number: number): Plan {
  const random = new Random(Math.imul(number + 1, 0x9e3779b1) ^ runSeed);
  const seedOf = (): number => random.between(0, 2 ** 31 - 1);
  const route = random.oneOf(ROUTE_TURNS);
  const steps = Array.from({ length: random.oneOf(COUNTS) }, (): Step => {
    const family = random.oneOf(TURNS);
    return { family, mutation: random.oneOf(FAMILIES[family]?.mutations ?? []), seed: seedOf() };
  });
  return { number, route, seed: seedOf(), steps: steps.sort((one, other) => one.family - other.family) };
}

export function requestOf({ route, seed, steps }: Plan, world: World): FuzzRequest {
  const request = validRequest(route, new Random(seed), world);
  for (const [family, { mutations }] of FAMILIES.entries()) {
    if (mutations === BYTE_MUTATIONS && request.json) request.body = Buffer.from(render(request.json));
    for (const step of steps) {
      if (step.family === family) step.mutation.apply(request, new Random(step.seed), world);
    }
  }
  const { path, query, manner, headers } = request;
  // Nothing else can stand in a request line, and nothing comes behind a request to close.
  const isReadable = /^[\x21-\x7e]*$/.test(path + query);
  const isLast = headers.some(([name, value]) => name === 'Connection' && value === 'close');
  if (!isReadable || (isLast && manner.how === 'pipelined')) request.is.http = false;
  return request;
}

/** The same with as few mutations as still do it. */
export async function reduced(plan: Plan, stillDoesIt: (less: Plan) => Promise<boolean>): Promise<Plan> {
  for (const step of plan.steps) {
    const less = { ...plan, steps: plan.steps.filter((other) => other !== step) };
    if (await stillDoesIt(less)) return reduced(less, stillDoesIt);
  }
  return plan;
}
