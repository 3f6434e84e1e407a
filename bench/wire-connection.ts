import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** An answer as it came over the wire. */
export interface WireAnswer {
  status: number;
  /** By their names in lower case; one that came more than once has its values with commas between. */
  headers: Map<string, string>;
  body: Buffer;
}

/** What came back on a connection. */
export interface Exchange {
  answers: WireAnswer[];
  /** How it ended: with as many answers as were awaited, by the server's leaving, or not in time. */
  ending: 'answered' | 'closed' | 'late';
  /** Bytes behind the last answer. */
  left: number;
}

export interface ExchangeOptions {
  /** Of the requests that are answered, in their order. */
  methods: readonly string[];
  /** How long to wait (ms). */
  timeout: number;
  /** Enough has come of an answer that does not end by itself. */
  isEnough?: (answer: WireAnswer) => boolean;
}

/** What is no HTTP/1.1 answer. */
export class UnreadableAnswerError extends Error {}

/** A connection on which anything can be sent, HTTP or not. */
export class WireConnection {
  private readonly reader = new AnswerReader();
  private isOver = false;
  private changed: (() => void) | undefined;

  private constructor(private readonly socket: Socket) {
    socket.on('data', (bytes: Buffer) => {
      this.reader.push(bytes);
      this.changed?.();
    });
    // What the server does to the connection shows in what has come until then.
    socket.on('error', () => undefined);
    socket.on('end', () => {
      this.end();
    });
    socket.on('close', () => {
      this.end();
    });
  }

  /** @throws Error nobody listens there */
  static async open(port: number): Promise<WireConnection> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    await once(socket, 'connect');
    return new WireConnection(socket);
  }

  get isOpen(): boolean {
    return !this.isOver;
  }

  /** Sends without waiting for anything; what the server no longer reads is dropped. */
  write(...parts: readonly (Buffer | string)[]): void {
    if (!this.socket.writable) return;
    this.socket.cork();
    for (const part of parts) this.socket.write(part, 'latin1');
    this.socket.uncork();
  }

  /** Says that nothing more will be sent. */
  halfClose(): void {
    this.socket.end();
  }

  /** Leaves, whatever is under way. */
  close(): void {
    this.socket.destroy();
  }

  /** Reads no more; the server's answers fill the buffers between. */
  stopReading(): void {
    this.socket.pause();
  }

  /**
   * Waits for the answers to what was sent.
   * @throws UnreadableAnswerError what came is no HTTP
   */
  async answers({ methods, timeout, isEnough }: ExchangeOptions): Promise<Exchange> {
    const answers: WireAnswer[] = [];
    const deadline = performance.now() + timeout;
    for (;;) {
      while (answers.length < methods.length) {
        const answer = this.reader.next(methods[answers.length] ?? '', this.isOver, isEnough);
        if (!answer) break;
        answers.push(answer);
      }
      const { left } = this.reader;
      if (answers.length === methods.length) return { answers, ending: 'answered', left };
      if (this.isOver) return { answers, ending: 'closed', left };
      if (!(await this.untilChanged(deadline - performance.now()))) return { answers, ending: 'late', left };
    }
  }

  private end(): void {
    this.isOver = true;
    this.changed?.();
  }

  /** Whether something came within so many ms. */
  private async untilChanged(patience: number): Promise<boolean> {
    if (patience <= 0) return false;
    const waiting = new AbortController();
    try {
      return await Promise.race([
        new Promise<boolean>((resolve) => {
          this.changed = () => {
            resolve(true);
          };
        }),
        sleep(patience, false, { signal: waiting.signal }),
      ]);
    } finally {
      this.changed = undefined;
      waiting.abort();
    }
  }
}

interface Head {
  status: number;
  headers: Map<string, string>;
}

const HEAD_END = Buffer.from('\r\n\r\n');
const LINE_END = Buffer.from('\r\n');

/** Reads answers strictly, as RFC 9112 has them: what a lenient client would let pass is an error here. */
class AnswerReader {
  private bytes = Buffer.alloc(0);
  private unjoined: Buffer[] = [];
  private head: Head | undefined;

  push(bytes: Buffer): void {
    this.unjoined.push(bytes);
  }

  get left(): number {
    return this.unjoined.reduce((sum, { length }) => sum + length, this.bytes.length);
  }

  /** The next answer, once it is complete. */
  next(method: string, isOver: boolean, isEnough?: (answer: WireAnswer) => boolean): WireAnswer | undefined {
    if (this.unjoined.length > 0) {
      this.bytes = Buffer.concat([this.bytes, ...this.unjoined]);
      this.unjoined = [];
    }
    for (;;) {
      this.head ??= this.readHead();
      if (!this.head) return undefined;
      // Interim answers (100 Continue) come before the one that counts.
      if (this.head.status >= 200) break;
      this.head = undefined;
    }
    const { head } = this;
    const body = this.readBody(method, head, isOver);
    if (body) {
      this.head = undefined;
      return { ...head, body };
    }
    const soFar = { ...head, body: this.bytes };
    return isEnough?.(soFar) ? soFar : undefined;
  }

  private readHead(): Head | undefined {
    const end = this.bytes.indexOf(HEAD_END);
    if (end < 0) return undefined;
    const [statusLine = '', ...lines] = this.take(end + HEAD_END.length)
      .toString('latin1', 0, end)
      .split('\r\n');
    const status = /^HTTP\/1\.1 (\d{3}) [\x20-\x7e]*$/.exec(statusLine)?.[1];
    if (status === undefined) throw new UnreadableAnswerError(`A status line: ${statusLine.slice(0, 200)}`);
    const headers = new Map<string, string>();
    for (const line of lines) {
      const [, name, value = ''] =
        /^([!#$%&'*+\-.^_`|~\w]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)$/.exec(line) ?? [];
      if (name === undefined) throw new UnreadableAnswerError(`A header: ${line.slice(0, 200)}`);
      const before = headers.get(name.toLowerCase());
      headers.set(name.toLowerCase(), before === undefined ? value : `${before}, ${value}`);
    }
    return { status: Number(status), headers };
  }

  private readBody(method: string, { status, headers }: Head, isOver: boolean): Buffer | undefined {
    if (method === 'HEAD' || status === 204 || status === 304) return Buffer.alloc(0);
    if (headers.get('transfer-encoding') === 'chunked') return this.readChunks();
    const length = headers.get('content-length');
    if (length !== undefined) {
      if (!/^\d+$/.test(length)) throw new UnreadableAnswerError(`Content-Length: ${length}`);
      return this.bytes.length < Number(length) ? undefined : this.take(Number(length));
    }
    return isOver ? this.take(this.bytes.length) : undefined;
  }

  private readChunks(): Buffer | undefined {
    const chunks: Buffer[] = [];
    let at = 0;
    for (;;) {
      const lineEnd = this.bytes.indexOf(LINE_END, at);
      if (lineEnd < 0) return undefined;
      const size = this.bytes.toString('latin1', at, lineEnd);
      if (!/^[\da-f]+$/i.test(size)) throw new UnreadableAnswerError(`A chunk of ${size.slice(0, 100)}`);
      const start = lineEnd + LINE_END.length;
      const end = start + Number.parseInt(size, 16);
      if (this.bytes.length < end + LINE_END.length) return undefined;
      chunks.push(this.bytes.subarray(start, end));
      at = end + LINE_END.length;
      if (end === start) {
        this.take(at);
        return Buffer.concat(chunks);
      }
    }
  }

  private take(count: number): Buffer {
    const taken = this.bytes.subarray(0, count);
    this.bytes = this.bytes.subarray(count);
    return taken;
  }
}
