import type { OnApplicationShutdown, OnModuleInit } from '@nestjs/common';
import type { HttpAdapterHost } from '@nestjs/core';
import { PassportStrategy } from '@nestjs/passport';
import passport from 'passport';
import { nodeRequest } from '../http/http-request.js';
import type { HttpRequest } from '../http/http-request.js';
import type { AlertsUser } from '../options/alerts-user.js';
import { wrong } from '../options/option-checks.js';
import type { AccessTokens } from './access-tokens.service.js';

/** Its name with passport, which hosts write: `AuthGuard('session-alerts')`. */
export const STRATEGY = 'session-alerts';

/**
 * By the application whose requests they are asked about: passport knows one strategy of a name in the whole process.
 * They stand with it, as there may be several copies of this module (CommonJS and ES modules).
 */
const strategies = ((passport as unknown as Record<symbol, Map<object, AlertsStrategy> | undefined>)[
  Symbol.for('nestjs-session-alerts.strategies')
] ??= new Map<object, AlertsStrategy>());

/** Whose tokens a user was verified by: another strategy of the process may bear our name. */
const verifiedBy = new WeakMap<object, AccessTokens>();

export function isVerifiedBy(tokens: AccessTokens, user: unknown): user is AlertsUser {
  return typeof user === 'object' && user !== null && verifiedBy.get(user) === tokens;
}

/** A request that knows which application of Express's (`app`) or of Fastify's (`server`) it has come to. */
type HostRequest = HttpRequest & { app?: object; server?: object };

/** What our own guard adds to passport's options: whose tokens count. Other guards leave it to the request. */
export interface AlertsStrategyOptions {
  tokens?: AccessTokens;
}

/** Access tokens as a strategy of passport's, for `AccessGuard` and for controllers of the host. */
export class AlertsStrategy
  extends PassportStrategy(passport.Strategy, STRATEGY)
  implements OnModuleInit, OnApplicationShutdown
{
  private application: object = this;

  constructor(
    private readonly tokens: AccessTokens,
    private readonly host: HttpAdapterHost,
  ) {
    super();
  }

  onModuleInit(): void {
    const adapter = this.host.httpAdapter as HttpAdapterHost['httpAdapter'] | undefined;
    this.application = adapter?.getInstance<object | undefined>() ?? this;
    strategies.set(this.application, this);
    // Since it was made, another application's end may have taken it out.
    passport.use(STRATEGY, this);
  }

  /**
   * When no request comes any more. Leaves nothing of the application with passport; any other's strategy can answer for
   * all that are left.
   */
  onApplicationShutdown(): void {
    strategies.delete(this.application);
    const [another] = strategies.values();
    if (another) passport.use(STRATEGY, another);
    else passport.unuse(STRATEGY);
  }

  override authenticate(request: HostRequest, { tokens }: AlertsStrategyOptions): void {
    this.validate(request, tokens).then(
      (user) => {
        this.success(user);
      },
      (error: unknown) => {
        this.error(error);
      },
    );
  }

  /**
   * Who sent the request; the answer is its own, which a host may add to.
   * @throws TokenMissingException, TokenRefusedException, IssuerUnavailableException
   */
  async validate(request: HostRequest, tokens = strategyFor(request).tokens): Promise<AlertsUser> {
    const { roles, ...known } = await tokens.verify(nodeRequest(request));
    const user = { ...known, roles: [...roles] };
    verifiedBy.set(user, tokens);
    return user;
  }
}

/** One that knows no application, such as a socket's first request, is for the only one that there is. */
function strategyFor({ app, server = app }: HostRequest): AlertsStrategy {
  const [first, ...others] = strategies.values();
  const strategy = server ? strategies.get(server) : others.length === 0 ? first : undefined;
  if (strategy) return strategy;
  throw wrong(
    `AuthGuard('${STRATEGY}') cannot tell whose tokens count: register the module with auth.issuer in the application whose requests it guards`,
  );
}
