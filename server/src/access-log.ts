import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Logger } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { onceOver, traceIdOf, withFields } from 'nestjs-session-alerts/operations';

/** They come every few seconds, and say what /readyz and Prometheus show better. */
const PROBES: ReadonlySet<string | undefined> = new Set(['/healthz', '/readyz', '/metrics']);

const logger = new Logger('Access');

/**
 * Writes a line of every request once it is over, by its route: neither the ids and queries in its address nor who asks
 * are in it.
 */
export function logAccess(app: NestFastifyApplication): void {
  const routes = new WeakMap<IncomingMessage, string | undefined>();
  /** How much had been sent on a connection when its last answer was over (bytes): answers come one after the other. */
  const sentBefore = new WeakMap<Socket, number>();
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onRequest', (request, _reply, next) => {
      routes.set(request.raw, request.routeOptions.url);
      next();
    });
  app.getHttpServer().prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
    const begunAt = performance.now();
    const traceId = traceIdOf(request);
    const { socket } = request;
    onceOver(request, response, () => {
      const bytes = socket.bytesWritten - (sentBefore.get(socket) ?? 0);
      sentBefore.set(socket, socket.bytesWritten);
      const route = routes.get(request);
      if (PROBES.has(route)) return;
      write(request, response, { route, bytes, ms: Math.round(performance.now() - begunAt), traceId });
    });
  });
}

/** What a line says of a request beside what Node knows of it. */
interface Access {
  /** Undefined where there is nothing at the address. */
  route: string | undefined;
  /** Of the answer, with its head. */
  bytes: number;
  ms: number;
  traceId: string | undefined;
}

function write(
  { method = '' }: IncomingMessage,
  { headersSent, statusCode }: ServerResponse,
  { route, bytes, ms, traceId }: Access,
): void {
  const status = headersSent ? statusCode : undefined;
  const of = traceId === undefined ? '' : `, trace ${traceId}`;
  withFields({ method, route, status, ms, bytes, trace_id: traceId }, () => {
    logger.log(
      `${method} ${route ?? 'of no route'}: ${status ?? 'not answered'}, ${bytes} bytes in ${ms} ms${of}`,
    );
  });
}
