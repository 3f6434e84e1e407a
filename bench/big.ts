import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench } from './bench.js';
import type { PostJob, WatchJob, WatchResult } from './load-jobs.js';
import { memoryOf } from './proc.js';
import type { ServerName, TargetProcess } from './target-process.js';
import { WebhookTemplate } from './webhook-bodies.js';
import type { Kind } from './webhook-bodies.js';

export const BIG_SIZE = 10_000;
const BIG_KINDS: Kind[] = ['new', 'repeat', 'resolved'];
const SERVERS: ServerName[] = ['fastify', 'bare'];

/** ms between two requests of those who have nothing to do with it. */
const LIST_EVERY = 10;
const POST_EVERY = 50;
/** ms that they go on before and after. */
const MARGIN = 100;
const WARM_UP = 1_000;

/** One target and kind; a value for each round. */
export interface BigFigure {
  target: ServerName;
  kind: Kind;
  /** ms until the answer. */
  duration: number[];
  /** What others waited meanwhile (ms). */
  listed: { p99: number; max: number }[];
  posted: { p99: number; max: number }[];
  /** What others were answered instead of 200, and how often. */
  failures: Record<string, number>;
}

export interface BigFigures {
  /** Bytes of the body. */
  bodySize: number;
  figures: BigFigure[];
  /** Most memory that our server had (bytes), by round. */
  peakMemory: number[];
  /** What it had before the first. */
  startMemory: number[];
}

export async function measureBig(bench: Bench): Promise<BigFigures> {
  const rounds = bench.options.quick ? 1 : bench.options.rounds;
  const result: BigFigures = {
    bodySize: new WebhookTemplate(BIG_SIZE, 'new').body(0).length,
    figures: SERVERS.flatMap((target) =>
      BIG_KINDS.map((kind) => ({ target, kind, duration: [], listed: [], posted: [], failures: {} })),
    ),
    peakMemory: [],
    startMemory: [],
  };
  const databases = new Map<ServerName, string>();
  for (const name of SERVERS) databases.set(name, await bench.cluster.createDatabase(`big_${name}`));
  for (let round = 1; round <= rounds; round++) {
    for (const name of SERVERS) {
      bench.progress.step(`round ${round} of ${rounds}, ${name}`, (round - 1) / rounds);
      // A server that has seen nothing yet: its memory is what one such webhook needs.
      await bench.withServer(name, databases.get(name) ?? '', async (server) => {
        await measureRound(bench, server, result);
      });
    }
  }
  return result;
}

async function measureRound(bench: Bench, server: TargetProcess, result: BigFigures): Promise<void> {
  await watched(bench, server, () => sleep(WARM_UP));
  noteMemory(server, result.startMemory);
  const firstBatch = bench.takeBatches(1);
  for (const kind of BIG_KINDS) {
    const job = { url: server.url, webhookToken: bench.tokens.webhookToken, connections: 1, firstBatch };
    await bench.load.prepare({ do: 'post', ...job, size: BIG_SIZE, kind, warmUp: 0, webhooks: 1 });
    const [duration, watch] = await watched(bench, server, async () => {
      await sleep(MARGIN);
      const { elapsed } = await bench.load.go<PostJob>();
      await sleep(MARGIN);
      return elapsed;
    });
    const figure = result.figures.find((one) => one.target === server.name && one.kind === kind);
    figure?.duration.push(duration);
    for (const [what, count] of Object.entries(watch.failures)) {
      if (figure) figure.failures[what] = (figure.failures[what] ?? 0) + count;
    }
    if (watch.listed) figure?.listed.push(watch.listed);
    if (watch.posted) figure?.posted.push(watch.posted);
  }
  noteMemory(server, result.peakMemory);
}

/** The most memory that our server has had so far, where that is known. */
function noteMemory(server: TargetProcess, values: number[]): void {
  const memory = memoryOf(server.pid);
  if (server.name === 'fastify' && memory) values.push(memory.most);
}

/** Lets others list and post while the work runs. */
async function watched<T>(
  bench: Bench,
  server: TargetProcess,
  work: () => Promise<T>,
): Promise<[T, WatchResult]> {
  const id = 'bystander';
  await bench.watcher.prepare({
    do: 'watch',
    url: server.url,
    webhookToken: bench.tokens.webhookToken,
    user: { id, token: await bench.tokens.userToken(id) },
    size: 1,
    kind: 'new',
    firstBatch: bench.takeBatches(10_000),
    listEvery: LIST_EVERY,
    postEvery: POST_EVERY,
  });
  const watching = bench.watcher.go<WatchJob>();
  const result = await work();
  bench.watcher.stop();
  const watch = await watching;
  return [result, watch];
}
