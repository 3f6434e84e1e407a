import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeTime } from 'ulid';
import { CHANNEL, EVERYBODY } from '../src/database/transaction.statements.js';
import type { Bench } from './bench.js';
import { query } from './cluster.js';
import type { ListJob, User } from './load-jobs.js';
import { cpuMeter } from './proc.js';
import { rotated, roundsOf } from './rounds.js';
import { comparedServers } from './target-process.js';
import type { ServerName, TargetProcess } from './target-process.js';

/** How many closed alerts lie behind the open ones. */
const SIZES = [10_000, 1_000_000, 5_000_000];
const QUICK_SIZES = [10_000, 200_000];

/** All with open and closed alerts. */
const USERS = 5_000;
/** Of whom so many list, in a quick run. */
const QUICK_USERS = 1_000;
export const OPEN_ALERTS = 3;

const CONNECTIONS = 32;
/** The share of the users who list one after the other. */
const ALONE = 0.1;

/** ms until a notice has come to every server. */
export const NOTICE_TIME = 50;

/** Closed alerts that are written at once. */
const CHUNK = 250_000;

/** Whether users list for the first time since something has changed, or again: our server remembers what it said. */
export const LISTING_KINDS = ['first', 'again'] as const;
type ListingKind = (typeof LISTING_KINDS)[number];

/** One target, size and kind; a value for each round. */
export interface ListingFigure {
  target: ServerName;
  resolved: number;
  kind: ListingKind;
  perSecond: number[];
  /** ms, one after the other. */
  latencyAlone: number[];
  /** µs a request. */
  serverCpu: number[];
  databaseCpu: number[];
}

export async function measureListing(bench: Bench): Promise<ListingFigure[]> {
  const { rounds, quick } = bench.options;
  const sizes = quick ? QUICK_SIZES : SIZES;
  const databaseUrl = await bench.cluster.createDatabase('listing');
  const users = await listingUsers(bench);
  await fillOpen(databaseUrl);
  const figures: ListingFigure[] = [];
  await bench.withServers(
    comparedServers(bench.options),
    () => databaseUrl,
    async (servers) => {
      let filled = 0;
      for (const [index, size] of sizes.entries()) {
        const step = (text: string, share: number) => {
          const rows = size.toLocaleString('en');
          bench.progress.step(`${rows} closed alerts, ${text}`, (index + share) / sizes.length);
        };
        for (; filled < size; filled += Math.min(CHUNK, size - filled)) {
          step(`${filled.toLocaleString('en')} are written`, (0.5 * filled) / size);
          await fillResolved(databaseUrl, filled, Math.min(CHUNK, size - filled));
        }
        step('vacuuming', 0.5);
        await query(databaseUrl, 'VACUUM (ANALYZE) session_alerts.alerts');
        await query(databaseUrl, 'CHECKPOINT');
        const bySize = servers.map((server) => ({ server, figures: emptyListingFigures(server.name, size) }));
        figures.push(...bySize.flatMap((one) => one.figures));
        for (const round of roundsOf(rounds)) {
          for (const { server, figures } of rotated(bySize, round)) {
            step(`${round.text}, ${server.name}`, 0.5 + (0.5 * round.number) / (rounds + 1));
            await measureListingRound(
              bench,
              server,
              users,
              () => changeEverything(databaseUrl),
              round.isCounted ? figures : emptyListingFigures(server.name, size),
            );
          }
        }
      }
    },
  );
  await bench.cluster.dropDatabase(databaseUrl);
  return figures;
}

/** @param change makes the server forget what it remembers of anybody */
export async function measureListingRound(
  bench: Bench,
  server: TargetProcess,
  users: User[],
  change: () => Promise<void>,
  figures: ListingFigure[],
): Promise<void> {
  const job: Omit<ListJob, 'users' | 'connections'> = { do: 'list', url: server.url, alerts: OPEN_ALERTS };
  await change();
  for (const figure of figures) {
    await bench.load.prepare({ ...job, users, connections: CONNECTIONS });
    const cpu = cpuMeter(server.pid, bench.cluster.pid);
    const { elapsed } = await bench.load.go<ListJob>();
    const { serverCpu, databaseCpu } = cpu(users.length);
    figure.perSecond.push((users.length / elapsed) * 1000);
    if (serverCpu !== undefined) figure.serverCpu.push(serverCpu);
    if (databaseCpu !== undefined) figure.databaseCpu.push(databaseCpu);
  }
  await change();
  for (const figure of figures) {
    const alone = await bench.load.run<ListJob>({
      ...job,
      users: users.slice(0, users.length * ALONE),
      connections: 1,
    });
    figure.latencyAlone.push(alone.latencies?.p50 ?? NaN);
  }
}

/** Tells the servers that everybody's alerts may have changed, as somebody who changes the tables past them does. */
export async function changeEverything(databaseUrl: string): Promise<void> {
  await query(databaseUrl, 'SELECT pg_notify($1, $2)', [CHANNEL, `bench ${EVERYBODY}`]);
  await sleep(NOTICE_TIME);
}

export function emptyListingFigures(target: ServerName, resolved: number): ListingFigure[] {
  return LISTING_KINDS.map((kind) => ({
    target,
    resolved,
    kind,
    perSecond: [],
    latencyAlone: [],
    serverCpu: [],
    databaseCpu: [],
  }));
}

/** Those who list. */
export function listingUsers({ options, tokens }: Bench): Promise<User[]> {
  return Promise.all(
    Array.from({ length: options.quick ? QUICK_USERS : USERS }, async (_, number): Promise<User> => {
      const id = userId(number);
      return { id, token: await tokens.userToken(id) };
    }),
  );
}

/** A UUID, as USER_ID makes it. */
function userId(number: number): string {
  const hex = createHash('md5').update(`${number}`).digest('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** The id of user `number`. */
const USER_ID = `md5(number::text)::uuid::text`;

const COLUMNS = `id, fingerprint, user_id, session_name, event_type, title, message, severity, gravity, is_event,
  by_hand, creation_date, updated_date, resolved_date, resolved_reason`;

const CONTENT = `'jane-doe-' || left(md5(n::text), 8), 'RenkuSessionHighMemory',
  'Your session is running out of memory',
  'Session jane-doe-' || left(md5(n::text), 8) || ' uses 91 % of its memory. At 100 % it is ended and what is not '
    'saved is lost: close notebooks and programs that you do not need, or start it again with more.',
  'warning', 2, false, false`;

async function fillOpen(databaseUrl: string): Promise<void> {
  await query(
    databaseUrl,
    `INSERT INTO session_alerts.alerts (${COLUMNS})
     SELECT $1 || lpad(n::text, 16, '0'), n, ${USER_ID}, ${CONTENT}, now(), NULL, NULL, NULL
       FROM generate_series(1, $2::int) AS n, LATERAL (SELECT n % $3 AS number) AS users`,
    [encodeTime(Date.now()), USERS * OPEN_ALERTS, USERS],
  );
}

/** Over the last thirty days, the users taking turns. */
async function fillResolved(databaseUrl: string, from: number, count: number): Promise<void> {
  await query(
    databaseUrl,
    `INSERT INTO session_alerts.alerts (${COLUMNS})
     SELECT $1 || 'C' || lpad(n::text, 15, '0'), n, ${USER_ID}, ${CONTENT},
            closed - interval '1 hour', closed, closed, 'resolved'
       FROM generate_series($2::int, $3::int) AS n,
            LATERAL (SELECT n % $4 AS number,
                            now() - interval '30 days' * (1 - n::float8 / $5) AS closed) AS spread`,
    [encodeTime(Date.now()), from + 1, from + count, USERS, SIZES.at(-1)],
  );
}
