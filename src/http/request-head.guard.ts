import { UnsupportedMediaTypeException } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { nodeRequest } from '../auth/caller.decorator.js';
import type { HttpRequest } from '../auth/caller.decorator.js';

const JSON_TYPE = /^application\/([\w.-]+\+)?json *(;|$)/i;

/** 415 for a body that did not come as JSON: a host's parsers may take forms and plain text as well. */
export class JsonBodyGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { method, headers } = nodeRequest(context.switchToHttp().getRequest<HttpRequest>());
    const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length']) > 0;
    if (method !== 'GET' && hasBody && !JSON_TYPE.test(headers['content-type'] ?? '')) {
      throw new UnsupportedMediaTypeException();
    }
    return true;
  }
}
