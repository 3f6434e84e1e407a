import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, Program } from './program.js';

/** An alert as Prometheus posts it; its end is said by how it is posted. */
export interface FiringAlert {
  labels: Record<string, string>;
  annotations: Record<string, string>;
  startsAt: string;
}

/** Where what the configuration names with the guide's addresses is in a test. */
export interface Addresses {
  webhookUrl: string;
  tokenUrl: string;
  clientSecretFile: string;
}

/** Settings of a route, as they stand in the file. */
export type RouteSettings = Partial<
  Record<'group_by' | 'group_wait' | 'group_interval' | 'repeat_interval', string>
>;

export interface AlertmanagerOptions {
  /** A configuration with the guide's addresses. */
  config: string;
  addresses: Omit<Addresses, 'clientSecretFile'>;
  clientSecret: string;
  route?: RouteSettings;
  /** Where it listens; any free port where it does not matter. */
  port?: number;
  /** What it calls itself in what it posts. Default: the address where it listens. */
  externalUrl?: string;
}

/**
 * A configuration with its addresses and some of its route's settings replaced, and nothing else.
 * @throws Error one of them does not occur, or more than once
 */
export function render(config: string, addresses: Addresses, route: RouteSettings = {}): string {
  const rendered = [
    ['https://your-renku-instance.com/api/data/webhooks/alertmanager', addresses.webhookUrl],
    ['https://your-renku-instance.com/auth/realms/Renku/protocol/openid-connect/token', addresses.tokenUrl],
    ['/etc/alertmanager/secrets/oauth2-client-secret', addresses.clientSecretFile],
  ].reduce((text, [guides = '', ours = '']) => replaceOnce(text, guides, ours), config);
  return Object.entries(route).reduce((text, [name, value]) => {
    const line = new RegExp(`^ +${name}: .*$`, 'm').exec(text)?.[0] ?? `${name}:`;
    return replaceOnce(text, line, line.replace(/: .*/, `: ${value}`));
  }, rendered);
}

function replaceOnce(text: string, from: string, to: string): string {
  const parts = text.split(from);
  if (parts.length !== 2) throw new Error(`The configuration has "${from}" ${parts.length - 1} times`);
  return parts.join(to);
}

/** Debian's Alertmanager as a process of its own, without a cluster; on one port and storage for all its starts. */
export class Alertmanager {
  /** Without a slash at its end. */
  readonly url: string;
  private readonly runs: Program[] = [];

  private constructor(
    private readonly port: number,
    private readonly folder: string,
    private readonly externalUrl = `http://127.0.0.1:${port}`,
  ) {
    this.url = `http://127.0.0.1:${port}`;
  }

  /** Starts one and waits until it is ready. */
  static async start(options: AlertmanagerOptions): Promise<Alertmanager> {
    const folder = await mkdtemp(join(tmpdir(), 'session-alerts-alertmanager-'));
    const alertmanager = new Alertmanager(options.port ?? (await freePort()), folder, options.externalUrl);
    try {
      const clientSecretFile = join(folder, 'oauth2-client-secret');
      await writeFile(clientSecretFile, options.clientSecret);
      await writeFile(
        join(folder, 'alertmanager.yml'),
        render(options.config, { ...options.addresses, clientSecretFile }, options.route),
      );
      await alertmanager.startAgain();
      return alertmanager;
    } catch (error) {
      await alertmanager.stop();
      throw error;
    }
  }

  /** What it has logged, over all its starts. */
  get log(): string {
    return this.runs.map(({ output }) => output).join('');
  }

  /** Starts it with what it has stored. */
  async startAgain(): Promise<void> {
    const run = new Program(
      'Alertmanager',
      'prometheus-alertmanager',
      [
        `--config.file=${join(this.folder, 'alertmanager.yml')}`,
        `--storage.path=${join(this.folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${this.port}`,
        '--cluster.listen-address=',
        `--web.external-url=${this.externalUrl}`,
      ],
      { folder: this.folder },
    );
    this.runs.push(run);
    await run.until(async () => (await fetch(`${this.url}/-/ready`)).ok);
  }

  /** Ends it without a chance to store anything. */
  async kill(): Promise<void> {
    await this.runs.at(-1)?.stop('SIGKILL');
  }

  /** Changes its configuration while it runs. */
  async reload(change: (config: string) => string): Promise<void> {
    const file = join(this.folder, 'alertmanager.yml');
    const config = await readFile(file, 'utf8');
    const changed = change(config);
    if (changed === config) throw new Error('The change changes nothing in the configuration');
    await writeFile(file, changed);
    const response = await fetch(`${this.url}/-/reload`, { method: 'POST' });
    if (!response.ok) throw new Error(`Alertmanager refused it: ${await response.text()}`);
  }

  /** Withholds for an hour the alerts whose name matches; returns the silence's id. */
  async silence(alertname: string): Promise<string> {
    const response = await fetch(`${this.url}/api/v2/silences`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        matchers: [{ name: 'alertname', value: alertname, isRegex: true, isEqual: true }],
        startsAt: new Date().toISOString(),
        endsAt: new Date(Date.now() + 3_600_000).toISOString(),
        createdBy: 'an administrator',
        comment: 'Known',
      }),
    });
    if (!response.ok) throw new Error(`Alertmanager refused it: ${await response.text()}`);
    return ((await response.json()) as { silenceID: string }).silenceID;
  }

  async endSilence(id: string): Promise<void> {
    const response = await fetch(`${this.url}/api/v2/silence/${id}`, { method: 'DELETE' });
    if (!response.ok) throw new Error(`Alertmanager refused it: ${await response.text()}`);
  }

  /** Posts them as Prometheus posts alerts that fire: they end by themselves unless posted again. */
  fire(...alerts: FiringAlert[]): Promise<void> {
    const endsAt = new Date(Date.now() + 3_600_000).toISOString();
    return this.post(alerts.map((alert) => ({ ...alert, endsAt })));
  }

  /** Posts that they have ended now. */
  resolve(...alerts: FiringAlert[]): Promise<void> {
    const endsAt = new Date().toISOString();
    return this.post(alerts.map((alert) => ({ ...alert, endsAt })));
  }

  /** The labels of the alerts that it holds. */
  async alerts(): Promise<Record<string, string>[]> {
    const response = await fetch(`${this.url}/api/v2/alerts`);
    return labelsOf(response);
  }

  /** The labels of the alerts that fire and that it notifies about. */
  async activeAlerts(): Promise<Record<string, string>[]> {
    const held = 'silenced=false&inhibited=false&unprocessed=false';
    return labelsOf(await fetch(`${this.url}/api/v2/alerts?active=true&${held}`));
  }

  /** How many posts to webhooks it has tried, and how many of these failed. */
  async posts(): Promise<{ total: number; failed: number }> {
    const metrics = await (await fetch(`${this.url}/metrics`)).text();
    const count = (name: string): number =>
      Number(new RegExp(`^${name}\\{integration="webhook"\\} (\\S+)$`, 'm').exec(metrics)?.[1] ?? NaN);
    return {
      total: count('alertmanager_notification_requests_total'),
      failed: count('alertmanager_notification_requests_failed_total'),
    };
  }

  /** Gives it another client secret, as the administrator would: in the file. */
  async changeClientSecret(secret: string): Promise<void> {
    await writeFile(join(this.folder, 'oauth2-client-secret'), secret);
  }

  async stop(): Promise<void> {
    await this.runs.at(-1)?.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  private async post(alerts: object[]): Promise<void> {
    const response = await fetch(`${this.url}/api/v2/alerts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(alerts),
    });
    if (!response.ok) throw new Error(`Alertmanager refused them: ${await response.text()}`);
  }
}

async function labelsOf(response: Response): Promise<Record<string, string>[]> {
  const alerts = (await response.json()) as { labels: Record<string, string> }[];
  return alerts.map(({ labels }) => labels);
}
