import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** The last request that has come on a connection, and the one before each that was still under way when it came. */
const last = new WeakMap<Socket, ServerResponse>();
const before = new WeakMap<ServerResponse, ServerResponse>();

/** Notes the order in which requests come on a connection. */
export function noteRequest({ socket }: IncomingMessage, response: ServerResponse): void {
  const previous = last.get(socket);
  if (previous && !previous.writableFinished) before.set(response, previous);
  last.set(socket, response);
}

/** What has been asked on a connection and not been answered yet, the last first. */
export function underWayOn(socket: Socket): ServerResponse[] {
  const responses: ServerResponse[] = [];
  let response = last.get(socket);
  while (response && !response.writableFinished) {
    responses.push(response);
    response = before.get(response);
  }
  return responses;
}

/**
 * Begins with a request when the one before it on its connection (HTTP pipelining) has been answered and read: answers
 * are kept in memory until it is their turn, and some hundred requests may come in one packet.
 */
export function serveInTurn(response: ServerResponse, next: () => void): void {
  const previous = before.get(response);
  if (!previous || previous.writableFinished) {
    next();
    return;
  }
  previous.once('close', () => {
    if (!previous.socket?.destroyed && !response.destroyed) next();
  });
}
