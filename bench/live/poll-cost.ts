import { listOpen } from '../../src/alerts/alerts.statements.js';
import { query } from '../cluster.js';
import { changeEverything } from '../listing.js';
import { cpuMeter } from '../proc.js';
import type { LiveBench } from './live-bench.js';
import type { AskOrder, ConnectOrder } from './page-orders.js';

/** Fewer users than the server remembers, and so few that it still does when they come again. */
const USERS = 5_000;
const QUICK_USERS = 2_000;
const ROUNDS = 5;
const QUICK_ROUNDS = 3;

/** What a poll finds: the server has to ask the database, or it knows the answer, or that the page has it already. */
export const POLL_KINDS = ['asks PostgreSQL', 'is answered from memory', 'is a 304'] as const;
export type PollKind = (typeof POLL_KINDS)[number];

/** One kind; a value for each round. */
export interface PollFigure {
  kind: PollKind;
  /** µs a poll. */
  serverCpu: number[];
  databaseCpu: number[];
  /** Queries of open alerts that reached PostgreSQL, of all rounds, and the polls that there were. */
  queries: number;
  polls: number;
}

export async function measurePollCost(bench: LiveBench): Promise<PollFigure[]> {
  const { quick } = bench.options;
  const users = bench.users.slice(0, quick ? QUICK_USERS : USERS);
  const rounds = quick ? QUICK_ROUNDS : ROUNDS;
  const databaseUrl = await bench.cluster.createDatabase('poll_cost');
  await query(databaseUrl, 'CREATE EXTENSION pg_stat_statements');
  await openAlerts(
    databaseUrl,
    users.map(({ id }) => id),
  );
  const figures = POLL_KINDS.map((kind): PollFigure => {
    return { kind, serverCpu: [], databaseCpu: [], queries: 0, polls: 0 };
  });
  await bench.withServer('fastify', databaseUrl, async (server) => {
    await bench.pages.tell<ConnectOrder>({ order: 'connect', url: server.url, users });
    // Round 0 warms up.
    for (let round = 0; round <= rounds; round++) {
      bench.progress.step(`every user asks three times, round ${round} of ${rounds}`, round / (rounds + 1));
      await changeEverything(databaseUrl);
      for (const figure of figures) {
        const isConditional = figure.kind === 'is a 304';
        const queriesBefore = await countQueries(databaseUrl);
        const cpu = cpuMeter(server.pid, bench.cluster.pid);
        const statuses = await bench.pages.tell<AskOrder>({ order: 'ask', isConditional });
        const { serverCpu = NaN, databaseCpu = NaN } = cpu(users.length);
        const expected = isConditional ? 304 : 200;
        if (statuses[expected] !== users.length) {
          throw new Error(`Polls were answered ${JSON.stringify(statuses)}, expected ${expected}`);
        }
        if (round === 0) continue;
        figure.serverCpu.push(serverCpu);
        figure.databaseCpu.push(databaseCpu);
        figure.queries += (await countQueries(databaseUrl)) - queriesBefore;
        figure.polls += users.length;
      }
    }
    await bench.pages.tell({ order: 'close' });
  });
  return figures;
}

/** How often PostgreSQL has been asked for a user's open alerts. */
async function countQueries(databaseUrl: string): Promise<number> {
  const [row] = await query<{ calls: number }>(
    databaseUrl,
    `SELECT coalesce(sum(calls), 0)::int AS calls
       FROM pg_stat_statements
      WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND btrim(query, E' \\n') = btrim($1, E' \\n')`,
    [listOpen([]).text],
  );
  return row?.calls ?? 0;
}

async function openAlerts(databaseUrl: string, userIds: string[]): Promise<void> {
  await query(
    databaseUrl,
    `INSERT INTO session_alerts.alerts (id, fingerprint, user_id, session_name, event_type, title, message, severity,
       gravity, is_event, by_hand, creation_date)
     SELECT lpad(n::text, 26, '0'), n, user_id, 'session-' || n, 'RenkuSessionHighMemory',
            'Your session is running out of memory',
            'This session uses 91 % of its memory. Close notebooks that you do not need.', 'warning',
            2, false, false, now()
       FROM unnest($1::text[]) WITH ORDINALITY AS users (user_id, n)`,
    [userIds],
  );
  await query(databaseUrl, 'VACUUM (ANALYZE) session_alerts.alerts');
}
