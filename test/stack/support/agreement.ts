import { setTimeout as sleep } from 'node:timers/promises';
import { waitUntil } from '../../support/server.js';
import type { Alertmanager } from './alertmanager.js';
import type { ReliabilityRow } from './reliability-table.js';
import type { SessionKey, Sessions } from './sessions.js';
import type { Stack } from './stack.js';

/** For how long all must agree before it counts (ms). */
const CALM = 3_000;
/** For so many posts (ms). */
const LONGEST_WAIT = 120_000;

/** How what servers show and what Alertmanagers list differ, and whether these list what is true. */
export interface Difference {
  lost: SessionKey[];
  stale: SessionKey[];
  isTrue: boolean;
}

/** Sessions get into trouble and out of it all the time; returns what ends that. */
export function startStorm(sessions: Sessions, ...alertmanagers: Alertmanager[]): () => Promise<void> {
  const ending = new AbortController();
  const storm = (async () => {
    while (!ending.signal.aborted) {
      const { begun, ended } = sessions.turn(20);
      await Promise.all(
        alertmanagers.map(async (one) => {
          await one.resolve(...ended);
          await one.fire(...begun);
        }),
      );
      await sleep(200);
    }
  })();
  return async () => {
    ending.abort();
    await storm;
  };
}

export async function morePosts(alertmanager: Alertmanager, count: number): Promise<void> {
  const { total } = await alertmanager.posts();
  await waitUntil(async () => (await alertmanager.posts()).total >= total + count, LONGEST_WAIT);
}

export async function moreFailures(alertmanager: Alertmanager, count: number): Promise<void> {
  const { failed } = await alertmanager.posts();
  await waitUntil(async () => (await alertmanager.posts()).failed >= failed + count, LONGEST_WAIT);
}

/** The sessions that a server shows alerts of, one entry an alert. */
export async function shownBy(stack: Stack, sessions: Sessions): Promise<SessionKey[]> {
  const ofEach = await Promise.all(
    sessions.users.map(async (user) =>
      (await stack.sessionsWithAlertsOf(user)).map((session) => `${user}/${session}`),
    ),
  );
  return ofEach.flat().sort();
}

/**
 * Waits until every server shows what Alertmanager lists and that is true, and stays so; for so long (s) at most.
 * @returns how they differ in the end, and after how long they agreed (s)
 */
export async function untilAgreed(
  stacks: Stack[],
  sessions: Sessions,
  alertmanagers: Alertmanager[],
  bound: number,
): Promise<{ difference: Difference; seconds: number }> {
  const began = performance.now();
  let agreedSince: number | undefined;
  let difference: Difference;
  do {
    await sleep(100);
    const asked = performance.now();
    difference = await compare(stacks, sessions, alertmanagers);
    const agree = difference.isTrue && difference.lost.length + difference.stale.length === 0;
    agreedSince = agree ? (agreedSince ?? asked) : undefined;
  } while (performance.now() < (agreedSince === undefined ? began + bound * 1000 : agreedSince + CALM));
  return { difference, seconds: ((agreedSince ?? performance.now()) - began) / 1000 };
}

/** What the table in docs/reliability.md says of it. */
export function rowOf(
  { count, changes }: Sessions,
  { lost, stale }: Difference,
): Pick<ReliabilityRow, 'load' | 'lost' | 'stale'> {
  return { load: `${count} sessions, ${changes} changes`, lost: lost.length, stale: stale.length };
}

async function compare(
  stacks: Stack[],
  sessions: Sessions,
  alertmanagers: Alertmanager[],
): Promise<Difference> {
  const theirs = await listedBy(alertmanagers);
  const difference: Difference = { lost: [], stale: [], isTrue: theirs.join() === sessions.inTrouble.join() };
  for (const stack of stacks) {
    const left = new Set(theirs);
    // What is shown twice is stale the second time.
    difference.stale.push(...(await shownBy(stack, sessions)).filter((session) => !left.delete(session)));
    difference.lost.push(...left);
  }
  return difference;
}

/** The sessions that Alertmanagers list alerts of. */
async function listedBy(alertmanagers: Alertmanager[]): Promise<SessionKey[]> {
  const ofEach = await Promise.all(alertmanagers.map((one) => one.activeAlerts()));
  const keys = ofEach.flat().map((labels) => `${labels['safe_username']}/${labels['statefulset']}`);
  return [...new Set(keys)].sort();
}
