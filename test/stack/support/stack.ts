import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EmbeddedIssuer } from '../../../server/demo/embedded-issuer.js';
import { startIssuer } from '../../support/server.js';
import { Alertmanager } from './alertmanager.js';
import type { AlertmanagerOptions } from './alertmanager.js';
import type { StackPostgres } from './postgres.js';
import { ServerProcess } from './server-process.js';

/** What a user sees of an alert. */
export interface ShownAlert {
  id: string;
  title: string;
  message: string;
  event_type: string;
  user_id: string;
  session_name: string;
  creation_date: string;
  resolved_date: string | null;
  resolved_reason: string | null;
  severity: string | null;
}

/** The file that administrators apply. */
export const ADMINISTRATORS_CONFIG = join(
  import.meta.dirname,
  '..',
  '..',
  '..',
  'deploy',
  'alertmanager',
  'alertmanager.yml',
);

/** Our server with an empty database and an issuer, and the Alertmanagers that post to it. */
export class Stack {
  private constructor(
    readonly issuer: EmbeddedIssuer,
    readonly server: ServerProcess,
    readonly databaseUrl: string,
    private readonly closers: (() => Promise<unknown>)[],
  ) {}

  /** @param env what the server is told besides */
  static async start(postgres: StackPostgres, env: NodeJS.ProcessEnv = {}): Promise<Stack> {
    const databaseUrl = await postgres.createDatabase();
    const issuer = await startIssuer();
    try {
      const server = await ServerProcess.start({
        DATABASE_URL: databaseUrl,
        OIDC_ISSUER: issuer.issuer.url,
        ...env,
      });
      return new Stack(issuer.issuer, server, databaseUrl, [() => issuer.close(), () => server.stop()]);
    } catch (error) {
      await issuer.close();
      throw error;
    }
  }

  /**
   * Starts another server on the same database.
   * @param env what it is told besides
   */
  async startReplica(env: NodeJS.ProcessEnv = {}): Promise<Stack> {
    const server = await ServerProcess.start({
      DATABASE_URL: this.databaseUrl,
      OIDC_ISSUER: this.issuer.url,
      ...env,
    });
    this.onClose(() => server.stop());
    return new Stack(this.issuer, server, this.databaseUrl, []);
  }

  /**
   * Starts an Alertmanager with the administrators' configuration, or another one, and the right secret. Only
   * the administrators' one answers faster than configured, so that nobody waits.
   * @param webhookUrl where it posts, where that is not this server
   */
  async startAlertmanager(
    options: Partial<Omit<AlertmanagerOptions, 'addresses'>> = {},
    webhookUrl = this.server.webhookUrl,
  ): Promise<Alertmanager> {
    const alertmanager = await Alertmanager.start({
      config: await readFile(ADMINISTRATORS_CONFIG, 'utf8'),
      clientSecret: 'secret',
      ...options,
      addresses: {
        webhookUrl,
        tokenUrl: `${this.issuer.url}/protocol/openid-connect/token`,
      },
      route:
        options.config === undefined ? { group_interval: '1s', ...options.route } : (options.route ?? {}),
    });
    this.onClose(() => alertmanager.stop());
    return alertmanager;
  }

  /** Asks for the user's open alerts as their page does, or for others with a query. */
  async askForAlertsOf(userId: string, query = ''): Promise<Response> {
    const token = await this.issuer.userToken({ sub: userId });
    return fetch(`${this.server.url}/api/data/alerts${query}`, {
      headers: { authorization: `Bearer ${token}` },
    });
  }

  async alertsOf(userId: string, query = ''): Promise<ShownAlert[]> {
    const response = await this.askForAlertsOf(userId, query);
    if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
    return (await response.json()) as ShownAlert[];
  }

  /** All of the user's alerts that have been closed. */
  async closedAlertsOf(userId: string): Promise<ShownAlert[]> {
    const closed: ShownAlert[] = [];
    for (;;) {
      const last = closed.at(-1);
      const cursor = last ? `&cursor=${last.id}` : '';
      const page = await this.alertsOf(userId, `?status=resolved&limit=200${cursor}`);
      if (page.length === 0) return closed;
      closed.push(...page);
    }
  }

  /** Has it ended with the rest, before what was there already. */
  onClose(close: () => Promise<unknown>): void {
    this.closers.push(close);
  }

  /** The user's sessions that have open alerts, one entry an alert, in the order of their names. */
  async sessionsWithAlertsOf(userId: string): Promise<string[]> {
    return (await this.alertsOf(userId)).map((alert) => alert.session_name).sort();
  }

  /** Ends all of it, the Alertmanagers first. */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (const close of this.closers.splice(0).reverse()) {
      await close().catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw new AggregateError(failures, 'The stack did not end as it should');
  }
}
