import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * Calls back once: when the response has been sent, or nobody waits for it any more; at once where that is so already.
 * A response that waits behind another one on its connection (HTTP pipelining) is never told that it was closed, so
 * the connection is asked as well.
 */
export function onceOver({ socket }: IncomingMessage, response: ServerResponse, over: () => void): void {
  let isOver = false;
  const end = (): void => {
    // Both may close in one go.
    if (isOver) return;
    isOver = true;
    socket.off('close', end);
    response.off('close', end);
    over();
  };
  socket.on('close', end);
  response.on('close', end);
  if (socket.destroyed || response.destroyed) end();
}
