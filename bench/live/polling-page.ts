import type { Socket } from 'node:net';
import { ALERTS } from '../load-jobs.js';
import type { User } from '../load-jobs.js';
import { connectTo, requestFor } from './connection.js';

interface Asked {
  answered: (status: number) => void;
  failed: (error: Error) => void;
}

/** A page that asks for its user's open alerts again and again, over one connection. */
export class PollingPage {
  private readonly socket: Socket;
  private readonly plain: string;
  private conditional: string | undefined;
  private received = '';
  private asked: Asked | undefined;
  private failure: Error | undefined;

  constructor(
    url: string,
    readonly user: User,
  ) {
    this.plain = requestFor(ALERTS, user.token);
    this.socket = connectTo(
      url,
      (bytes) => {
        this.receive(bytes);
      },
      (error) => {
        this.failure = error;
        this.asked?.failed(error);
      },
    );
  }

  get isAsking(): boolean {
    return this.asked !== undefined;
  }

  /** @param isConditional whether it says what it has, where it has something */
  ask(isConditional: boolean): Promise<number> {
    return new Promise((answered, failed) => {
      if (this.failure) {
        failed(this.failure);
        return;
      }
      this.asked = { answered, failed };
      this.socket.write((isConditional && this.conditional) || this.plain, 'latin1');
    });
  }

  close(): void {
    this.socket.destroy();
  }

  private receive(bytes: Buffer): void {
    this.received += bytes.toString('latin1');
    const headEnd = this.received.indexOf('\r\n\r\n');
    if (headEnd < 0) return;
    const head = this.received.slice(0, headEnd);
    const status = Number(head.slice(9, 12));
    const length = status === 304 ? 0 : Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1]);
    if (this.received.length < headEnd + 4 + length) return;
    this.received = '';
    if (status === 200) {
      const etag = /\r\netag: ([^\r]+)/i.exec(head)?.[1] ?? '';
      this.conditional = requestFor(ALERTS, this.user.token, `If-None-Match: ${etag}\r\n`);
    }
    const { asked } = this;
    this.asked = undefined;
    asked?.answered(status);
  }
}
