import type { IncomingMessage } from 'node:http';
import { Inject, Injectable, UseFilters } from '@nestjs/common';
import type { NestMiddleware } from '@nestjs/common';
import { ALERTS_SETTINGS } from '../alerts-settings.js';
import type { AlertsSettings } from '../alerts-settings.js';
import { ErrorResponseFilter } from '../http/error-response.filter.js';
import { AccessService } from './access.service.js';
import type { AllowedRole } from './allow.decorators.js';

/**
 * Refuses who has no valid token, on Fastify before a byte of the body is read. (Express parses first, unless
 * the host made the application with `bodyParser: false`.)
 */
@Injectable()
@UseFilters(new ErrorResponseFilter())
export class TokenFirstMiddleware implements NestMiddleware<IncomingMessage> {
  /** What else the token must have; for middleware that extends this one. */
  protected readonly role: AllowedRole | undefined = undefined;

  constructor(
    @Inject(ALERTS_SETTINGS) private readonly settings: AlertsSettings,
    private readonly access: AccessService,
  ) {}

  async use(request: IncomingMessage, _response: unknown, next: () => void): Promise<void> {
    if (!('guard' in this.settings.auth)) await this.access.admit(request, this.role);
    next();
  }
}
