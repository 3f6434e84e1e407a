import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** What is to be done when a connection ends; one listener serves all requests that wait on it. */
const endings = new WeakMap<Socket, Set<() => void>>();

/**
 * Calls back once: when the response has been sent, or nobody waits for it any more; at once where that is so already.
 * A response that waits behind another one on its connection (HTTP pipelining) is never told that it was closed, so
 * the connection is asked as well.
 */
export function onceOver({ socket }: IncomingMessage, response: ServerResponse, over: () => void): void {
  const ending = endingOf(socket);
  let isOver = false;
  const end = (): void => {
    // Both may close in one go.
    if (isOver) return;
    isOver = true;
    ending.delete(end);
    response.off('close', end);
    over();
  };
  ending.add(end);
  response.on('close', end);
  if (socket.destroyed || response.destroyed) end();
}

function endingOf(socket: Socket): Set<() => void> {
  let ending = endings.get(socket);
  if (!ending) {
    const all = (ending = new Set());
    endings.set(socket, all);
    socket.once('close', () => {
      for (const end of all) end();
    });
  }
  return ending;
}
