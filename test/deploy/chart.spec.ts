import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { parse, stringify } from 'yaml';
import { runCommandLine } from '../../cli/src/program.js';
import { readConfig } from '../../server/src/config.js';
import { CHART, find, helm, podOf, render, tryToRender } from './support/chart.js';
import type { KubernetesObject, Values } from './support/chart.js';
import { environmentOf, namesAsked } from './support/environment.js';
import { deployFiles, load, loadAll, PROJECT, read } from './support/files.js';
import { run, tryToRun } from './support/programs.js';

const INSTANCE = 'https://your-renku-instance.com';
const EXAMPLES = Object.fromEntries(
  deployFiles(/^chart\/session-alerts\/examples\/.+\.yaml$/).map((file) => [
    file.replace(/^.*\//, ''),
    load<Values>(file),
  ]),
);
const minimal = EXAMPLES['minimal.yaml']!;
const everything = EXAMPLES['everything.yaml']!;

/** What administrators may want, each of which has to be what Kubernetes takes and the server can start with. */
const MATRIX: Record<string, Values> = {
  ...EXAMPLES,
  'the plain manifests': load<Values>('kubernetes/values.yaml'),
  'a database of its own addresses': {
    ...minimal,
    database: {
      secret: 'db',
      keys: { DATABASE_URL: 'pooler', DATABASE_DIRECT_URL: 'direct', DATABASE_READ_URL: 'standby' },
    },
    migrations: { secret: 'db', key: 'owner' },
  },
  'CloudNativePG alone': { ...minimal, database: { cloudNativePG: { cluster: 'alerts' } } },
  'CloudNativePG with standbys': {
    ...minimal,
    database: { cloudNativePG: { cluster: 'alerts', readFromStandbys: true } },
    migrations: { by: 'hand' },
  },
  'OpenShift, which chooses the user': {
    ...minimal,
    podSecurityContext: { runAsUser: null, runAsGroup: null },
  },
  'a cluster that restricts what pods reach': {
    ...minimal,
    networkPolicy: { from: [{ podSelector: {} }], egress: [{ to: [{ namespaceSelector: {} }] }] },
    ingress: { host: 'alerts.example.org', className: '', tlsSecret: 'alerts-tls' },
  },
  'a chart that this one is a dependency of': { ...minimal, enabled: true, global: { team: 'platform' } },
  'another name, path and digest': {
    ...minimal,
    fullnameOverride: 'alerts',
    settings: { GLOBAL_PREFIX: '', STREAMS: 1_000_000 },
    image: { repository: 'registry.example.org:5000/alerts', digest: `sha256:${'0'.repeat(64)}` },
    autoscaling: { enabled: true },
  },
};

const rendered = new Map<string, KubernetesObject[]>();
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'session-alerts-chart-'));
  for (const [what, values] of Object.entries(MATRIX)) rendered.set(what, render(values));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

it('has the version of the packages', () => {
  const { version } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')) as { version: string };
  expect(load('chart/session-alerts/Chart.yaml')).toMatchObject({ version, appVersion: version });
});

it.each(Object.keys(EXAMPLES))('%s is what Helm’s lint finds no fault with', (example) => {
  const { isGood, output } = tryToRun(
    'helm',
    'lint',
    '--strict',
    CHART,
    '--values',
    join(CHART, 'examples', example),
  );
  expect({ isGood, output }).toMatchObject({ isGood: true });
});

it('makes what Kubernetes can take, of all kinds of values', () => {
  const own = [...rendered.values()].flat().filter(({ apiVersion }) => !isOfAnOperator(apiVersion));
  const file = join(folder, 'all.yaml');
  writeFileSync(file, own.map((object) => stringify(object)).join('---\n'));
  const { isGood, output } = tryToRun('kubernetes-validate', '--strict', file);
  expect({ isGood, output: output.replace(/^INFO .*\n/gm, '') }).toMatchObject({ isGood: true });
  expect(output.match(/passed for resource/g)).toHaveLength(own.length);
});

describe.each(Object.keys(MATRIX))('of %s', (what) => {
  const pods = () => rendered.get(what)!.filter(({ kind }) => ['Deployment', 'Job', 'Pod'].includes(kind));

  it('the server can start', () => {
    const environment = environmentOf(podOf(find(pods(), 'Deployment')), join(folder, 'files'));
    expect(() => readConfig(environment)).not.toThrow();
  });

  it('no pod has more rights than it needs', () => {
    for (const object of pods()) {
      const { automountServiceAccountToken, securityContext, containers } = podOf(object);
      expect({ automountServiceAccountToken, securityContext }).toMatchObject({
        automountServiceAccountToken: false,
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      });
      expect(containers[0].securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    }
  });

  it('one replica after the other is replaced, each when the next is ready, with time to finish', () => {
    const deployment = find(pods(), 'Deployment');
    expect(deployment.spec).toMatchObject({
      strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    });
    const { terminationGracePeriodSeconds, containers } = podOf(deployment);
    const [, pause] = containers[0].lifecycle.preStop.exec.command;
    expect(terminationGracePeriodSeconds - Number(pause)).toBeGreaterThan(25);
  });
});

describe('what the server is told', () => {
  it('can be all that it reads, and nothing else', () => {
    const { properties } = load<{
      properties: Record<'settings' | 'files' | 'database', { properties: Record<string, object> }>;
    }>('chart/session-alerts/values.schema.json');
    const keys = (properties.database.properties['keys'] as { properties: object }).properties;
    const asked = namesAsked(
      environmentOf(podOf(find(rendered.get('everything.yaml')!, 'Deployment')), join(folder, 'files')),
    );
    const settable = [properties.settings.properties, properties.files.properties].flatMap(Object.keys);
    // What an address leaves out libpq's variables say, which extraEnv may have.
    const own = [...asked].filter((name) => !name.startsWith('PG'));
    expect(own.filter((name) => ![...settable, ...Object.keys(keys)].includes(name)).sort()).toEqual([
      // Decided by `migrations`, and by the container's port.
      'MIGRATE_ON_START',
      'PORT',
    ]);
    // Node's own.
    expect(settable.filter((name) => !asked.has(name))).toEqual(['NODE_EXTRA_CA_CERTS']);
  });

  it('is as it was written, large numbers too', () => {
    const environment = environmentOf(
      podOf(find(rendered.get('another name, path and digest')!, 'Deployment')),
      join(folder, 'files'),
    );
    expect(environment).toMatchObject({ GLOBAL_PREFIX: '', STREAMS: '1000000' });
  });

  it('comes with CloudNativePG from its Secret and its Services', () => {
    const pod = podOf(find(rendered.get('everything.yaml')!, 'Deployment'));
    expect(pod.containers[0].env).toContainEqual({
      name: 'DATABASE_DIRECT_URL',
      valueFrom: { secretKeyRef: { name: 'alerts-db-app', key: 'uri' } },
    });
    expect(environmentOf(pod, join(folder, 'files'))).toMatchObject({
      DATABASE_URL: 'postgresql://user:password@alerts-db-pooler:5432/database',
      DATABASE_READ_URL: 'postgresql://user:password@alerts-db-ro:5432/database',
    });
  });

  it('holds no secret, but where it is', () => {
    const secrets = [...rendered.values()].flat().filter(({ kind }) => kind === 'Secret');
    expect(secrets).toEqual([]);
  });
});

describe('the Job and the test', () => {
  /** Runs what a pod runs, with the environment that it gives. */
  async function runPod(object: KubernetesObject) {
    const { containers } = podOf(object);
    const [{ command = [], args = [] }] = containers;
    expect(command.slice(0, 2)).toEqual(['node', 'cli/dist/src/main.js']);
    const written = { stdout: '', stderr: '' };
    const writer = (name: keyof typeof written) => ({ write: (text: string) => (written[name] += text) });
    const status = await runCommandLine([...command.slice(2), ...args], {
      env: environmentOf(podOf(object), join(folder, 'files')),
      stdout: writer('stdout'),
      stderr: writer('stderr'),
    });
    return { status, ...written };
  }
  /** Nobody listens there. */
  const nowhere = { ...minimal, instance: 'http://127.0.0.1:9' };

  it('call the command line as it wants to be called', async () => {
    const objects = render({
      ...nowhere,
      alertmanagerClient: { secret: 'alertmanager-oauth2-secret' },
      doctor: { prometheusUrl: 'http://127.0.0.1:9' },
    });
    // 3: a neighbour cannot be reached.
    expect(await runPod(find(objects, 'Job'))).toMatchObject({ status: 3 });
    const doctor = await runPod(find(objects, 'Pod'));
    expect(doctor.status).toBe(1);
    for (const check of ['database', 'issuer', 'server', 'prometheus']) {
      expect(doctor.stdout).toMatch(new RegExp(`^wrong +${check}:`, 'm'));
    }
  });

  it('migrate before anything is replaced, with the rights of their own where they are given', () => {
    const job = find(rendered.get('a database of its own addresses')!, 'Job');
    expect(job.metadata.annotations).toMatchObject({ 'helm.sh/hook': 'pre-install,pre-upgrade' });
    expect(podOf(job).containers[0].env).toEqual([
      { name: 'DATABASE_URL', valueFrom: { secretKeyRef: { name: 'db', key: 'owner' } } },
    ]);
  });

  it.each([
    ['job', 1, 'false'],
    ['start', 0, undefined],
    ['hand', 0, 'false'],
  ])('leave migrating to whom it is left: %s', (by, jobs, onStart) => {
    const objects = render({ ...minimal, migrations: { by } });
    expect(objects.filter(({ kind }) => kind === 'Job')).toHaveLength(jobs);
    const environment = environmentOf(podOf(find(objects, 'Deployment')), join(folder, 'files'));
    expect(environment['MIGRATE_ON_START']).toBe(onStart);
  });
});

describe('an upgrade', () => {
  /** What Kubernetes lets nobody change once it is there. */
  function fixed(objects: KubernetesObject[]): Record<string, unknown> {
    return Object.fromEntries(
      objects
        .filter(({ metadata }) => metadata.annotations?.['helm.sh/hook'] === undefined)
        .map(({ kind, metadata, spec, ...object }) => [
          `${kind} ${metadata.name}`,
          kind === 'Deployment'
            ? (spec as { selector: unknown }).selector
            : 'roleRef' in object
              ? object.roleRef
              : kind,
        ]),
    );
  }

  it('to all other values changes nothing that cannot be changed', () => {
    const named = fixed(rendered.get('minimal.yaml')!);
    expect(named).toHaveProperty(['Deployment session-alerts'], {
      matchLabels: { 'app.kubernetes.io/name': 'session-alerts' },
    });
    for (const [what, objects] of rendered) {
      if (what === 'another name, path and digest') continue;
      expect({ what, ...fixed(objects) }).toMatchObject({
        'Deployment session-alerts': named['Deployment session-alerts'],
      });
    }
  });

  it('to the next version changes the image and the labels of no selector', () => {
    const next = join(folder, 'next');
    cpSync(CHART, next, { recursive: true });
    const description = read('chart/session-alerts/Chart.yaml');
    writeFileSync(join(next, 'Chart.yaml'), description.replace(/ersion: 0\.\S+/g, 'ersion: 99.0.0'));
    const values = { ...everything, image: { repository: 'session-alerts' } };
    const [before, after] = [render(values), render(values, next)];
    expect(fixed(after)).toEqual(fixed(before));
    expect(podOf(find(after, 'Deployment')).containers[0].image).toBe('session-alerts:99.0.0');
    const replaced = stringify(after).replaceAll('session-alerts:99.0.0', 'session-alerts:0.1.0');
    expect(replaced).toBe(stringify(before));
  });

  it('replaces hooks, whose names stay', () => {
    for (const { metadata } of rendered.get('everything.yaml')!) {
      if (metadata.annotations?.['helm.sh/hook'] === undefined) continue;
      expect(metadata.annotations['helm.sh/hook-delete-policy']).toContain('before-hook-creation');
    }
  });

  it('gives two releases nothing in common', () => {
    const other = helm(minimal, 'template', 'blue', CHART);
    const names = [...other.output.matchAll(/app\.kubernetes\.io\/name: (\S+)/g)].map(([, name]) => name);
    expect(new Set(names)).toEqual(
      new Set(['blue-session-alerts', 'blue-session-alerts-doctor', 'blue-session-alerts-migrate']),
    );
  });
});

describe('wrong values', () => {
  it.each<[string, Values, string | RegExp]>([
    ['a name that nothing reads', { replica: 3 }, "'replica' not allowed"],
    ['a setting that the server does not know', { settings: { EXPIRE: '2h' } }, "'EXPIRE' not allowed"],
    ['a number that is none', { replicas: 'two' }, /replicas.*got string, want integer/],
    ['a duration that is none', { settings: { RETENTION: 'long' } }, /RETENTION/],
    [
      'a level that is none',
      { settings: { LOG_LEVEL: 'all' } },
      /LOG_LEVEL.*'error', 'warn', 'log', 'info', 'debug'/,
    ],
    ['a file without a key', { files: { SMTP_CA_FILE: { secret: 'mail' } } }, /SMTP_CA_FILE/],
    ['no time to finish', { terminationGracePeriodSeconds: 20 }, /terminationGracePeriodSeconds.*31/],
    ['no instance', { instance: '' }, 'Set instance to the address of your instance, such as https://'],
    ['an instance without https', { instance: 'renku.example.org' }, 'Set instance to the address'],
    ['no database', { database: { secret: '' } }, 'Set database.secret to the Secret'],
    [
      'standbys of no cluster',
      { database: { cloudNativePG: { readFromStandbys: true } } },
      'Set database.cloudNativePG.cluster',
    ],
    [
      'mail without a sender',
      { settings: { SMTP_URL: 'smtp://mail.example.org' } },
      'Set settings.MAIL_FROM: SMTP_URL, MAIL_FROM go together',
    ],
    [
      'half of web push',
      { settings: { WEB_PUSH_PUBLIC_KEY: 'BFIJ', WEB_PUSH_SUBJECT: 'mailto:alerts@example.org' } },
      'Set files.WEB_PUSH_PRIVATE_KEY_FILE: ',
    ],
    [
      'a file from two places',
      { files: { SMTP_CA_FILE: { secret: 'mail', configMap: 'mail', key: 'ca.crt' } } },
      'not both',
    ],
    [
      'what is set already',
      { extraEnv: [{ name: 'OIDC_ISSUER', value: 'https://elsewhere.example.org' }] },
      'Take OIDC_ISSUER out of extraEnv',
    ],
    ['a pause that takes all the time', { preStopSeconds: 20 }, 'Set terminationGracePeriodSeconds to 50'],
    [
      'fewer at most than at least',
      { autoscaling: { enabled: true, minReplicas: 9 } },
      'Set autoscaling.maxReplicas',
    ],
    ['scaling by nothing', { autoscaling: { enabled: true, cpu: '' } }, 'Set autoscaling.cpu or'],
    ['a route of no Gateway', { httpRoute: { enabled: true } }, 'Set httpRoute.parentRefs to your Gateway'],
    ['a policy that lets nobody in', { networkPolicy: { namespaces: [] } }, 'Set networkPolicy.namespaces'],
    [
      'a receiver without a secret',
      { alertmanagerConfig: { enabled: true } },
      'Set alertmanagerClient.secret',
    ],
  ])('are refused with what to set: %s', (_what, values, sentence) => {
    const { isGood, errors } = tryToRender({ ...minimal, ...values });
    expect(isGood).toBe(false);
    expect(errors).toMatch(sentence);
  });

  it('are named all at once', () => {
    const { errors } = tryToRender({ database: { secret: '' }, preStopSeconds: 20 });
    expect(errors.match(/^Set .+/gm)).toHaveLength(3);
  });

  it('keep a password to themselves', () => {
    const { errors } = tryToRender({
      ...minimal,
      settings: { SMTP_URL: 'smtp://alerts:hunter2@mail.example.org', MAIL_FROM: 'alerts@example.org' },
    });
    expect(errors).toContain('Take the password out of settings.SMTP_URL');
    expect(errors).not.toContain('hunter2');
  });
});

describe('the ways in', () => {
  const paths = [
    ['/api/data/webhooks/alertmanager', 'Exact'],
    ['/api/data/webhooks/grafana', 'Exact'],
    ['/api/data/alerts', 'Prefix'],
    ['/panel', 'Prefix'],
  ];

  it('are the same by an Ingress and by a Gateway', () => {
    const ingress = find(rendered.get('renku.yaml')!, 'Ingress').spec as {
      rules: { host: string; http: { paths: { path: string; pathType: string }[] } }[];
    };
    expect(ingress.rules.map(({ host }) => host)).toEqual(['renku.example.org']);
    expect(ingress.rules[0]!.http.paths.map(({ path, pathType }) => [path, pathType])).toEqual(paths);

    const route = find(rendered.get('everything.yaml')!, 'HTTPRoute').spec as {
      parentRefs: unknown;
      hostnames: string[];
      rules: {
        matches: { path: { type: string; value: string } }[];
        backendRefs: { name: string; port: number }[];
        timeouts: unknown;
      }[];
    };
    expect(route).toMatchObject({
      parentRefs: [{ name: 'public', namespace: 'gateway' }],
      hostnames: ['renku.example.org'],
    });
    const [rule] = route.rules;
    expect(rule!.matches.map(({ path: { type, value } }) => [value, type.replace('Path', '')])).toEqual(
      paths,
    );
    const service = find(rendered.get('everything.yaml')!, 'Service');
    const { ports } = service.spec as { ports: { port: number }[] };
    expect(rule).toMatchObject({
      backendRefs: [{ name: service.metadata.name, port: ports[0]!.port }],
      // A page's stream lasts as long as the page.
      timeouts: { request: '0s' },
    });
  });

  it('are open to the test, where it asks the Service', () => {
    const objects = rendered.get('everything.yaml')!;
    const { from } = (find(objects, 'NetworkPolicy').spec as { ingress: { from: unknown[] }[] }).ingress[0]!;
    const { labels } = find(objects, 'Pod').metadata;
    expect(from).toContainEqual({
      podSelector: { matchLabels: { 'app.kubernetes.io/name': labels?.['app.kubernetes.io/name'] } },
    });
  });

  it('do not lead to pods that are no server', () => {
    const objects = rendered.get('everything.yaml')!;
    const { selector } = find(objects, 'Service').spec as { selector: Record<string, string> };
    const { template } = find(objects, 'Job').spec as { template: { metadata: { labels: object } } };
    for (const labels of [template.metadata.labels, find(objects, 'Pod').metadata.labels]) {
      expect(labels).not.toMatchObject(selector);
    }
  });
});

describe('scaling', () => {
  const spec = () => find(rendered.get('everything.yaml')!, 'HorizontalPodAutoscaler').spec;

  it('goes by CPU and by open pages, and is left alone by the Deployment', () => {
    expect(spec()).toMatchObject({
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'session-alerts' },
      metrics: [
        {
          type: 'Resource',
          resource: { name: 'cpu', target: { type: 'AverageValue', averageValue: '700m' } },
        },
        {
          type: 'Pods',
          pods: {
            metric: { name: 'session_alerts_streams' },
            target: { type: 'AverageValue', averageValue: '15000' },
          },
        },
      ],
    });
    expect(find(rendered.get('everything.yaml')!, 'Deployment').spec).not.toHaveProperty('replicas');
  });

  it('asks for a metric that the server has', () => {
    expect(readFileSync(join(PROJECT, 'docs', 'operations.md'), 'utf8')).toContain(
      '`session_alerts_streams`',
    );
  });
});

describe('what the neighbours are given', () => {
  const objects = () => rendered.get('everything.yaml')!;

  it.each([
    ['sessions', 'session-alerts'],
    ['service', 'session-alerts-service'],
    ['watchdog', 'watchdog'],
  ])('Prometheus: the rules of %s, letter for letter', (what, file) => {
    const rule = find(objects(), 'PrometheusRule', `session-alerts-${what}`);
    expect(rule.apiVersion).toBe('monitoring.coreos.com/v1');
    expect(rule.spec).toEqual(load(`prometheus/${file}.rules.yml`));
  });

  it('Prometheus: a monitor of the Service', () => {
    const monitor = find(objects(), 'ServiceMonitor').spec as {
      jobLabel: string;
      selector: { matchLabels: object };
      endpoints: { port: string; path: string }[];
    };
    const service = find(objects(), 'Service');
    expect(service.metadata.labels).toMatchObject(monitor.selector.matchLabels);
    expect(service.metadata.labels).toHaveProperty([monitor.jobLabel], 'session-alerts');
    expect(service.spec).toMatchObject({ ports: [{ name: monitor.endpoints[0]!.port }] });
    expect(monitor.endpoints).toMatchObject([{ path: '/metrics' }]);
  });

  it('Alertmanager: the receiver and the routes of alertmanager.yml, as the operator calls them', () => {
    interface Route {
      matchers: string[];
      group_by?: string[];
      continue?: boolean;
      [name: string]: unknown;
    }
    const { receivers, route } = load<{
      receivers: { name: string; webhook_configs?: { http_config: { oauth2: object } }[] }[];
      route: { routes: Route[] };
    }>('alertmanager/alertmanager.yml');
    const ofInstance = render({ ...everything, instance: INSTANCE });
    const configs = ofInstance.filter(({ kind }) => kind === 'AlertmanagerConfig');
    const specs = configs.map(
      ({ spec }) =>
        inSnakeCase(spec) as {
          route: Omit<Route, 'matchers'> & {
            matchers: { name: string; match_type: string; value: string }[];
          };
          receivers: unknown[];
        },
    );
    expect(
      specs.map(({ route: { matchers, ...rest } }) => ({
        ...rest,
        matchers: matchers.map(({ name, match_type, value }) => `${name}${match_type}"${value}"`),
      })),
    ).toEqual(route.routes.map(({ continue: _always, ...rest }) => rest));

    const ours = receivers.find(({ name }) => name === 'renku-webhook')!;
    const { http_config, ...webhook } = ours.webhook_configs![0]!;
    const { client_id, token_url } = http_config.oauth2 as Record<string, string>;
    const client = find(ofInstance, 'ConfigMap', 'session-alerts-alertmanager-client');
    expect(client.data).toEqual({ id: client_id });
    for (const spec of specs) {
      expect(spec.receivers).toEqual([
        {
          name: 'renku-webhook',
          webhook_configs: [
            {
              ...webhook,
              http_config: {
                ...http_config,
                oauth2: {
                  token_url,
                  client_id: { config_map: { name: client.metadata.name, key: 'id' } },
                  client_secret: { name: 'alertmanager-oauth2-secret', key: 'oauth2-client-secret' },
                },
              },
            },
          ],
        },
      ]);
    }
  });

  it('Alertmanager: the receiver by the name that the server knows it by', () => {
    const [config] = objects().filter(({ kind }) => kind === 'AlertmanagerConfig');
    const environment = environmentOf(podOf(find(objects(), 'Deployment')), join(folder, 'files'));
    // As the operator puts it together.
    const { namespace, name } = config!.metadata;
    expect(readConfig(environment).reconcile).toMatchObject({
      receiver: `${namespace ?? ''}/${name}/renku-webhook`,
    });
  });

  it('Grafana: the dashboard', () => {
    const { metadata, data } = find(objects(), 'ConfigMap', 'session-alerts-dashboard');
    expect(metadata.labels).toMatchObject({ grafana_dashboard: '1' });
    expect(JSON.parse(data!['session-alerts.json']!)).toEqual(load('grafana/session-alerts.json'));
  });

  it('kube-state-metrics: its configuration, and the rights for it', () => {
    const { data } = find(objects(), 'ConfigMap', 'kube-state-metrics-sessions');
    expect(parse(data!['custom-resource-state.yaml']!)).toEqual(
      load('kube-state-metrics/custom-resource-state.yaml'),
    );
    for (const plain of loadAll<KubernetesObject>('kube-state-metrics/rbac.yaml')) {
      expect(find(objects(), plain.kind, plain.metadata.name)).toMatchObject(plain);
    }
  });
});

describe('the notes after an installation', () => {
  let chart: string;
  beforeAll(() => {
    // Helm prints them with a cluster only; here another template does.
    chart = join(folder, 'noted');
    cpSync(CHART, chart, { recursive: true });
    const notes = '{{ include (print $.Template.BasePath "/NOTES.txt") . | toJson }}';
    writeFileSync(
      join(chart, 'templates', 'noted.yaml'),
      `{ apiVersion: v1, kind: ConfigMap, metadata: { name: notes }, data: { notes: ${notes} } }`,
    );
  });
  const notesOf = (values: Values) => find(render(values, chart), 'ConfigMap', 'notes').data!['notes']!;

  it('say how to see whether it works, and what is still to do', () => {
    const notes = notesOf(minimal);
    expect(notes).toContain('kubectl rollout status --namespace renku deployment/session-alerts\n');
    expect(notes).toContain('helm test session-alerts --namespace renku --logs\n');
    expect(notes).toContain('set settings.ALERTMANAGER_URLS');
    expect(notes).toContain('config print alertmanager --instance https://renku.example.org\n');
    expect(notes).toContain('max_connections above 30:');
  });

  it('say what an AlertmanagerConfig cannot', () => {
    const notes = notesOf(everything);
    expect(notes).toContain('alertmanagerConfigMatcherStrategy: {type: None}');
    expect(notes).toContain('namespace="renku"');
    expect(notes).not.toContain('config print alertmanager');
    expect(notes).toContain('max_connections above 70:');
  });
});

it('is what the plain manifests and its copies are made of', () => {
  const { isGood, output } = tryToRun('node', join(PROJECT, 'scripts', 'manifests.mjs'), '--check');
  expect({ isGood, output }).toEqual({ isGood: true, output: '' });
});

it('is packed with all that it has', () => {
  run('helm', 'package', CHART, '--destination', folder);
  const packed = run('tar', '-tf', join(folder, 'session-alerts-0.1.0.tgz')).trim().split('\n').sort();
  const files = readdirSync(CHART, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `session-alerts/${relative(CHART, join(entry.parentPath, entry.name))}`);
  expect(packed).toEqual(files.sort());
});

/** What a schema of Kubernetes's own does not know. */
function isOfAnOperator(apiVersion: string): boolean {
  return /^(monitoring\.coreos\.com|gateway\.networking\.k8s\.io)\//.test(apiVersion);
}

/** As Alertmanager writes what the operator writes in camel case. */
function inSnakeCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inSnakeCase);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      inSnakeCase(inner),
    ]),
  );
}
