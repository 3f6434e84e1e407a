import type { IncomingMessage } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import passport from 'passport';
import { Strategy } from 'passport-jwt';
import { ALERTS_SETTINGS } from '../alerts-settings.js';
import type { AlertsSettings, TokenSettings } from '../alerts-settings.js';
import { USER_ID } from '../alerts/text.js';
import type { AlertsUser } from './alerts-user.js';
import { IssuerUnavailableException, TokenMissingException, TokenRefusedException } from './auth-errors.js';
import { SigningKeys } from './signing-keys.service.js';
import { VerifiedTokens } from './verified-tokens.js';
import type { VerifiedToken } from './verified-tokens.js';

const STRATEGY = 'session-alerts';
/** Seconds by which the issuer's clock and ours may differ. */
const CLOCK_TOLERANCE = 30;

/** The claims that we read; everything in a token is its sender's word until checked. */
interface Claims {
  sub?: unknown;
  exp?: unknown;
  typ?: unknown;
  realm_access?: { roles?: unknown } | null;
}

/**
 * Verifies access tokens (RFC 6750 and 9068, and Keycloak's `typ` claim). It has a passport of its own, so
 * that neither a host's strategies nor a second module in the process are touched.
 */
@Injectable()
export class AccessTokens {
  private readonly passport = new passport.Passport();
  private readonly verified = new VerifiedTokens();
  /** The keys that the tokens of requests were verified with. */
  private readonly signers = new WeakMap<IncomingMessage, Pick<VerifiedToken, 'kid' | 'key'>>();

  constructor(
    @Inject(ALERTS_SETTINGS) settings: AlertsSettings,
    private readonly keys: SigningKeys,
  ) {
    if (!('guard' in settings.auth)) this.passport.use(STRATEGY, this.strategy(settings.auth));
  }

  /**
   * Who sent the request.
   * @throws TokenMissingException, TokenRefusedException, IssuerUnavailableException
   */
  async verify(request: IncomingMessage): Promise<AlertsUser> {
    const token = bearerToken(request);
    const known = token === null ? undefined : this.verified.find(token);
    // A key that the issuer has withdrawn since vouches for nothing.
    if (known && (await this.keys.find(known.kid)) === known.key) return known.user;
    const verified = await this.authenticate(request);
    if (token !== null) this.verified.remember(token, verified);
    return verified.user;
  }

  private authenticate(request: IncomingMessage): Promise<VerifiedToken> {
    return new Promise((resolve, reject) => {
      const done = (error: unknown, verified?: VerifiedToken | false, info?: unknown): void => {
        if (verified) resolve(verified);
        else reject(asRefusal(error ?? info));
      };
      const middleware = this.passport.authenticate(STRATEGY, { session: false }, done) as (
        request: IncomingMessage,
        response: unknown,
        next: (error: unknown) => void,
      ) => void;
      middleware(request, {}, reject);
    });
  }

  private strategy({ issuer, audience, algorithms }: TokenSettings): Strategy {
    return new Strategy(
      {
        jwtFromRequest: bearerToken,
        secretOrKeyProvider: (request: IncomingMessage, token: string, done) => {
          this.keyOf(token, algorithms).then(
            ({ kid, key }) => {
              this.signers.set(request, { kid, key });
              // passport-jwt's types know PEM text only; jsonwebtoken takes the parsed key.
              done(null, key as unknown as string);
            },
            (error: unknown) => {
              done(error);
            },
          );
        },
        issuer,
        audience,
        algorithms,
        jsonWebTokenOptions: { clockTolerance: CLOCK_TOLERANCE },
        passReqToCallback: true,
      },
      (
        request: IncomingMessage,
        claims: Claims,
        done: (error: unknown, verified: VerifiedToken | false, info?: unknown) => void,
      ) => {
        const signer = this.signers.get(request);
        const problem = problemWith(claims);
        if (problem) done(null, false, new TokenRefusedException(problem));
        else if (!signer) done(new Error('A token was verified without a key'), false);
        else {
          done(null, {
            user: { id: claims.sub as string, roles: rolesOf(claims), expiresAt: claims.exp as number },
            expiresAt: (claims.exp as number) + CLOCK_TOLERANCE,
            ...signer,
          });
        }
      },
    );
  }

  private async keyOf(token: string, algorithms: string[]) {
    const { alg, kid, crit } = headerOf(token);
    if (typeof alg !== 'string' || !algorithms.includes(alg)) {
      throw new TokenRefusedException('its signature algorithm is not accepted');
    }
    if (crit !== undefined) throw new TokenRefusedException('its header has critical extensions');
    if (typeof kid !== 'string' || kid === '') throw new TokenRefusedException('its header names no key');
    const key = await this.keys.find(kid);
    if (!key) throw new TokenRefusedException('it is signed with a key that the issuer does not have');
    return { kid, key };
  }
}

/** RFC 6750, section 2.1. passport-jwt's own backtracks for a quarter of a second over a long header. */
function bearerToken({ headers }: IncomingMessage): string | null {
  return /^bearer +(.+)$/i.exec(headers.authorization ?? '')?.[1] ?? null;
}

function headerOf(token: string): { alg?: unknown; kid?: unknown; crit?: unknown } {
  try {
    const header: unknown = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString());
    return typeof header === 'object' && header !== null ? header : {};
  } catch (error) {
    throw new TokenRefusedException('it is malformed', { cause: error });
  }
}

/** What the signature, issuer, audience and times do not tell; an ID or refresh token has another `typ`. */
function problemWith({ exp, sub, typ }: Claims): string | undefined {
  if (typeof exp !== 'number') return 'it has no expiry';
  if (typeof sub !== 'string' || !USER_ID.test(sub)) return 'it has no subject';
  if (typ !== 'Bearer') return 'it is not an access token';
  return undefined;
}

function rolesOf({ realm_access: access }: Claims): string[] {
  const roles: unknown = access?.roles;
  return Array.isArray(roles) ? roles.filter((role) => typeof role === 'string') : [];
}

/** passport's `info`: our own refusals as they are, jsonwebtoken's errors in our words. */
function asRefusal(reason: unknown): Error {
  if (reason instanceof TokenRefusedException || reason instanceof IssuerUnavailableException) return reason;
  if (!(reason instanceof Error) || reason.message === 'No auth token') return new TokenMissingException();
  if (reason.name === 'TokenExpiredError')
    return new TokenRefusedException('it has expired', { cause: reason });
  if (reason.name === 'NotBeforeError')
    return new TokenRefusedException('it is not valid yet', { cause: reason });
  // Other errors quote what they could not parse.
  const problem = reason.name === 'JsonWebTokenError' ? reason.message : 'it is malformed';
  return new TokenRefusedException(problem, { cause: reason });
}
