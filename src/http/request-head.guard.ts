import type { ServerResponse } from 'node:http';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { nodeRequest } from './http-request.js';
import type { HttpRequest } from './http-request.js';
import { checkHead } from './request-head.js';
import { cutIfUnread } from './unread-answers.js';

/** A response of Express (Node's own, extended), or of Fastify (with Node's own inside). */
type HttpResponse = ServerResponse | { raw: ServerResponse };

/** Refuses what fits no call of ours, and lets nobody keep an answer waiting. */
export class RequestHeadGuard implements CanActivate {
  /** @param longestBody bytes */
  constructor(private readonly longestBody: number) {}

  canActivate(context: ExecutionContext): boolean {
    const http = context.switchToHttp();
    checkHead(nodeRequest(http.getRequest<HttpRequest>()), this.longestBody);
    const response = http.getResponse<HttpResponse>();
    cutIfUnread('raw' in response ? response.raw : response);
    return true;
  }
}
