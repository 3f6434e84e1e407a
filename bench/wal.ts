import type { Bench } from './bench.js';
import { query } from './cluster.js';
import type { PostJob } from './load-jobs.js';
import type { ServerName } from './target-process.js';
import type { WalFigure } from './wal-figures.js';
import { KINDS } from './webhook-bodies.js';
import type { WebhookPlan } from './webhook-target.js';

/** Of a quick run the first two. */
const PLANS: WebhookPlan[] = [
  { size: 1000, connections: 1, webhooks: 5 },
  { size: 1, connections: 32, webhooks: 480 },
  { size: 1, connections: 1, webhooks: 200 },
  { size: 100, connections: 8, webhooks: 40 },
];

export async function measureWal(bench: Bench): Promise<WalFigure[]> {
  const figures: WalFigure[] = [];
  const { quick, against } = bench.options;
  const plans = quick ? PLANS.slice(0, 2) : PLANS;
  // Its writes would be counted with ours.
  await bench.cluster.configure('autovacuum', 'off');
  const servers: ServerName[] =
    against === undefined ? ['fastify', 'floor'] : ['fastify', 'against', 'floor'];
  for (const [index, plan] of plans.entries()) {
    const databases = await bench.createDatabases(`wal_${index}`, servers);
    for (const target of servers) {
      bench.progress.step(
        `${plan.size} alerts a webhook, ${plan.connections} connections, ${target}`,
        index / plans.length,
      );
      const { size, connections } = plan;
      const ofServer = KINDS.map((kind): WalFigure => {
        return { target, size, connections, kind, bytesPerAlert: [] };
      });
      figures.push(...ofServer);
      await measureServer(bench, target, plan, databases.get(target) ?? '', ofServer);
    }
    for (const url of databases.values()) await bench.cluster.dropDatabase(url);
  }
  await bench.cluster.configure('autovacuum', 'on');
  return figures;
}

/** One server at a time: what others write would be counted with its own. */
async function measureServer(
  bench: Bench,
  target: ServerName,
  plan: WebhookPlan,
  databaseUrl: string,
  figures: WalFigure[],
): Promise<void> {
  const rounds = bench.options.quick ? 1 : bench.options.rounds;
  await bench.withServer(target, databaseUrl, async ({ url }) => {
    await query(databaseUrl, 'CHECKPOINT');
    // In the first round come the images of whole pages that follow a checkpoint.
    for (let round = 0; round <= rounds; round++) {
      const firstBatch = bench.takeBatches(plan.webhooks);
      for (const { kind, bytesPerAlert } of figures) {
        const { webhookToken } = bench.tokens;
        const job: PostJob = { do: 'post', url, webhookToken, ...plan, kind, firstBatch, warmUp: 0 };
        await bench.load.prepare(job);
        const before = await bench.cluster.walBytes();
        await bench.load.go<PostJob>();
        const written = (await bench.cluster.walBytes()) - before;
        if (round > 0) bytesPerAlert.push(written / (plan.size * plan.webhooks));
      }
    }
  });
}
