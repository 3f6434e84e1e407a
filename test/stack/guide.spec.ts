import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { waitUntil } from '../support/server.js';
import { replaceWords, runInBash } from '../support/shell.js';
import type { FiringAlert } from './support/alertmanager.js';
import { startPostgres } from './support/postgres.js';
import type { StackPostgres } from './support/postgres.js';
import { Prometheus } from './support/prometheus.js';
import { Stack } from './support/stack.js';

/** A block of the guide that administrators had before there was docs/administration.md, word for word. */
function guides(block: string): string {
  return readFileSync(join(import.meta.dirname, 'guide', block), 'utf8');
}

/** The configuration that Helm makes of its receiver's block. */
const CONFIG_AS_PRINTED = guides('receiver.yaml')
  .replace(/^.*\n.*\n/, '')
  .replace(/^ {4}/gm, '');

/** With the receiver that it names and does not define. */
const CONFIG = CONFIG_AS_PRINTED.replace('receivers:\n', 'receivers:\n  - name: "default"\n');

interface Rule {
  alert: string;
  expr: string;
  annotations: Record<string, string>;
}

/** Its three blocks of rules, which go on from one to the next, are one file. */
const RULES_FILE = parse(['high-memory.yaml', 'low-disk.yaml', 'oom-killed.yaml'].map(guides).join('')) as {
  groups: { rules: Rule[] }[];
};
const RULES = RULES_FILE.groups.flatMap(({ rules }) => rules);

/** A session as kubelet and kube-state-metrics tell of it; shares of what it has. */
interface Session {
  user: string;
  name: string;
  memory: number;
  disk: number;
  restarts: number;
}

/** The series that the guide's rules read, in Prometheus's text format. */
function metricsOf({ user, name, memory, disk, restarts }: Session): string {
  const pod = `namespace="renku",pod="${name}-0",container="amalthea-session"`;
  const claim = `namespace="renku",persistentvolumeclaim="${name}-data"`;
  return [
    `kube_customresource_amaltheasession_info{namespace="renku",name="${name}",safe_username="${user}"} 1`,
    `container_memory_usage_bytes{${pod}} ${memory * 4e9}`,
    `container_spec_memory_limit_bytes{${pod}} 4e9`,
    `kube_persistentvolumeclaim_labels{${claim},label_app_kubernetes_io_name="AmaltheaSession",label_app_kubernetes_io_instance="${name}"} 1`,
    `kubelet_volume_stats_available_bytes{${claim}} ${(1 - disk) * 1e10}`,
    `kubelet_volume_stats_capacity_bytes{${claim}} 1e10`,
    `kube_pod_container_status_restarts_total{${pod}} ${restarts}`,
    ...(restarts > 0
      ? [`kube_pod_container_status_last_terminated_reason{${pod},reason="OOMKilled"} 1`]
      : []),
    '',
  ].join('\n');
}

function highMemory(user: string, session: string): FiringAlert {
  return {
    labels: {
      alertname: 'RenkuSessionHighMemory',
      namespace: 'renku',
      purpose: 'renku-session',
      severity: 'warning',
      safe_username: user,
      statefulset: session,
    },
    annotations: { title: 'High memory usage', description: 'Memory usage over 90% of capacity' },
    // Alertmanager groups for `group_wait` only what has just begun.
    startsAt: new Date().toISOString(),
  };
}

/** How the guide's three alerts have to look to the user of the session. */
function shown(session: string): Record<string, object> {
  const common = { session_name: session, severity: 'warning', resolved_date: null };
  return {
    RenkuSessionHighMemory: {
      ...common,
      title: 'High memory usage',
      message: 'Memory usage over 90% of capacity',
    },
    RenkuSessionHighDiskUsage: {
      ...common,
      title: 'Low disk space',
      message: 'Disk space usage over 90% of capacity',
    },
    RenkuSessionOOMKilled: {
      ...common,
      title: 'Session restarted',
      message: 'This session ran out of memory and has been restarted',
    },
  };
}

let postgres: StackPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.close());

describe("The older guide's receiver and route", () => {
  const jane = randomUUID();
  const joe = randomUUID();
  const jim = randomUUID();
  const ann = randomUUID();
  let stack: Stack;

  beforeAll(async () => {
    stack = await Stack.start(postgres);
    // Each waits for Alertmanager's own 30 s before it posts a group for the first time.
    const one = await stack.startAlertmanager({ config: CONFIG });
    const two = await stack.startAlertmanager({ config: CONFIG });
    const three = await stack.startAlertmanager({ config: CONFIG });
    const session = { user: ann, name: 'ann-1', memory: 0.95, disk: 0.3, restarts: 0 };
    const prometheus = await Prometheus.start({
      metrics: () => metricsOf(session),
      rules: RULES,
      alertmanagerUrl: three.url,
    });
    stack.onClose(() => prometheus.close());
    await one.fire(highMemory(jane, 'jane-1'));
    await two.fire(highMemory(joe, 'joe-1'), highMemory(jim, 'jim-1'));
  });
  afterAll(() => stack.close());

  it('load once the receiver default is defined, which they name, and lack nothing else', () => {
    const folder = mkdtempSync(join(tmpdir(), 'session-alerts-guide-'));
    const file = join(folder, 'alertmanager.yml');
    const check = (config: string): { status: number | null; output: string } => {
      writeFileSync(file, config);
      const { status, stdout, stderr } = spawnSync('amtool', ['check-config', file], { encoding: 'utf8' });
      return { status, output: stdout + stderr };
    };
    try {
      const asPrinted = check(CONFIG_AS_PRINTED);
      expect(asPrinted.status).not.toBe(0);
      expect(asPrinted.output).toContain('undefined receiver "default"');
      expect(check(CONFIG)).toMatchObject({ status: 0 });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('bring alerts of separate groups to their users', async () => {
    await waitUntil(async () => (await stack.alertsOf(jane)).length > 0, 90_000);
    expect(await stack.alertsOf(jane)).toEqual([
      expect.objectContaining({
        ...shown('jane-1')['RenkuSessionHighMemory'],
        event_type: 'RenkuSessionHighMemory',
        user_id: jane,
      }),
    ]);
  });

  it("bring what the older guide's rules make of a session's metrics", async () => {
    await waitUntil(async () => (await stack.alertsOf(ann)).length > 0, 90_000);
    expect(await stack.alertsOf(ann)).toEqual([
      expect.objectContaining({
        ...shown('ann-1')['RenkuSessionHighMemory'],
        event_type: 'RenkuSessionHighMemory',
        user_id: ann,
      }),
    ]);
  });

  it('leave out all alerts of a group but one, which we count and warn of, with what to change', async () => {
    const sessionsShown = async (): Promise<string[]> => [
      ...(await stack.sessionsWithAlertsOf(joe)),
      ...(await stack.sessionsWithAlertsOf(jim)),
    ];
    await waitUntil(async () => (await sessionsShown()).length > 0, 90_000);
    await waitUntil(() => stack.server.warnings.length > 0);

    expect(await sessionsShown()).toHaveLength(1);
    const [warning, ...others] = stack.server.warnings;
    expect(others).toEqual([]);
    expect(warning).toContain('renku-webhook');
    expect(warning).toContain('max_alerts: 0');
    expect(warning).toContain("group_by: ['...']");
    expect(await (await fetch(`${stack.server.url}/metrics`)).text()).toMatch(
      /^session_alerts_truncated_total 1$/m,
    );
  });
});

describe("The older guide's rules", () => {
  const jane: Session = { user: randomUUID(), name: 'jane-1', memory: 0.4, disk: 0.3, restarts: 0 };
  const ruth: Session = { user: randomUUID(), name: 'ruth-1', memory: 0.4, disk: 0.3, restarts: 0 };
  let stack: Stack;
  let prometheus: Prometheus;

  beforeAll(async () => {
    stack = await Stack.start(postgres);
    const { url } = await stack.startAlertmanager();
    prometheus = await Prometheus.start({
      metrics: () => metricsOf(jane) + metricsOf(ruth),
      rules: RULES,
      alertmanagerUrl: url,
    });
    stack.onClose(() => prometheus.close());
    // A restart is one more than were known before.
    await waitUntil(async () => (await query('kube_pod_container_status_restarts_total == 0')).length === 2);
  });
  afterAll(() => stack.close());

  async function query(expression: string): Promise<unknown[]> {
    const answer = await fetch(`${prometheus.url}/api/v1/query?query=${encodeURIComponent(expression)}`);
    const { data } = (await answer.json()) as { data: { result: unknown[] } };
    return data.result;
  }

  /** What Jane sees, by its event type. */
  async function janesAlerts(): Promise<Record<string, object>> {
    const alerts = await stack.alertsOf(jane.user);
    return Object.fromEntries(alerts.map((alert) => [alert.event_type, alert]));
  }

  it('carry the labels and annotations by which we show their alerts, each to its user', async () => {
    Object.assign(jane, { memory: 0.95, disk: 0.95, restarts: 1 });
    await waitUntil(async () => Object.keys(await janesAlerts()).length === RULES.length, 60_000);

    expect(await janesAlerts()).toMatchObject(shown('jane-1'));
    expect(Object.keys(shown('jane-1'))).toEqual(RULES.map(({ alert }) => alert));
    expect(await stack.alertsOf(ruth.user)).toEqual([]);
  });

  it('end what they have begun', async () => {
    Object.assign(jane, { memory: 0.4, disk: 0.3 });
    await waitUntil(async () => Object.keys(await janesAlerts()).join() === 'RenkuSessionOOMKilled', 60_000);
  });
});

describe("The older guide's verification", () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await Stack.start(postgres);
  });
  afterAll(() => stack.close());

  it('shows its test alert to its user', async () => {
    const user = randomUUID();
    const script = replaceWords(guides('verification.sh'), {
      'https://your-renku-instance.com/auth/realms/Renku': stack.issuer.url,
      'https://your-renku-instance.com': stack.server.url,
      YOUR_CLIENT_SECRET: 'secret',
      KEYCLOAK_USER_ID: user,
    });

    const { status, stdout } = await runInBash(script);

    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ stored: 1, skipped: 0 });
    expect(await stack.alertsOf(user)).toEqual([
      expect.objectContaining({
        title: 'Test Alert',
        message: 'Testing the webhook integration',
        session_name: 'test-session',
        resolved_date: null,
      }),
    ]);
  });
});
