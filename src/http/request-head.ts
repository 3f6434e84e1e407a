import type { IncomingMessage } from 'node:http';
import { PayloadTooLargeException, UnsupportedMediaTypeException } from '@nestjs/common';
import { unfit } from './unfit.js';

/** Bytes that a user's call may send, and an administrator's `POST /alerts`: several times what they need. */
export const LONGEST_USER_BODY = 4 * 1024;
export const LONGEST_ADMIN_BODY = 128 * 1024;
/** Of a user's call that lists things. */
export const LONGEST_LIST_BODY = 64 * 1024;
/** Bytes of any call's query. */
export const LONGEST_QUERY = 4 * 1024;

const JSON_TYPE = /^application\/([\w.-]+\+)?json *(;|$)/i;

/**
 * Looks at what a request announces, so that nothing of what fits no call of ours is ever parsed. A host's parsers may
 * take forms, plain text and compressed bodies as well.
 * @param longestBody bytes
 * @throws UnprocessableEntityException, PayloadTooLargeException, UnsupportedMediaTypeException
 */
export function checkHead({ method, url = '', headers }: IncomingMessage, longestBody: number): void {
  const queryAt = url.indexOf('?');
  if (queryAt >= 0 && url.length - queryAt - 1 > LONGEST_QUERY) {
    throw unfit(`the query may have at most ${LONGEST_QUERY} bytes`);
  }
  const length = Number(headers['content-length'] ?? 0);
  if (length > longestBody) throw new BodyTooLargeException(longestBody);
  const hasBody = headers['transfer-encoding'] !== undefined || length > 0;
  if (!hasBody || method === 'GET' || method === 'HEAD') return;
  if ((headers['content-encoding'] ?? 'identity').toLowerCase() !== 'identity') {
    throw new UnsupportedMediaTypeException({
      message: 'Send the body as application/json',
      detail: 'a compressed body is not taken: send it without Content-Encoding',
    });
  }
  if (!JSON_TYPE.test(headers['content-type'] ?? ''))
    throw new UnsupportedMediaTypeException('Send the body as application/json');
}

/** 413: the body has more bytes than the call takes. */
export class BodyTooLargeException extends PayloadTooLargeException {
  constructor(longest: number) {
    super({ message: 'The body is too large', detail: `this call takes at most ${longest} bytes` });
  }
}
