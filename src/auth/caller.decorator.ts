import type { IncomingMessage } from 'node:http';
import { createParamDecorator } from '@nestjs/common';
import type { ExecutionContext } from '@nestjs/common';
import { nodeRequest } from '../http/http-request.js';
import type { HttpRequest } from '../http/http-request.js';
import type { AlertsCaller } from './alerts-caller.js';

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
