import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { DEPLOY, deployFiles, load, read, ruleGroups, RULES_FILES } from './support/files.js';
import { run, tryToRun } from './support/programs.js';

const TESTS = deployFiles(/^prometheus\/tests\/.+\.yml$/);

it.each(RULES_FILES)('%s is what Prometheus can load', (file) => {
  expect(run('promtool', 'check', 'rules', join(DEPLOY, file))).toContain('SUCCESS');
});

it.each(TESTS)('%s passes', (file) => {
  expect(run('promtool', 'test', 'rules', join(DEPLOY, file))).toContain('SUCCESS');
});

it('prometheus.yml is what Prometheus can load, and names all rules', () => {
  const said = run('promtool', 'check', 'config', join(DEPLOY, 'prometheus/prometheus.yml'));
  expect(said).toContain(`${RULES_FILES.length} rule files found`);
});

it('every alert has a case that makes it fire', () => {
  const tested = TESTS.map((file) => read(file)).join('\n');
  const alerts = RULES_FILES.flatMap(ruleGroups).flatMap((group) =>
    group.rules.flatMap((rule) => rule.alert ?? []),
  );
  expect(alerts.length).toBeGreaterThan(15);
  for (const alert of alerts) {
    // Either with what it looks like, or as a sample of ALERTS.
    const fires = new RegExp(
      `alertname: ${alert},? *\\n? *eval_time: \\w+,? *\\n? *exp_alerts: *(\\[\\*|\\n)|alertname="${alert}"`,
    );
    expect({ alert, fires: fires.test(tested) }).toEqual({ alert, fires: true });
  }
});

describe('the alerts for users', () => {
  const rules = ruleGroups('prometheus/session-alerts.rules.yml').flatMap((group) => group.rules);
  const alerts = rules.filter((rule) => rule.alert !== undefined);

  it('are those of the guide', () => {
    expect(alerts.map(({ alert, annotations }) => [alert, annotations?.['title']])).toEqual([
      ['RenkuSessionHighMemory', 'High memory usage'],
      ['RenkuSessionHighDiskUsage', 'Low disk space'],
      ['RenkuSessionOOMKilled', 'Session restarted'],
    ]);
  });

  it('are the only ones that go to users', () => {
    const forUsers = RULES_FILES.flatMap(ruleGroups)
      .flatMap((group) => group.rules)
      .filter((rule) => rule.labels?.['purpose'] === 'renku-session');
    expect(forUsers).toEqual(alerts);
  });

  /** Each guard of the rules, taken out: a case must notice. */
  const FAULTS: [what: string, from: string, to: string][] = [
    [
      'the join forgets the namespace',
      'on (namespace, statefulset) group_left',
      'on (statefulset) group_left',
    ],
    [
      'a session may have two users',
      '(renku_session:named_users:group) == 1',
      '(renku_session:named_users:group) > 0',
    ],
    ['<nil> is a user', 'safe_username!~"|<nil>"', 'safe_username!=""'],
    ['the empty user is one', 'safe_username!~"|<nil>"', 'safe_username!="<nil>"'],
    [
      'kube-state-metrics are told apart',
      'group by (namespace, statefulset, safe_username)',
      'group by (namespace, statefulset, safe_username, instance)',
    ],
    [
      'a volume may be of two sessions',
      '(renku_session:named_volumes:group) == 1',
      '(renku_session:named_volumes:group) > 0',
    ],
    ['volumes of anything count', 'label_app_kubernetes_io_name="AmaltheaSession",', ''],
    [
      'a limit of 0 is one',
      '(container_spec_memory_limit_bytes{container="amalthea-session"}) > 0',
      '(container_spec_memory_limit_bytes{container="amalthea-session"})',
    ],
    [
      'only cAdvisor tells limits',
      'kube_pod_container_resource_limits{container="amalthea-session"',
      'kube_pod_container_resource_limits{container="nothing"',
    ],
    ['limits of the CPU count', ', resource="memory"', ''],
    [
      'page cache counts',
      'container_memory_working_set_bytes{container="amalthea-session"}',
      'container_memory_working_set_bytes{container="nothing"}',
    ],
    [
      'any container counts',
      'container_memory_usage_bytes{container="amalthea-session"}',
      'container_memory_usage_bytes',
    ],
    [
      'what kubelets see of a volume is added up',
      'min by (namespace, persistentvolumeclaim)',
      'sum by (namespace, persistentvolumeclaim)',
    ],
    ['memory is full at 90 %', '> 0.9', '>= 0.9'],
    ['a disk is full at 90 %', '< 0.1', '<= 0.1'],
    ['a peak counts', 'for: 1m', 'for: 0s'],
    ['alerts end at once', 'keep_firing_for: 3m', ''],
    ['the OOM kill ends after five minutes', 'keep_firing_for: 5m', ''],
    [
      'restarts are not told apart',
      'max by (namespace, statefulset, restarts)',
      'max by (namespace, statefulset)',
    ],
    ['any restart is an OOM kill', 'reason="OOMKilled", ', ''],
    ['an old kill counts', 'increase(renku_session:restarts:max[5m]) > 0', 'renku_session:restarts:max > 0'],
    ['the OOM kill is a condition', 'alert_kind: event', 'alert_kind: condition'],
  ];

  describe('have a case for each of their guards', () => {
    let folder: string;
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'session-alerts-rules-'));
      cpSync(join(DEPLOY, 'prometheus'), folder, { recursive: true });
    });
    afterEach(() => {
      rmSync(folder, { recursive: true });
    });

    it.each(FAULTS)('fails where %s', (_what, from, to) => {
      const rulesText = read('prometheus/session-alerts.rules.yml');
      expect(rulesText).toContain(from);
      writeFileSync(join(folder, 'session-alerts.rules.yml'), rulesText.replaceAll(from, to));
      const { isGood, output } = tryToRun(
        'promtool',
        'test',
        'rules',
        ...TESTS.filter((file) => /memory|disk|oom/.test(file)).map((file) =>
          join(folder, 'tests', basename(file)),
        ),
      );
      expect(output).not.toMatch(/no such file|could not parse|parse error/);
      expect(isGood).toBe(false);
    });
  });
});

it('watches what is said of the watchdog: its name is that of the route and of the server', () => {
  const [rule] = ruleGroups('prometheus/watchdog.rules.yml').flatMap((group) => group.rules);
  const { route } = load<{ route: { routes: { matchers: string[]; repeat_interval: string }[] } }>(
    'alertmanager/alertmanager.yml',
  );
  expect(rule?.alert).toBe('Watchdog');
  expect(route.routes.map((one) => one.matchers)).toContainEqual([`alertname="${rule?.alert ?? ''}"`]);
});
