import type { Bench } from './bench.js';
import { query } from './cluster.js';
import type { PostJob } from './load-jobs.js';
import { KINDS } from './webhook-bodies.js';
import type { Kind } from './webhook-bodies.js';
import type { WebhookPlan } from './webhook-target.js';

/** Of a quick run the first two. */
const PLANS: WebhookPlan[] = [
  { size: 1000, connections: 1, webhooks: 5 },
  { size: 1, connections: 32, webhooks: 480 },
  { size: 1, connections: 1, webhooks: 200 },
];

/** One size and kind; a value for each round. */
export interface WalFigure {
  size: number;
  connections: number;
  kind: Kind;
  bytesPerAlert: number[];
}

export async function measureWal(bench: Bench): Promise<WalFigure[]> {
  const figures: WalFigure[] = [];
  const { quick } = bench.options;
  const rounds = quick ? 1 : bench.options.rounds;
  const plans = quick ? PLANS.slice(0, 2) : PLANS;
  // Its writes would be counted with ours.
  await bench.cluster.configure('autovacuum', 'off');
  for (const [index, plan] of plans.entries()) {
    const databaseUrl = await bench.cluster.createDatabase(`wal_${index}`);
    bench.progress.step(
      `${plan.size} alerts a webhook, ${plan.connections} connections`,
      index / plans.length,
    );
    const ofPlan = KINDS.map((kind): WalFigure => ({ ...plan, kind, bytesPerAlert: [] }));
    figures.push(...ofPlan);
    await bench.withServer('fastify', databaseUrl, async ({ url }) => {
      await query(databaseUrl, 'CHECKPOINT');
      // In the first round come the images of whole pages that follow a checkpoint.
      for (let round = 0; round <= rounds; round++) {
        const firstBatch = bench.takeBatches(plan.webhooks);
        for (const figure of ofPlan) {
          const { webhookToken } = bench.tokens;
          const job: PostJob = {
            do: 'post',
            url,
            webhookToken,
            ...plan,
            kind: figure.kind,
            firstBatch,
            warmUp: 0,
          };
          await bench.load.prepare(job);
          const before = await bench.cluster.walBytes();
          await bench.load.go<PostJob>();
          const written = (await bench.cluster.walBytes()) - before;
          if (round > 0) figure.bytesPerAlert.push(written / (plan.size * plan.webhooks));
        }
      }
    });
    await bench.cluster.dropDatabase(databaseUrl);
  }
  await bench.cluster.configure('autovacuum', 'on');
  return figures;
}
