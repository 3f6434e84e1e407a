import type { Bench } from './bench.js';
import { query } from './cluster.js';
import type { OverloadJob, OverloadResult, PostJob, WatchJob, WatchResult } from './load-jobs.js';
import { memoryOf } from './proc.js';
import { mean, median } from './statistics.js';
import type { TargetProcess } from './target-process.js';

/** Webhooks of one size, and how many show what the server can do. */
const PLANS = [
  { size: 1, webhooks: 3_200, quick: 1_000 },
  { size: 100, webhooks: 160, quick: 64 },
];
const CAPACITY_ROUNDS = 3;
const CONNECTIONS = 32;
/** Of the overload: more than the server lets wait. */
const MANY_CONNECTIONS = 2_000;
const SECONDS = 60;
const QUICK_SECONDS = 10;
const LIST_EVERY = 100;
const MEMORY_EVERY = 500;

export interface OverloadFigure {
  size: number;
  /** Webhooks a second: what the server does at most, and what it was then offered. */
  capacity: number;
  offered: number;
  seconds: number;
  result: OverloadResult;
  /** Others who only list. */
  watch: WatchResult;
  /** Bytes that the server has: at most, and on average over the first and the last third. */
  memory: { most: number; first: number; last: number } | undefined;
}

export async function measureOverload(bench: Bench): Promise<OverloadFigure[]> {
  const figures: OverloadFigure[] = [];
  for (const [index, plan] of PLANS.entries()) {
    const databaseUrl = await bench.cluster.createDatabase(`overload_${plan.size}`);
    const step = (text: string, share: number) => {
      bench.progress.step(`${plan.size} alerts a webhook, ${text}`, (index + share) / PLANS.length);
    };
    figures.push(
      await bench.withServer('fastify', databaseUrl, (server) =>
        measure(bench, server, databaseUrl, plan, step),
      ),
    );
    await bench.cluster.dropDatabase(databaseUrl);
  }
  return figures;
}

async function measure(
  bench: Bench,
  server: TargetProcess,
  databaseUrl: string,
  { size, ...plan }: (typeof PLANS)[number],
  step: (text: string, share: number) => void,
): Promise<OverloadFigure> {
  const { quick } = bench.options;
  const seconds = quick ? QUICK_SECONDS : SECONDS;
  const webhooks = quick ? plan.quick : plan.webhooks;
  const to = { url: server.url, webhookToken: bench.tokens.webhookToken, size, kind: 'new' } as const;
  step('measuring what the server can do', 0);
  const rates: number[] = [];
  for (let round = 0; round <= CAPACITY_ROUNDS; round++) {
    const firstBatch = bench.takeBatches(webhooks);
    const job: PostJob = { do: 'post', ...to, connections: CONNECTIONS, firstBatch, warmUp: 0, webhooks };
    const { elapsed } = await bench.load.run<PostJob>(job);
    if (round > 0) rates.push((webhooks / elapsed) * 1000);
  }
  const capacity = median(rates);
  const offered = 2 * capacity;
  step(`offering ${Math.round(offered)} a second for ${seconds} s`, 0.3);
  const id = 'bystander';
  await bench.watcher.prepare({
    do: 'watch',
    ...to,
    user: { id, token: await bench.tokens.userToken(id) },
    firstBatch: 0,
    listEvery: LIST_EVERY,
  });
  const firstBatch = bench.takeBatches(Math.ceil(offered * (seconds + 1)));
  const before = await countAlerts(databaseUrl);
  await bench.load.prepare({
    do: 'overload',
    ...to,
    connections: MANY_CONNECTIONS,
    firstBatch,
    perSecond: offered,
    seconds,
  });
  const samples: number[] = [];
  const sampling = setInterval(() => {
    const memory = memoryOf(server.pid);
    if (memory) samples.push(memory.now);
  }, MEMORY_EVERY);
  const watching = bench.watcher.go<WatchJob>();
  const result = await bench.load.go<OverloadJob>();
  bench.watcher.stop();
  const watch = await watching;
  clearInterval(sampling);
  const stored = (await countAlerts(databaseUrl)) - before;
  const promised = (result.accepted?.count ?? 0) * size;
  if (stored < promised) throw new Error(`Of ${promised} alerts that were accepted ${stored} are stored`);
  return { size, capacity, offered, seconds, result, watch, memory: memoryFigure(samples, server) };
}

function memoryFigure(samples: number[], server: TargetProcess): OverloadFigure['memory'] {
  const third = Math.floor(samples.length / 3);
  const most = memoryOf(server.pid)?.most;
  if (most === undefined || third === 0) return undefined;

  return { most, first: mean(samples.slice(0, third)), last: mean(samples.slice(-third)) };
}

async function countAlerts(databaseUrl: string): Promise<number> {
  const [row] = await query<{ count: number }>(
    databaseUrl,
    'SELECT count(*)::int AS count FROM session_alerts.alerts',
  );
  return row?.count ?? 0;
}
