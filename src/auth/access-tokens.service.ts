import type { IncomingMessage } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import { Strategy } from 'passport-jwt';
import { TrustedClock } from '../clock/trusted-clock.js';
import { ALERTS_SETTINGS } from '../options/alerts-settings.js';
import type { AlertsSettings, TokenSettings } from '../options/alerts-settings.js';
import type { AlertsUser } from '../options/alerts-user.js';
import { SignatureRefusedException, TokenMissingException, TokenRefusedException } from './auth-errors.js';
import { isEmailAddress } from './email-address.js';
import type { SigningKey } from './key-set.js';
import { SigningKeys } from './signing-keys.service.js';
import type { WantedKey } from './signing-keys.service.js';
import { VerifiedTokens } from './verified-tokens.js';
import type { VerifiedToken } from './verified-tokens.js';
import { USER_ID } from './user-id.js';

/** Where a host's guard says who calls no token counts: none has an algorithm that is accepted. */
const NO_TOKENS: TokenSettings = { issuer: '', audience: '', algorithms: [] };
/** Seconds by which the issuer's clock and ours may differ. */
const CLOCK_TOLERANCE = 30;

/** The claims that we read; everything in a token is its sender's word until checked. */
interface Claims {
  iss?: unknown;
  sub?: unknown;
  exp?: unknown;
  nbf?: unknown;
  typ?: unknown;
  realm_access?: { roles?: unknown } | null;
  email?: unknown;
  email_verified?: unknown;
  locale?: unknown;
}

/** A token to be verified with one key. It stands in a request's place, so that a host's request is left alone. */
interface Attempt {
  token: string;
  signer: SigningKey;
}

/** What passport-jwt calls back with what it has verified. */
type Done = (error: unknown, verified: VerifiedToken | false, info?: unknown) => void;

/** Verifies access tokens (RFC 6750 and 9068, and Keycloak's `typ` claim). */
@Injectable()
export class AccessTokens {
  private readonly settings: TokenSettings;
  private readonly strategy: Strategy;
  private readonly verified = new VerifiedTokens();

  constructor(
    @Inject(ALERTS_SETTINGS) { auth, webhookRole, adminRole }: AlertsSettings,
    private readonly keys: SigningKeys,
    private readonly clock: TrustedClock,
  ) {
    this.settings = 'guard' in auth ? NO_TOKENS : auth;
    this.strategy = strategyOf(this.settings, [webhookRole, adminRole], clock);
  }

  /**
   * Who sent the request.
   * @throws TokenMissingException, TokenRefusedException, IssuerUnavailableException
   */
  async verify(request: IncomingMessage): Promise<AlertsUser> {
    const token = bearerToken(request);
    if (token === undefined) throw new TokenMissingException();
    const known = this.knownBy(token);
    if (known) return known;
    const verified = await this.verifiedWithSomeKey(token);
    this.verified.remember(token, verified);
    return verified.user;
  }

  /** Who sent the request, where its token has been verified before. */
  known(request: IncomingMessage): AlertsUser | undefined {
    const token = bearerToken(request);
    return token === undefined ? undefined : this.knownBy(token);
  }

  private knownBy(token: string): AlertsUser | undefined {
    const known = this.verified.find(token, this.clock.now());
    // A key that the issuer has withdrawn since vouches for nothing.
    return known && this.keys.isPublished(known.signer) ? known.user : undefined;
  }

  /** An issuer may sign with a new key under an unchanged `kid`: a signature that fails may be that of such a key. */
  private async verifiedWithSomeKey(token: string): Promise<VerifiedToken> {
    const { moment } = this.keys;
    const wanted = this.keyWantedBy(token);
    const tried = new Set<SigningKey>();
    let refusal = new TokenRefusedException(
      'it is signed with a key that the issuer does not have for its algorithm',
    );
    for (;;) {
      const signer = await this.keys.find(wanted, tried, moment);
      if (!signer) throw refusal;
      try {
        return await this.verifiedWith({ token, signer });
      } catch (error) {
        if (!(error instanceof SignatureRefusedException)) throw error;
        refusal = error;
        tried.add(signer);
      }
    }
  }

  /** Refuses what no key could make good, before the issuer is asked for one. */
  private keyWantedBy(token: string): WantedKey {
    const [{ alg, kid, crit }, claims] = partsOf(token);
    const { algorithms, issuer } = this.settings;
    if (typeof alg !== 'string' || !algorithms.some((one) => one === alg)) {
      throw new TokenRefusedException('its signature algorithm is not accepted');
    }
    if (crit !== undefined) throw new TokenRefusedException('its header has critical extensions');
    if (typeof kid !== 'string' || kid === '') throw new TokenRefusedException('its header names no key');
    if (claims.iss !== issuer) throw new TokenRefusedException(`its issuer is not ${issuer}`);
    const problem = problemWith(claims, this.clock);
    if (problem !== undefined) throw new TokenRefusedException(problem);
    return { kid, algorithm: alg };
  }

  /** A strategy of passport's says what it finds by methods that it is lent for one request; so it is asked without a passport. */
  private verifiedWith(attempt: Attempt): Promise<VerifiedToken> {
    return new Promise((resolve, reject) => {
      const lent = {
        success: resolve,
        fail: (reason: unknown) => {
          reject(asRefusal(reason));
        },
        error: reject,
      };
      const strategy = Object.assign(Object.create(this.strategy) as object, lent) as typeof lent & {
        authenticate: (attempt: Attempt) => void;
      };
      strategy.authenticate(attempt);
    });
  }
}

/** @param ourRoles all that is kept of a token's roles: there may be hundreds, and tokens by the thousand are remembered */
function strategyOf(
  { issuer, audience, algorithms }: TokenSettings,
  ourRoles: readonly string[],
  clock: TrustedClock,
): Strategy {
  return new Strategy(
    {
      jwtFromRequest: (attempt: unknown) => (attempt as Attempt).token,
      secretOrKeyProvider: (attempt: unknown, _token, done) => {
        // passport-jwt's types know PEM text only; jsonwebtoken takes the parsed key.
        done(null, (attempt as Attempt).signer.key as unknown as string);
      },
      issuer,
      audience,
      algorithms,
      // By which clock, `problemWith` says.
      ignoreExpiration: true,
      jsonWebTokenOptions: { ignoreNotBefore: true },
      passReqToCallback: true,
    },
    ({ signer }: Attempt, claims: Claims, done: Done) => {
      const problem = problemWith(claims, clock);
      if (problem !== undefined) {
        done(null, false, new TokenRefusedException(problem));
        return;
      }
      const { sub: id, exp: expiresAt } = claims as { sub: string; exp: number };
      done(null, {
        user: { id, roles: ourRoles.filter((role) => hasRole(claims, role)), expiresAt, ...personIn(claims) },
        expiresAt: expiresAt + CLOCK_TOLERANCE,
        signer,
      });
    },
  );
}

/** RFC 6750, section 2.1. passport-jwt's own backtracks for a quarter of a second over a long header. */
function bearerToken({ headers }: IncomingMessage): string | undefined {
  return /^bearer +(.+)$/i.exec(headers.authorization ?? '')?.[1];
}

/** Header and claims, of which nothing is verified yet: jsonwebtoken trips over claims that are no object. */
function partsOf(token: string): [header: { alg?: unknown; kid?: unknown; crit?: unknown }, claims: Claims] {
  const [, header = '', claims = ''] = /^([\w-]+)\.([\w-]+)\.[\w-]+$/.exec(token) ?? [];
  return [objectIn(header), objectIn(claims)];
}

function objectIn(part: string): object {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(part, 'base64url').toString());
  } catch (error) {
    throw new TokenRefusedException('it is malformed', { cause: error });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TokenRefusedException('it is malformed');
  }
  return value;
}

/** What signature, issuer and audience do not tell; an ID or refresh token has another `typ`. */
function problemWith({ exp, nbf = 0, sub, typ }: Claims, clock: TrustedClock): string | undefined {
  const now = Math.floor(clock.now() / 1000);
  if (typeof exp !== 'number' || !Number.isFinite(exp)) return 'it has no expiry';
  if (exp + CLOCK_TOLERANCE <= now) return 'it has expired';
  if (typeof nbf !== 'number') return 'invalid nbf value';
  if (nbf > now + CLOCK_TOLERANCE) return 'it is not valid yet';
  if (typeof sub !== 'string' || !USER_ID.test(sub)) return 'it has no subject';
  if (typ !== 'Bearer') return 'it is not an access token';
  return undefined;
}

const LOCALE = /^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}$/;

/** Where to write to, and in which language: only what the issuer vouches for. */
function personIn({
  email,
  email_verified: isVerified,
  locale,
}: Claims): Pick<AlertsUser, 'email' | 'locale'> {
  return {
    ...(isVerified === true && isEmailAddress(email) && { email }),
    ...(typeof locale === 'string' && LOCALE.test(locale) && { locale }),
  };
}

function hasRole({ realm_access: access }: Claims, role: string): boolean {
  const roles: unknown = access?.roles;
  return Array.isArray(roles) && roles.includes(role);
}

/** What a strategy fails with: our own refusals as they are, jsonwebtoken's errors in our words. */
function asRefusal(reason: unknown): Error {
  if (reason instanceof TokenRefusedException) return reason;
  const { name = '', message = '' } = reason instanceof Error ? reason : {};
  if (message === 'invalid signature') return new SignatureRefusedException(message, { cause: reason });
  // Other errors quote what they could not parse.
  const problem = name === 'JsonWebTokenError' ? message : 'it is malformed';
  return new TokenRefusedException(problem, { cause: reason });
}
