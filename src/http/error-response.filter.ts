import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { ServerResponse } from 'node:http';
import { Catch, HttpException, HttpStatus, Logger } from '@nestjs/common';
import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import { AnsweredError } from './answered-error.js';
import { messagesOf } from './error-messages.js';
import type { ErrorDetails, ErrorResponse } from './error-response.dto.js';
import { RetryLaterException } from './http-exceptions.js';
import type { Challenge } from './http-exceptions.js';
import { nodeRequest } from './http-request.js';
import type { HttpRequest } from './http-request.js';
import { withFields } from './log-fields.js';
import { OnceAMinute } from './once-a-minute.js';
import { traceIdOf } from './trace-context.js';
import { recordOf, textsIn } from './untyped.js';

/** What Express's response and Fastify's reply have in common. */
interface Reply {
  status(code: number): this;
  header(name: string, value: string): this;
  removeHeader(name: string): unknown;
  send(body: unknown): unknown;
}

const logger = new Logger('ErrorResponseFilter');
/** Of all filters together: failures that every caller has while they last, and the trace that they share. */
const repeated = new OnceAMinute((line) => {
  logger.error(line);
});
const traces = new Map<string, string>();

/** Turns every error into the error body; what is ours to mend is logged, and says nothing of our insides. */
@Catch()
export class ErrorResponseFilter implements ExceptionFilter {
  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const details = this.describe(error, http.getRequest<HttpRequest>());
    answer(http.getResponse<Reply | ServerResponse>(), headersOf(error), { error: details });
  }

  private describe(error: unknown, request: HttpRequest): ErrorDetails {
    const known = knownError(error);
    if (known && known.code < 500) return known;
    if (known && error instanceof AnsweredError && error.isCounted) return known;
    const callers = traceIdOf(nodeRequest(request));
    if (known && error instanceof RetryLaterException) return { ...known, trace_id: callers ?? randomUUID() };
    if (known) return { ...known, trace_id: this.logRepeated(error, known.code, callers) };
    const trace = callers ?? randomUUID();
    withFields({ trace_id: trace }, () => {
      logger.error(`${trace}: ${messagesOf(error)}`, stackOf(error));
    });
    return { code: 500, message: 'Something went wrong on our side', trace_id: trace };
  }

  /**
   * A line a minute.
   * @returns the caller's trace; of callers who name none, that under which the line stands
   */
  private logRepeated(error: unknown, code: number, callers: string | undefined): string {
    const reason = `${code} ${error instanceof Error ? error.constructor.name : ''}`;
    const known = repeated.hasSaid(reason) ? traces.get(reason) : undefined;
    const trace = callers ?? known ?? randomUUID();
    repeated.say(reason, (count) => {
      traces.set(reason, trace);
      const line = `${trace}: ${messagesOf(error)}`;
      const message = count === 1 ? line : `${line}; ${count} answers in the last minute`;
      return { message, fields: { trace_id: trace } };
    });
    return trace;
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
    // Fastify would close the connection on which too large a body still comes, and so reset it before this is read.
    if (body.error.code === 413) response.removeHeader('connection');
    response.status(body.error.code).send(body);
  } else {
    const json = JSON.stringify(body);
    response
      .writeHead(body.error.code, {
        ...headers,
        'Content-Type': 'application/json; charset=utf-8',
        'Content-Length': Buffer.byteLength(json),
      })
      .end(json);
  }
}

function knownError(error: unknown): ErrorDetails | undefined {
  if (error instanceof AnsweredError) return error.answer;
  if (!(error instanceof HttpException)) return ofParser(error) ?? ofStatus(error);
  // Nest makes an HTTP exception of what Fastify throws.
  return ofParser(error.cause) ?? ofHttpException(error);
}

/** What Fastify's parsers throw: 400 for what is no JSON, and the statuses for its size and type. None of Express's comes to us. */
function ofParser(error: unknown): ErrorDetails | undefined {
  const { code } = recordOf(error);
  if (typeof code !== 'string' || !code.startsWith('FST_ERR_CTP_')) return undefined;
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

/** An error that says itself which refusal it is, as those of http-errors do, and that of a body that breaks off. */
function ofStatus(error: unknown): ErrorDetails | undefined {
  const status = statusOf(error);
  const isRefusal = typeof status === 'number' && status >= 400 && status < 500;
  const message = isRefusal ? STATUS_CODES[status] : undefined;
  return isRefusal && message !== undefined ? { code: status, message } : undefined;
}

function ofHttpException(error: HttpException): ErrorDetails {
  const answer = error.getResponse() as string | { message?: unknown; detail?: unknown };
  const { message = error.message, detail } = typeof answer === 'string' ? { message: answer } : answer;
  const status = error.getStatus();
  // The messages of a validation pipe.
  const said = Array.isArray(message) ? textsIn(message).join('; ') : detail;
  return {
    // A host's guard may throw a status that no answer can have.
    code: Number.isInteger(status) && status >= 400 && status <= 599 ? status : 500,
    message: typeof message === 'string' ? message : error.message,
    ...(typeof said === 'string' && { detail: said }),
  };
}

function statusOf(error: unknown): unknown {
  if (!(error instanceof Error)) return undefined;
  const { status, statusCode = status } = error as { status?: unknown; statusCode?: unknown };
  return statusCode;
}

/** What the error says outside of the body: how to authenticate, or when to come again. */
function headersOf(error: unknown): Record<string, string> {
  return {
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    ...(isChallenge(error) && { 'WWW-Authenticate': error.challenge }),
    ...(error instanceof RetryLaterException && { 'Retry-After': String(error.retryAfter) }),
  };
}

function isChallenge(error: unknown): error is Challenge {
  return error instanceof HttpException && 'challenge' in error;
}

function stackOf(error: unknown): string | undefined {
  return error instanceof Error ? error.stack : undefined;
}
