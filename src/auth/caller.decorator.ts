import type { IncomingMessage } from 'node:http';
import { createParamDecorator } from '@nestjs/common';
import type { ExecutionContext } from '@nestjs/common';
import type { AlertsCaller } from './alerts-user.js';

/** A request of Express (Node's own, extended), or of Fastify (with Node's own inside). */
export type HttpRequest = IncomingMessage | { raw: IncomingMessage };

/** Beside the requests, not on them: `request.user` belongs to the host. */
const callers = new WeakMap<IncomingMessage, AlertsCaller>();

/** The caller whom `AccessGuard` let pass. */
export const Caller = createParamDecorator((_data: unknown, context: ExecutionContext) =>
  callerOf(context.switchToHttp().getRequest<HttpRequest>()),
);

export function callerOf(request: HttpRequest): AlertsCaller | undefined {
  return callers.get(nodeRequest(request));
}

export function rememberCaller(request: HttpRequest, caller: AlertsCaller): void {
  callers.set(nodeRequest(request), caller);
}

/** Node's request, whichever adapter wraps it. */
export function nodeRequest(request: HttpRequest): IncomingMessage {
  return 'raw' in request ? request.raw : request;
}
