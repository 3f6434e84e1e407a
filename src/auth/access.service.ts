import { Inject, Injectable } from '@nestjs/common';
import { ALERTS_SETTINGS } from '../options/alerts-settings.js';
import type { AlertsSettings } from '../options/alerts-settings.js';
import { AccessTokens } from './access-tokens.service.js';
import { nodeRequest } from '../http/http-request.js';
import type { HttpRequest } from '../http/http-request.js';
import type { AlertsUser } from '../options/alerts-user.js';
import type { AlertsCaller } from './alerts-caller.js';
import type { AllowedRole } from './allowed-role.js';
import { RoleMissingException } from './auth-errors.js';
import { callerOf, rememberCaller } from './caller.decorator.js';

/** Who calls, and may they. A token is verified once a request, however many ask. */
@Injectable()
export class AccessService {
  constructor(
    @Inject(ALERTS_SETTINGS) private readonly settings: AlertsSettings,
    private readonly tokens: AccessTokens,
  ) {}

  /**
   * Lets pass whom the request's token allows.
   * @throws TokenMissingException, TokenRefusedException, IssuerUnavailableException, RoleMissingException
   */
  async admit(request: HttpRequest, role?: AllowedRole): Promise<void> {
    const known = callerOf(request);
    this.admitCaller(request, known ?? this.asCaller(await this.tokens.verify(nodeRequest(request))), role);
  }

  /**
   * Lets pass a user whom somebody else has identified.
   * @throws RoleMissingException
   */
  admitUser(request: HttpRequest, user: AlertsUser, role?: AllowedRole): void {
    this.admitCaller(request, this.asCaller(user), role);
  }

  private admitCaller(request: HttpRequest, caller: AlertsCaller, role?: AllowedRole): void {
    if (role === 'admin' && !caller.isAdmin) throw new RoleMissingException(this.settings.adminRole);
    if (role === 'alertmanager' && !caller.isAlertmanager) {
      throw new RoleMissingException(this.settings.webhookRole);
    }
    rememberCaller(request, caller);
  }

  private asCaller({ id, roles, expiresAt, email, locale }: AlertsUser): AlertsCaller {
    const isAdmin = roles.includes(this.settings.adminRole);
    return {
      id,
      isAdmin,
      isAlertmanager: isAdmin || roles.includes(this.settings.webhookRole),
      expiresAt,
      email,
      locale,
    };
  }
}
