import { UnsupportedMediaTypeException } from '@nestjs/common';
import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import type { Observable } from 'rxjs';
import { nodeRequest } from '../auth/caller.decorator.js';
import type { HttpRequest } from '../auth/caller.decorator.js';

const JSON_TYPE = /^application\/([\w.-]+\+)?json *(;|$)/i;

/** 415 for a body that did not come as JSON: a host's parsers may take forms and plain text as well. */
export class JsonBodyInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { method, headers } = nodeRequest(context.switchToHttp().getRequest<HttpRequest>());
    const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length']) > 0;
    if (method !== 'GET' && hasBody && !JSON_TYPE.test(headers['content-type'] ?? '')) {
      throw new UnsupportedMediaTypeException();
    }
    return next.handle();
  }
}
