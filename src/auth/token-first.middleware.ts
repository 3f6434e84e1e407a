import type { IncomingMessage, ServerResponse } from 'node:http';
import { Inject, Injectable, UseFilters } from '@nestjs/common';
import type { NestMiddleware } from '@nestjs/common';
import { TrustedClock } from '../clock/trusted-clock.js';
import { ALERTS_SETTINGS } from '../options/alerts-settings.js';
import type { AlertsSettings } from '../options/alerts-settings.js';
import { CountedBodies } from '../http/counted-bodies.js';
import { ErrorResponseFilter } from '../http/error-response.filter.js';
import { checkHead, LONGEST_ADMIN_BODY, LONGEST_LIST_BODY, LONGEST_USER_BODY } from '../http/request-head.js';
import { AccessService } from './access.service.js';
import type { AllowedRole } from './allowed-role.js';

/** Whom a call takes that changes alerts, and how many bytes in its body. */
interface Call {
  role: AllowedRole | undefined;
  longestBody: number;
}

/**
 * Refuses who has no valid token, and then what announces itself as more or other than the call takes, on Fastify
 * before a byte of the body is read. (Express parses first, unless the host made the application with
 * `bodyParser: false`.) It is bound to the whole controller, whose routes are wherever the host has them, and tells
 * calls apart by their method.
 */
@Injectable()
@UseFilters(new ErrorResponseFilter())
export class TokenFirstMiddleware implements NestMiddleware<IncomingMessage> {
  protected readonly calls: ReadonlyMap<string | undefined, Call> = new Map([
    ['PATCH', { role: undefined, longestBody: LONGEST_USER_BODY }],
    ['POST', { role: 'admin', longestBody: LONGEST_ADMIN_BODY }],
  ]);

  constructor(
    @Inject(ALERTS_SETTINGS) protected readonly settings: AlertsSettings,
    private readonly access: AccessService,
    protected readonly bodies: CountedBodies,
    protected readonly clock: TrustedClock,
  ) {}

  async use(request: IncomingMessage, response: ServerResponse, next: () => void): Promise<void> {
    this.clock.tell(response);
    const call = this.calls.get(request.method);
    if (call) {
      await this.admit(request, call.role);
      checkHead(request, call.longestBody);
      this.bodies.limitBytes(request, call.longestBody);
    }
    next();
  }

  /** A host's own guard comes later, with the handler. */
  protected async admit(request: IncomingMessage, role: AllowedRole | undefined): Promise<void> {
    if (!('guard' in this.settings.auth)) await this.access.admit(request, role);
  }
}

/** The same where every call is a user's own. */
@Injectable()
export class UserFirstMiddleware extends TokenFirstMiddleware {
  protected override readonly calls = new Map(
    ['POST', 'PUT'].map((method) => [method, { role: undefined, longestBody: LONGEST_LIST_BODY }]),
  );
}
