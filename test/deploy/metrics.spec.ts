import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, Program } from '../stack/support/program.js';
import { AlertsApi, firing, webhook } from '../support/alerts.js';
import { giveDatabaseBack, takeDatabaseAway } from '../support/database.js';
import { startTestServer } from '../support/server.js';
import type { TestServer } from '../support/server.js';
import { deployFiles, DEPLOY, load, ruleGroups, RULES_FILES } from './support/files.js';
import { exposedMetrics, metricsIn } from './support/promql.js';

interface Dashboard {
  panels: { title: string; targets: { expr: string }[] }[];
  templating: { list: { type: string; definition?: string }[] };
}

describe('metricsIn', () => {
  it('finds what an expression reads and nothing else', () => {
    expect(
      metricsIn(
        `histogram_quantile(0.99, sum by (le, job) (rate(a_bucket{job="session_alerts_x"}[5m]))) > 1e3
         or on (instance) b:c:d offset 1h unless ignoring (reason) absent(e_total)`,
      ),
    ).toEqual(['a_bucket', 'b:c:d', 'e_total']);
  });
});

describe('what is read of our metrics', () => {
  let server: TestServer;
  let exposed: Set<string>;

  beforeAll(async () => {
    server = await startTestServer();
    const api = new AlertsApi(`${server.url}/api/data`, server.issuer);
    await api.deliver(firing(), { status: 'firing', labels: { alertname: 'Watchdog' }, annotations: {} });
    exposed = exposedMetrics(await (await fetch(`${server.url}/metrics`)).text());
  });
  afterAll(() => server.close());

  it.each(deployFiles(/^grafana\/.+\.json$/))('is there to be read, by %s', (file) => {
    const { panels, templating } = load<Dashboard>(file);
    expect(panels.length).toBeGreaterThan(10);
    for (const { title, targets } of panels) {
      const read = targets.flatMap(({ expr }) => metricsIn(expr));
      expect({ title, read: read.length > 0, missing: missing(read) }).toEqual({
        title,
        read: true,
        missing: [],
      });
    }
    const queried = templating.list.flatMap(({ definition }) => definition ?? []);
    expect(queried).toEqual(['label_values(session_alerts_received_total, job)']);
    expect(exposed).toContain('session_alerts_received_total');
  });

  it('is there to be read, by the rules for the service', () => {
    const read = ruleGroups('prometheus/session-alerts-service.rules.yml')
      .filter(({ name }) => name === 'SessionAlertsService')
      .flatMap(({ rules }) => rules.flatMap(({ expr }) => metricsIn(expr)))
      .filter((name) => !name.startsWith('alertmanager_'));
    expect(read.length).toBeGreaterThan(10);
    expect(missing(read)).toEqual([]);
  });

  it('says that the database is away as the rule reads it', async () => {
    const api = new AlertsApi(`${server.url}/api/data`, server.issuer);
    await takeDatabaseAway(server.databaseUrl);
    try {
      await api.postWebhook(webhook([firing()]));
      const text = await (await fetch(`${server.url}/metrics`)).text();
      expect(text).toMatch(/^session_alerts_received_total \d+$/m);
      expect(text).not.toMatch(/^session_alerts_open /m);
      expect(text).toMatch(/^session_alerts_webhook_duration_seconds_count\{outcome="failed"\} 1$/m);
    } finally {
      await giveDatabaseBack(server.databaseUrl);
    }
  });

  function missing(names: string[]): string[] {
    return names.filter((name) => !exposed.has(name));
  }
});

it('Alertmanager has what the rules read of it', async () => {
  const read = RULES_FILES.flatMap(ruleGroups)
    .flatMap(({ rules }) => rules.flatMap(({ expr }) => metricsIn(expr)))
    .filter((name) => name.startsWith('alertmanager_'));
  expect(read.length).toBeGreaterThan(0);

  const folder = await mkdtemp(join(tmpdir(), 'session-alerts-metrics-'));
  const port = await freePort();
  const alertmanager = new Program(
    'Alertmanager',
    'prometheus-alertmanager',
    [
      `--config.file=${join(DEPLOY, 'alertmanager/alertmanager.yml')}`,
      `--storage.path=${folder}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=',
    ],
    { folder },
  );
  try {
    await alertmanager.until(async () => (await fetch(`http://127.0.0.1:${port}/-/ready`)).ok);
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const exposed = exposedMetrics(text);
    expect(read.filter((name) => !exposed.has(name))).toEqual([]);
    expect(text).toMatch(/^alertmanager_notification_requests_failed_total\{integration="webhook"\} 0$/m);
  } finally {
    await alertmanager.stop();
    await rm(folder, { recursive: true });
  }
});

it('every metric of the rules for sessions is there to be read, from what plays the cluster', async () => {
  const port = await freePort();
  const sessions = new Program('Sessions', process.execPath, [join(DEPLOY, 'compose/sessions.mjs')], {
    env: { PORT: `${port}`, HOST: '127.0.0.1' },
  });
  try {
    const metrics = async (path: string): Promise<string> =>
      (await fetch(`http://127.0.0.1:${port}${path}`)).text();
    await sessions.until(async () => (await metrics('/kubelet')) !== '');
    const change = async (path: string, body = {}): Promise<void> => {
      const address = `http://127.0.0.1:${port}/sessions/${path}`;
      expect((await fetch(address, { method: 'POST', body: JSON.stringify(body) })).status).toBe(200);
    };
    await change('jane-1/oom-kill');
    await change('jane-1/evict');
    await change('ruth-1', { waits: 'ErrImagePull' });
    await change('jane-train/oom-kill');
    const text = (await Promise.all(['/kube-state-metrics', '/kubelet', '/cadvisor'].map(metrics))).join('');
    const played = new Set([...text.matchAll(/^([a-z_]+)\{/gm)].map(([, name]) => name));

    const rules = RULES_FILES.flatMap(ruleGroups).flatMap((group) => group.rules);
    const recorded = new Set(rules.flatMap(({ record }) => record ?? []));
    const read = rules
      .flatMap(({ expr }) => metricsIn(expr))
      .filter(
        (name) => name !== 'ALERTS' && !/^(session_alerts|alertmanager)_/.test(name) && !recorded.has(name),
      );
    const missing = new Set(read.filter((name) => !played.has(name)));
    expect([...missing].sort()).toEqual([
      // Where the resource does not say so.
      'amalthea_session_will_hibernate_at',
      // Told by newer Kubernetes only.
      'container_pressure_memory_waiting_seconds_total',
      // For what is first seen after it has happened.
      'kube_pod_completion_time',
      // Where cAdvisor's limit is dropped.
      'kube_pod_container_resource_limits',
      'kube_pod_container_state_started',
      // Other ways to end, and not to start.
      'kube_pod_init_container_status_waiting_reason',
      'kube_pod_status_disruption_reason',
      'kube_pod_status_unschedulable',
    ]);
  } finally {
    expect(await sessions.stop()).toBe(0);
  }
});
