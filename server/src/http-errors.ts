import { STATUS_CODES } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Logger } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ErrorResponse } from 'nestjs-session-alerts';
import { OnceAMinute } from 'nestjs-session-alerts/operations';
import { underWayOn } from './in-turn.js';

/** How long (ms) a refused client may take to read why: what it is still sending is dropped meanwhile. */
const LONGEST_GOODBYE = 2_000;

const HEADERS = {
  'Content-Type': 'application/json; charset=utf-8',
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  Connection: 'close',
};

const logger = new Logger('HTTP');
const lines = new OnceAMinute((line) => {
  logger.warn(line);
});
const refused = new WeakSet<Socket>();

/** The error body for what never becomes a request of ours: Node and its parser answer without one. */
export function answerNodesErrors(server: Server): void {
  server.on('checkExpectation', (_request: IncomingMessage, response: ServerResponse) => {
    const body = bodyOf(417, 'No expectation but 100-continue can be met');
    response.writeHead(417, { ...HEADERS, 'Content-Length': Buffer.byteLength(body) }).end(body);
  });
}

/**
 * Answers what Node's parser could not read, on a connection that nothing else can come from.
 * @param headerLimit bytes that the request line and headers may have
 */
export function refuseConnection(error: NodeJS.ErrnoException, socket: Socket, headerLimit: number): void {
  // The parser fails again on all that still comes.
  if (refused.has(socket)) return;
  refused.add(socket);
  const responses = underWayOn(socket);
  const isHalf = responses.some(({ req }) => !req.complete);
  if (error.code === 'ECONNRESET' || !socket.writable || (isHalf && responses.some(hasBegun))) {
    socket.destroy();
    return;
  }
  // What was asked before is answered first, and nothing else: it would be taken for one of those answers.
  if (responses.length > (isHalf ? 1 : 0)) {
    const awaited = responses.find(({ req }) => req.complete);
    awaited?.once('close', () => {
      sayGoodbye(socket);
    });
    return;
  }
  const [status, message, advice = ''] = describe(error, headerLimit);
  lines.say(String(status), (count) => ({
    message: `Refused ${count} requests with ${status}: ${message}${advice}`,
    fields: { status },
  }));
  const body = bodyOf(status, message);
  const head = Object.entries({ ...HEADERS, 'Content-Length': Buffer.byteLength(body) })
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');
  sayGoodbye(socket, `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${head}\r\n${body}`);
}

function hasBegun({ headersSent }: ServerResponse): boolean {
  return headersSent;
}

/** Not destroyed at once: what has not been read yet would reset the connection before the answer is. */
function sayGoodbye(socket: Socket, lastWords = ''): void {
  socket.end(lastWords);
  const cut = setTimeout(() => socket.destroy(), LONGEST_GOODBYE).unref();
  socket.once('close', () => {
    clearTimeout(cut);
  });
}

function describe(
  { code }: NodeJS.ErrnoException,
  headerLimit: number,
): [status: number, message: string, advice?: string] {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return [
        431,
        `The request line and headers may have at most ${headerLimit} bytes`,
        '. Set HEADER_LIMIT_KB, here and where a proxy has a limit, or give users fewer realm roles',
      ];
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return [408, 'The request did not come in time'];
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return [413, 'The chunk extensions are too large'];
    default:
      return [400, 'This is no HTTP request that can be read'];
  }
}

/**
 * RFC 9112, section 3.2: Node would answer without a body. After a request to speak another protocol Node reads no more,
 * so nobody shall wait for more.
 * @returns whether the request is refused
 */
export function refusesWhatNodeLetsPass({ raw }: FastifyRequest, reply: FastifyReply): boolean {
  if (raw.headers.upgrade !== undefined) reply.header('Connection', 'close');
  if (raw.headers.host !== undefined || raw.httpVersion === '1.0') return false;
  void reply.status(400).headers(ERROR_HEADERS).send(errorOf(400, 'A request must name its host'));
  return true;
}

/** There is nothing at that address. */
export function answerNotFound(reply: FastifyReply): void {
  void reply.status(404).headers(ERROR_HEADERS).send(errorOf(404, 'There is nothing at this address'));
}

const ERROR_HEADERS = { 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' };

function errorOf(code: number, message: string): ErrorResponse {
  return { error: { code, message } };
}

function bodyOf(code: number, message: string): string {
  return JSON.stringify(errorOf(code, message));
}
