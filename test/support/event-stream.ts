import type { ShownAlert } from './alerts.js';
import { waitUntil } from './server.js';

/** A page that reads `GET /alerts/stream`. */
export class OpenPage {
  /** What each unnamed event carried, in their order. */
  readonly shown: ShownAlert[][] = [];
  /** What each event `feed` carried. */
  readonly feeds: { status: string; last_seen: string | null }[] = [];
  /** All that came, as it came. */
  text = '';
  /** Whether the server has ended it. */
  isOver = false;
  private readonly leaving = new AbortController();

  private constructor(readonly response: Response) {}

  /** Opens it, whatever the answer is. */
  static async open(url: string, token: string, query = ''): Promise<OpenPage> {
    const leaving = new AbortController();
    const response = await fetch(`${url}/alerts/stream${query}`, {
      headers: { Authorization: `Bearer ${token}`, Accept: 'text/event-stream' },
      signal: leaving.signal,
    });
    const page = new OpenPage(response);
    leaving.signal.addEventListener('abort', () => undefined);
    page.leaving.signal.addEventListener('abort', () => {
      leaving.abort();
    });
    if (response.ok) void page.read();
    return page;
  }

  /** What the page shows now: the last state that it was sent. */
  get titles(): string[] | undefined {
    return this.shown.at(-1)?.map(({ title }) => title);
  }

  untilShown(titles: string[]): Promise<void> {
    return waitUntil(() => JSON.stringify(this.titles) === JSON.stringify(titles));
  }

  untilOver(): Promise<void> {
    return waitUntil(() => this.isOver);
  }

  leave(): void {
    this.leaving.abort();
  }

  private async read(): Promise<void> {
    const decoder = new TextDecoder();
    try {
      for await (const chunk of this.response.body as unknown as AsyncIterable<Uint8Array>) {
        this.text += decoder.decode(chunk, { stream: true });
        this.parse();
      }
    } catch {
      // Cut off, or left.
    }
    this.isOver = true;
  }

  private parse(): void {
    const events = this.text.split('\n\n').slice(0, -1);
    this.shown.length = 0;
    this.feeds.length = 0;
    for (const event of events) {
      const lines = event.split('\n');
      const data = lines.find((line) => line.startsWith('data: '))?.slice('data: '.length);
      if (data === undefined) continue;
      const name = lines.find((line) => line.startsWith('event: '))?.slice('event: '.length);
      if (name === undefined) this.shown.push(JSON.parse(data) as ShownAlert[]);
      if (name === 'feed') this.feeds.push(JSON.parse(data) as OpenPage['feeds'][number]);
    }
  }
}
