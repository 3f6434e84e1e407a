/** An event of a `text/event-stream`. */
export interface StreamEvent {
  /** `message` where the stream named none. */
  type: string;
  data: string;
}

/**
 * Reads a `text/event-stream` piece by piece, as the HTML standard's section "Server-sent events" says. The browser's
 * own EventSource does the same, but cannot send a token in a header.
 */
export class EventStreamParser {
  /** How long the stream asks to wait before connecting again (ms). */
  retry: number | undefined;

  private readonly decoder = new TextDecoder();
  /** Pieces of the line that has not ended yet. */
  private unfinished: string[] = [];
  private endedWithReturn = false;
  private type = '';
  private data: string[] = [];

  /** Takes the next bytes, and gives the events that they complete. */
  push(bytes: Uint8Array): StreamEvent[] {
    let chunk = this.decoder.decode(bytes, { stream: true });
    if (chunk === '') return [];
    // The two halves of one line end may come in two pieces.
    if (this.endedWithReturn && chunk.startsWith('\n')) chunk = chunk.slice(1);
    this.endedWithReturn = chunk.endsWith('\r');

    const events: StreamEvent[] = [];
    const lines = chunk.split(/\r\n|\n|\r/);
    const rest = lines.pop() ?? '';
    for (const line of lines) {
      const event = this.takeLine(this.unfinished.join('') + line);
      this.unfinished = [];
      if (event) events.push(event);
    }
    if (rest) this.unfinished.push(rest);
    return events;
  }

  /** Whether no event has begun that has not ended. */
  get isBetweenEvents(): boolean {
    return this.unfinished.length + this.data.length === 0 && this.type === '';
  }

  private takeLine(line: string): StreamEvent | undefined {
    if (line === '') return this.dispatch();
    const colon = line.indexOf(':');
    if (colon === 0) return undefined;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') this.data.push(value);
    else if (field === 'event') this.type = value;
    else if (field === 'retry' && /^\d+$/.test(value)) this.retry = Number(value);
    return undefined;
  }

  private dispatch(): StreamEvent | undefined {
    const { type, data } = this;
    this.type = '';
    this.data = [];
    return data.length > 0 ? { type: type || 'message', data: data.join('\n') } : undefined;
  }
}
