import { connect } from 'node:net';
import type { Socket } from 'node:net';

/** Read into by all connections, one at a time: thousands of buffers would cost the load generator memory. */
const shared = Buffer.alloc(256 * 1024);

/**
 * A plain connection, as cheap as can be.
 * @param received is given what came, which lasts until it returns
 * @param ended is called when the other side, or an error, ends it
 */
export function connectTo(
  url: string,
  received: (bytes: Buffer) => void,
  ended: (error: Error) => void,
): Socket {
  const { hostname, port } = new URL(url);
  const socket = connect({
    host: hostname,
    port: Number(port),
    noDelay: true,
    onread: {
      buffer: shared,
      callback: (count, bytes) => {
        received(Buffer.from(bytes.buffer, bytes.byteOffset, count));
        return true;
      },
    },
  });
  socket.once('error', ended).once('end', () => {
    ended(new Error('The server has ended a connection'));
  });
  return socket;
}

export function requestFor(path: string, token: string, headers = ''): string {
  return `GET ${path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer ${token}\r\n${headers}\r\n`;
}
