import { load, loadAll, ruleGroups, RULES_FILES } from './support/files.js';
import type { RuleGroup } from './support/files.js';

interface KubeStateMetricsValues {
  metricLabelsAllowlist: string[];
  rbac: { extraRules: unknown[] };
  customResourceState: { enabled: boolean; config: unknown };
}
interface AlertmanagerConfig {
  receivers: {
    name: string;
    webhook_configs?: { http_config: { oauth2: { client_secret_file: string } } }[];
  }[];
}

const alertmanagerConfig = load<AlertmanagerConfig>('alertmanager/alertmanager.yml');

/** The same for both charts, which bring the same chart of kube-state-metrics along. */
function expectKubeStateMetrics(values: KubeStateMetricsValues): void {
  const { spec } = load<{ spec: unknown }>('kube-state-metrics/custom-resource-state.yaml');
  expect(values.customResourceState).toEqual({ enabled: true, config: { spec } });
  const patch = load<{ spec: { template: { spec: { containers: [{ args: string[] }] } } } }>(
    'kube-state-metrics/deployment-patch.yaml',
  );
  expect(patch.spec.template.spec.containers[0].args).toContain(
    `--metric-labels-allowlist=${values.metricLabelsAllowlist.join(',')}`,
  );
  const [role] = loadAll<{ rules: unknown[] }>('kube-state-metrics/rbac.yaml');
  // The chart adds the right to read definitions by itself.
  expect(values.rbac.extraRules).toEqual(role?.rules.slice(0, 1));
}

function groupsOf(pattern: RegExp): RuleGroup[] {
  const files = RULES_FILES.filter((file) => pattern.test(file));
  return files.flatMap(ruleGroups);
}

describe('values of the chart prometheus', () => {
  const values = load<{
    alertmanager: { extraSecretMounts: { mountPath: string; secretName: string }[]; config: unknown };
    'kube-state-metrics': KubeStateMetricsValues;
    serverFiles: { 'alerting_rules.yml': { groups: RuleGroup[] } };
  }>('helm/values-prometheus.yaml');

  it('have Alertmanager’s configuration, and the secret where it reads it', () => {
    expect(values.alertmanager.config).toEqual(alertmanagerConfig);
    const [mount] = values.alertmanager.extraSecretMounts;
    expect(mount?.secretName).toBe('alertmanager-oauth2-secret');
    expect(secretFile(alertmanagerConfig)).toBe(`${mount?.mountPath ?? ''}/oauth2-client-secret`);
  });

  it('have kube-state-metrics’ configuration', () => {
    expectKubeStateMetrics(values['kube-state-metrics']);
  });

  it('have all rules', () => {
    const { groups } = values.serverFiles['alerting_rules.yml'];
    expect(byName(groups)).toEqual(byName(groupsOf(/./)));
  });
});

describe('values of the chart kube-prometheus-stack', () => {
  const values = load<{
    alertmanager: { alertmanagerSpec: { secrets: string[] }; config: AlertmanagerConfig };
    'kube-state-metrics': KubeStateMetricsValues;
    additionalPrometheusRulesMap: Record<string, { groups: RuleGroup[] }>;
  }>('helm/values-kube-prometheus-stack.yaml');

  it('have Alertmanager’s configuration, but for where the operator mounts the secret', () => {
    const { config, alertmanagerSpec } = values.alertmanager;
    expect(alertmanagerSpec.secrets).toEqual(['alertmanager-oauth2-secret']);
    const mounted = '/etc/alertmanager/secrets/alertmanager-oauth2-secret/oauth2-client-secret';
    expect(secretFile(config)).toBe(mounted);
    const text = JSON.stringify(alertmanagerConfig);
    expect(config).toEqual(JSON.parse(text.replace(secretFile(alertmanagerConfig), mounted)));
  });

  it('have kube-state-metrics’ configuration', () => {
    expectKubeStateMetrics(values['kube-state-metrics']);
  });

  it('have all rules but the watchdog, which the chart brings', () => {
    const groups = Object.values(values.additionalPrometheusRulesMap).flatMap((one) => one.groups);
    expect(byName(groups)).toEqual(byName(groupsOf(/session-alerts/)));
  });
});

function secretFile({ receivers }: AlertmanagerConfig): string {
  const files = receivers.flatMap(({ webhook_configs: webhooks = [] }) =>
    webhooks.map((webhook) => webhook.http_config.oauth2.client_secret_file),
  );
  return files.join();
}

function byName(groups: RuleGroup[]): RuleGroup[] {
  return groups.toSorted((one, other) => one.name.localeCompare(other.name));
}
