import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { Answer } from './alerts.js';

/** One connection to a server, for requests that no client makes and clients that do not behave. */
export class RawConnection {
  private received = '';

  private constructor(private readonly socket: Socket) {
    socket.setEncoding('latin1').on('data', (text: string) => (this.received += text));
    socket.on('error', () => undefined);
  }

  /** @param url of the server */
  static async to(url: string): Promise<RawConnection> {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    const connection = new RawConnection(socket);
    await once(socket, 'connect');
    return connection;
  }

  send(bytes: string | Uint8Array): void {
    this.socket.write(bytes);
  }

  /** A chunk of a body that comes with `Transfer-Encoding: chunked`; an empty one ends it. */
  sendChunk(text: string): void {
    this.send(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`);
  }

  /** The next answer, which has a `Content-Length`. */
  async answer(): Promise<Answer> {
    for (;;) {
      const [head = '', ...rest] = this.received.split('\r\n\r\n');
      const body = rest.join('\r\n\r\n');
      const length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? NaN);
      if (body.length >= length) {
        this.received = body.slice(length);
        const [statusLine = '', ...lines] = head.split('\r\n');
        const headers = new Headers(lines.map((line) => line.split(': ') as [string, string]));
        return {
          status: Number(statusLine.split(' ')[1]),
          headers,
          body: JSON.parse(Buffer.from(body.slice(0, length), 'latin1').toString()) as unknown,
        };
      }
      if (this.socket.destroyed) throw new Error(`The connection ended after: ${this.received}`);
      await Promise.race([once(this.socket, 'data'), once(this.socket, 'close')]);
    }
  }

  /** Reads nothing from now on. */
  pause(): void {
    this.socket.pause();
  }

  /** Whether the server has cut it off: what is sent comes back as a failure. */
  isCut(): boolean {
    if (!this.socket.destroyed) this.socket.write('\r\n');
    return this.socket.destroyed;
  }

  /** Waits until the server has closed it. */
  async closed(): Promise<boolean> {
    if (!this.socket.closed) await new Promise((resolve) => this.socket.once('close', resolve));
    return true;
  }

  close(): void {
    this.socket.destroy();
  }
}
