import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { execute } from '../support/database.js';
import { waitUntil } from '../support/server.js';
import type { Alertmanager, FiringAlert } from './support/alertmanager.js';
import { startPostgres } from './support/postgres.js';
import type { StackPostgres } from './support/postgres.js';
import { freePort } from './support/program.js';
import { ADMINISTRATORS_CONFIG, Stack } from './support/stack.js';

/** The route of the administrators' configuration, and after it what is withheld of session alerts. */
const ROUTE = `      repeat_interval: 1h
`;
const ALWAYS = `
time_intervals:
  - name: always
    time_intervals:
      - times: [{ start_time: '00:00', end_time: '24:00' }]
`;
const MUTED = `${ROUTE}      routes:
        - matchers: [alertname="Muted"]
          mute_time_intervals: [always]
`;
const ELSEWHERE = `${ROUTE}      routes:
        - matchers: [alertname="Elsewhere"]
          receiver: default
`;
const INHIBITION = `
inhibit_rules:
  - source_matchers: [alertname="NodeDown"]
    target_matchers: [alertname="Inhibited"]
`;

/** Longer than webhooks take where they come (s). */
const INTERVAL = 4;

let postgres: StackPostgres;
let stack: Stack;
let alertmanager: Alertmanager;
let jane: string;

beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.close());
beforeEach(async () => {
  jane = randomUUID();
  await start();
});
afterEach(() => stack.close());

/** Our server, and an Alertmanager that it reconciles with, which may call itself otherwise than it is asked. */
async function start(externalUrl?: string): Promise<void> {
  const port = await freePort();
  stack = await Stack.start(postgres, {
    ALERTMANAGER_URLS: `http://127.0.0.1:${port}`,
    RECONCILE_INTERVAL: `${INTERVAL}s`,
    RECONCILE_SETTLE_TIME: '1s',
  });
  alertmanager = await stack.startAlertmanager({
    port,
    config: `${(await readFile(ADMINISTRATORS_CONFIG, 'utf8')).trimEnd()}\n${ALWAYS}${INHIBITION}`,
    route: { group_interval: '1s' },
    ...(externalUrl !== undefined && { externalUrl }),
  });
}

function alert(name: string): FiringAlert {
  return {
    labels: {
      alertname: name,
      purpose: 'renku-session',
      severity: 'warning',
      safe_username: jane,
      statefulset: 'jane-1',
    },
    annotations: { title: name, description: 'Memory usage over 90% of capacity' },
    startsAt: new Date().toISOString(),
  };
}

/** What Jane sees, by name. */
async function shown(): Promise<string[]> {
  return (await stack.alertsOf(jane)).map(({ event_type: name }) => name).sort();
}

async function metric(name: string): Promise<number> {
  const metrics = await (await fetch(`${stack.server.url}/metrics`)).text();
  const line = metrics.split('\n').find((one) => one.startsWith(`${name} `));
  return Number(line?.split(' ').at(-1) ?? 0);
}

/** What webhooks lost, as reconciling counts it. */
async function drift(): Promise<number> {
  const [opened, closed] = await Promise.all(
    ['opened', 'closed'].map((direction) =>
      metric(`session_alerts_reconcile_drift_total{direction="${direction}"}`),
    ),
  );
  return (opened ?? 0) + (closed ?? 0);
}

/** Waits until reconciling has compared what Alertmanager lists, at least so often from now on. */
async function reconciled(times: number): Promise<void> {
  const until = new Date(Date.now() + times * INTERVAL * 1000);
  await waitUntil(async () => {
    const later = await execute(
      stack.databaseUrl,
      'SELECT FROM session_alerts.reconciling WHERE last_run > $1',
      [until],
    );
    return later.length > 0;
  }, 60_000);
}

it.each<[string, string, (config: string) => string]>([
  ['a muted time interval', 'Muted', (config) => config.replace(ROUTE, MUTED)],
  ['a route to another receiver', 'Elsewhere', (config) => config.replace(ROUTE, ELSEWHERE)],
])('%s leaves the user in peace, and its end brings what still fires', async (_what, name, withhold) => {
  await alertmanager.reload(withhold);
  await alertmanager.fire(alert(name), alert('Plain'));
  await waitUntil(async () => (await shown()).includes('Plain'));
  await reconciled(3);
  expect(await shown()).toEqual(['Plain']);

  await alertmanager.reload((config) => config.replace(withhold(ROUTE), ROUTE));
  await waitUntil(async () => (await shown()).join() === `${name},Plain`, 60_000);
  await reconciled(3);
  expect(await shown()).toEqual([name, 'Plain']);
  expect(await drift()).toBe(0);
});

it.each<[string, string, (config: string) => string]>([
  ['a time interval mutes', 'Muted', (config) => config.replace(ROUTE, MUTED)],
  ['another route takes', 'Elsewhere', (config) => config.replace(ROUTE, ELSEWHERE)],
])('What %s while it is shown stays, and is the same afterwards', async (_what, name, withhold) => {
  await alertmanager.fire(alert(name));
  await waitUntil(async () => (await shown()).join() === name);
  const [before] = await stack.alertsOf(jane);
  await alertmanager.reload(withhold);
  await reconciled(3);
  expect((await stack.alertsOf(jane)).map(({ id }) => id)).toEqual([before?.id]);
  await alertmanager.reload((config) => config.replace(withhold(ROUTE), ROUTE));
  await reconciled(3);
  expect((await stack.alertsOf(jane)).map(({ id }) => id)).toEqual([before?.id]);
  expect(await drift()).toBe(0);
});

it('An inhibition leaves the user in peace, and its end brings what still fires', async () => {
  const node = alert('NodeDown');
  await alertmanager.fire(node);
  await waitUntil(async () => (await shown()).join() === 'NodeDown');
  await alertmanager.fire(alert('Inhibited'));
  await reconciled(3);
  expect(await shown()).toEqual(['NodeDown']);

  await alertmanager.resolve(node);
  await waitUntil(async () => (await shown()).join() === 'Inhibited', 60_000);
  await reconciled(3);
  expect(await shown()).toEqual(['Inhibited']);
  expect(await drift()).toBe(0);
});

it('A silence leaves the user in peace, also of what is shown, and its end brings what still fires', async () => {
  await alertmanager.fire(alert('Shown'), alert('Ends'), alert('Plain'));
  await waitUntil(async () => (await shown()).length === 3);

  const silence = await alertmanager.silence('Shown|Ends|Begins');
  await waitUntil(async () => (await shown()).join() === 'Plain');
  await alertmanager.fire(alert('Begins'));
  await alertmanager.resolve(alert('Ends'));
  await reconciled(3);
  expect(await shown()).toEqual(['Plain']);
  const closed = await stack.closedAlertsOf(jane);
  expect(closed.map((one) => [one.event_type, one.resolved_reason]).sort()).toEqual([
    ['Ends', 'silenced'],
    ['Shown', 'silenced'],
  ]);

  await alertmanager.endSilence(silence);
  await waitUntil(async () => (await shown()).join() === 'Begins,Plain,Shown', 60_000);
  await reconciled(3);
  expect(await shown()).toEqual(['Begins', 'Plain', 'Shown']);
  expect(await drift()).toBe(0);
});

it('An Alertmanager that is not asked keeps what it reports, and is named', async () => {
  const stranger = await stack.startAlertmanager({ externalUrl: 'http://stranger.example:9093' });
  await alertmanager.fire(alert('Asked'));
  await stranger.fire(alert('Unasked'));
  await waitUntil(async () => (await shown()).length === 2);
  await waitUntil(async () => (await metric('session_alerts_unasked_alertmanagers')) === 1);
  await reconciled(3);
  expect(await shown()).toEqual(['Asked', 'Unasked']);
  expect(stack.server.warnings.join()).toContain('http://stranger.example:9093');

  await stranger.resolve(alert('Unasked'));
  await waitUntil(async () => (await shown()).join() === 'Asked', 60_000);
  expect(await drift()).toBe(0);
});

it('An Alertmanager that calls itself otherwise than it is asked is found out, and its lost ends are mended', async () => {
  await stack.close();
  await start('http://alertmanager.example:9093');
  await alertmanager.fire(alert('Lost'), alert('Plain'));
  await waitUntil(async () => (await shown()).length === 2);
  await reconciled(3);
  expect(await metric('session_alerts_unasked_alertmanagers')).toBe(0);

  // Nobody posts here that it ends.
  await alertmanager.reload((config) => config.replace(ROUTE, ELSEWHERE.replace('Elsewhere', 'Lost')));
  await alertmanager.resolve(alert('Lost'));
  await waitUntil(async () => (await shown()).join() === 'Plain', 60_000);
  expect(await stack.closedAlertsOf(jane)).toMatchObject([
    { event_type: 'Lost', resolved_reason: 'reconciled' },
  ]);
  expect(await drift()).toBe(1);
});
