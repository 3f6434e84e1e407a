import type { IncomingMessage, ServerResponse } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import { AlertsService } from '../alerts/alerts.service.js';
import { WritesFullError } from '../alerts/shared-writes.js';
import { ALERTS_SETTINGS } from '../alerts-settings.js';
import type { AlertsSettings } from '../alerts-settings.js';
import { AccessService } from '../auth/access.service.js';
import { TokenFirstMiddleware } from '../auth/token-first.middleware.js';
import { AlertsMetrics } from '../metrics/alerts-metrics.service.js';

/** How many bytes of bodies may be under way or in work at once; one of any size may be alone. */
const MOST_BYTES = 64 * 1024 * 1024;

const arrivals = new WeakMap<IncomingMessage, number>();

/**
 * Notes when a webhook arrived, before its token is looked at, and refuses who may not post any. What there is
 * no room for is refused as well, before its body costs anything.
 */
@Injectable()
export class WebhookArrivalMiddleware extends TokenFirstMiddleware {
  protected override readonly role = 'alertmanager';
  private bytesUnderWay = 0;

  constructor(
    @Inject(ALERTS_SETTINGS) settings: AlertsSettings,
    access: AccessService,
    private readonly alerts: AlertsService,
    private readonly metrics: AlertsMetrics,
  ) {
    super(settings, access);
  }

  override async use(request: IncomingMessage, response: ServerResponse, next: () => void): Promise<void> {
    arrivals.set(request, performance.now());
    await super.use(request, response, () => {
      this.makeRoom(request, response);
      next();
    });
  }

  private makeRoom(request: IncomingMessage, response: ServerResponse): void {
    const bytes = Number(request.headers['content-length'] ?? 0);
    const isTooMuch = this.bytesUnderWay > 0 && this.bytesUnderWay + bytes > MOST_BYTES;
    if (this.alerts.isFull || isTooMuch) {
      this.metrics.webhookDuration.observe({ outcome: 'overloaded' }, 0);
      throw new WritesFullError();
    }
    this.bytesUnderWay += bytes;
    response.once('close', () => (this.bytesUnderWay -= bytes));
  }
}

/** When the request arrived (`performance.now()`, ms). */
export function arrivalOf(request: IncomingMessage): number {
  return arrivals.get(request) ?? performance.now();
}
