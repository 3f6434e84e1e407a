import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** The last request that has come on a connection. */
const last = new WeakMap<Socket, ServerResponse>();

/**
 * Begins with a request when the one before it on its connection (HTTP pipelining) has been answered and read: answers
 * are kept in memory until it is their turn, and some hundred requests may come in one packet.
 */
export function serveInTurn(
  { raw: { socket } }: FastifyRequest,
  { raw: response }: FastifyReply,
  next: () => void,
): void {
  const before = last.get(socket);
  last.set(socket, response);
  if (!before || before.writableFinished) next();
  else {
    before.once('close', () => {
      if (!socket.destroyed) next();
    });
  }
}
