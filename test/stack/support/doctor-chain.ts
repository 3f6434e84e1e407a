import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Finding } from '../../../cli/src/doctor/check.js';
import { doctorsFindings, runDoctor } from '../../support/doctor.js';
import type { DoctorRun } from '../../support/doctor.js';
import { waitUntil } from '../../support/server.js';
import { Alertmanager } from './alertmanager.js';
import type { ChainIssuer } from './issuer-under-test.js';
import type { StackPostgres } from './postgres.js';
import { Prometheus } from './prometheus.js';
import { ServerProcess } from './server-process.js';
import { ADMINISTRATORS_CONFIG } from './stack.js';

const RULES = join(import.meta.dirname, '..', '..', '..', 'deploy', 'prometheus');

/** An id, as the issuer gives them. */
export const JANE = '4e1c7a5e-0000-4000-8000-000000000001';

/** What kubelet and kube-state-metrics tell of one session that is well. */
export const METRICS = [
  `kube_customresource_amaltheasession_info{name="jane-1",namespace="renku",safe_username="${JANE}"} 1`,
  'kube_persistentvolumeclaim_labels{namespace="renku",persistentvolumeclaim="jane-1-data",label_app_kubernetes_io_name="AmaltheaSession",label_app_kubernetes_io_instance="jane-1"} 1',
  'container_memory_usage_bytes{namespace="renku",pod="jane-1-0",container="amalthea-session"} 1e9',
];

/** What doctor is told in another way than the chain is. */
export interface DoctorOverrides {
  env?: NodeJS.ProcessEnv;
  apiUrl?: string;
  alertmanagerUrl?: string;
  prometheusUrl?: string;
}

/** What another Prometheus has in the place of what it should have. */
export interface PrometheusFaults {
  ruleFiles?: string[];
  moreRules?: object[];
  metrics?: string[];
  /** Where it sends its alerts. Default: the chain's Alertmanager. */
  alertmanager?: Alertmanager;
}

/** The whole chain, with the administrators' own files: Prometheus, Alertmanager, issuer, PostgreSQL, server. */
export class DoctorChain {
  private constructor(
    readonly issuer: ChainIssuer,
    readonly server: ServerProcess,
    readonly alertmanager: Alertmanager,
    readonly prometheus: Prometheus,
    readonly databaseUrl: string,
    private readonly closers: (() => Promise<unknown>)[],
  ) {}

  /** Starts it and waits until the watchdog alert has come through. The chain closes the issuer. */
  static async start(postgres: StackPostgres, issuer: ChainIssuer): Promise<DoctorChain> {
    const closers: (() => Promise<unknown>)[] = [() => issuer.close()];
    try {
      const databaseUrl = await postgres.createDatabase();
      const server = await ServerProcess.start({ DATABASE_URL: databaseUrl, OIDC_ISSUER: issuer.url });
      closers.push(() => server.stop());
      const alertmanager = await startAlertmanager(issuer, server.webhookUrl);
      closers.push(() => alertmanager.stop());
      const prometheus = await startPrometheus(alertmanager, await administratorsRules(), METRICS);
      closers.push(() => prometheus.close());
      const chain = new DoctorChain(issuer, server, alertmanager, prometheus, databaseUrl, closers);
      await waitUntil(
        async () => (await (await fetch(`${server.url}/readyz`)).text()).includes('"last_seen":"'),
        60_000,
      );
      return chain;
    } catch (error) {
      await closeAll(closers);
      throw error;
    }
  }

  /** Runs doctor with all that the chain has. */
  examine(overrides: DoctorOverrides = {}): Promise<DoctorRun> {
    return runDoctor(...this.commandLine(overrides));
  }

  /** What it found, by its own `--json`. */
  findings(overrides: DoctorOverrides = {}): Promise<Finding[]> {
    return doctorsFindings(...this.commandLine(overrides));
  }

  private commandLine({ env, ...urls }: DoctorOverrides): [string[], NodeJS.ProcessEnv] {
    const { alertmanagerUrl = this.alertmanager.url } = urls;
    // The chain's Prometheus sends nothing to another Alertmanager.
    const ofTheChain = urls.alertmanagerUrl === undefined ? this.prometheus.url : undefined;
    const { prometheusUrl = ofTheChain, apiUrl = `${this.server.url}/api/data` } = urls;
    return [
      [
        ...['--api-url', apiUrl],
        ...['--alertmanager-url', alertmanagerUrl],
        ...(prometheusUrl === undefined ? [] : ['--prometheus-url', prometheusUrl]),
      ],
      {
        DATABASE_URL: this.databaseUrl,
        OIDC_ISSUER: this.issuer.url,
        ALERTMANAGER_URLS: this.alertmanager.url,
        ALERTMANAGER_CLIENT_SECRET: this.issuer.clientSecret,
        ...env,
      },
    ];
  }

  /** Another Alertmanager, with the administrators' configuration changed; it ends with the chain. */
  async startAlertmanager(
    change: (config: string) => string,
    {
      webhookUrl = this.server.webhookUrl,
      clientSecret = this.issuer.clientSecret,
      issuer = this.issuer.url,
    } = {},
  ): Promise<Alertmanager> {
    const alertmanager = await startAlertmanager({ url: issuer, clientSecret }, webhookUrl, change);
    this.closers.push(() => alertmanager.stop());
    return alertmanager;
  }

  /** Another Prometheus, which knows other rules or metrics; it ends with the chain. */
  async startPrometheus({
    ruleFiles = RULE_FILES,
    moreRules = [],
    metrics = METRICS,
    alertmanager = this.alertmanager,
  }: PrometheusFaults): Promise<Prometheus> {
    const rules = [...(await administratorsRules(ruleFiles)), ...moreRules];
    const prometheus = await startPrometheus(alertmanager, rules, metrics);
    this.closers.push(() => prometheus.close());
    return prometheus;
  }

  /** An address that redirects everything to our webhook, as proxies do from http to https. */
  async startRedirect(): Promise<string> {
    const target = this.server.webhookUrl;
    const proxy = createServer((_request, response) => {
      response.writeHead(301, { Location: target }).end();
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    this.closers.push(
      () =>
        new Promise((resolve) => {
          proxy.close(resolve);
          proxy.closeAllConnections();
        }),
    );
    return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/api/data/webhooks/alertmanager`;
  }

  close(): Promise<void> {
    return closeAll(this.closers);
  }
}

const RULE_FILES = ['session-alerts.rules.yml', 'watchdog.rules.yml'];

/** The rules of these files in one group, which is evaluated faster than the files say. */
async function administratorsRules(files = RULE_FILES): Promise<object[]> {
  const contents = await Promise.all(files.map((file) => readFile(join(RULES, file), 'utf8')));
  return contents.flatMap((content) =>
    (parse(content) as { groups: { rules: object[] }[] }).groups.flatMap(({ rules }) => rules),
  );
}

async function startAlertmanager(
  issuer: Pick<ChainIssuer, 'url' | 'clientSecret'>,
  webhookUrl: string,
  change: (config: string) => string = (config) => config,
): Promise<Alertmanager> {
  return Alertmanager.start({
    config: change(await readFile(ADMINISTRATORS_CONFIG, 'utf8')),
    addresses: { webhookUrl, tokenUrl: `${issuer.url}/protocol/openid-connect/token` },
    clientSecret: issuer.clientSecret,
  });
}

/** Waits until it has scraped, evaluated its rules and found Alertmanager. */
async function startPrometheus(
  alertmanager: Alertmanager,
  rules: object[],
  metrics: string[],
): Promise<Prometheus> {
  const prometheus = await Prometheus.start({
    metrics: () => [...metrics, ''].join('\n'),
    rules,
    alertmanagerUrl: alertmanager.url,
  });
  const ask = async (path: string): Promise<string> =>
    (await fetch(`${prometheus.url}/api/v1/${path}`)).text();
  try {
    await waitUntil(async () => {
      const [evaluated, found, scraped] = await Promise.all([
        ask('rules'),
        ask('alertmanagers'),
        ask('query?query=container_memory_usage_bytes'),
      ]);
      return (
        !evaluated.includes('"health":"unknown"') &&
        found.includes(new URL(alertmanager.url).host) &&
        scraped.includes('jane-1')
      );
    }, 60_000);
    return prometheus;
  } catch (error) {
    await prometheus.close();
    throw error;
  }
}

async function closeAll(closers: (() => Promise<unknown>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const close of closers.splice(0).reverse()) {
    await close().catch((error: unknown) => failures.push(error));
  }
  if (failures.length > 0) throw new AggregateError(failures, 'The chain did not end as it should');
}
