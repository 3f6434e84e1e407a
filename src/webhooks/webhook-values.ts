import type { IncomingMessage } from 'node:http';
import { Transform } from 'node:stream';
import type { Readable, TransformCallback } from 'node:stream';
import { Injectable, PayloadTooLargeException } from '@nestjs/common';
import type { OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';

/**
 * Values that a webhook's JSON may hold: more than alerts have in 32 MiB. A body of nothing but commas, brackets or
 * short labels holds many times as many, which take gigabytes, and seconds in which nobody else is served.
 */
export const MOST_VALUES = 1_000_000;
/** Bytes that cannot hold as many; most webhooks have fewer, and are not looked at. */
const FEW_BYTES = 1024 * 1024;

/** What we use of Fastify. */
interface Fastify {
  addHook(
    name: 'preParsing',
    hook: (
      request: { raw: IncomingMessage },
      reply: unknown,
      body: Readable,
      next: (error: null, body: Readable) => void,
    ) => void,
  ): unknown;
}

/**
 * Counts, on Fastify, the values of large webhooks while they come, and refuses what holds too many before it is
 * parsed. Express's parsers have done so before anybody else is asked.
 */
@Injectable()
export class WebhookValues implements OnModuleInit {
  private readonly large = new WeakSet<IncomingMessage>();

  constructor(private readonly host: HttpAdapterHost) {}

  onModuleInit(): void {
    const adapter = this.host.httpAdapter as HttpAdapterHost['httpAdapter'] | undefined;
    if (adapter?.getType() !== 'fastify') return;
    adapter.getInstance<Fastify>().addHook('preParsing', (request, _reply, body, next) => {
      next(null, this.large.has(request.raw) ? counted(body) : body);
    });
  }

  /** @param bytes that the request's body has, or may have */
  limit(request: IncomingMessage, bytes: number): void {
    if (bytes > FEW_BYTES) this.large.add(request);
  }
}

/** Fails once there are too many; the rest is read and dropped, so that the answer can be read. */
function counted(body: Readable): Readable {
  const within = new CountedValues();
  within.once('error', () => body.resume());
  body.once('error', (error) => within.destroy(error));
  return body.pipe(within);
}

/** JSON's values, about: each comma and each opening bracket outside of its strings. */
class CountedValues extends Transform {
  private values = 0;
  private isInString = false;
  private isEscaped = false;

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    for (const byte of chunk) this.count(byte);
    if (this.values > MOST_VALUES) {
      const detail = `a webhook may hold at most ${MOST_VALUES} values; send fewer alerts at once`;
      done(new PayloadTooLargeException({ message: 'The body is too large', detail }));
    } else done(null, chunk);
  }

  private count(byte: number): void {
    if (!this.isInString) {
      if (byte === QUOTE) this.isInString = true;
      else if (byte === COMMA || byte === BRACKET || byte === BRACE) this.values += 1;
    } else if (this.isEscaped) this.isEscaped = false;
    else if (byte === BACKSLASH) this.isEscaped = true;
    else if (byte === QUOTE) this.isInString = false;
  }
}

const [QUOTE, COMMA, BRACKET, BRACE, BACKSLASH] = Buffer.from('",[{\\');
