import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { waitUntil } from '../support/server.js';
import type { Alertmanager, FiringAlert } from './support/alertmanager.js';
import { startPostgres } from './support/postgres.js';
import type { StackPostgres } from './support/postgres.js';
import { ADMINISTRATORS_CONFIG, Stack } from './support/stack.js';

/** An alert of the guide's rules, as Prometheus posts it. */
function alert(
  labels: Record<string, string>,
  annotations: { title: string; description: string },
): FiringAlert {
  return {
    labels: { namespace: 'renku', severity: 'warning', purpose: 'renku-session', ...labels },
    annotations,
    // Alertmanager groups for `group_wait` only what has just begun.
    startsAt: new Date().toISOString(),
  };
}

function highMemory(user: string, session: string): FiringAlert {
  return alert(
    { alertname: 'RenkuSessionHighMemory', safe_username: user, statefulset: session },
    { title: 'High memory usage', description: 'Memory usage over 90% of capacity' },
  );
}

function lowDisk(user: string, session: string, volume: string): FiringAlert {
  return alert(
    {
      alertname: 'RenkuSessionHighDiskUsage',
      safe_username: user,
      statefulset: session,
      persistentvolumeclaim: volume,
    },
    { title: 'Low disk space', description: 'Disk space usage over 90% of capacity' },
  );
}

/** Names of so many sessions, in their order. */
function sessions(count: number, name = 'session'): string[] {
  return Array.from({ length: count }, (_, index) => `${name}-${`${index}`.padStart(4, '0')}`);
}

/** A thousand alerts: each of twenty users has one for each of fifty sessions. */
function storm(): { users: string[]; alerts: FiringAlert[]; sessionsOfEach: string[] } {
  const users = Array.from({ length: 20 }, () => randomUUID());
  const sessionsOfEach = sessions(50);
  const alerts = users.flatMap((user) => sessionsOfEach.map((session) => highMemory(user, session)));
  return { users, alerts, sessionsOfEach };
}

let postgres: StackPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.close());

it('amtool finds nothing wrong with the configuration that administrators apply', () => {
  expect(execFileSync('amtool', ['check-config', ADMINISTRATORS_CONFIG], { encoding: 'utf8' })).toContain(
    'SUCCESS',
  );
});

describe('Alertmanager with the configuration that administrators apply', () => {
  let stack: Stack;
  let jane: string;
  let joe: string;

  beforeEach(async () => {
    jane = randomUUID();
    joe = randomUUID();
    stack = await Stack.start(postgres);
  });
  afterEach(() => stack.close());

  /** Waits until Alertmanager counts so many posts that were answered 2xx. */
  async function delivered(alertmanager: Alertmanager, count: number): Promise<void> {
    await waitUntil(async () => {
      const { total, failed } = await alertmanager.posts();
      return total - failed >= count;
    });
  }

  it('shows each user the alerts of their own sessions, until they are resolved', async () => {
    const alertmanager = await stack.startAlertmanager();
    const janes = highMemory(jane, 'jane-1');
    const joes = lowDisk(joe, 'joe-1', 'joe-1-data');

    await alertmanager.fire(janes, joes);
    await waitUntil(async () => (await stack.alertsOf(jane)).length > 0);
    await waitUntil(async () => (await stack.alertsOf(joe)).length > 0);

    expect(stack.issuer.requests.token).toBeGreaterThan(0);
    expect(await stack.alertsOf(jane)).toEqual([
      expect.objectContaining({
        title: 'High memory usage',
        message: 'Memory usage over 90% of capacity',
        event_type: 'RenkuSessionHighMemory',
        user_id: jane,
        session_name: 'jane-1',
        severity: 'warning',
        resolved_date: null,
      }),
    ]);
    expect(await stack.alertsOf(joe)).toEqual([
      expect.objectContaining({
        title: 'Low disk space',
        message: 'Disk space usage over 90% of capacity',
        event_type: 'RenkuSessionHighDiskUsage',
        user_id: joe,
        session_name: 'joe-1',
        severity: 'warning',
        resolved_date: null,
      }),
    ]);

    await alertmanager.resolve(janes);
    await waitUntil(async () => (await stack.alertsOf(jane)).length === 0);
    expect(await stack.sessionsWithAlertsOf(joe)).toEqual(['joe-1']);

    await alertmanager.resolve(joes);
    await waitUntil(async () => (await stack.alertsOf(joe)).length === 0);
  });

  it('shows two full volumes of a session as one alert, until both are well', async () => {
    const alertmanager = await stack.startAlertmanager();
    const data = lowDisk(jane, 'jane-1', 'jane-1-data');
    const scratch = lowDisk(jane, 'jane-1', 'jane-1-scratch');

    await alertmanager.fire(data, scratch);
    await delivered(alertmanager, 2);
    const shown = await stack.alertsOf(jane);
    expect(shown).toHaveLength(1);

    await alertmanager.resolve(data);
    await delivered(alertmanager, 3);
    expect((await stack.alertsOf(jane)).map(({ id }) => id)).toEqual(shown.map(({ id }) => id));

    await alertmanager.resolve(scratch);
    await waitUntil(async () => (await stack.alertsOf(jane)).length === 0);
  });

  it('sends again what came while PostgreSQL was away', async () => {
    const alertmanager = await stack.startAlertmanager();
    const older = highMemory(jane, 'older');
    await alertmanager.fire(older);
    await waitUntil(async () => (await stack.sessionsWithAlertsOf(jane)).includes('older'));
    const { pid } = stack.server;

    await postgres.shutDown();
    try {
      await alertmanager.resolve(older);
      await alertmanager.fire(highMemory(jane, 'newer'));
      // Alertmanager's back-off makes that some seconds.
      await waitUntil(async () => (await alertmanager.posts()).failed >= 8);
      expect(alertmanager.log).toContain('unexpected status code 503');
      expect((await stack.askForAlertsOf(jane)).status).toBe(503);
      expect((await fetch(`${stack.server.url}/readyz`)).status).toBe(503);
    } finally {
      await postgres.startAgain();
    }

    await waitUntil(async () => (await stack.sessionsWithAlertsOf(jane)).join() === 'newer', 60_000);
    expect((await fetch(`${stack.server.url}/readyz`)).status).toBe(200);
    expect(stack.server).toMatchObject({ pid, isRunning: true });
  });

  it('brings a storm of 1,000 alerts whole, each by itself', async () => {
    const alertmanager = await stack.startAlertmanager();
    const { users, alerts, sessionsOfEach } = storm();

    await alertmanager.fire(...alerts);
    await delivered(alertmanager, alerts.length);

    for (const user of users) expect(await stack.sessionsWithAlertsOf(user)).toEqual(sessionsOfEach);
  });

  it('brings a storm of 1,000 alerts whole in one post, where they are one group', async () => {
    const alertmanager = await stack.startAlertmanager({
      // Time enough for all of them to be in the group before it is posted.
      route: { group_by: "['purpose']", group_wait: '5s' },
    });
    const { users, alerts, sessionsOfEach } = storm();

    await alertmanager.fire(...alerts);
    await delivered(alertmanager, 1);

    for (const user of users) expect(await stack.sessionsWithAlertsOf(user)).toEqual(sessionsOfEach);
    expect(await alertmanager.posts()).toEqual({ total: 1, failed: 0 });
    expect(stack.server.warnings).toEqual([]);
  });

  it('loses nothing while our server restarts', async () => {
    const alertmanager = await stack.startAlertmanager();
    const over = sessions(250, 'over').map((session) => highMemory(jane, session));
    await alertmanager.fire(...over);
    await delivered(alertmanager, 250);

    await alertmanager.resolve(...over);
    await alertmanager.fire(...sessions(250, 'before').map((session) => highMemory(jane, session)));
    await delivered(alertmanager, 251);
    const stopped = stack.server.stop();
    await alertmanager.fire(...sessions(50, 'meanwhile').map((session) => highMemory(jane, session)));
    expect(await stopped).toBe(0);
    await alertmanager.fire(...sessions(50, 'away').map((session) => highMemory(jane, session)));
    await waitUntil(async () => (await alertmanager.posts()).failed >= 50);
    await stack.server.startAgain();

    const expected = [...sessions(50, 'away'), ...sessions(250, 'before'), ...sessions(50, 'meanwhile')];
    await waitUntil(async () => (await stack.sessionsWithAlertsOf(jane)).join() === expected.join(), 60_000);
  });

  it('brings nothing with a wrong client secret, says so, and catches up once the secret is right', async () => {
    const alertmanager = await stack.startAlertmanager({ clientSecret: 'wrong' });
    await alertmanager.fire(highMemory(jane, 'jane-1'));
    await waitUntil(async () => (await alertmanager.posts()).failed >= 2);

    expect(await alertmanager.alerts()).toHaveLength(1);
    expect(alertmanager.log).toMatch(/cannot fetch token: 401/);
    expect(await stack.alertsOf(jane)).toEqual([]);

    await alertmanager.changeClientSecret('secret');
    await waitUntil(async () => (await stack.sessionsWithAlertsOf(jane)).includes('jane-1'), 60_000);
  });
});
