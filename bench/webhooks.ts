import type { Bench } from './bench.js';
import { query } from './cluster.js';
import type { PostJob } from './load-jobs.js';
import { findPgbench, PgbenchTarget } from './pgbench.js';
import { cpuMeter } from './proc.js';
import { rotated, roundsOf } from './rounds.js';
import { comparedServers } from './target-process.js';
import type { TargetProcess } from './target-process.js';
import { CHANGED_ENDING, KINDS } from './webhook-bodies.js';
import type { Kind } from './webhook-bodies.js';
import { batchesOf } from './webhook-target.js';
import type { TargetName, WebhookPlan, WebhookTarget } from './webhook-target.js';

/** So many webhooks that a phase takes about a second. */
const PLANS: WebhookPlan[] = [
  { size: 1, connections: 32, webhooks: 3200 },
  { size: 10, connections: 16, webhooks: 960 },
  { size: 100, connections: 8, webhooks: 160 },
  { size: 1000, connections: 4, webhooks: 20 },
];
const QUICK_PLANS: WebhookPlan[] = [
  { size: 1, connections: 32, webhooks: 192 },
  { size: 100, connections: 8, webhooks: 16 },
  { size: 1000, connections: 2, webhooks: 2 },
];
/** One target, size and kind; a value for each round. */
export interface WebhookFigure {
  target: TargetName;
  size: number;
  kind: Kind;
  alertsPerSecond: number[];
  /** CPU time of the server and of the database, in µs an alert. */
  serverCpu: number[];
  databaseCpu: number[];
}

export async function measureWebhooks(bench: Bench): Promise<WebhookFigure[]> {
  const { rounds, quick } = bench.options;
  const names = comparedServers(bench.options);
  const plans = quick ? QUICK_PLANS : PLANS;
  const databases = new Map<TargetName, string>();
  for (const name of [...names, 'pgbench' as const]) {
    databases.set(name, await bench.cluster.createDatabase(`webhooks_${name}`));
  }
  const databaseUrlOf = (name: TargetName) => databases.get(name) ?? '';
  const pgbench = findPgbench();
  if (pgbench === undefined) {
    bench.progress.say(
      'There is no pgbench, so its column is left out: install the Debian package postgresql.',
    );
  }
  const figures = await bench.withServers(names, databaseUrlOf, async (servers) => {
    const targets = [
      ...servers.map((server) => overHttp(bench, server, databaseUrlOf(server.name))),
      ...(pgbench === undefined ? [] : [new PgbenchTarget(pgbench, databaseUrlOf('pgbench'))]),
    ];
    const figures = new Figures();
    for (const round of roundsOf(rounds)) {
      for (const [index, plan] of plans.entries()) {
        for (const target of rotated(targets, round)) {
          bench.progress.step(
            `${round.text}, ${plan.size} alerts a webhook, ${target.name}`,
            (round.number + index / plans.length) / (rounds + 1),
          );
          await measureRound(bench, target, plan, round.isCounted ? figures : undefined);
        }
      }
    }
    return figures.all;
  });
  for (const url of databases.values()) await bench.cluster.dropDatabase(url);
  return figures;
}

/** The four kinds, one after the other, about users that nothing has been heard of before. */
async function measureRound(
  bench: Bench,
  target: WebhookTarget,
  plan: WebhookPlan,
  figures: Figures | undefined,
): Promise<void> {
  const firstBatch = bench.takeBatches(batchesOf(plan));
  const counted = plan.size * plan.webhooks;
  const alerts = plan.size * batchesOf(plan);
  const before = await countStored(target.databaseUrl);
  for (const kind of KINDS) {
    const run = await target.prepare(plan, kind, firstBatch);
    const cpu = cpuMeter(target.serverPid, bench.cluster.pid);
    const elapsed = await run();
    figures?.add(target.name, plan.size, kind, {
      alertsPerSecond: (counted / elapsed) * 1000,
      ...cpu(counted),
    });
    if (kind === 'changed') {
      const { open, changed, sighted } = await countStored(target.databaseUrl);
      checkEqual(
        target.name,
        { open, changed, sighted: sighted - before.sighted },
        { open: alerts, changed: alerts, sighted: alerts },
      );
    }
  }
  const { open, resolved } = await countStored(target.databaseUrl);
  checkEqual(target.name, { open, resolved: resolved - before.resolved }, { open: 0, resolved: alerts });
}

class Figures {
  readonly all: WebhookFigure[] = [];

  add(
    target: TargetName,
    size: number,
    kind: Kind,
    values: { alertsPerSecond: number; serverCpu?: number; databaseCpu?: number },
  ): void {
    let figure = this.all.find((one) => one.target === target && one.size === size && one.kind === kind);
    if (!figure) {
      figure = { target, size, kind, alertsPerSecond: [], serverCpu: [], databaseCpu: [] };
      this.all.push(figure);
    }
    figure.alertsPerSecond.push(values.alertsPerSecond);
    if (values.serverCpu !== undefined) figure.serverCpu.push(values.serverCpu);
    if (values.databaseCpu !== undefined) figure.databaseCpu.push(values.databaseCpu);
  }
}

function overHttp(bench: Bench, server: TargetProcess, databaseUrl: string): WebhookTarget {
  return {
    name: server.name,
    databaseUrl,
    serverPid: server.pid,
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

interface Stored {
  open: number;
  resolved: number;
  changed: number;
  sighted: number;
}

async function countStored(databaseUrl: string): Promise<Stored> {
  const [stored] = await query<Stored>(
    databaseUrl,
    `SELECT count(*) FILTER (WHERE resolved_date IS NULL)::int AS open,
            count(resolved_date)::int AS resolved,
            count(*) FILTER (WHERE resolved_date IS NULL AND message LIKE $1)::int AS changed,
            (SELECT coalesce(sum(cardinality(series)), 0)::int FROM session_alerts.sightings) AS sighted
       FROM session_alerts.alerts`,
    [`%${CHANGED_ENDING}`],
  );
  if (!stored) throw new Error('The database counts nothing');
  return stored;
}

/** What was measured has to have happened. */
function checkEqual(target: string, actual: Partial<Stored>, expected: Partial<Stored>): void {
  const [is, should] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (is !== should) throw new Error(`The database of ${target} should hold ${should}, but holds ${is}`);
}
