import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitUntil } from '../support/server.js';
import { query, startPostgres } from './support/postgres.js';
import type { StackPostgres } from './support/postgres.js';
import { Random } from './support/random.js';
import { noteInTable } from './support/reliability-table.js';
import { ServerProcess } from './support/server-process.js';
import { Stack } from './support/stack.js';

const KILLS = 50;
const ALERTS_A_KILL = 20;
/** What a replica sends at once. */
const IN_FLIGHT = 10;

const random = new Random();
let folder: string;
let bridge: Server;
let postgres: StackPostgres;
let stack: Stack;
let other: ServerProcess;
let token: string;
/** By the messages' ids, whose alerts came with each arrival. */
const arrivals = new Map<string, string[]>();

beforeAll(async () => {
  bridge = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { data } = JSON.parse(Buffer.concat(chunks).toString()) as { data: { user_id: string } };
      const id = String(request.headers['webhook-id']);
      arrivals.set(id, [...(arrivals.get(id) ?? []), data.user_id]);
      setTimeout(() => response.writeHead(204).end(), random.between(0, 300));
    });
  });
  await new Promise<void>((resolve) => bridge.listen(0, '127.0.0.1', resolve));
  folder = await mkdtemp(join(tmpdir(), 'delivery-'));
  await writeFile(join(folder, 'secret'), `whsec_${Buffer.alloc(24, 7).toString('base64')}`);
  const env = {
    DELIVERY_WEBHOOK_URL: `http://127.0.0.1:${(bridge.address() as AddressInfo).port}/`,
    DELIVERY_WEBHOOK_SECRET_FILE: join(folder, 'secret'),
  };
  postgres = await startPostgres({ fsync: 'on' });
  stack = await Stack.start(postgres, env);
  other = await ServerProcess.start({
    DATABASE_URL: stack.databaseUrl,
    OIDC_ISSUER: stack.issuer.url,
    ...env,
  });
  token = await stack.issuer.userToken({
    sub: 'alertmanager',
    roles: ['alertmanager-webhook'],
    lifetime: 3600,
  });
});
afterAll(async () => {
  await other.stop();
  await stack.close();
  await postgres.close();
  await new Promise((resolve) => bridge.close(resolve));
  await rm(folder, { recursive: true });
});
beforeEach(() => {
  arrivals.clear();
});

/** One alert each of so many users, who are told each by themselves. */
async function fire(count: number): Promise<string[]> {
  const users = Array.from({ length: count }, () => randomUUID());
  const alerts = users.map((user) => ({
    status: 'firing',
    labels: { alertname: 'RenkuSessionHighMemory', safe_username: user, statefulset: `${user}-1` },
    annotations: { title: 'High memory usage', description: 'Memory usage over 90% of capacity' },
    startsAt: '2025-11-27T12:00:00Z',
    endsAt: '0001-01-01T00:00:00Z',
  }));
  const response = await fetch(other.webhookUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ version: '4', status: 'firing', receiver: 'delivery', alerts }),
  });
  expect(response.status).toBe(200);
  return users;
}

/** What was lost, and how many came again. */
function outcome(users: string[]): { lost: string[]; again: number; isEachItself: boolean } {
  const told = new Set([...arrivals.values()].flat());
  const again = [...arrivals.values()].reduce((sum, ofMessage) => sum + ofMessage.length - 1, 0);
  const ids = new Map<string, string>();
  let isEachItself = true;
  for (const [id, ofMessage] of arrivals) {
    for (const user of ofMessage) {
      isEachItself &&= (ids.get(user) ?? id) === id;
      ids.set(user, id);
    }
  }
  return { lost: users.filter((user) => !told.has(user)), again, isEachItself };
}

async function untilNothingWaits(): Promise<void> {
  await waitUntil(async () => {
    const [row] = await query<{ waiting: string }>(
      stack.databaseUrl,
      `SELECT (SELECT count(*) FROM session_alerts.deliveries WHERE message_id IS NULL)
            + (SELECT count(*) FROM session_alerts.messages WHERE next_try IS NOT NULL) AS waiting`,
    );
    return Number(row?.waiting) === 0;
  }, 180_000);
}

async function sentBy(server: ServerProcess): Promise<number> {
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  return Number(
    /session_alerts_messages_total\{channel="webhook",result="sent"\} (\d+)/.exec(metrics)?.[1] ?? 0,
  );
}

it(`tells everybody, by two replicas of which one is killed at ${KILLS} random moments (SEED=${random.seed})`, async () => {
  const users: string[] = [];
  let sentByKilled = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    users.push(...(await fire(ALERTS_A_KILL)));
    await sleep(random.between(100, 1_500));
    sentByKilled += await sentBy(stack.server);
    await stack.server.kill();
    await stack.server.startAgain();
  }
  await untilNothingWaits();
  const { lost, again, isEachItself } = outcome(users);
  await noteInTable({
    fault: `One of two replicas that tell people outside of the page killed with SIGKILL, ${KILLS} times`,
    load: `${users.length} alerts of as many people, ${again} told twice with the same id`,
    lost: lost.length,
    stale: 0,
  });
  expect({ lost, isEachItself }).toEqual({ lost: [], isEachItself: true });
  expect(again).toBeLessThanOrEqual(KILLS * IN_FLIGHT);
  expect(sentByKilled).toBeGreaterThan(0);
  expect(await sentBy(other)).toBeGreaterThan(0);
}, 480_000);

it('tells everybody when PostgreSQL crashes meanwhile, each with one id', async () => {
  const users = [...(await fire(100))];
  for (let restart = 0; restart < 3; restart++) {
    await sleep(random.between(1_000, 3_000));
    await postgres.crash();
    await postgres.startAgain();
    await waitUntil(async () => (await fetch(`${other.url}/readyz`)).ok);
    users.push(...(await fire(50)));
  }
  await untilNothingWaits();
  const { lost, isEachItself } = outcome(users);
  expect({ lost, isEachItself }).toEqual({ lost: [], isEachItself: true });
}, 300_000);
