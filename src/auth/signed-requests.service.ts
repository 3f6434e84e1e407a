import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import { CountedBodies } from '../http/counted-bodies.js';
import { nodeRequest } from '../http/http-request.js';
import type { HttpRequest } from '../http/http-request.js';
import { wrong } from '../options/option-checks.js';
import { SignatureMismatchException } from './auth-errors.js';

/** An HMAC-SHA256 over a text and the body that follows it. */
export interface Signature {
  secret: string;
  /** What is signed before the body. */
  prefix: string;
  /** 64 hex digits. */
  hex: string;
}

/** A signature that a request came with, and what has been computed of it. */
interface Expected {
  hmac: ReturnType<typeof createHmac>;
  hex: string;
  /** Whether the body is computed while it comes; otherwise it is there as a whole afterwards. */
  isFollowed: boolean;
}

/** Requests that show by a signature, instead of a token, that who sent them shares a secret with us. */
@Injectable()
export class SignedRequests {
  private readonly expected = new WeakMap<IncomingMessage, Expected>();

  constructor(private readonly bodies: CountedBodies) {}

  /** Before the body is read: whoever lets the request pass has `verify` to ask afterwards. */
  expect(request: IncomingMessage, { secret, prefix, hex }: Signature): void {
    const hmac = createHmac('sha256', secret).update(prefix);
    const isFollowed = this.bodies.follow(request, (chunk) => {
      hmac.update(chunk);
      return undefined;
    });
    this.expected.set(request, { hmac, hex, isFollowed });
  }

  isExpected(request: HttpRequest): boolean {
    return this.expected.has(nodeRequest(request));
  }

  /** @throws SignatureMismatchException the body is not the one that was signed, or not with that secret */
  verify(request: HttpRequest): void {
    const expected = this.expected.get(nodeRequest(request));
    if (!expected) throw new SignatureMismatchException();
    const { hmac, hex, isFollowed } = expected;
    // A digest can be asked for once.
    this.expected.delete(nodeRequest(request));
    if (!isFollowed) hmac.update(rawBodyOf(request));
    if (!timingSafeEqual(hmac.digest(), Buffer.from(hex, 'hex'))) throw new SignatureMismatchException();
  }
}

/** The body as it came, which Express's parsers keep only where they are told to. */
function rawBodyOf(request: HttpRequest): Buffer {
  const { rawBody } = request as { rawBody?: unknown };
  if (!Buffer.isBuffer(rawBody)) {
    throw wrong(
      'grafana.secret needs the body as it came: on Express make the application with NestFactory.create(…, { rawBody: true })',
    );
  }
  return rawBody;
}
