import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { nodeRequest, nodeResponse } from './http-request.js';
import type { HttpRequest, HttpResponse } from './http-request.js';
import { checkHead } from './request-head.js';
import { cutIfUnread } from './unread-answers.js';

/** Refuses what fits no call of ours, and lets nobody keep an answer waiting. */
export class RequestHeadGuard implements CanActivate {
  /** @param longestBody bytes */
  constructor(private readonly longestBody: number) {}

  canActivate(context: ExecutionContext): boolean {
    const http = context.switchToHttp();
    checkHead(nodeRequest(http.getRequest<HttpRequest>()), this.longestBody);
    cutIfUnread(nodeResponse(http.getResponse<HttpResponse>()));
    return true;
  }
}
