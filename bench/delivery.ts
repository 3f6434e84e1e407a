import type { Bench } from './bench.js';
import { query } from './cluster.js';
import { rotated, roundsOf } from './rounds.js';
import type { Round } from './rounds.js';
import type { ServerName } from './target-process.js';
import { usersOf } from './webhook-bodies.js';
import { WebhookFigures } from './webhook-figures.js';
import type { WebhookFigure } from './webhook-figures.js';
import { batchesOf } from './webhook-target.js';
import type { WebhookPlan } from './webhook-target.js';
import { measureRound, overHttp } from './webhooks.js';

/** Where people can be told outside of the page, beside the same without. */
const SERVERS: ServerName[] = ['fastify', 'nobody', 'everybody'];
const PLANS: WebhookPlan[] = [
  { size: 1, connections: 8, webhooks: 2000 },
  { size: 100, connections: 8, webhooks: 320 },
];
const QUICK_PLANS: WebhookPlan[] = [
  { size: 1, connections: 8, webhooks: 128 },
  { size: 100, connections: 8, webhooks: 16 },
];

/** Users that one statement writes. */
const CHUNK = 50_000;

/** A turn of a server's: so many webhooks, whose first batch is that. */
interface Turn {
  round: Round;
  plan: WebhookPlan;
  server: ServerName;
  firstBatch: number;
}

/** What webhooks cost where what they bring may have to be told elsewhere as well. */
export async function measureDelivery(bench: Bench): Promise<WebhookFigure[]> {
  const { rounds, quick } = bench.options;
  const databases = await bench.createDatabases('delivery', SERVERS);
  const databaseUrlOf = (name: ServerName) => databases.get(name) ?? '';
  const turns = turnsOf(bench, rounds, quick ? QUICK_PLANS : PLANS);
  bench.progress.step('everybody turns mail on');
  await subscribe(
    databaseUrlOf('everybody'),
    turns.filter(({ server }) => server === 'everybody'),
  );
  const figures = await bench.withServers(SERVERS, databaseUrlOf, async (running) => {
    const figures = new WebhookFigures();
    for (const [index, { round, plan, server, firstBatch }] of turns.entries()) {
      const target = running.find(({ name }) => name === server);
      if (!target) continue;
      const what = `${plan.size} alerts a webhook, ${server}`;
      bench.progress.step(`${round.text}, ${what}`, index / turns.length);
      const counted = round.isCounted ? figures : undefined;
      await measureRound(bench, overHttp(bench, target, databaseUrlOf(server)), plan, firstBatch, counted);
    }
    return figures.all;
  });
  for (const url of databases.values()) await bench.cluster.dropDatabase(url);
  return figures;
}

/** Known before anything runs, as who is told has to have said so. */
function turnsOf(bench: Bench, rounds: number, plans: WebhookPlan[]): Turn[] {
  return Array.from(roundsOf(rounds)).flatMap((round) =>
    plans.flatMap((plan) =>
      rotated(SERVERS, round).map((server) => ({
        round,
        plan,
        server,
        firstBatch: bench.takeBatches(batchesOf(plan)),
      })),
    ),
  );
}

/** All whom these turns are about want mail of everything, and have a page open. */
async function subscribe(databaseUrl: string, turns: Turn[]): Promise<void> {
  const users = turns.flatMap(({ plan, firstBatch }) =>
    Array.from({ length: batchesOf(plan) }, (_, index) => usersOf(firstBatch + index, plan.size)).flat(),
  );
  for (let from = 0; from < users.length; from += CHUNK) {
    const some = users.slice(from, from + CHUNK).map((user) => `('${user}')`);
    await query(
      databaseUrl,
      `WITH users (id) AS (VALUES ${some.join(', ')}),
            pages AS (INSERT INTO session_alerts.open_pages (until, replica, user_id)
                      SELECT 'infinity', '00000000-0000-0000-0000-000000000000', id FROM users)
       INSERT INTO session_alerts.delivery_targets (user_id, channel, target, gravity, details)
       SELECT id, 'email', '', 0, '{"address": "somebody@example.org"}' FROM users`,
    );
  }
  await query(databaseUrl, 'VACUUM (ANALYZE) session_alerts.delivery_targets, session_alerts.open_pages');
}
