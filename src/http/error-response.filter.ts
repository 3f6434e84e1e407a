import { randomUUID } from 'node:crypto';
import { Catch, HttpException, HttpStatus, Injectable, Logger } from '@nestjs/common';
import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { DatabaseUnavailableError } from '../alerts/database-errors.js';
import type { Challenge } from '../auth/auth-errors.js';
import type { ErrorDetails, ErrorResponse } from './error-response.dto.js';

/** Turns every error into the error body; what is ours to mend is logged, and says nothing of our insides. */
@Injectable()
@Catch()
export class ErrorResponseFilter implements ExceptionFilter {
  private readonly logger = new Logger(ErrorResponseFilter.name);

  constructor(private readonly adapterHost: HttpAdapterHost) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const response: unknown = host.switchToHttp().getResponse();
    const { httpAdapter } = this.adapterHost;
    const details = this.describe(error);
    if (isChallenge(error)) httpAdapter.setHeader(response, 'WWW-Authenticate', error.challenge);
    const body: ErrorResponse = { error: details };
    httpAdapter.reply(response, body, details.code);
  }

  private describe(error: unknown): ErrorDetails {
    const known = knownError(error);
    if (known && known.code < 500) return known;
    const details: ErrorDetails = {
      ...(known ?? { code: 500, message: 'Something went wrong on our side' }),
      trace_id: randomUUID(),
    };
    this.logger.error(`${details.trace_id}: ${messages(error)}`, known ? undefined : stackOf(error));
    return details;
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

/** The error's message with those of its causes, for the log. */
function messages(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${messages(error.cause)}`;
}

function stackOf(error: unknown): string | undefined {
  return error instanceof Error ? error.stack : undefined;
}
