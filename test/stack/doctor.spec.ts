import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { alertsMigrations } from '../../src/index.js';
import { postgresOptions } from '../../src/migrations/postgres-options.js';
import { waitUntil } from '../support/server.js';
import { DoctorChain, JANE, METRICS } from './support/doctor-chain.js';
import type { DoctorOverrides, PrometheusFaults } from './support/doctor-chain.js';
import { startEmbeddedIssuer } from './support/issuer-under-test.js';
import type { IssuerUnderTest, Mend } from './support/issuer-under-test.js';
import { Nginx } from './support/nginx.js';
import { startPostgres } from './support/postgres.js';
import type { StackPostgres } from './support/postgres.js';

let postgres: StackPostgres;
let issuer: IssuerUnderTest;
let chain: DoctorChain;
const proxies: Nginx<'api'>[] = [];

beforeAll(async () => {
  postgres = await startPostgres();
  issuer = await startEmbeddedIssuer();
  chain = await DoctorChain.start(postgres, issuer);
});
afterAll(async () => {
  for (const nginx of proxies) await nginx.stop();
  await chain.close();
  await postgres.close();
});

const nothing: Mend = () => Promise.resolve();

/** Replaces what stands exactly once in the administrators' configuration. */
function replacing(from: string, to: string): (config: string) => string {
  return (config) => {
    const parts = config.split(from);
    if (parts.length !== 2) throw new Error(`The configuration has "${from}" ${parts.length - 1} times`);
    return parts.join(to);
  };
}

/** An Alertmanager with this fault in its configuration, or at these addresses. */
async function alertmanagerWith(
  ...fault: Parameters<DoctorChain['startAlertmanager']>
): Promise<{ overrides: DoctorOverrides }> {
  const { url } = await chain.startAlertmanager(...fault);
  return { overrides: { alertmanagerUrl: url } };
}

async function prometheusWith(fault: PrometheusFaults): Promise<{ overrides: DoctorOverrides }> {
  const { url } = await chain.startPrometheus(fault);
  return { overrides: { prometheusUrl: url } };
}

/** The server behind nginx. */
async function proxyWith(directives: string): Promise<{ overrides: DoctorOverrides }> {
  const nginx = await Nginx.start({ api: { servers: [chain.server.url], directives } }, '');
  proxies.push(nginx);
  return { overrides: { apiUrl: `${nginx.urls.api}/api/data` } };
}

const NOWHERE = 'http://127.0.0.1:1/api/data/webhooks/alertmanager';

/** Configuration as it is. */
const asItIs = (config: string): string => config;

/** A database with all migrations but the last. */
async function halfMigratedDatabase(): Promise<string> {
  const url = await postgres.createDatabase();
  const dataSource = new DataSource({ ...postgresOptions(url), migrations: alertsMigrations.slice(0, -1) });
  await dataSource.initialize();
  try {
    await dataSource.runMigrations();
  } finally {
    await dataSource.destroy();
  }
  return url;
}

/** The checks that doctor's documentation lists, in its order. */
async function documentedChecks(): Promise<string[]> {
  const text = await readFile(join(import.meta.dirname, '..', '..', 'docs', 'doctor.md'), 'utf8');
  const table = text.slice(text.indexOf('## What it checks'));
  return [...table.matchAll(/^\| `([\w.]+)`/gm)].map(([, check = '']) => check);
}

interface Fault {
  put: () => Promise<{ overrides?: DoctorOverrides; mend?: Mend }>;
  /** The check that must find it, what it must say, and what it must say to do. */
  check: string;
  status?: 'warning';
  message: string;
  mend: string;
  /** The same of an Alertmanager that hides the addresses of webhooks; null where it cannot be told then. */
  whereHidden?: Pick<Fault, 'check' | 'status' | 'message' | 'mend'> | null;
}

/** Whether an Alertmanager takes the addresses of webhooks for secrets, as newer ones do. */
async function hidesAddresses(url: string | undefined): Promise<boolean> {
  if (url === undefined) return false;
  const response = await fetch(`${url}/api/v2/status`);
  const { config } = (await response.json()) as { config: { original: string } };
  return /^[ -]+url: <secret>$/m.test(config.original);
}

/** What the documentation promises. */
const TWELVE_FAULTS: Record<string, Fault> = {
  'a wrong client secret': {
    put: () => Promise.resolve({ overrides: { env: { ALERTMANAGER_CLIENT_SECRET: 'hunter2' } } }),
    check: 'token',
    message: 'the client secret is wrong',
    mend: 'Clients → alertmanager → Credentials',
  },
  'the role not assigned': {
    put: async () => ({ mend: await issuer.takeRoleAway() }),
    check: 'token.role',
    message: 'lacks the role alertmanager-webhook',
    mend: 'Service accounts roles → Assign role → Realm roles → alertmanager-webhook',
  },
  'the audience mapper missing': {
    put: async () => ({ mend: await issuer.removeAudienceMapper() }),
    check: 'token.audience',
    message: 'the server asks for renku: the audience mapper is missing',
    mend: 'Audience, Included Custom Audience: renku',
  },
  'max_alerts: 1 with a shared group': {
    put: () =>
      alertmanagerWith((config) =>
        replacing("      group_by: ['...']\n", '')(replacing('max_alerts: 0', 'max_alerts: 1')(config)),
      ),
    check: 'alertmanager.grouping',
    message: 'max_alerts: 1 with all alerts in one group: of each group only the first alert is sent',
    mend: "Set group_by: ['...'] on the route to the receiver renku-webhook, or max_alerts: 0",
  },
  'send_resolved: false': {
    put: () => alertmanagerWith(replacing('send_resolved: true', 'send_resolved: false')),
    check: 'alertmanager.send_resolved',
    message: 'send_resolved is false',
    mend: 'Set send_resolved: true in the webhook_configs of the receiver renku-webhook',
  },
  'a webhook behind a redirect': {
    put: async () =>
      alertmanagerWith(replacing('follow_redirects: false', 'follow_redirects: true'), {
        webhookUrl: await chain.startRedirect(),
      }),
    check: 'alertmanager.address',
    message: '(301): posts arrive there as empty GETs and count as delivered',
    mend: 'follow_redirects: false in the webhook_configs of the receiver renku-webhook',
    whereHidden: {
      check: 'alertmanager.address',
      status: 'warning',
      message: 'if it ever does, posts will be lost',
      mend: 'follow_redirects: false in the webhook_configs of the receiver renku-webhook',
    },
  },
  'the rules not loaded': {
    put: () => prometheusWith({ ruleFiles: ['watchdog.rules.yml'] }),
    check: 'prometheus.rules',
    message: 'No alerting rule with the label purpose: renku-session is loaded',
    mend: 'Name the rules of deploy/prometheus in rule_files',
  },
  'the label safe_username missing': {
    put: () =>
      prometheusWith({ metrics: METRICS.map((sample) => sample.replace(`,safe_username="${JANE}"`, '')) }),
    check: 'prometheus.sessions',
    message: 'kube_customresource_amaltheasession_info is there without the label safe_username',
    mend: 'labelsFromPath safe_username: [metadata, labels, "renku.io/safe-username"]',
  },
  'a clock off by two minutes': {
    put: async () => ({ mend: await issuer.setClockBack(120) }),
    check: 'clocks',
    message: 'The clock of the issuer is 2m behind this machine, the database and the server',
    mend: 'Set the clock of the issuer: turn NTP on there',
  },
  'a migration pending': {
    put: async () => ({ overrides: { env: { DATABASE_URL: await halfMigratedDatabase() } } }),
    check: 'database.migrations',
    message: `Not applied: ${alertsMigrations.at(-1)?.name ?? ''}`,
    mend: '`session-alerts migrate`',
  },
  'the issuer down': {
    put: async () => ({ mend: await issuer.stop() }),
    check: 'issuer',
    message: 'cannot be reached: connect ECONNREFUSED',
    mend: 'correct OIDC_ISSUER',
  },
  'the watchdog not routed': {
    put: () => alertmanagerWith(replacing('alertname="Watchdog"', 'alertname="SomethingElse"')),
    check: 'alertmanager.watchdog',
    message: 'The watchdog alert Watchdog goes to the receiver default, not to renku-webhook',
    mend: 'matchers: [\'alertname="Watchdog"\'], receiver: renku-webhook',
  },
};

const MORE_FAULTS: Record<string, Fault> = {
  'a receiver that posts elsewhere': {
    put: () => alertmanagerWith(asItIs, { webhookUrl: 'http://127.0.0.1:1/elsewhere' }),
    check: 'alertmanager.receiver',
    message: 'No receiver has a webhook at an address that ends with /webhooks/alertmanager',
    mend: 'Add the receiver of deploy/alertmanager/alertmanager.yml',
    // Its client is ours.
    whereHidden: null,
  },
  'a route that takes session alerts away': {
    put: () =>
      alertmanagerWith(
        replacing(
          '  routes:\n',
          '  routes:\n    - { matchers: [\'severity="warning"\'], receiver: default }\n',
        ),
      ),
    check: 'alertmanager.route',
    message: 'goes to the receiver default (severity="warning"), not to renku-webhook',
    mend: 'as the first of route.routes',
  },
  "Alertmanager's own repeat_interval": {
    put: () => alertmanagerWith(replacing('      repeat_interval: 1h\n', '')),
    check: 'alertmanager.repeat_interval',
    message: 'repeat_interval: 4h, while alerts that nothing has refreshed for 2h15m',
    mend: 'Set repeat_interval: 1h',
  },
  'a watchdog that is repeated too seldom': {
    put: () => alertmanagerWith(replacing('repeat_interval: 2m', 'repeat_interval: 10m')),
    check: 'alertmanager.watchdog',
    message: 'after 10m (FEED_STALE_AFTER) users are told',
    mend: 'Set repeat_interval: 2m and group_interval: 1m on its route',
  },
  'no credentials in Alertmanager': {
    put: () =>
      alertmanagerWith((config) =>
        config.replace(/^ +(?=oauth2:|client_id:|client_secret_file:|token_url:)/gm, '          # '),
      ),
    check: 'alertmanager.oauth2',
    message: 'It posts without a token',
    mend: 'Add http_config.oauth2',
    whereHidden: {
      check: 'alertmanager.receiver',
      message: 'of those whose address this Alertmanager hides none has the client alertmanager',
      mend: 'http_config.oauth2 with client_id: alertmanager',
    },
  },
  'tokens of another realm': {
    put: () => alertmanagerWith(asItIs, { issuer: chain.issuer.url.replace('Renku', 'master') }),
    check: 'alertmanager.oauth2',
    message: 'Its token_url is ',
    mend: `/realms/Renku/protocol/openid-connect/token`,
  },
  'another client secret in Alertmanager than in the issuer': {
    put: async () => {
      const alertmanager = await chain.startAlertmanager(asItIs, { clientSecret: 'hunter2' });
      await alertmanager.fire({
        labels: { alertname: 'Watchdog' },
        annotations: {},
        startsAt: new Date().toISOString(),
      });
      await waitUntil(async () => (await alertmanager.posts()).failed > 0);
      return { overrides: { alertmanagerUrl: alertmanager.url } };
    },
    check: 'alertmanager.delivery',
    message: 'posts to webhooks since its start have failed',
    mend: 'the file that client_secret_file names',
  },
  'redirects that would be followed': {
    put: () => alertmanagerWith(replacing('follow_redirects: false', 'follow_redirects: true')),
    check: 'alertmanager.address',
    status: 'warning',
    message: 'if it ever does, posts will be lost',
    mend: 'follow_redirects: false',
  },
  'a rule that cannot be evaluated': {
    put: async () => {
      const fault = await prometheusWith({
        metrics: [...METRICS, ...METRICS.map((sample) => sample.replaceAll('jane-1', 'joe-1'))],
        moreRules: [
          {
            alert: 'Ambiguous',
            expr: 'container_memory_usage_bytes * on (namespace) kube_persistentvolumeclaim_labels',
            labels: { purpose: 'renku-session' },
            annotations: { title: 'Title', description: 'Description' },
          },
        ],
      });
      const rules = `${fault.overrides.prometheusUrl ?? ''}/api/v1/rules`;
      await waitUntil(async () => (await (await fetch(rules)).text()).includes('"health":"err"'));
      return fault;
    },
    check: 'prometheus.rules',
    message: 'Prometheus cannot evaluate Ambiguous (',
    mend: 'correct the expression',
  },
  'a rule without a text': {
    put: () =>
      prometheusWith({
        moreRules: [{ alert: 'Silent', expr: 'vector(0) > 1', labels: { purpose: 'renku-session' } }],
      }),
    check: 'prometheus.rules',
    message: 'Silent have no annotation title or description',
    mend: 'Add annotations title and description',
  },
  'a rule that loses the user': {
    put: () =>
      prometheusWith({
        moreRules: [
          {
            alert: 'Anonymous',
            expr: 'vector(1)',
            labels: { purpose: 'renku-session' },
            annotations: { title: 'Title', description: 'Description' },
          },
        ],
      }),
    check: 'prometheus.rules',
    message: 'Alerts of Anonymous fire without the label safe_username or statefulset',
    mend: 'Keep both labels in the expression',
  },
  'no watchdog rule': {
    put: () => prometheusWith({ ruleFiles: ['session-alerts.rules.yml'] }),
    check: 'prometheus.watchdog',
    message: 'No alert Watchdog fires',
    mend: 'Add a rule with alert: Watchdog and expr: vector(1)',
  },
  'sessions that kube-state-metrics does not know': {
    put: () => prometheusWith({ metrics: METRICS.slice(1) }),
    check: 'prometheus.sessions',
    message: 'Sessions run, but there is no kube_customresource_amaltheasession_info',
    mend: 'RBAC to list and watch amaltheasessions',
  },
  'labels of kube-state-metrics that are not honoured': {
    put: () =>
      prometheusWith({
        metrics: METRICS.map((sample) =>
          sample.startsWith('kube_customresource')
            ? sample.replace('namespace=', 'namespace="monitoring",exported_namespace=')
            : sample,
        ),
      }),
    check: 'prometheus.sessions',
    status: 'warning',
    message: 'exported_namespace',
    mend: 'Set honor_labels: true',
  },
  'an Alertmanager that Prometheus does not send to': {
    put: async () => {
      const { overrides } = await alertmanagerWith(asItIs);
      return { overrides: { ...overrides, prometheusUrl: chain.prometheus.url } };
    },
    check: 'prometheus.delivery',
    message: 'Of the alerts that Prometheus fires for us (1), ',
    mend: 'Name this Alertmanager in alerting.alertmanagers',
  },
  'a Prometheus that sends to another Alertmanager': {
    put: async () =>
      prometheusWith({ alertmanager: await chain.startAlertmanager(asItIs, { webhookUrl: NOWHERE }) }),
    check: 'prometheus.alertmanagers',
    status: 'warning',
    message: 'as far as can be seen none of those that doctor knows',
    mend: 'Add its address to ALERTMANAGER_URLS',
  },
  'users named by their logins': {
    put: () => prometheusWith({ metrics: METRICS.map((sample) => sample.replace(JANE, 'ann.smith')) }),
    check: 'users',
    status: 'warning',
    message: 'do not look like ids of the issuer, which are UUIDs: "ann.smith"',
    mend: "Let safe_username be the user's id in Keycloak",
  },
  'a proxy that takes Authorization away': {
    put: () => proxyWith('proxy_set_header Authorization "";'),
    check: 'webhook',
    message: 'The server says that no token came, though one was sent',
    mend: 'remove proxy_set_header Authorization "" from the location of the API',
  },
  'a proxy that takes small bodies only': {
    put: () => proxyWith('client_max_body_size 512k;'),
    check: 'webhook.size',
    status: 'warning',
    message: "A post of 1 MiB is refused, with 413 from a proxy, not the server's",
    mend: 'in nginx client_max_body_size 32m;',
  },
  'https asked of a proxy that speaks http': {
    put: async () => {
      const { overrides } = await proxyWith('');
      return { overrides: { apiUrl: overrides.apiUrl?.replace('http:', 'https:') } };
    },
    check: 'server',
    message: 'cannot be reached: it speaks http, not https',
    mend: 'Write http:// in the place of https:// in --api-url',
  },
  'volumes that do not tell their session': {
    put: () => prometheusWith({ metrics: METRICS.filter((sample) => !sample.startsWith('kube_persistent')) }),
    check: 'prometheus.volumes',
    status: 'warning',
    message: 'low disk space is never noticed',
    mend: '--metric-labels-allowlist=persistentvolumeclaims=',
  },
};

it('all is ok on a chain that is set up with these files', async () => {
  const findings = await chain.findings();

  expect(findings.filter(({ status }) => status !== 'ok')).toEqual([]);
  // A receiver is only named where there is none; other ways to the database, and what is told elsewhere, where they are set.
  const isElsewhere = (check: string) =>
    /^(alertmanager\.receiver$|database\.(pooler|reads)$|delivery)/.test(check);
  const documented = (await documentedChecks()).filter((check) => !isElsewhere(check));
  expect(findings.map(({ check }) => check)).toEqual(documented);
});

describe.each(Object.entries({ ...TWELVE_FAULTS, ...MORE_FAULTS }))('With %s', (_, fault) => {
  it('names that, and nothing else, and what mends it', async () => {
    const { overrides = {}, mend = nothing } = await fault.put();
    try {
      const findings = await chain.findings(overrides);
      const isHidden = fault.whereHidden !== undefined && (await hidesAddresses(overrides.alertmanagerUrl));
      const told = isHidden ? fault.whereHidden : fault;
      const amiss = findings.filter(({ status }) => status === 'wrong' || status === 'warning');
      if (!told) {
        expect(amiss).toEqual([]);
        return;
      }
      const { status = 'wrong' } = told;
      expect(amiss).toEqual([
        {
          check: told.check,
          status,
          message: expect.stringContaining(told.message) as string,
          mend: expect.stringContaining(told.mend) as string,
        },
      ]);

      const { exitCode, stdout, stderr } = await chain.examine(overrides);
      expect({ exitCode, stderr }).toEqual(
        status === 'wrong' ? { exitCode: 1, stderr: 'One thing is wrong.' } : { exitCode: 0, stderr: '' },
      );
      const lines = stdout.split('\n');
      const line = lines.findIndex((one) => one.startsWith(status));
      expect(lines[line]).toContain(told.message);
      expect(lines[line + 1]).toMatch(/^ {13}\S/);
      expect(lines[line + 1]).toContain(told.mend);
      expect(stdout).not.toContain('hunter2');
    } finally {
      await mend();
    }
  });
});
