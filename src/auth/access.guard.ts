import { Inject, Injectable } from '@nestjs/common';
import type { CanActivate, ExecutionContext, OnModuleInit } from '@nestjs/common';
import { ModuleRef, Reflector } from '@nestjs/core';
import { isObservable, lastValueFrom } from 'rxjs';
import { ALERTS_SETTINGS } from '../alerts-settings.js';
import type { AlertsSettings } from '../alerts-settings.js';
import type { HostAuthOptions } from '../alerts.module-definition.js';
import { USER_ID } from '../alerts/text.js';
import { AccessService } from './access.service.js';
import type { AlertsUser } from './alerts-user.js';
import { REQUIRED_ROLE } from './allow.decorators.js';
import type { AllowedRole } from './allow.decorators.js';
import { TokenMissingException } from './auth-errors.js';
import type { HttpRequest } from './caller.decorator.js';

/** Lets pass who is known, by token or by the host's own guard, and has the role that the handler asks for. */
@Injectable()
export class AccessGuard implements CanActivate, OnModuleInit {
  private hostGuard: CanActivate | undefined;

  constructor(
    @Inject(ALERTS_SETTINGS) private readonly settings: AlertsSettings,
    private readonly access: AccessService,
    private readonly reflector: Reflector,
    private readonly moduleRef: ModuleRef,
  ) {}

  async onModuleInit(): Promise<void> {
    if ('guard' in this.settings.auth) this.hostGuard = await this.moduleRef.create(this.settings.auth.guard);
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const { auth } = this.settings;
    const request = context.switchToHttp().getRequest<HttpRequest>();
    const role = this.reflector.get<AllowedRole | undefined>(REQUIRED_ROLE, context.getHandler());
    if (!('guard' in auth)) {
      await this.access.admit(request, role);
      return true;
    }
    if (!(await this.passesHostGuard(context))) return false;
    this.access.admitUser(request, userOf(auth, request), role);
    return true;
  }

  private async passesHostGuard(context: ExecutionContext): Promise<boolean> {
    const answer = this.hostGuard?.canActivate(context) ?? false;
    return isObservable(answer) ? lastValueFrom(answer) : answer;
  }
}

/** What a host leaves in `request.user` need not be what we take for a user: it is checked. */
function userOf(auth: HostAuthOptions, request: HttpRequest): AlertsUser {
  const user = (auth.user ? auth.user(request) : (request as { user?: unknown }).user) as
    Partial<Record<keyof AlertsUser, unknown>> | null | undefined;
  if (!user) throw new TokenMissingException();
  const { id, roles, expiresAt } = user;
  if (typeof id !== 'string' || !USER_ID.test(id)) {
    throw new Error(
      "AlertsModule: auth.guard let a user pass without an id; set auth.user to read the user's id",
    );
  }
  return {
    id,
    roles: Array.isArray(roles) ? roles : [],
    expiresAt: typeof expiresAt === 'number' ? expiresAt : undefined,
  };
}
