import type { IncomingMessage } from 'node:http';

/** A request of Express (Node's own, extended), or of Fastify (with Node's own inside). */
export type HttpRequest = IncomingMessage | { raw: IncomingMessage };

/** Node's request, whichever adapter wraps it. */
export function nodeRequest(request: HttpRequest): IncomingMessage {
  return 'raw' in request ? request.raw : request;
}
