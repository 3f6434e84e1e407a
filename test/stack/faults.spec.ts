import { waitUntil } from '../support/server.js';
import { moreFailures, morePosts, rowOf, shownBy, startStorm, untilAgreed } from './support/agreement.js';
import type { Alertmanager } from './support/alertmanager.js';
import { startPostgres } from './support/postgres.js';
import type { StackPostgres } from './support/postgres.js';
import { freePort } from './support/program.js';
import { Prometheus } from './support/prometheus.js';
import { Random } from './support/random.js';
import { noteInTable } from './support/reliability-table.js';
import { Sessions } from './support/sessions.js';
import type { SessionKey } from './support/sessions.js';
import { Stack } from './support/stack.js';

/** Longer than webhooks take where they come, so that reconciling does not do their work (s). */
const RECONCILE_INTERVAL = 10;
const SETTLE_TIME = 5;
/** How long Alertmanager may be at a post before it tries anew (s). */
const RETRIES = 10;
/** How long a fault may be felt after it has ended (s). */
const BOUND = 2 * RECONCILE_INTERVAL + SETTLE_TIME + RETRIES;

let postgres: StackPostgres;
const { seed } = new Random();
let random: Random;
let sessions: Sessions;
let stack: Stack;

beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.close());
beforeEach(() => {
  random = new Random(seed);
  sessions = new Sessions(random);
});
afterEach(async () => {
  // No fault may end it but a SIGKILL, after which it is started again.
  const lastWords = stack.server.isRunning ? '' : stack.server.lastLines;
  await stack.close();
  expect(lastWords).toBe('');
});

/** Our server and an Alertmanager that it reconciles with. */
async function startReconciling(): Promise<Alertmanager> {
  const port = await freePort();
  stack = await Stack.start(postgres, {
    ALERTMANAGER_URLS: `http://127.0.0.1:${port}`,
    RECONCILE_INTERVAL: `${RECONCILE_INTERVAL}s`,
    RECONCILE_SETTLE_TIME: `${SETTLE_TIME}s`,
  });
  return stack.startAlertmanager({ port });
}

describe(`With SEED=${seed}`, () => {
  it('two Alertmanagers that do not see each other, both posting everything', async () => {
    stack = await Stack.start(postgres);
    const both = [await stack.startAlertmanager(), await stack.startAlertmanager()];
    await troubleHalf(...both);

    const endStorm = startStorm(sessions, ...both);
    for (const one of both) await morePosts(one, 600);
    await endStorm();

    await expectAgreement('Two Alertmanagers that do not see each other', both);
  });

  it('our server killed in the middle of a storm, three times', async () => {
    const alertmanager = await startReconciling();
    await troubleHalf(alertmanager);

    const endStorm = startStorm(sessions, alertmanager);
    for (let left = 3; left > 0; left--) {
      await morePosts(alertmanager, random.between(60, 120));
      await stack.server.kill();
      await moreFailures(alertmanager, 30);
      if (left === 1) await endStorm();
      await stack.server.startAgain();
    }

    await expectAgreement('Server killed with SIGKILL in a storm, three times', [alertmanager]);
  });

  it('PostgreSQL stopped with "immediate" under load, and back', async () => {
    const alertmanager = await startReconciling();
    await troubleHalf(alertmanager);
    const { pid } = stack.server;

    const endStorm = startStorm(sessions, alertmanager);
    await morePosts(alertmanager, 150);
    await postgres.crash();
    try {
      await moreFailures(alertmanager, 60);
      await endStorm();
    } finally {
      await postgres.startAgain();
    }

    await expectAgreement('PostgreSQL stopped with `immediate` under load', [alertmanager]);
    expect(stack.server).toMatchObject({ pid, isRunning: true });
  });

  it('connections to PostgreSQL terminated again and again under load', async () => {
    const alertmanager = await startReconciling();
    await troubleHalf(alertmanager);
    const { pid } = stack.server;

    const endStorm = startStorm(sessions, alertmanager);
    const before = (await alertmanager.posts()).total;
    let terminated = 0;
    await waitUntil(async () => {
      terminated += await postgres.terminateBackends(stack.databaseUrl);
      return terminated >= 100 && (await alertmanager.posts()).total >= before + 400;
    }, 60_000);
    await endStorm();

    await expectAgreement(`PostgreSQL's backends terminated under load, ${terminated} of them`, [
      alertmanager,
    ]);
    expect(stack.server).toMatchObject({ pid, isRunning: true });
  });

  describe('Alertmanager killed while our server is down and alerts end', () => {
    /**
     * Alertmanager comes back with its storage, in which there are no alerts: Prometheus has to send them again.
     * @returns how many alerts are over of which nobody will tell us
     */
    async function loseResolves(alertmanager: Alertmanager): Promise<number> {
      await alertmanager.fire(...sessions.trouble(160));
      await waitUntil(async () => (await shown()).length === 160);
      const before = await shown();
      await stack.server.kill();
      await alertmanager.resolve(...sessions.recover(100));
      await alertmanager.fire(...sessions.trouble(40));
      await moreFailures(alertmanager, 30);
      await alertmanager.kill();
      await alertmanager.startAgain();
      await sessions.postAllTo(alertmanager);
      await stack.server.startAgain();
      const inTrouble = new Set(sessions.inTrouble);
      return before.filter((session) => !inTrouble.has(session)).length;
    }

    it('reconciling closes what is over, and nothing else', async () => {
      const alertmanager = await startReconciling();
      const lost = await loseResolves(alertmanager);

      await expectAgreement('Alertmanager killed while alerts end and we are down', [alertmanager]);
      expect(await closings()).toEqual({ reconciled: lost });
    });

    it('without reconciling it expires', async () => {
      const expireAfter = 15;
      stack = await Stack.start(postgres, { EXPIRE_AFTER: `${expireAfter}s`, UPKEEP_INTERVAL: '1s' });
      const alertmanager = await stack.startAlertmanager({ route: { repeat_interval: '4s' } });
      const lost = await loseResolves(alertmanager);

      await expectAgreement(
        `The same without reconciling, \`EXPIRE_AFTER=${expireAfter}s\``,
        [alertmanager],
        BOUND + expireAfter,
      );
      expect(await closings()).toEqual({ expired: lost });
    });
  });

  describe('Prometheus restarted', () => {
    const rules = [
      {
        alert: 'RenkuSessionHighMemory',
        expr: 'session_memory_usage_ratio > 0.9',
        labels: { severity: 'warning', purpose: 'renku-session' },
        annotations: {
          title: 'High memory usage',
          description: 'Memory usage is {{ $value | humanizePercentage }} of capacity',
        },
      },
    ];

    async function startPrometheus(alertmanager: Alertmanager): Promise<Prometheus> {
      sessions.trouble(160);
      const prometheus = await Prometheus.start({
        metrics: () => sessions.metrics,
        rules,
        alertmanagerUrl: alertmanager.url,
      });
      stack.onClose(() => prometheus.close());
      await waitUntil(async () => (await shown()).length === 160);
      return prometheus;
    }

    it('at once', async () => {
      const alertmanager = await startReconciling();
      const prometheus = await startPrometheus(alertmanager);

      await prometheus.stop();
      sessions.recover(80);
      sessions.trouble(20);
      await prometheus.startAgain();

      await expectAgreement('Prometheus restarted', [alertmanager]);
    });

    it('after Alertmanager has taken all alerts for ended', async () => {
      const alertmanager = await startReconciling();
      const prometheus = await startPrometheus(alertmanager);

      await prometheus.stop();
      sessions.recover(80);
      sessions.trouble(20);
      await waitUntil(async () => (await shown()).length === 0, 60_000);
      await prometheus.startAgain();

      await expectAgreement('Prometheus away until all its alerts have timed out', [alertmanager]);
    });
  });
});

/** Half of the sessions get into trouble, and their users see it. */
async function troubleHalf(...alertmanagers: Alertmanager[]): Promise<void> {
  sessions.trouble(sessions.count / 2);
  await sessions.postAllTo(...alertmanagers);
  await waitUntil(async () => (await shown()).length === sessions.count / 2);
}

function shown(): Promise<SessionKey[]> {
  return shownBy(stack, sessions);
}

/** How many alerts have been closed, by reason. */
async function closings(): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const user of sessions.users) {
    for (const { resolved_reason: reason } of await stack.closedAlertsOf(user)) {
      counts[reason ?? ''] = (counts[reason ?? ''] ?? 0) + 1;
    }
  }
  return counts;
}

/** What reconciling or expiry did where no webhook came. */
async function mended(): Promise<string> {
  const metrics = await (await fetch(`${stack.server.url}/metrics`)).text();
  const opened =
    /^session_alerts_reconcile_drift_total\{direction="opened"\} (\d+)$/m.exec(metrics)?.[1] ?? '0';
  const { reconciled = 0, expired = 0 } = await closings();
  return `${opened} opened, ${reconciled + expired} closed`;
}

/** Expects the API to show soon what Alertmanager lists. It is called when the fault has just ended. */
async function expectAgreement(fault: string, alertmanagers: Alertmanager[], bound = BOUND): Promise<void> {
  const { difference, seconds } = await untilAgreed([stack], sessions, alertmanagers, bound);
  await noteInTable({ fault, ...rowOf(sessions, difference), seconds, mended: await mended() });
  expect(difference).toEqual({ lost: [], stale: [], isTrue: true });
  expect(seconds).toBeLessThan(bound);
}
