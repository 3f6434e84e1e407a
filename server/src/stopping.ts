import type { Socket } from 'node:net';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

/** How long (ms) what is under way may take to end. */
const LONGEST_STOP = 10_000;

/**
 * Lets the server stop soon: Node waits for connections on which nothing was ever asked, of which browsers keep some
 * to spare, and for the last answer on every other.
 */
export function endConnectionsOnClose(app: NestFastifyApplication): void {
  const server = app.getHttpServer();
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('preClose', (done: () => void) => {
      for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
      setTimeout(() => {
        server.closeAllConnections();
      }, LONGEST_STOP).unref();
      done();
    });
}
