import { table } from '../../bench/report.js';
import { WireConnection } from '../../bench/wire-connection.js';
import { cpuOf } from '../../bench/proc.js';
import { firing } from '../support/alerts.js';
import { FuzzedServer, MOST_MEMORY } from './support/fuzzed-server.js';
import { shapesOf } from './support/shapes.js';
import type { Shape } from './support/shapes.js';
import { makeWorld } from './support/world.js';
import type { World } from './support/world.js';

/**
 * Each shape comes as requests of the largest size, and as many more of its parts: the same bytes in all. What is
 * linear costs about the same in each way, what is quadratic eight times as much in the largest.
 */
const PARTS = [8, 4, 2, 1];
const MOST_GROWTH = 2.5;
/** Of which the cheapest counts. */
const ROUNDS = 2;
/** So often at most is a shape looked at. */
const ATTEMPTS = 3;
/** CPU (ms) of the server that a figure should stand for, and how many of the largest requests it may take. */
const MEANINGFUL = 100;
const MOST_REQUESTS = 64;
const PATIENCE = 120_000;

interface Growth {
  shape: string;
  statuses: string;
  requests: number;
  /** CPU (ms) in all, by parts. */
  costs: number[];
  /** Of the costliest way to send it, to the smallest requests. */
  growth: number;
}

let server: FuzzedServer;
let world: World;

beforeAll(async () => {
  server = await FuzzedServer.start();
  world = await makeWorld(server);
});
afterAll(async () => {
  await server.close();
});

it('spends CPU in proportion to the bytes that come, whatever they are', async () => {
  const growths: Growth[] = [];
  for (const shape of shapesOf(world)) growths.push(await leastGrowthOf(shape));
  process.stdout.write(`${tableOf(growths)}\n`);
  expect(growths.filter(({ growth }) => !(growth <= MOST_GROWTH))).toEqual([]);
  expect(server.isTheSame()).toBe(true);
  expect(server.errors).toEqual([]);
  expect(server.mostMemory).toBeLessThan(MOST_MEMORY);
});

it('spends CPU in proportion to how many requests come at once on one connection', async () => {
  const token = world.tokens.users.get('ann') ?? '';
  const poll = Buffer.from(
    `GET /api/data/alerts HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`,
  );
  const pipelined = async (count: number, together: number): Promise<void> => {
    for (let sent = 0; sent < count; sent += together) {
      const connection = await WireConnection.open(server.port);
      connection.write(...Array<Buffer>(together).fill(poll));
      const { ending } = await connection.answers({
        methods: Array<string>(together).fill('GET'),
        timeout: PATIENCE,
      });
      expect(ending).toBe('answered');
      connection.close();
    }
  };
  const costs: number[] = [];
  for (const together of [100, 200, 400, 800]) costs.push(await cheapest(() => pipelined(800, together)));
  expect(growthIn(costs)).toBeLessThanOrEqual(MOST_GROWTH);
});

it('spends CPU in proportion to how many open alerts are listed', async () => {
  const costs: number[] = [];
  for (const count of [60, 120, 240, 480]) {
    const user = `owner-of-${count}`;
    const alerts = Array.from({ length: count }, (_, index) => firing({ user, session: `session-${index}` }));
    await server.api.deliver(...alerts);
    const token = await server.issuer.userToken({ sub: user });
    const poll = Buffer.from(
      `GET /api/data/alerts HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`,
    );
    costs.push(
      await cheapest(() =>
        sendAll(
          Array.from({ length: 9_600 / count }, () => [poll]),
          new Set(),
        ),
      ),
    );
  }
  expect(growthIn(costs)).toBeLessThanOrEqual(MOST_GROWTH);
});

/** What grows too much is looked at again: other programs of the machine take from what is measured. */
async function leastGrowthOf(shape: Shape): Promise<Growth> {
  let least = await growthOf(shape);
  for (let attempt = 1; attempt < ATTEMPTS && least.growth > MOST_GROWTH; attempt++) {
    const again = await growthOf(shape);
    if (again.growth < least.growth) least = again;
  }
  return least;
}

async function growthOf(shape: Shape): Promise<Growth> {
  const statuses = new Set<number>();
  let number = 0;
  const run = async (requests: number, parts: number): Promise<number> => {
    const make = (): Buffer[] => shape.request(Math.floor(shape.largest / parts), number++);
    const one = make();
    const made = Array.from({ length: requests * parts }, () => (shape.isNew ? make() : one));
    return costOf(() => sendAll(made, statuses));
  };
  const [most = 1] = PARTS;
  let requests = 1;
  while ((await run(requests, most)) < MEANINGFUL && requests < MOST_REQUESTS) requests *= 2;
  const costs = PARTS.map(() => Infinity);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, parts] of PARTS.entries()) {
      costs[index] = Math.min(costs[index] ?? Infinity, await run(requests, parts));
    }
  }
  return { shape: shape.name, statuses: [...statuses].join(', '), requests, costs, growth: growthIn(costs) };
}

/** How much more the costliest takes than the first. */
function growthIn([first = NaN, ...others]: number[]): number {
  return Math.max(...others) / first;
}

async function cheapest(work: () => Promise<void>): Promise<number> {
  const costs: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) costs.push(await costOf(work));
  return Math.min(...costs);
}

/** CPU time (ms) that the server's process spends meanwhile. */
async function costOf(work: () => Promise<void>): Promise<number> {
  const before = cpuOf(server.pid) ?? NaN;
  await work();
  return (cpuOf(server.pid) ?? NaN) - before;
}

/** One after the other, each as soon as the one before is answered. */
async function sendAll(requests: Buffer[][], statuses: Set<number>): Promise<void> {
  let connection = await WireConnection.open(server.port);
  for (const request of requests) {
    if (!connection.isOpen) connection = await WireConnection.open(server.port);
    connection.write(...request);
    const { answers, ending } = await connection.answers({ methods: ['GET'], timeout: PATIENCE });
    const [answer] = answers;
    if (!answer)
      throw new Error(
        `After ${[...statuses].join()} a request was not answered (${ending}). The server wrote: ${server.lastLines}`,
      );
    statuses.add(answer.status);
    if (answer.headers.get('connection') === 'close') connection.close();
  }
  connection.close();
}

function tableOf(growths: Growth[]): string {
  return table(
    ['shape', 'answered', 'requests', ...PARTS.map((parts) => `of 1/${parts}, ms`), 'growth'],
    growths.map(({ shape, statuses, requests, costs, growth }) => [
      shape,
      statuses,
      `${requests}`,
      ...costs.map((cost) => cost.toFixed(0)),
      growth.toFixed(2),
    ]),
  );
}
