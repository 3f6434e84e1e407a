import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EmbeddedIssuer } from '../../../src/server/demo/embedded-issuer.js';
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
  resolved_date: string | null;
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
    private readonly closers: (() => Promise<unknown>)[],
  ) {}

  static async start(postgres: StackPostgres): Promise<Stack> {
    const databaseUrl = await postgres.createDatabase();
    const issuer = await startIssuer();
    try {
      const server = await ServerProcess.start({ DATABASE_URL: databaseUrl, OIDC_ISSUER: issuer.issuer.url });
      return new Stack(issuer.issuer, server, [() => issuer.close(), () => server.stop()]);
    } catch (error) {
      await issuer.close();
      throw error;
    }
  }

  /**
   * Starts an Alertmanager with the administrators' configuration, or another one, and the right secret. Only
   * the administrators' one answers faster than configured, so that nobody waits.
   */
  async startAlertmanager(
    options: Partial<Omit<AlertmanagerOptions, 'addresses'>> = {},
  ): Promise<Alertmanager> {
    const alertmanager = await Alertmanager.start({
      config: await readFile(ADMINISTRATORS_CONFIG, 'utf8'),
      clientSecret: 'secret',
      ...options,
      addresses: {
        webhookUrl: this.server.webhookUrl,
        tokenUrl: `${this.issuer.url}/protocol/openid-connect/token`,
      },
      route:
        options.config === undefined ? { group_interval: '1s', ...options.route } : (options.route ?? {}),
    });
    this.closers.push(() => alertmanager.stop());
    return alertmanager;
  }

  /** Asks for the user's open alerts as their page does. */
  async askForAlertsOf(userId: string): Promise<Response> {
    const token = await this.issuer.userToken({ sub: userId });
    return fetch(`${this.server.url}/api/data/alerts`, { headers: { authorization: `Bearer ${token}` } });
  }

  async alertsOf(userId: string): Promise<ShownAlert[]> {
    const response = await this.askForAlertsOf(userId);
    if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
    return (await response.json()) as ShownAlert[];
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
