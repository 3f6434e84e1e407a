import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { Catch, HttpException, HttpStatus, Logger } from '@nestjs/common';
import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import { DatabaseUnavailableError } from '../alerts/database-errors.js';
import { WritesFullError } from '../alerts/shared-writes.js';
import { messagesOf } from '../error-messages.js';
import { IssuerUnavailableException } from '../auth/auth-errors.js';
import type { Challenge } from '../auth/auth-errors.js';
import type { ErrorDetails, ErrorResponse } from './error-response.dto.js';

/** What Express's response and Fastify's reply have in common. */
interface Reply {
  status(code: number): this;
  header(name: string, value: string): this;
  send(body: unknown): unknown;
}

/** Turns every error into the error body; what is ours to mend is logged, and says nothing of our insides. */
@Catch()
export class ErrorResponseFilter implements ExceptionFilter {
  private readonly logger = new Logger(ErrorResponseFilter.name);

  catch(error: unknown, host: ArgumentsHost): void {
    const details = this.describe(error);
    const headers: Record<string, string> = isChallenge(error) ? { 'WWW-Authenticate': error.challenge } : {};
    answer(host.switchToHttp().getResponse<Reply | ServerResponse>(), headers, { error: details });
  }

  private describe(error: unknown): ErrorDetails {
    const known = knownError(error);
    if (known && known.code < 500) return known;
    // Thousands of them a second are what it is for; the metrics count them.
    if (error instanceof WritesFullError) return { code: 503, message: 'Too much at once. Try again.' };
    const details: ErrorDetails = {
      ...(known ?? { code: 500, message: 'Something went wrong on our side' }),
      trace_id: randomUUID(),
    };
    // Anybody can cause it, and the look-up of the keys has said it already.
    if (error instanceof IssuerUnavailableException) return details;
    this.logger.error(`${details.trace_id}: ${messagesOf(error)}`, known ? undefined : stackOf(error));
    return details;
  }
}

/** Fastify gives a middleware Node's own response. */
function answer(
  response: Reply | ServerResponse,
  headers: Record<string, string>,
  body: ErrorResponse,
): void {
  if ('send' in response) {
    for (const [name, value] of Object.entries(headers)) response.header(name, value);
    response.status(body.error.code).send(body);
  } else {
    response
      .writeHead(body.error.code, { ...headers, 'Content-Type': 'application/json; charset=utf-8' })
      .end(JSON.stringify(body));
  }
}

function knownError(error: unknown): ErrorDetails | undefined {
  if (error instanceof DatabaseUnavailableError) {
    return { code: HttpStatus.SERVICE_UNAVAILABLE, message: 'The database cannot be reached. Try again.' };
  }
  return ofParser(error) ?? (error instanceof HttpException ? ofHttpException(error) : undefined);
}

/** What body parsers throw, each adapter in its own way: 400 for what is no JSON, and the statuses for its size and type. */
function ofParser(error: unknown): ErrorDetails | undefined {
  switch (statusOf(error)) {
    case HttpStatus.BAD_REQUEST:
      return { code: 422, message: 'The request does not fit', detail: 'the body is not valid JSON' };
    case HttpStatus.PAYLOAD_TOO_LARGE:
      return { code: 413, message: 'The body is too large' };
    case HttpStatus.UNSUPPORTED_MEDIA_TYPE:
      return { code: 415, message: 'Send the body as application/json' };
    default:
      return undefined;
  }
}

function ofHttpException(error: HttpException): ErrorDetails {
  const answer = error.getResponse() as string | { message?: unknown; detail?: unknown };
  const { message = error.message, detail } = typeof answer === 'string' ? { message: answer } : answer;
  return {
    code: error.getStatus(),
    message: typeof message === 'string' ? message : error.message,
    ...(typeof detail === 'string' && { detail }),
  };
}

function statusOf(error: unknown): unknown {
  if (error instanceof HttpException) return error.getStatus();
  if (!(error instanceof Error)) return undefined;
  const { status, statusCode = status } = error as { status?: unknown; statusCode?: unknown };
  return statusCode;
}

function isChallenge(error: unknown): error is Challenge {
  return error instanceof HttpException && 'challenge' in error;
}

function stackOf(error: unknown): string | undefined {
  return error instanceof Error ? error.stack : undefined;
}
