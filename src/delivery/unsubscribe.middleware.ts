import type { IncomingMessage } from 'node:http';
import { Injectable, UseFilters } from '@nestjs/common';
import type { NestMiddleware } from '@nestjs/common';
import { ErrorResponseFilter } from '../http/error-response.filter.js';
import { BodyTooLargeException, LONGEST_USER_BODY } from '../http/request-head.js';

/**
 * Leaves the bodies of one click unread. They say nothing that we do not know, and come as mail programs have them
 * (RFC 8058, section 3.2), for most of which a host has no parser.
 */
@Injectable()
@UseFilters(new ErrorResponseFilter())
export class UnsubscribeMiddleware implements NestMiddleware<IncomingMessage> {
  use({ method, headers }: IncomingMessage, _response: unknown, next: () => void): void {
    if (method === 'POST') {
      if (Number(headers['content-length'] ?? 0) > LONGEST_USER_BODY) {
        throw new BodyTooLargeException(LONGEST_USER_BODY);
      }
      // Fastify takes it for a request without one, and Node drops what nobody has read.
      delete headers['content-type'];
      delete headers['content-length'];
      delete headers['transfer-encoding'];
    }
    next();
  }
}
