import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { format, resolveConfig } from 'prettier';

/**
 * Writes what stands in deploy/ a second time: `npm run manifests`. The chart holds copies, as neither `helm package`
 * nor npm takes files from elsewhere along; the plain manifests are what it makes of kubernetes/values.yaml. With
 * --check nothing is written, and files that are not as they would be are named.
 */
const root = join(import.meta.dirname, '..');
const deploy = join(root, 'deploy');
const chart = join(deploy, 'chart', 'session-alerts');
const helm = join(root, 'node_modules', '.cache', 'helm', 'helm');

/** What the chart reads of deploy/. */
const COPIES = [
  'alertmanager/alertmanager.yml',
  'grafana/session-alerts.json',
  'kube-state-metrics/custom-resource-state.yaml',
  'prometheus/session-alerts.rules.yml',
  'prometheus/session-alerts-service.rules.yml',
  'prometheus/watchdog.rules.yml',
];

const MADE = '# Made of deploy/chart and values.yaml by `npm run manifests`.\n';
const SERVER = `# The standalone server: kubectl apply --namespace renku -f session-alerts.yaml
#
# Before that, what only you know:
#   kubectl --namespace renku create secret generic session-alerts \\
#     --from-literal=database-url='postgresql://user:password@host:5432/database'
# and the image, built from the Dockerfile and pushed to your registry. Its settings are in the Deployment's env:
# ALERTMANAGER_URLS are every Alertmanager that posts here, each by an address of its own (none turns reconciling off), and
# RECONCILE_RECEIVER is the receiver by which they do, as Alertmanager calls it (a regular expression).
#
${MADE}`;

const isCheck = process.argv.includes('--check');
const differing = [];

if (!existsSync(helm)) {
  console.error('Helm is not here: run scripts/install-helm.sh');
  process.exit(2);
}
for (const path of COPIES) {
  put(join(chart, 'files', path), readFileSync(join(deploy, path), 'utf8'));
}
await putManifests('session-alerts.yaml', SERVER, [
  'deployment',
  'service',
  'pod-disruption-budget',
  'network-policy',
  'ingress',
]);
await putManifests('service-monitor.yaml', MADE, ['service-monitor'], '--set=serviceMonitor.enabled=true');
if (isCheck && differing.length > 0) {
  console.error(`These are not as the chart makes them; run \`npm run manifests\`:\n${differing.join('\n')}`);
  process.exit(1);
}

/** @param templates of the chart, by their names */
async function putManifests(name, head, templates, ...args) {
  const file = join(deploy, 'kubernetes', name);
  const shown = templates.map((template) => `--show-only=templates/${template}.yaml`);
  const values = `--values=${join(deploy, 'kubernetes', 'values.yaml')}`;
  const rendered = execFileSync(helm, ['template', 'session-alerts', chart, values, ...shown, ...args], {
    encoding: 'utf8',
  });
  const text = head + rendered.replace(/^---\n# Source: .*\n/, '').replace(/^# Source: .*\n/gm, '');
  put(file, await format(text, { ...(await resolveConfig(file)), filepath: file }));
}

function put(file, text) {
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return;
  differing.push(file.slice(root.length + 1));
  if (isCheck) return;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
