import { UnreadableAnswerError } from '../../bench/wire-connection.js';
import { ADMIN, firing } from '../support/alerts.js';
import { findingsIn } from './support/documented-answers.js';
import type { Finding } from './support/documented-answers.js';
import { wireFormOf } from './support/fuzz-request.js';
import type { RouteName } from './support/fuzz-request.js';
import { FuzzedServer, MOST_MEMORY } from './support/fuzzed-server.js';
import { planOf, reduced, requestOf } from './support/plan.js';
import type { Plan } from './support/plan.js';
import { Sender } from './support/sending.js';
import { HONEST, makeWorld } from './support/world.js';
import type { World } from './support/world.js';

/** The same seed makes the same requests; FUZZ_FIRST and FUZZ_REQUESTS make some of them again. */
const SEED = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const REQUESTS = Number(process.env['FUZZ_REQUESTS'] ?? 20_000);
const FIRST = Number(process.env['FUZZ_FIRST'] ?? 0);

/** Connections at once. */
const SENDERS = 12;
/** After how many requests somebody honest looks at their alerts. */
const HONEST_EVERY = 200;
/** How many kinds of findings are told. */
const MOST_TOLD = 30;

/** What was found, by its rule and status: how often, on which routes, and the first. */
type Kinds = Map<string, { count: number; routes: Set<RouteName>; plan: Plan; finding: Finding }>;

let server: FuzzedServer;
let world: World;

beforeAll(async () => {
  server = await FuzzedServer.start();
  world = await makeWorld(server);
});
afterAll(async () => {
  await server.close();
});

it(`answers ${REQUESTS} odd requests as documented, hurts nobody by them, and is as before`, async () => {
  process.stdout.write(`FUZZ_SEED=${SEED}\n`);
  const honestAlerts = await server.api.openAlerts(HONEST);
  expect(honestAlerts.map(({ session_name: name }) => name).sort()).toEqual(world.sessionsOf(HONEST));

  const kinds: Kinds = new Map();
  const numbers = Array.from({ length: REQUESTS }, (_, index) => FIRST + index).values();
  const statuses = new Map<number, number>();
  const last: Plan[] = [];
  await Promise.all(
    Array.from({ length: SENDERS }, async () => {
      const sender = new Sender(server.port);
      for (const number of numbers) {
        if (!server.isTheSame()) break;
        const plan = planOf(SEED, number);
        last.push(plan);
        if (last.length > 2 * SENDERS) last.shift();
        for (const finding of await attempt(sender, plan, statuses)) {
          const kind = kinds.get(kindOf(finding)) ?? { count: 0, routes: new Set(), plan, finding };
          kinds.set(kindOf(finding), kind);
          kind.count += 1;
          kind.routes.add(plan.route);
        }
        if (number % HONEST_EVERY === 0 && server.isTheSame())
          expect(await server.api.openAlerts(HONEST)).toEqual(honestAlerts);
      }
      sender.close();
    }),
  );
  if (!server.isTheSame()) {
    const plans = last.map((plan) => `${plan.number} (${plan.route}: ${stepsOf(plan)})`).join(', ');
    throw new Error(`The server has ended, after ${plans}. It wrote:\n${server.lastLines}`);
  }
  process.stdout.write(`${describeStatuses(statuses)}, ${Math.round(server.mostMemory / 1e6)} MB at most\n`);
  expect(await told(kinds)).toEqual([]);
  expect(server.errors).toEqual([]);
  await server.untilQuiet();
  expect(server.mostMemory).toBeLessThan(MOST_MEMORY);
  expect(await server.api.openAlerts(HONEST)).toEqual(honestAlerts);
  await server.api.deliver(firing({ user: HONEST, session: 'new' }));
  const [newest] = await server.api.openAlerts(HONEST);
  expect(newest).toMatchObject({ session_name: 'new', user_id: HONEST });
  expect(await server.api.update(newest?.id ?? '', { resolved: true }, ADMIN)).toMatchObject({ status: 200 });
  expect(await server.api.openAlerts(HONEST)).toEqual(honestAlerts);
});

async function attempt(sender: Sender, plan: Plan, statuses = new Map<number, number>()): Promise<Finding[]> {
  const request = requestOf(plan, world);
  try {
    const outcome = await sender.send(request);
    for (const { status } of outcome === 'left' ? [] : outcome.answers) {
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
    return findingsIn(request, outcome);
  } catch (error) {
    const rule = error instanceof UnreadableAnswerError ? 'is answered in HTTP' : 'can be sent';
    return [{ rule, status: undefined, detail: error instanceof Error ? error.message : String(error) }];
  }
}

function kindOf({ rule, status }: Finding): string {
  return `${status ?? 'no answer'}: ${rule}`;
}

/** Each kind of findings with how often it came, and its first as small as it can be made. */
async function told(kinds: Kinds): Promise<string[]> {
  const all: string[] = [];
  const sender = new Sender(server.port);
  for (const [kind, { count, routes, plan, finding }] of [...kinds].slice(0, MOST_TOLD)) {
    const least = server.isTheSame()
      ? await reduced(plan, async (less) =>
          (await attempt(sender, less)).some((other) => kindOf(other) === kind),
        )
      : plan;
    const { head, body } = wireFormOf(requestOf(least, world));
    all.push(
      `${kind} (${count} times, ${[...routes].join(', ')}; number ${plan.number}: ${stepsOf(least)})\n  ${finding.detail}\n` +
        `  ${JSON.stringify(`${excerpt(head)}${excerpt(body)}`)}`,
    );
  }
  sender.close();
  if (kinds.size > MOST_TOLD) all.push(`and ${kinds.size - MOST_TOLD} kinds more`);
  return all;
}

function stepsOf({ steps }: Plan): string {
  return steps.map(({ mutation }) => mutation.name).join(', ') || 'nothing';
}

function excerpt(bytes: Buffer): string {
  const text = bytes.toString('latin1').replace(/(Bearer [\w-]{10})[\w.-]{100,}/g, '$1…');
  return text.length <= 600 ? text : `${text.slice(0, 400)}…(${text.length} bytes)`;
}

function describeStatuses(statuses: ReadonlyMap<number, number>): string {
  return [...statuses]
    .sort(([one], [other]) => one - other)
    .map(([status, count]) => `${count} × ${status}`)
    .join(', ');
}
