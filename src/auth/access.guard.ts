import type { IncomingMessage } from 'node:http';
import { Inject, Injectable, ServiceUnavailableException } from '@nestjs/common';
import type { CanActivate, ExecutionContext, OnModuleInit } from '@nestjs/common';
import { ModuleRef, Reflector } from '@nestjs/core';
import { AuthGuard } from '@nestjs/passport';
import { from, isObservable, lastValueFrom, map, takeUntil, timer } from 'rxjs';
import { TrustedClock } from '../clock/trusted-clock.js';
import { ALERTS_SETTINGS } from '../options/alerts-settings.js';
import type { AlertsSettings } from '../options/alerts-settings.js';
import type { HostAuthOptions } from '../options/module-options.js';
import { AccessService } from './access.service.js';
import { AccessTokens } from './access-tokens.service.js';
import { isVerifiedBy, STRATEGY } from './alerts.strategy.js';
import type { AlertsStrategyOptions } from './alerts.strategy.js';
import type { AlertsUser } from '../options/alerts-user.js';
import { REQUIRED_ROLE } from './allowed-role.js';
import type { AllowedRole } from './allowed-role.js';
import { TokenMissingException } from './auth-errors.js';
import { callerOf } from './caller.decorator.js';
import { isEmailAddress } from './email-address.js';
import { SignedRequests } from './signed-requests.service.js';
import { nodeRequest } from '../http/http-request.js';
import type { HttpRequest, HttpResponse } from '../http/http-request.js';
import { Standstill } from '../http/standstill.service.js';
import { wrong } from '../options/option-checks.js';
import { USER_ID } from './user-id.js';

/** How long (ms) a host may take to say who calls. */
const HOST_TIMEOUT = 30_000;

const NAME_IS_TAKEN = `another strategy of passport's is called ${STRATEGY}: give it another name`;

/** In the request's place: passport and Nest write on it, and `request.user` is the host's. */
interface ShownToPassport {
  raw: IncomingMessage | undefined;
  /** Whom passport has called back with. */
  caller?: unknown;
}

/**
 * Lets pass who is known, by token or by the host's own guard, and has the role that the handler asks for; and what is
 * signed, where the call takes that.
 */
@Injectable()
export class AccessGuard extends AuthGuard(STRATEGY) implements OnModuleInit {
  private hostGuard: CanActivate | undefined;

  constructor(
    @Inject(ALERTS_SETTINGS) private readonly settings: AlertsSettings,
    private readonly access: AccessService,
    private readonly tokens: AccessTokens,
    private readonly signatures: SignedRequests,
    private readonly clock: TrustedClock,
    private readonly standstill: Standstill,
    private readonly reflector: Reflector,
    private readonly moduleRef: ModuleRef,
  ) {
    super();
  }

  async onModuleInit(): Promise<void> {
    if ('guard' in this.settings.auth) this.hostGuard = await this.moduleRef.create(this.settings.auth.guard);
  }

  override canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const request = requestOf(context);
    this.clock.tell(context.switchToHttp().getResponse<HttpResponse>());
    const raw = nodeRequest(request);
    if (raw.method === 'GET' || !this.standstill.isRecent) return this.lets(context, request);
    return this.standstill.refuseAbandoned(raw).then(() => this.lets(context, request));
  }

  /** Whose token has been verified before passes by itself: passport's way there and back costs a third of a small request. */
  private lets(context: ExecutionContext, request: HttpRequest): boolean | Promise<boolean> {
    const isNew = !('guard' in this.settings.auth) && !callerOf(request);
    const known = isNew ? this.tokens.known(nodeRequest(request)) : undefined;
    if (!known) return this.admits(context, request);
    this.access.admitUser(request, known, this.roleFor(context));
    return true;
  }

  private async admits(context: ExecutionContext, request: HttpRequest): Promise<boolean> {
    const { auth } = this.settings;
    if (this.signatures.isExpected(request)) {
      this.signatures.verify(request);
    } else if ('guard' in auth) {
      if (!(await this.passesHostGuard(context))) return false;
      this.access.admitUser(request, await userOf(auth, request), this.roleFor(context));
    } else if (callerOf(request)) {
      await this.access.admit(request, this.roleFor(context));
    } else {
      this.access.admitUser(request, await this.userByPassport(request), this.roleFor(context));
    }
    return true;
  }

  /**
   * Whom passport takes the caller for. It is shown as little of the call as it needs, and that only until it has
   * answered: its closures live longer, and would have V8 take requests for what lives long, and keep among the old what
   * leads to each, for as long as the process runs. That costs a third of a small request.
   */
  private async userByPassport(request: HttpRequest): Promise<AlertsUser> {
    const shown: ShownToPassport = { raw: nodeRequest(request) };
    try {
      await super.canActivate(shown as unknown as ExecutionContext);
    } finally {
      shown.raw = undefined;
    }
    // Another strategy has nobody, or somebody else, or passes, which calls nobody back.
    if (!isVerifiedBy(this.tokens, shown.caller)) throw wrong(NAME_IS_TAKEN);
    return shown.caller;
  }

  override getRequest(shown: unknown): unknown {
    return shown;
  }

  /** Asked for as well, though no type of Nest's says so: passport calls back, and answers nobody by itself. */
  getResponse(): undefined {
    return undefined;
  }

  override getAuthenticateOptions(): AlertsStrategyOptions {
    return { tokens: this.tokens };
  }

  /** What passport calls back with. */
  override handleRequest<User>(error: unknown, user: User, _info: unknown, shown: unknown): User {
    if (error) throw error as Error;
    (shown as ShownToPassport).caller = user;
    return user;
  }

  private roleFor(context: ExecutionContext): AllowedRole | undefined {
    return this.reflector.get<AllowedRole | undefined>(REQUIRED_ROLE, context.getHandler());
  }

  /** Nest takes whatever is there for a yes, such as an observable that a promise brings. */
  private async passesHostGuard(context: ExecutionContext): Promise<boolean> {
    const answer = await answerOf('auth.guard', this.hostGuard?.canActivate(context));
    if (answer && answer !== true) {
      throw new Error(
        'AlertsModule: auth.guard must answer with true or false, or a promise or observable of it',
      );
    }
    return answer === true;
  }
}

function requestOf(context: ExecutionContext): HttpRequest {
  return context.switchToHttp().getRequest<HttpRequest>();
}

/**
 * What a host answers, by itself or by a promise or an observable.
 * @throws ServiceUnavailableException it does not, which would keep the caller waiting
 */
function answerOf(option: string, answer: unknown): Promise<unknown> {
  const answers = isObservable(answer) ? answer : from(Promise.resolve(answer));
  const tooLate = timer(HOST_TIMEOUT).pipe(
    map(() => {
      const cause = new Error(`AlertsModule: ${option} has not answered for ${HOST_TIMEOUT / 1000} s`);
      throw new ServiceUnavailableException('Who calls cannot be told right now', { cause });
    }),
  );
  return lastValueFrom(answers.pipe(takeUntil(tooLate)), { defaultValue: undefined });
}

/** What a host takes for a user need not be what we take for one: it is checked. */
async function userOf(auth: HostAuthOptions, request: HttpRequest): Promise<AlertsUser> {
  const answer = auth.user
    ? await answerOf('auth.user', auth.user(request))
    : (request as { user?: unknown }).user;
  const user = answer as Partial<Record<keyof AlertsUser, unknown>> | null | undefined;
  if (!user) throw new TokenMissingException();
  const { id, roles, expiresAt, email, locale } = user;
  if (typeof id !== 'string' || !USER_ID.test(id)) {
    throw new Error(
      "AlertsModule: auth.guard let a user pass without an id; set auth.user to read the user's id",
    );
  }
  return {
    id,
    roles: Array.isArray(roles) ? roles : [],
    expiresAt: typeof expiresAt === 'number' && Number.isFinite(expiresAt) ? expiresAt : undefined,
    email: isEmailAddress(email) ? email : undefined,
    locale: typeof locale === 'string' ? locale : undefined,
  };
}
