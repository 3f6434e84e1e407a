import type { IncomingMessage, ServerResponse } from 'node:http';
import { Transform } from 'node:stream';
import type { Readable, TransformCallback } from 'node:stream';
import { Injectable, PayloadTooLargeException } from '@nestjs/common';
import type { OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { JsonValues } from './json-values.js';
import { BodyTooLargeException } from './request-head.js';

/** What we use of Fastify. */
interface Fastify {
  readonly initialConfig: { bodyLimit?: number };
  addHook(
    name: 'preParsing',
    hook: (
      request: { raw: IncomingMessage },
      reply: { raw: ServerResponse },
      body: Readable,
      next: (error: null, body: Readable) => void,
    ) => void,
  ): unknown;
}

/** Is shown a body chunk by chunk; an error says that there is too much of it. */
export type Follower = (chunk: Buffer) => Error | undefined;

/** Largest body (bytes) where nobody says what it is; that of the standalone server. */
const USUAL_LIMIT = 32 * 1024 * 1024;

/**
 * How many bytes of a body there are for a value of its JSON: alerts have three times as many. A body of nothing but
 * commas, brackets or short labels would take gigabytes once parsed, and seconds in which nobody else is served.
 */
const BYTES_A_VALUE = 16;
const BYTES_OF_THE_LIMIT_A_VALUE = 32;
/** So many values are no burden. */
const FEW_VALUES = 200_000;

/**
 * Bodies that are looked at while they come, on Fastify. Express's parsers have read a body, up to their own limit,
 * before anybody else is asked.
 */
@Injectable()
export class CountedBodies implements OnModuleInit {
  private readonly followers = new WeakMap<IncomingMessage, Follower[]>();
  private bodyLimit = USUAL_LIMIT;
  private isFastify = false;

  constructor(private readonly host: HttpAdapterHost) {}

  onModuleInit(): void {
    const adapter = this.host.httpAdapter as HttpAdapterHost['httpAdapter'] | undefined;
    if (adapter?.getType() !== 'fastify') return;
    this.isFastify = true;
    const fastify = adapter.getInstance<Fastify>();
    this.bodyLimit = fastify.initialConfig.bodyLimit ?? USUAL_LIMIT;
    fastify.addHook('preParsing', (request, reply, body, next) => {
      const followers = this.followers.get(request.raw);
      next(null, followers ? followed(body, followers, reply.raw) : body);
    });
  }

  /**
   * Shows the request's body chunk by chunk, as it came.
   * @returns false on Express, where nobody is shown anything
   */
  follow(request: IncomingMessage, follower: Follower): boolean {
    this.followers.set(request, [...(this.followers.get(request) ?? []), follower]);
    return this.isFastify;
  }

  /** Ends the reading of a body that did not say its length where it has more bytes than that. */
  limitBytes(request: IncomingMessage, longest: number): void {
    if (!isUnannounced(request) || longest >= this.bodyLimit) return;
    let bytes = 0;
    this.follow(request, (chunk) => {
      bytes += chunk.length;
      return bytes > longest ? new BodyTooLargeException(longest) : undefined;
    });
  }

  /** Ends the reading of a body that holds more values than any could that is made of alerts. */
  limitValues(request: IncomingMessage): void {
    if (this.mostBytesOf(request) <= FEW_VALUES) return;
    const most = Math.max(this.bodyLimit, USUAL_LIMIT) / BYTES_OF_THE_LIMIT_A_VALUE;
    const values = new JsonValues();
    let bytes = 0;
    this.follow(request, (chunk) => {
      values.add(chunk);
      bytes += chunk.length;
      const isTooMuch = values.count > Math.max(FEW_VALUES, Math.min(bytes / BYTES_A_VALUE, most));
      return isTooMuch ? new TooManyValuesException() : undefined;
    });
  }

  /** How many bytes the request's body has, or may have. */
  mostBytesOf(request: IncomingMessage): number {
    return isUnannounced(request) ? this.bodyLimit : Number(request.headers['content-length'] ?? 0);
  }
}

class TooManyValuesException extends PayloadTooLargeException {
  constructor() {
    super({ message: 'The body is too large', detail: 'it holds more values than alerts of its size have' });
  }
}

function isUnannounced({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined;
}

/** Fails once there is too much; what comes after the answer is read and dropped, so that the next request can be read. */
function followed(body: Readable, followers: Follower[], response: ServerResponse): Readable {
  const within = new Transform({
    transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback) {
      for (const follower of followers) {
        const tooMuch = follower(chunk);
        if (tooMuch) {
          done(tooMuch);
          return;
        }
      }
      done(null, chunk);
    },
  });
  within.once('error', () => body.resume());
  response.once('finish', () => body.unpipe(within).resume());
  body.once('error', (error) => within.destroy(error));
  return body.pipe(within);
}
