import type { IncomingMessage } from 'node:http';
import { Inject, Injectable, UseFilters } from '@nestjs/common';
import type { NestMiddleware } from '@nestjs/common';
import { ALERTS_SETTINGS } from '../options/alerts-settings.js';
import type { AlertsSettings } from '../options/alerts-settings.js';
import { CountedBodies } from '../http/counted-bodies.js';
import { ErrorResponseFilter } from '../http/error-response.filter.js';
import { checkHead, LONGEST_ADMIN_BODY, LONGEST_USER_BODY } from '../http/request-head.js';

import { AccessService } from './access.service.js';
import type { AllowedRole } from './allowed-role.js';

/**
 * Refuses who has no valid token, and then what announces itself as more or other than the call takes, on Fastify
 * before a byte of the body is read. (Express parses first, unless the host made the application with
 * `bodyParser: false`.)
 */
@Injectable()
@UseFilters(new ErrorResponseFilter())
export class TokenFirstMiddleware implements NestMiddleware<IncomingMessage> {
  /** What else the token must have, and how many bytes the body may have; for middleware that extends this one. */
  protected readonly role: AllowedRole | undefined = undefined;
  protected readonly longestBody: number = LONGEST_USER_BODY;

  constructor(
    @Inject(ALERTS_SETTINGS) private readonly settings: AlertsSettings,
    private readonly access: AccessService,
    protected readonly bodies: CountedBodies,
  ) {}

  async use(request: IncomingMessage, _response: unknown, next: () => void): Promise<void> {
    await this.admit(request);
    checkHead(request, this.longestBody);
    this.bodies.limitBytes(request, this.longestBody);
    next();
  }

  /** A host's own guard comes later, with the handler. */
  protected async admit(request: IncomingMessage): Promise<void> {
    if (!('guard' in this.settings.auth)) await this.access.admit(request, this.role);
  }
}

/** The same for what only administrators may call. */
@Injectable()
export class AdminFirstMiddleware extends TokenFirstMiddleware {
  protected override readonly role = 'admin';
  protected override readonly longestBody = LONGEST_ADMIN_BODY;
}
