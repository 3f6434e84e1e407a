import { ServiceUnavailableException } from '@nestjs/common';

/** An exception that tells the caller how to authenticate, in a `WWW-Authenticate` header (RFC 6750). */
export interface Challenge {
  readonly challenge: string;
}

/** 503 with `Retry-After`. Anybody can cause it: it is said in the log where it is found out, and not for each answer. */
export class RetryLaterException extends ServiceUnavailableException {
  /** @param retryAfter after how many seconds the same may succeed */
  constructor(
    message: string,
    readonly retryAfter: number,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}
