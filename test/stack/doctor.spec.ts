import { DataSource } from 'typeorm';
import { alertsMigrations } from '../../src/index.js';
import { postgresOptions } from '../../src/migrations/postgres-options.js';
import { DoctorChain, METRICS } from './support/doctor-chain.js';
import type { DoctorOverrides } from './support/doctor-chain.js';
import { startEmbeddedIssuer } from './support/issuer-under-test.js';
import type { Mend } from './support/issuer-under-test.js';
import { startPostgres } from './support/postgres.js';
import type { StackPostgres } from './support/postgres.js';

let postgres: StackPostgres;
let chain: DoctorChain;

beforeAll(async () => {
  postgres = await startPostgres();
  chain = await DoctorChain.start(postgres, await startEmbeddedIssuer());
});
afterAll(async () => {
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

/** An Alertmanager with this fault in its configuration. */
async function alertmanagerWith(
  change: (config: string) => string,
  webhookUrl?: string,
): Promise<DoctorOverrides> {
  const { url } = await chain.startAlertmanager(change, webhookUrl);
  return { alertmanagerUrl: url };
}

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

interface Fault {
  put: () => Promise<{ overrides?: DoctorOverrides; mend?: Mend }>;
  /** The check that must find it, what it must say, and what it must say to do. */
  check: string;
  message: string;
  mend: string;
}

const FAULTS: Record<string, Fault> = {
  'a wrong client secret': {
    put: () => Promise.resolve({ overrides: { env: { ALERTMANAGER_CLIENT_SECRET: 'hunter2' } } }),
    check: 'token',
    message: 'the client secret is wrong',
    mend: 'Clients → alertmanager → Credentials',
  },
  'the role not assigned': {
    put: async () => ({ mend: await chain.issuer.takeRoleAway() }),
    check: 'token.role',
    message: 'lacks the role alertmanager-webhook',
    mend: 'Service accounts roles → Assign role → Realm roles → alertmanager-webhook',
  },
  'the audience mapper missing': {
    put: async () => ({ mend: await chain.issuer.removeAudienceMapper() }),
    check: 'token.audience',
    message: 'has aud account; the server asks for renku: the audience mapper is missing',
    mend: 'Audience, Included Custom Audience: renku',
  },
  'max_alerts: 1 with a shared group': {
    put: async () => ({
      overrides: await alertmanagerWith((config) =>
        replacing("      group_by: ['...']\n", '')(replacing('max_alerts: 0', 'max_alerts: 1')(config)),
      ),
    }),
    check: 'alertmanager.grouping',
    message: 'max_alerts: 1 with all alerts in one group: of each group only the first alert is sent',
    mend: "Set group_by: ['...'] on the route to the receiver renku-webhook, or max_alerts: 0",
  },
  'send_resolved: false': {
    put: async () => ({
      overrides: await alertmanagerWith(replacing('send_resolved: true', 'send_resolved: false')),
    }),
    check: 'alertmanager.send_resolved',
    message: 'send_resolved is false',
    mend: 'Set send_resolved: true in the webhook_configs of the receiver renku-webhook',
  },
  'a webhook behind a redirect': {
    put: async () => ({
      overrides: await alertmanagerWith(
        replacing('follow_redirects: false', 'follow_redirects: true'),
        await chain.startRedirect(),
      ),
    }),
    check: 'alertmanager.address',
    message: '(301): posts arrive there as empty GETs and count as delivered',
    mend: 'follow_redirects: false in the webhook_configs of the receiver renku-webhook',
  },
  'the rules not loaded': {
    put: async () => {
      const { url } = await chain.startPrometheus({ rules: ['watchdog.rules.yml'] });
      return { overrides: { prometheusUrl: url } };
    },
    check: 'prometheus.rules',
    message: 'No alerting rule with the label purpose: renku-session is loaded',
    mend: 'Name the rules of deploy/prometheus in rule_files',
  },
  'the label safe_username missing': {
    put: async () => {
      const { url } = await chain.startPrometheus({
        metrics: METRICS.map((sample) => sample.replace(',safe_username="jane"', '')),
      });
      return { overrides: { prometheusUrl: url } };
    },
    check: 'prometheus.sessions',
    message: 'kube_customresource_amaltheasession_info is there without the label safe_username',
    mend: 'labelsFromPath safe_username: [metadata, labels, "renku.io/safe-username"]',
  },
  'a clock off by two minutes': {
    put: async () => ({ mend: await chain.issuer.setClockBack(120) }),
    check: 'clocks',
    message: 'The clock of the issuer is 2m',
    mend: 'Set the clock of the issuer: turn NTP on there',
  },
  'a migration pending': {
    put: async () => ({ overrides: { env: { DATABASE_URL: await halfMigratedDatabase() } } }),
    check: 'database.migrations',
    message: `Not applied: ${alertsMigrations.at(-1)?.name ?? ''}`,
    mend: '`session-alerts migrate`',
  },
  'the issuer down': {
    put: async () => ({ mend: await chain.issuer.stop() }),
    check: 'issuer',
    message: 'cannot be reached: connect ECONNREFUSED',
    mend: 'correct OIDC_ISSUER',
  },
  'the watchdog not routed': {
    put: async () => ({
      overrides: await alertmanagerWith(replacing('alertname="Watchdog"', 'alertname="SomethingElse"')),
    }),
    check: 'alertmanager.watchdog',
    message: 'The watchdog alert Watchdog goes to the receiver default, not to renku-webhook',
    mend: 'matchers: [\'alertname="Watchdog"\'], receiver: renku-webhook',
  },
};

it('all is ok on a chain that is set up with the administrators’ files', async () => {
  const findings = await chain.findings();

  expect(findings.filter(({ status }) => status !== 'ok')).toEqual([]);
  expect(findings.map(({ check }) => check)).toEqual([
    'settings',
    'database',
    'database.migrations',
    'issuer',
    'issuer.keys',
    'token',
    'token.audience',
    'token.role',
    'token.lifetime',
    'server',
    'clocks',
    'webhook',
    'alertmanager',
    'alertmanager.route',
    'alertmanager.address',
    'alertmanager.oauth2',
    'alertmanager.send_resolved',
    'alertmanager.grouping',
    'alertmanager.repeat_interval',
    'alertmanager.delay',
    'alertmanager.watchdog',
    'alertmanager.delivery',
    'prometheus',
    'prometheus.rules',
    'prometheus.sessions',
    'prometheus.volumes',
    'prometheus.watchdog',
    'prometheus.alertmanagers',
    'feed',
  ]);
});

describe.each(Object.entries(FAULTS))('With %s', (_, fault) => {
  it('names that, and nothing else, and what mends it', async () => {
    const { overrides = {}, mend = nothing } = await fault.put();
    try {
      const findings = await chain.findings(overrides);
      expect(findings.filter(({ status }) => status === 'wrong' || status === 'warning')).toEqual([
        {
          check: fault.check,
          status: 'wrong',
          message: expect.stringContaining(fault.message) as string,
          mend: expect.stringContaining(fault.mend) as string,
        },
      ]);

      const { exitCode, stdout, stderr } = await chain.examine(overrides);
      expect(exitCode).toBe(1);
      expect(stderr).toBe('One thing is wrong.');
      const lines = stdout.split('\n');
      const wrong = lines.findIndex((line) => line.startsWith('wrong '));
      expect(lines[wrong]).toContain(fault.message);
      expect(lines[wrong + 1]).toMatch(/^ {13}\S/);
      expect(lines[wrong + 1]).toContain(fault.mend);
    } finally {
      await mend();
    }
  });
});
