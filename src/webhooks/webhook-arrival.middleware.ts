import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import { TokenFirstMiddleware } from '../auth/token-first.middleware.js';

const arrivals = new WeakMap<IncomingMessage, number>();

/** Notes when a webhook arrived, before its token is looked at, and refuses who may not post any. */
@Injectable()
export class WebhookArrivalMiddleware extends TokenFirstMiddleware {
  protected override readonly role = 'alertmanager';

  override use(request: IncomingMessage, response: unknown, next: () => void): Promise<void> {
    arrivals.set(request, performance.now());
    return super.use(request, response, next);
  }
}

/** When the request arrived (`performance.now()`, ms). */
export function arrivalOf(request: IncomingMessage): number {
  return arrivals.get(request) ?? performance.now();
}
