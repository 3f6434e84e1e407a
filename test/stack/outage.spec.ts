import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitUntil } from '../support/server.js';
import { startPostgres } from './support/postgres.js';
import type { StackPostgres } from './support/postgres.js';
import { noteInTable } from './support/reliability-table.js';
import { Stack } from './support/stack.js';

/** How long the database is gone (ms). */
const OUTAGE = 60_000;
const POSTERS = 8;
/** Alerts a webhook. */
const ALERTS = 20;

/** How much more memory the server may take than before (bytes): V8 collects when it sees fit. */
const MORE_MEMORY = 150 * 1024 * 1024;
/** How long after the database's return the first webhook may have to wait (ms). */
const RECOVERY = 5_000;

interface Answer {
  /** `performance.now()`. */
  sent: number;
  arrived: number;
  /** 0 for none at all. */
  status: number;
}

const user = randomUUID();
let postgres: StackPostgres;
let stack: Stack;

beforeAll(async () => {
  postgres = await startPostgres();
  stack = await Stack.start(postgres);
});
afterAll(async () => {
  await stack.close();
  await postgres.close();
});

it('refuses what it cannot store for a minute, stays small and alive, and stores again at once', async () => {
  const { pid } = stack.server;
  const isOver = new AbortController();
  const answers: Answer[] = [];
  const posting = Promise.all(
    Array.from({ length: POSTERS }, (_, poster) => keepPosting(poster, answers, isOver.signal)),
  );
  await waitUntil(() => answers.length >= 2_000, 60_000);
  const before = await residentMemory();

  await postgres.crash();
  const gone = performance.now();
  let peak = 0;
  while (performance.now() < gone + OUTAGE) {
    peak = Math.max(peak, await residentMemory());
    await sleep(1_000);
  }
  expect((await fetch(`${stack.server.url}/healthz`)).status).toBe(200);
  expect((await fetch(`${stack.server.url}/readyz`)).status).toBe(503);
  expect((await stack.askForAlertsOf(user)).status).toBe(503);
  const returns = performance.now();
  await postgres.startAgain();
  const isBack = performance.now();
  const firstSuccess = (): Answer | undefined =>
    answers.find(({ sent, status }) => sent > gone && status === 200);
  await waitUntil(() => firstSuccess() !== undefined);
  const waited = Math.max(0, (firstSuccess()?.arrived ?? Infinity) - isBack);
  await waitUntil(async () => (await residentMemory()) > 0 && (await fetch(`${stack.server.url}/readyz`)).ok);
  isOver.abort();
  await posting;

  const during = answers.filter(({ sent, arrived }) => sent > gone && arrived < returns);
  const refused = during.filter(({ status }) => status === 503).length;
  const shown = await stack.sessionsWithAlertsOf(user);
  await noteInTable({
    fault: `PostgreSQL gone for ${OUTAGE / 1000} s`,
    load: `${refused} of ${during.length} webhooks answered 503; memory ${mebibytes(before)} MiB before, at most ${mebibytes(peak)} MiB meanwhile`,
    lost: POSTERS * ALERTS - shown.length,
    seconds: waited / 1000,
  });
  expect(during.length).toBeGreaterThan(1_000);
  expect([...new Set(during.map(({ status }) => status))]).toEqual([503]);
  expect(peak).toBeLessThan(before + MORE_MEMORY);
  expect(waited).toBeLessThan(RECOVERY);
  expect(stack.server).toMatchObject({ pid, isRunning: true });
  expect(shown).toHaveLength(POSTERS * ALERTS);
}, 180_000);

/** Posts the same firing alerts again and again. */
async function keepPosting(poster: number, answers: Answer[], isOver: AbortSignal): Promise<void> {
  const token = await stack.issuer.userToken({
    sub: 'alertmanager',
    roles: ['alertmanager-webhook'],
    lifetime: 3600,
  });
  const alerts = Array.from({ length: ALERTS }, (_, index) => ({
    status: 'firing',
    labels: {
      alertname: 'RenkuSessionHighMemory',
      safe_username: user,
      statefulset: `session-${poster}-${index}`,
    },
    annotations: { title: 'High memory usage', description: 'Memory usage over 90% of capacity' },
    startsAt: '2025-11-27T12:00:00Z',
    endsAt: '0001-01-01T00:00:00Z',
  }));
  const body = JSON.stringify({ version: '4', status: 'firing', receiver: 'outage', alerts });
  while (!isOver.aborted) {
    const sent = performance.now();
    const status = await fetch(stack.server.webhookUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body,
    }).then(
      async (response) => {
        await response.text();
        return response.status;
      },
      () => 0,
    );
    answers.push({ sent, arrived: performance.now(), status });
    await sleep(10);
  }
}

/** Of the server (bytes). */
async function residentMemory(): Promise<number> {
  const status = await readFile(`/proc/${stack.server.pid ?? 0}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 1024 / 1024);
}
