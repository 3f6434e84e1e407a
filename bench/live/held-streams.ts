import { setTimeout as sleep } from 'node:timers/promises';
import { summaryOf } from '../latencies.js';
import type { Latencies } from '../load-jobs.js';
import { memoryOf } from '../proc.js';
import type { TargetProcess } from '../target-process.js';
import type { CpuShare, LiveBench } from './live-bench.js';
import type { BatchOrder, OpenOrder, SingleOrder } from './page-orders.js';

/** The users whom one webhook concerns. */
export const BATCH_USERS = 1_000;
const PLAN = { webhooks: 500, repetitions: 20, idleSeconds: 30 };
const QUICK_PLAN = { webhooks: 200, repetitions: 8, idleSeconds: 5 };

/** Memory counts as settled where it has stayed within so much (bytes) for so long; it is awaited no longer than that (ms). */
const SETTLED_WITHIN = 1e6;
const SETTLED_FOR = 4_000;
const SETTLED_AT_LAST = 60_000;
const LOOK_EVERY = 500;

/** Bytes that a server has: freshly started, and with all streams. */
export interface StreamMemory {
  before: number;
  with: number;
}

export interface HeldStreams {
  streams: number;
  ours: StreamMemory;
  bare: StreamMemory;
  /** While nothing changes. */
  idle: CpuShare;
  single: { sinceSent: Latencies; sinceAnswered: Latencies };
  /** ms until the last of the users has it, of each repetition. */
  batch: { sinceSent: number[]; sinceAnswered: number[] };
}

export async function measureHeldStreams(bench: LiveBench): Promise<HeldStreams> {
  const { quick } = bench.options;
  const { webhooks, repetitions, idleSeconds } = quick ? QUICK_PLAN : PLAN;
  const { webhookToken } = bench.tokens;
  const step = (text: string, share: number) => {
    bench.progress.step(text, share);
  };
  const databaseUrl = await bench.cluster.createDatabase('held_streams');
  const bare = await bench.withServer('bareStreams', databaseUrl, async (server) => {
    const memory = await openStreams(bench, server, (text) => {
      step(`bare server: ${text}`, 0);
    });
    await bench.pages.tell({ order: 'close' });
    return memory;
  });
  const figures = await bench.withServer('fastify', databaseUrl, async (server) => {
    const ours = await openStreams(bench, server, (text) => {
      step(text, 0.3);
    });
    step('nothing happens', 0.6);
    const idle = await bench.cpuDuring(server, sleep(idleSeconds * 1000));
    step(`${webhooks} webhooks of one alert`, 0.8);
    const single = await bench.pages.tell<SingleOrder>({ order: 'single', webhookToken, webhooks });
    step(`${repetitions} webhooks that concern ${BATCH_USERS} users each`, 0.9);
    const batch = await bench.pages.tell<BatchOrder>({
      order: 'batch',
      webhookToken,
      users: BATCH_USERS,
      repetitions,
    });
    await bench.pages.tell({ order: 'close' });
    return {
      ours,
      idle,
      batch,
      single: {
        sinceSent: measured(single.sinceSent),
        sinceAnswered: measured(single.sinceAnswered),
      },
    };
  });
  return { streams: bench.users.length, bare, ...figures };
}

async function openStreams(
  bench: LiveBench,
  server: TargetProcess,
  step: (text: string) => void,
): Promise<StreamMemory> {
  step('waiting until it has started');
  const before = await settledMemory(server);
  step(`opening ${bench.users.length} streams`);
  await bench.pages.tell<OpenOrder>({ order: 'open', url: server.url, users: bench.users });
  step(`${bench.users.length} streams are open, waiting until memory has settled`);
  return { before, with: await settledMemory(server) };
}

async function settledMemory(server: TargetProcess): Promise<number> {
  const samples: number[] = [];
  const deadline = performance.now() + SETTLED_AT_LAST;
  for (;;) {
    const now = memoryOf(server.pid)?.now ?? NaN;
    samples.push(now);
    const last = samples.slice(-SETTLED_FOR / LOOK_EVERY);
    const isSettled = samples.length > last.length && Math.max(...last) - Math.min(...last) <= SETTLED_WITHIN;
    if (isSettled || performance.now() > deadline) return now;
    await sleep(LOOK_EVERY);
  }
}

function measured(times: number[]): Latencies {
  const summary = summaryOf(times);
  if (!summary) throw new Error('Nothing was measured');
  return summary;
}
