import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { CLIENT } from './demo-people.js';
import type { EmbeddedIssuer } from './embedded-issuer.js';

/** How often it comes (ms): for a server whose `FEED_STALE_AFTER` is some seconds. */
const INTERVAL = 3_000;

/** Prometheus's watchdog alert, which comes again and again for as long as alerts can reach the server. */
export class Watchdog {
  private repeating: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly app: NestFastifyApplication,
    private readonly issuer: EmbeddedIssuer,
    private readonly api: string,
  ) {}

  get comes(): boolean {
    return this.repeating !== undefined;
  }

  async start(): Promise<void> {
    this.repeating ??= setInterval(() => void this.post(), INTERVAL);
    await this.post();
  }

  stop(): void {
    clearInterval(this.repeating);
    this.repeating = undefined;
  }

  private async post(): Promise<void> {
    const token = await this.issuer.userToken({ sub: CLIENT.id, roles: CLIENT.roles });
    await this.app.inject({
      method: 'POST',
      url: `${this.api}/webhooks/alertmanager`,
      headers: { Authorization: `Bearer ${token}` },
      payload: {
        version: '4',
        status: 'firing',
        alerts: [{ status: 'firing', labels: { alertname: 'Watchdog' }, annotations: {} }],
      },
    });
  }
}
