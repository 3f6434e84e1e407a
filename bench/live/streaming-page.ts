import type { Socket } from 'node:net';
import type { User } from '../load-jobs.js';
import { connectTo, requestFor } from './connection.js';

const PATH = '/api/data/alerts/stream';

/** Events end with an empty line. */
const END = '\n\n';

interface Awaited {
  text: string;
  received: string;
  arrived: (at: number) => void;
  failed: (error: Error) => void;
}

/** A page with an open stream. */
export class StreamingPage {
  private readonly socket: Socket;
  private awaited: Awaited | undefined;
  private failure: Error | undefined;

  private constructor(
    url: string,
    readonly user: User,
  ) {
    this.socket = connectTo(
      url,
      (bytes) => {
        this.receive(bytes);
      },
      (error) => {
        this.failure = error;
        this.awaited?.failed(error);
      },
    );
  }

  /** Resolved with the first event of alerts. */
  static async open(url: string, user: User): Promise<StreamingPage> {
    const page = new StreamingPage(url, user);
    const opened = page.next('data: [');
    page.socket.write(requestFor(PATH, user.token, 'Accept: text/event-stream\r\n'));
    await opened;
    return page;
  }

  /** When (ms) the event with that text is whole. */
  next(text: string): Promise<number> {
    return new Promise((arrived, failed) => {
      if (this.failure) failed(this.failure);
      else this.awaited = { text, received: '', arrived, failed };
    });
  }

  close(): void {
    this.socket.destroy();
  }

  private receive(bytes: Buffer): void {
    const { awaited } = this;
    if (!awaited) return;
    awaited.received += bytes.toString('latin1');
    const { received, text } = awaited;
    if (received.length > 12 && !received.startsWith('HTTP/1.1 200') && received.startsWith('HTTP/')) {
      awaited.failed(new Error(`A stream was answered ${received.slice(0, 500)}`));
    }
    const found = received.indexOf(text);
    if (found < 0 || !received.includes(END, found)) return;
    this.awaited = undefined;
    awaited.arrived(performance.now());
  }
}
