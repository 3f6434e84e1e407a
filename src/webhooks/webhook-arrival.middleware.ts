import type { IncomingMessage } from 'node:http';
import { Inject, Injectable, UseFilters } from '@nestjs/common';
import type { NestMiddleware } from '@nestjs/common';
import { ALERTS_SETTINGS } from '../alerts-settings.js';
import type { AlertsSettings } from '../alerts-settings.js';
import { AccessService } from '../auth/access.service.js';
import { ErrorResponseFilter } from '../http/error-response.filter.js';

const arrivals = new WeakMap<IncomingMessage, number>();

/** Notes when a webhook arrived and refuses who may not post any, like `TokenFirstMiddleware`. */
@Injectable()
@UseFilters(new ErrorResponseFilter())
export class WebhookArrivalMiddleware implements NestMiddleware<IncomingMessage> {
  constructor(
    @Inject(ALERTS_SETTINGS) private readonly settings: AlertsSettings,
    private readonly access: AccessService,
  ) {}

  async use(request: IncomingMessage, _response: unknown, next: () => void): Promise<void> {
    arrivals.set(request, performance.now());
    if (!('guard' in this.settings.auth)) await this.access.admit(request, 'alertmanager');
    next();
  }
}

/** When the request arrived (`performance.now()`, ms). */
export function arrivalOf(request: IncomingMessage): number {
  return arrivals.get(request) ?? performance.now();
}
