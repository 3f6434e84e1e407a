import type { ServerResponse } from 'node:http';

/** How long (ms) an answer may wait to be read: what nobody reads is kept in memory. */
export const LONGEST_READ = 30_000;

/** On the answer itself, as there is one to each request: a WeakSet of them costs more than it is worth. */
const WATCHED = Symbol('session-alerts.watched');

/** Closes the connection on which an answer waits, once complete, longer than that to be read. */
export function cutIfUnread(response: ServerResponse & { [WATCHED]?: true }): void {
  if (response[WATCHED]) return;
  response[WATCHED] = true;
  response.once('prefinish', () => {
    // Mostly the system has taken all of it at once.
    if (!response.socket || response.socket.writableLength === 0) return;
    const cut = setTimeout(() => response.socket?.destroy(), LONGEST_READ).unref();
    const isOver = (): void => {
      clearTimeout(cut);
    };
    response.once('finish', isOver).once('close', isOver);
  });
}
