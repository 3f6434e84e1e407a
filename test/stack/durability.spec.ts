import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { query, startPostgres } from './support/postgres.js';
import type { StackPostgres } from './support/postgres.js';
import { Random } from './support/random.js';
import { noteInTable } from './support/reliability-table.js';
import { Stack } from './support/stack.js';

const ROUNDS = 50;
const POSTERS = 8;

/** A webhook of new alerts, and what we were told about it. */
interface Posted {
  user: string;
  /** Sessions, each with one alert. */
  sessions: string[];
  firing: 'answered' | 'unanswered';
  resolving?: 'answered' | 'unanswered';
}

const random = new Random();
const users = Array.from({ length: 5 }, () => randomUUID());
let postgres: StackPostgres;
let stack: Stack;
let token: string;

beforeAll(async () => {
  postgres = await startPostgres({ fsync: 'on' });
  stack = await Stack.start(postgres);
  token = await stack.issuer.userToken({
    sub: 'alertmanager',
    roles: ['alertmanager-webhook'],
    lifetime: 3600,
  });
});
afterAll(async () => {
  await stack.close();
  await postgres.close();
});

it(`keeps whatever it has answered 2xx, killed at ${ROUNDS} random moments (SEED=${random.seed})`, async () => {
  const posted: Posted[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const isOver = new AbortController();
    const posters = Array.from({ length: POSTERS }, (_, poster) =>
      keepPosting(`round-${round}-poster-${poster}`, isOver.signal),
    );
    await sleep(random.between(20, 600));
    isOver.abort();
    await stack.server.kill();
    const ofRound = (await Promise.all(posters)).flat();
    expect({ round, ...wrong(ofRound, await stored()) }).toEqual({ round, lost: [], stale: [] });
    posted.push(...ofRound);
    await stack.server.startAgain();
  }

  // What the server has been told is committed outlasts PostgreSQL as well.
  await stack.server.kill();
  await postgres.crash();
  await postgres.startAgain();
  const answered = posted.filter((one) => one.firing === 'answered');
  const unanswered = posted.filter((one) => [one.firing, one.resolving].includes('unanswered'));
  const { lost, stale } = wrong(posted, await stored());
  await noteInTable({
    fault: `Server killed with SIGKILL at a random moment, ${ROUNDS} times`,
    load: `${answered.flatMap((one) => one.sessions).length} alerts answered 2xx, ${unanswered.length} webhooks cut off`,
    lost: lost.length,
    stale: stale.length,
  });
  expect({ lost, stale }).toEqual({ lost: [], stale: [] });
  // Else nothing was shown: the kills came while nothing was under way.
  expect(unanswered.length).toBeGreaterThan(ROUNDS);
}, 480_000);

/** Posts webhooks one after the other, firing and resolving what is its own, until the server is gone. */
async function keepPosting(name: string, isOver: AbortSignal): Promise<Posted[]> {
  const posted: Posted[] = [];
  while (!isOver.aborted) {
    const sessions = Array.from({ length: random.between(1, 10) }, (_, n) => `${name}-${posted.length}-${n}`);
    const user = users[posted.length % users.length] ?? '';
    const one: Posted = { user, sessions, firing: await post(user, sessions, 'firing') };
    posted.push(one);
    if (one.firing === 'answered' && random.next() < 0.4) {
      one.resolving = await post(user, sessions, 'resolved');
    }
  }
  return posted;
}

async function post(
  user: string,
  sessions: string[],
  status: 'firing' | 'resolved',
): Promise<'answered' | 'unanswered'> {
  const alerts = sessions.map((session) => ({
    status,
    labels: { alertname: 'RenkuSessionHighMemory', safe_username: user, statefulset: session },
    annotations: { title: 'High memory usage', description: 'Memory usage over 90% of capacity' },
    startsAt: '2025-11-27T12:00:00Z',
    endsAt: status === 'firing' ? '0001-01-01T00:00:00Z' : '2025-11-27T12:30:00Z',
  }));
  let response: Response;
  try {
    response = await fetch(stack.server.webhookUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ version: '4', status, receiver: 'durability', alerts }),
    });
  } catch {
    return 'unanswered';
  }
  // The status line is what Alertmanager goes by; the rest of the answer may be cut off.
  if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
  await response.text().catch(() => undefined);
  return 'answered';
}

/** Whether each session's alert is open, for those that have one in the database. */
async function stored(): Promise<Map<string, boolean>> {
  const rows = await query<{ session_name: string; open: boolean }>(
    stack.databaseUrl,
    `SELECT session_name, resolved_date IS NULL AS open FROM session_alerts.alerts`,
  );
  return new Map(rows.map((row) => [row.session_name, row.open]));
}

/** The webhooks that were answered and are not stored, or only in part; and those whose resolves are not. */
function wrong(posted: Posted[], alerts: Map<string, boolean>): { lost: Posted[]; stale: Posted[] } {
  const lost: Posted[] = [];
  const stale: Posted[] = [];
  for (const one of posted) {
    const [isOpen, ...others] = new Set(one.sessions.map((session) => alerts.get(session)));
    if (others.length > 0) lost.push(one);
    else if (isOpen === undefined && one.firing === 'answered') lost.push(one);
    else if (isOpen === false && one.resolving === undefined) lost.push(one);
    else if (isOpen === true && one.resolving === 'answered') stale.push(one);
  }
  return { lost, stale };
}
