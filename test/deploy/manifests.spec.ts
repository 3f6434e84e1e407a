import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { readConfig } from '../../server/src/config.js';
import { namesAsked } from './support/environment.js';
import { DEPLOY, deployFiles, load, loadAll } from './support/files.js';
import { tryToRun } from './support/programs.js';

type Labels = Record<string, string>;

interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; labels?: Labels };
  spec: Record<string, unknown>;
}

/** Whole objects, as opposed to what patches one or configures kube-state-metrics. */
const MANIFESTS = deployFiles(/^(kubernetes|kube-state-metrics)\/.+\.yaml$/).filter(
  (file) => loadAll<Manifest>(file)[0]?.apiVersion !== undefined,
);
/** What a schema of Kubernetes's own does not know. */
const OF_OPERATORS = ['monitoring.coreos.com/v1'];

it.each(MANIFESTS)('%s is what Kubernetes can take', (file) => {
  const { isGood, output } = tryToRun('kubernetes-validate', '--strict', join(DEPLOY, file));
  expect({ isGood, output }).toEqual({ isGood: true, output });
  const own = loadAll<Manifest>(file).filter(({ apiVersion }) => !OF_OPERATORS.includes(apiVersion));
  expect(output.match(/passed for resource/g) ?? []).toHaveLength(own.length);
});

it('would not pass what Kubernetes does not know', () => {
  const folder = mkdtempSync(join(tmpdir(), 'session-alerts-manifests-'));
  try {
    const [pods] = loadAll<Manifest>('kubernetes/session-alerts.yaml').filter(
      ({ kind }) => kind === 'Deployment',
    );
    const file = join(folder, 'deployment.yaml');
    writeFileSync(file, stringify({ ...pods, spec: { ...pods?.spec, replica: 2 } }));
    expect(tryToRun('kubernetes-validate', '--strict', file).isGood).toBe(false);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe('the server’s manifests', () => {
  const manifests = loadAll<Manifest>('kubernetes/session-alerts.yaml');
  const find = (kind: string): Manifest => {
    const found = manifests.find((one) => one.kind === kind);
    if (!found) throw new Error(`There is no ${kind}`);
    return found;
  };
  interface Container {
    env: { name: string; value?: string; valueFrom?: unknown }[];
    ports: { name: string; containerPort: number }[];
    livenessProbe: { httpGet: { path: string; port: string } };
    readinessProbe: { httpGet: { path: string; port: string } };
    securityContext: unknown;
    resources: { limits: Record<string, string> };
  }
  interface PodSpec {
    automountServiceAccountToken: boolean;
    securityContext: unknown;
    containers: [Container];
    topologySpreadConstraints: unknown[];
  }
  const deployment = find('Deployment').spec as {
    replicas: number;
    selector: { matchLabels: Labels };
    template: { metadata: { labels: Labels }; spec: PodSpec };
  };
  const pod = deployment.template.spec;
  const [container] = pod.containers;

  it('set only what the server reads, and what it takes', () => {
    const settings = Object.fromEntries(
      container.env.map(({ name, value = 'postgresql://user:password@host:5432/database' }) => [name, value]),
    );
    const asked = namesAsked(settings);
    expect(Object.keys(settings).filter((name) => !asked.has(name))).toEqual([]);
    expect(readConfig(settings)).toMatchObject({
      port: container.ports[0]?.containerPort,
      issuer: 'https://your-renku-instance.com/auth/realms/Renku',
    });
  });

  it('keep the password in its Secret', () => {
    expect(container.env.filter(({ name }) => name.startsWith('DATABASE_'))).toEqual([
      { name: 'DATABASE_URL', valueFrom: { secretKeyRef: { name: 'session-alerts', key: 'database-url' } } },
    ]);
  });

  it('give the pods no more rights than they need', () => {
    expect(pod).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });

  it('run two replicas on two nodes, of which one stays', () => {
    expect(deployment.replicas).toBe(2);
    expect(pod.topologySpreadConstraints).toHaveLength(1);
    expect(find('PodDisruptionBudget').spec).toMatchObject({ maxUnavailable: 1 });
    expect(container.resources.limits['memory']).toBeDefined();
  });

  it('name one another’s pods and ports as they are', () => {
    const { labels } = deployment.template.metadata;
    expect(deployment.selector.matchLabels).toEqual(labels);
    const service = find('Service').spec as {
      selector: Labels;
      ports: { name: string; targetPort: string }[];
    };
    expect(service.selector).toEqual(labels);
    expect(service.ports.map(({ targetPort }) => targetPort)).toEqual(
      container.ports.map(({ name }) => name),
    );
    expect(find('PodDisruptionBudget').spec['selector']).toEqual({ matchLabels: labels });
    expect(find('NetworkPolicy').spec['podSelector']).toEqual({ matchLabels: labels });

    const monitor = load<Manifest>('kubernetes/service-monitor.yaml').spec as {
      selector: { matchLabels: Labels };
      jobLabel: string;
      endpoints: { port: string; path: string }[];
    };
    const serviceLabels = find('Service').metadata.labels ?? {};
    expect(serviceLabels).toMatchObject(monitor.selector.matchLabels);
    expect(serviceLabels[monitor.jobLabel]).toBe('session-alerts');
    expect(monitor.endpoints).toMatchObject([{ port: service.ports[0]?.name, path: '/metrics' }]);
  });

  it('probe what the server answers without a token', () => {
    expect(container.livenessProbe.httpGet).toEqual({ path: '/healthz', port: 'http' });
    expect(container.readinessProbe.httpGet).toEqual({ path: '/readyz', port: 'http' });
  });
});

describe('kube-state-metrics', () => {
  it('may read the sessions, and nothing more than read', () => {
    const [role] = loadAll<{ rules: { apiGroups: string[]; resources: string[]; verbs: string[] }[] }>(
      'kube-state-metrics/rbac.yaml',
    );
    const state = load<{ spec: { resources: { groupVersionKind: { group: string } }[] } }>(
      'kube-state-metrics/custom-resource-state.yaml',
    );
    expect(role?.rules).toContainEqual({
      apiGroups: state.spec.resources.map(({ groupVersionKind }) => groupVersionKind.group),
      resources: ['amaltheasessions'],
      verbs: ['list', 'watch'],
    });
    expect(role?.rules.flatMap(({ verbs }) => verbs)).toEqual(['list', 'watch', 'list', 'watch']);
  });

  it('is started with what makes volumes known', () => {
    const patch = load<{
      spec: { template: { spec: { containers: [{ args: string[] }] } } };
    }>('kube-state-metrics/deployment-patch.yaml');
    expect(patch.spec.template.spec.containers[0].args).toContain(
      '--metric-labels-allowlist=persistentvolumeclaims=[app.kubernetes.io/name,app.kubernetes.io/instance]',
    );
  });
});
