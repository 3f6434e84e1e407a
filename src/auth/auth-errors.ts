import { ForbiddenException, UnauthorizedException } from '@nestjs/common';
import { RetryLaterException } from '../http/http-exceptions.js';
import type { Challenge } from '../http/http-exceptions.js';

/** 401: no token came. */
export class TokenMissingException extends UnauthorizedException implements Challenge {
  readonly challenge = bearer();

  constructor() {
    super('Send an access token: "Authorization: Bearer …"');
  }
}

/** 401: a token came that does not verify. */
export class TokenRefusedException extends UnauthorizedException implements Challenge {
  readonly challenge: string;

  constructor(reason: string, options?: { cause?: unknown }) {
    super(`The access token was refused: ${reason}`, options);
    this.challenge = bearer({ error: 'invalid_token', error_description: reason });
  }
}

/** 401: the signature is not that of the key that the token names. */
export class SignatureRefusedException extends TokenRefusedException {}

/** 401: the request is signed, and not as it should be. */
export class SignatureMismatchException extends UnauthorizedException implements Challenge {
  readonly challenge = bearer();

  constructor(reason = 'it does not fit the body and the secret') {
    super(`The signature was refused: ${reason}`);
  }
}

/** 403: the caller is known but lacks the role. */
export class RoleMissingException extends ForbiddenException implements Challenge {
  readonly challenge = bearer({ error: 'insufficient_scope' });

  constructor(role: string) {
    super(`This needs the role ${role}`);
  }
}

/** 503: the token may be good, but the issuer cannot be asked for its key. */
export class IssuerUnavailableException extends RetryLaterException {
  /** @param retryAfter after how many seconds it may be asked again */
  constructor(retryAfter: number, options?: { cause?: unknown }) {
    super("The issuer's keys cannot be fetched right now", retryAfter, options);
  }
}

function bearer(parameters: Record<string, string> = {}): string {
  return (
    'Bearer realm="session-alerts"' +
    Object.entries(parameters)
      .map(([name, value]) => `, ${name}="${value.replace(/[^\x20-\x7e]|["\\]/g, ' ')}"`)
      .join('')
  );
}
