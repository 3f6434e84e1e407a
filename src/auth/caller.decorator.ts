import { createParamDecorator } from '@nestjs/common';
import type { ExecutionContext } from '@nestjs/common';
import { nodeRequest } from '../http/http-request.js';
import type { HttpRequest } from '../http/http-request.js';
import type { AlertsCaller } from './alerts-caller.js';

/** Where Node's request has the caller: `request.user` belongs to the host, and a WeakMap costs more than it is worth. */
const CALLER = Symbol('session-alerts.caller');
interface OfCaller {
  [CALLER]?: AlertsCaller;
}

/** The caller whom `AccessGuard` let pass. */
export const Caller = createParamDecorator((_data: unknown, context: ExecutionContext) =>
  callerOf(context.switchToHttp().getRequest<HttpRequest>()),
);

export function callerOf(request: HttpRequest): AlertsCaller | undefined {
  return (nodeRequest(request) as OfCaller)[CALLER];
}

export function rememberCaller(request: HttpRequest, caller: AlertsCaller): void {
  (nodeRequest(request) as OfCaller)[CALLER] = caller;
}
