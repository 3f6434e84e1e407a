import type { Bench } from './bench.js';
import type { PostJob } from './load-jobs.js';
import { findPgbench, PGBENCHES, PgbenchTarget } from './pgbench.js';
import { cpuMeter } from './proc.js';
import { rotated, roundsOf } from './rounds.js';
import { storedBehind, storedBy } from './stored.js';
import { comparedServers } from './target-process.js';
import type { ServerName, TargetProcess } from './target-process.js';
import { KINDS } from './webhook-bodies.js';
import { WebhookFigures } from './webhook-figures.js';
import type { WebhookFigure } from './webhook-figures.js';
import { batchesOf } from './webhook-target.js';
import type { TargetName, WebhookPlan, WebhookTarget } from './webhook-target.js';

/** So many webhooks that a phase takes about a second, or a third of one where the target is fast. */
const PLANS: WebhookPlan[] = [
  { size: 1, connections: 1, webhooks: 600 },
  { size: 1, connections: 8, webhooks: 2000 },
  { size: 1, connections: 32, webhooks: 3200 },
  { size: 10, connections: 16, webhooks: 960 },
  { size: 100, connections: 1, webhooks: 160 },
  { size: 100, connections: 8, webhooks: 320 },
  { size: 100, connections: 32, webhooks: 320 },
  { size: 1000, connections: 4, webhooks: 40 },
];
const QUICK_PLANS: WebhookPlan[] = [
  { size: 1, connections: 1, webhooks: 64 },
  { size: 1, connections: 8, webhooks: 128 },
  { size: 1, connections: 32, webhooks: 192 },
  { size: 100, connections: 1, webhooks: 8 },
  { size: 100, connections: 8, webhooks: 16 },
  { size: 100, connections: 32, webhooks: 32 },
  { size: 1000, connections: 4, webhooks: 4 },
];

/** Those at which another revision is measured too. */
const SIZES_AGAINST = [1, 100];

export async function measureWebhooks(bench: Bench): Promise<WebhookFigure[]> {
  const { rounds, quick, against, pair } = bench.options;
  const plans = (quick ? QUICK_PLANS : PLANS).filter(
    ({ size }) => against === undefined || SIZES_AGAINST.includes(size),
  );
  const pgbench = pair ? undefined : findPgbench();
  if (pgbench === undefined && !pair) {
    bench.progress.say(
      'There is no pgbench, so its columns are left out: install the Debian package postgresql.',
    );
  }
  const pgbenches = PGBENCHES.filter((name) => against === undefined || name !== 'pgbench');
  const servers: ServerName[] = [...comparedServers(bench.options), ...(pair ? [] : (['floor'] as const))];
  const databases = await bench.createDatabases('webhooks', [...servers, ...pgbenches]);
  const databaseUrlOf = (name: TargetName) => databases.get(name) ?? '';
  const figures = await bench.withServers(servers, databaseUrlOf, async (running) => {
    const targets = [
      ...running.map((server) => overHttp(bench, server, databaseUrlOf(server.name))),
      ...(pgbench === undefined
        ? []
        : pgbenches.map((name) => new PgbenchTarget(name, pgbench, databaseUrlOf(name)))),
    ];
    const figures = new WebhookFigures();
    for (const round of roundsOf(rounds)) {
      for (const [index, plan] of plans.entries()) {
        for (const target of rotated(targets, round)) {
          bench.progress.step(
            `${round.text}, ${plan.size} alerts a webhook, ${plan.connections} connections, ${target.name}`,
            (round.number + index / plans.length) / (rounds + 1),
          );
          const firstBatch = bench.takeBatches(batchesOf(plan));
          await measureRound(bench, target, plan, firstBatch, round.isCounted ? figures : undefined);
        }
      }
    }
    return figures.all;
  });
  for (const url of databases.values()) await bench.cluster.dropDatabase(url);
  return figures;
}

/** The four kinds, one after the other, about users that nothing has been heard of before. */
export async function measureRound(
  bench: Bench,
  target: WebhookTarget,
  plan: WebhookPlan,
  firstBatch: number,
  figures: WebhookFigures | undefined,
): Promise<void> {
  const batches = batchesOf(plan);
  const counted = plan.size * plan.webhooks;
  const storedRound = { firstBatch, batches, alerts: plan.size * batches };
  await target.stored.begin();
  for (const kind of KINDS) {
    const run = await target.prepare(plan, kind, firstBatch);
    const cpu = cpuMeter(target.serverPid, bench.cluster.pid);
    const elapsed = await run();
    figures?.add(target.name, plan, kind, {
      alertsPerSecond: (counted / elapsed) * 1000,
      ...cpu(counted),
    });
    if (kind === 'changed') await target.stored.checkChanged(storedRound);
  }
  await target.stored.checkResolved(storedRound);
}

export function overHttp(bench: Bench, server: TargetProcess, databaseUrl: string): WebhookTarget {
  return {
    name: server.name,
    serverPid: server.pid,
    stored:
      server.name === 'against' ? storedBehind(server, bench.tokens) : storedBy(server.name, databaseUrl),
    async prepare(plan, kind, firstBatch) {
      await bench.load.prepare({
        do: 'post',
        url: server.url,
        webhookToken: bench.tokens.webhookToken,
        ...plan,
        kind,
        firstBatch,
        warmUp: plan.connections,
      });
      return async () => (await bench.load.go<PostJob>()).elapsed;
    },
  };
}
