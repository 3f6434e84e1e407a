import type { IncomingMessage } from 'node:http';
import { Transform } from 'node:stream';
import type { Readable, TransformCallback } from 'node:stream';
import { Injectable } from '@nestjs/common';
import type { OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { BodyTooLargeException } from './request-head.js';

/** What we use of Fastify. */
interface Fastify {
  readonly initialConfig: { bodyLimit?: number };
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

/** Largest body (bytes) where nobody says what it is; that of the standalone server. */
const USUAL_LIMIT = 32 * 1024 * 1024;

/**
 * Bodies without `Content-Length`: on Fastify their bytes are counted while they come. Express's parsers have read a
 * body, up to their own limit, before anybody else is asked.
 */
@Injectable()
export class UnannouncedBodies implements OnModuleInit {
  private readonly longest = new WeakMap<IncomingMessage, number>();
  private bodyLimit = USUAL_LIMIT;

  constructor(private readonly host: HttpAdapterHost) {}

  onModuleInit(): void {
    const adapter = this.host.httpAdapter as HttpAdapterHost['httpAdapter'] | undefined;
    if (adapter?.getType() !== 'fastify') return;
    const fastify = adapter.getInstance<Fastify>();
    this.bodyLimit = fastify.initialConfig.bodyLimit ?? USUAL_LIMIT;
    fastify.addHook('preParsing', (request, _reply, body, next) => {
      const longest = this.longest.get(request.raw);
      next(null, longest === undefined ? body : counted(body, longest));
    });
  }

  /** Ends the reading of the request's body where it has more bytes than that. */
  limit(request: IncomingMessage, longest: number): void {
    if (isUnannounced(request) && longest < this.bodyLimit) this.longest.set(request, longest);
  }

  /** How many bytes the request's body has, or may have. */
  mostBytesOf(request: IncomingMessage): number {
    return isUnannounced(request) ? this.bodyLimit : Number(request.headers['content-length'] ?? 0);
  }
}

/** Fails once there is too much; the rest is read and dropped, so that the answer can be read. */
function counted(body: Readable, longest: number): Readable {
  const within = new Counted(longest);
  within.once('error', () => body.resume());
  body.once('error', (error) => within.destroy(error));
  return body.pipe(within);
}

function isUnannounced({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined;
}

class Counted extends Transform {
  private bytes = 0;

  constructor(private readonly longest: number) {
    super();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.bytes += chunk.length;
    if (this.bytes > this.longest) done(new BodyTooLargeException(this.longest));
    else done(null, chunk);
  }
}
