import { join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { CHANNEL } from '../../../src/database/transaction.statements.js';
import { readConfig } from '../../../server/src/config.js';
import { CLIENT } from '../../../server/demo/demo-people.js';
import { createDemoServer } from '../../../server/demo/demo-server.js';
import { EmbeddedIssuer } from '../../../server/demo/embedded-issuer.js';
import { AlertsApi, firing, resolved } from '../../support/alerts.js';
import type { AlertmanagerAlert } from '../../support/alerts.js';
import { freePort } from '../../stack/support/program.js';
import { createTestDatabase, execute } from '../../support/database.js';
import type { TestDatabase } from '../../support/database.js';
import { waitUntil } from '../../support/server.js';

/** What Prometheus fires: an alert's own words, and whose it is. */
export interface FiredAlert {
  user: string;
  session: string;
  /** `alertname`: with user and session it says which alert it is. */
  name: string;
  /** Label `persistentvolumeclaim`: which of several series of the alert. */
  volume?: string;
  title?: string;
  message?: string;
  severity?: string;
  runbookUrl?: string;
  kind?: 'condition' | 'event';
}

/** Which alert is meant: all of its series, or those of a volume or severity. */
export type AlertName = Pick<FiredAlert, 'user' | 'session' | 'name' | 'volume' | 'severity'>;

/** The demo's server as it was built for this run, on a database of its own; alerts come by the webhook. */
export class Backend {
  /** Origin, without a slash at its end. The API is at `/api/data`. */
  readonly url: string;
  private readonly api: AlertsApi;
  /** What fires, by Alertmanager's fingerprint. */
  private readonly firing = new Map<string, AlertmanagerAlert>();
  private app: NestFastifyApplication | undefined;

  private constructor(
    private readonly port: number,
    private readonly issuer: EmbeddedIssuer,
    private readonly database: TestDatabase,
    private readonly settings: Record<string, string>,
  ) {
    this.url = `http://127.0.0.1:${port}`;
    this.api = new AlertsApi(`${this.url}/api/data`, issuer);
  }

  /** @param settings of its environment, besides what it needs */
  static async create(settings: Record<string, string> = {}): Promise<Backend> {
    const port = await freePort();
    const issuer = await EmbeddedIssuer.create({
      url: `http://127.0.0.1:${port}/auth/realms/Renku`,
      clients: [CLIENT],
    });
    const backend = new Backend(port, issuer, await createTestDatabase(), settings);
    try {
      await backend.start();
    } catch (error) {
      await backend.close();
      throw error;
    }
    return backend;
  }

  get databaseUrl(): string {
    return this.database.url;
  }

  /** An access token of a user; a lifetime (s) that is negative makes an expired one. */
  token(user: string, lifetime = 300): Promise<string> {
    return this.issuer.userToken({ sub: user, lifetime });
  }

  /** Posts them as one webhook. */
  async fire(...alerts: FiredAlert[]): Promise<void> {
    const startsAt = new Date().toISOString();
    const posted = alerts.map(
      ({ severity = '', runbookUrl = '', kind = 'condition', volume = '', ...rest }) =>
        firing({
          ...rest,
          severity,
          startsAt,
          labels: { alert_kind: kind, persistentvolumeclaim: volume },
          annotations: { runbook_url: runbookUrl },
        }),
    );
    for (const alert of posted) this.firing.set(alert.fingerprint ?? '', alert);
    expect(await this.api.deliver(...posted)).toMatchObject({ skipped: 0 });
  }

  /** Posts as one webhook that they have ended. */
  async resolve(...alerts: AlertName[]): Promise<void> {
    const ended = [...this.firing.values()].filter(({ labels }) =>
      alerts.some(
        ({ user, session, name, volume, severity }) =>
          labels['safe_username'] === user &&
          labels['statefulset'] === session &&
          labels['alertname'] === name &&
          [undefined, labels['persistentvolumeclaim']].includes(volume) &&
          [undefined, labels['severity']].includes(severity),
      ),
    );
    for (const { fingerprint = '' } of ended) this.firing.delete(fingerprint);
    const endsAt = new Date().toISOString();
    expect(await this.api.deliver(...ended.map((alert) => resolved(alert, endsAt)))).toMatchObject({
      resolved: ended.length,
    });
  }

  /** The watchdog alert comes, has stopped coming, or never came. Open pages are told within 10 s. */
  async setFeed(status: 'ok' | 'stale' | 'unknown'): Promise<void> {
    if (status === 'unknown') await execute(this.databaseUrl, `DELETE FROM session_alerts.feed`);
    else await this.api.deliver(firing({ name: 'Watchdog' }));
    if (status === 'stale') {
      await execute(this.databaseUrl, `UPDATE session_alerts.feed SET last_seen = now() - interval '1 h'`);
    }
  }

  /** Lets all of a user's alerts be older (ms). */
  async age(user: string, by: number): Promise<void> {
    await execute(
      this.databaseUrl,
      `UPDATE session_alerts.alerts
          SET creation_date = creation_date - $2 * interval '1 ms',
              resolved_date = resolved_date - $2 * interval '1 ms'
        WHERE user_id = $1`,
      [user, by],
    );
    await execute(this.databaseUrl, `SELECT pg_notify($1, $2)`, [CHANNEL, `test ${user}`]);
  }

  /** How many streams are open, as the server's metrics tell. */
  async openStreams(): Promise<number> {
    const metrics = await (await fetch(`${this.url}/metrics`)).text();
    return Number(/^session_alerts_streams (\d+)$/m.exec(metrics)?.[1]);
  }

  /** Ends the server as SIGTERM does. */
  async stop(): Promise<void> {
    await this.app?.close();
    this.app = undefined;
  }

  /** Starts it at the same address and on the same database, with further variables of the environment. */
  async start(environment: Record<string, string> = {}): Promise<void> {
    const config = readConfig({
      ...this.settings,
      ...environment,
      HOST: '127.0.0.1',
      DATABASE_URL: this.databaseUrl,
      OIDC_ISSUER: this.issuer.url,
    });
    const { app } = await createDemoServer(config, this.issuer, {
      logger: false,
      pageFolder: join(process.env['PANEL_BUILD'] ?? '', 'demo'),
    });
    this.app = app;
    await app.listen(this.port, '127.0.0.1');
    await waitUntil(async () => (await fetch(`${this.url}/readyz`)).ok);
  }

  async close(): Promise<void> {
    await this.stop();
    await this.database.drop();
  }
}
