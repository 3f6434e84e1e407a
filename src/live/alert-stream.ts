import type { ServerResponse } from 'node:http';
import { LONGEST_READ } from '../http/unread-answers.js';

/** How many bytes a reader may be behind: what is sent is the whole state, so it loses nothing by starting anew. */
const MOST_BEHIND = 256 * 1024;
/** How soon a page should come back (ms). */
const RETRY = 2_000;
/** How long an ended stream waits for its reader to read the rest (ms). */
const LONGEST_END = 5_000;

// In lower case, as a host's are told: one of the same name is replaced, and not sent beside ours.
const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  // `no-transform` keeps compression away, which would hold events back.
  'cache-control': 'no-store, no-transform',
  'x-accel-buffering': 'no',
  // An ended stream's connection would be kept for the next request, and keep a server that stops waiting.
  connection: 'close',
};

/** Whose alerts a stream shows. */
export interface StreamOf {
  userId: string;
  sessionName: string | undefined;
  /** When it has to end (s since 1970). */
  expiresAt: number | undefined;
}

/**
 * One page's Server-Sent Events.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export class AlertStream {
  private alerts: string | undefined;
  private total: number | undefined;
  private writtenAt = performance.now();
  private unreadSince: number | undefined;

  constructor(
    readonly of: StreamOf,
    private readonly response: ServerResponse,
  ) {}

  /** @param headers what the host sets on every response, by names in lower case */
  open(headers: Record<string, number | string | string[] | undefined>): void {
    this.response.writeHead(200, { ...headers, ...HEADERS });
    this.write(`retry: ${RETRY}\n\n`);
  }

  /**
   * Shows the user's open alerts, as JSON, unless they are what the page has.
   * @param total how many there are, which may be more than are listed
   */
  showAlerts(alerts: string, total: number): void {
    if (total !== this.total) this.write(`event: total\ndata: ${total}\n\n`);
    this.total = total;
    if (alerts === this.alerts) return;
    this.alerts = alerts;
    this.write(`data: ${alerts}\n\n`);
  }

  /** Shows how the feed is, as JSON. */
  showFeed(feed: string): void {
    this.write(`event: feed\ndata: ${feed}\n\n`);
  }

  /** Shows that the connection lives, where nothing else has since then (`performance.now()`). */
  beatIfSilentSince(time: number): void {
    if (this.writtenAt <= time) this.write(':\n\n');
  }

  /** Cuts off who has had something to read, and has not read it to its end, for too long. */
  cutIfUnread(): void {
    if (this.response.writableLength === 0) this.unreadSince = undefined;
    else this.unreadSince ??= performance.now();
    const { unreadSince } = this;
    if (unreadSince !== undefined && performance.now() - unreadSince > LONGEST_READ) this.response.destroy();
  }

  /** @param why an event that says so to the page */
  end(why?: 'expired'): void {
    if (this.response.writableEnded) return;
    this.response.end(why && `event: ${why}\ndata: {}\n\n`);
    // Who does not read would keep it open, and a server that stops waiting.
    const cut = setTimeout(() => this.response.destroy(), LONGEST_END).unref();
    this.response.once('close', () => {
      clearTimeout(cut);
    });
  }

  private write(text: string): void {
    // Until it is closed it may be told more, and an error that nobody hears ends the process.
    if (this.response.writableEnded) return;
    if (this.response.writableLength > MOST_BEHIND) {
      this.response.destroy();
      return;
    }
    this.response.write(text);
    this.writtenAt = performance.now();
  }
}
