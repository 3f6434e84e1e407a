import type { IncomingMessage, ServerResponse } from 'node:http';

/** A request of Express (Node's own, extended), or of Fastify (with Node's own inside). */
export type HttpRequest = IncomingMessage | { raw: IncomingMessage };

/** Node's request, whichever adapter wraps it. */
export function nodeRequest(request: HttpRequest): IncomingMessage {
  return 'raw' in request ? request.raw : request;
}

/** A response of Express (Node's own, extended), or of Fastify (with Node's own inside). */
export type HttpResponse = ServerResponse | { raw: ServerResponse };

/** Node's response, whichever adapter wraps it. */
export function nodeResponse(response: HttpResponse): ServerResponse {
  return 'raw' in response ? response.raw : response;
}
