import { readClaims } from './access-token.js';
import type { GetToken } from './access-token.js';
import { readAlerts, readFeed, readTotal } from './alert.js';
import type { Alert, Feed, OpenAlerts } from './alert.js';
import type { ProblemKind } from './problem.js';
import { ServerClock } from './server-clock.js';

/** Where the alerts are, and who asks. */
export interface AlertsApiOptions {
  /** Address of the API, without a slash at its end. */
  api: string;
  /** Only this session's alerts; an empty text for those of all the person's sessions. */
  sessionName: string;
  /** Where it gives none, the cookies that `credentials` lets through have to do. */
  getToken: GetToken;
  credentials: RequestCredentials;
}

/** The API answered, but not with what was asked for. */
export class UnexpectedAnswerError extends Error {
  override name = 'UnexpectedAnswerError';

  constructor(readonly status: number) {
    super(String(status));
  }
}

/** How long any call but the stream may take (ms). */
const TIMEOUT = 15_000;
/** Alerts of the history at most, as the API gives them by default. */
export const HISTORY_LIMIT = 50;

/** What the calls of the API tell beside their answers. */
export interface AlertsApiEvents {
  /** Before the first call that bears a token of a person: who that is, as far as the token says. */
  person?(person: string): void;
  /** The tokens are another person's than before. */
  otherPerson?(): void;
  problem?(kind: ProblemKind, cause?: unknown): void;
}

/** The calls of the API that the panel needs. A token goes into the header, never into an address. */
export class AlertsApi {
  readonly clock = new ServerClock();
  sessionName: string;
  private wantsNewToken = false;
  private lastToken = '';
  private tokenExpires: number | undefined;
  private subject: string | undefined;
  private isKnown = false;
  private etag: string | undefined;
  private isReachable: boolean | undefined;

  constructor(
    private readonly options: AlertsApiOptions,
    private readonly events: AlertsApiEvents = {},
  ) {
    this.sessionName = options.sessionName;
  }

  /** Whether the last token is over, or will be within the given time (ms). */
  tokenEndsWithin(time: number): boolean {
    return this.tokenExpires !== undefined && this.tokenExpires - this.clock.now() < time;
  }

  /** Asks for a new token before the next call. */
  renewToken(): void {
    this.wantsNewToken = true;
  }

  /** Opens the stream of the open alerts; the answer is what the server sends, whatever its type. */
  openStream(signal: AbortSignal): Promise<Response> {
    return this.send('/alerts/stream', { session: this.sessionName, accept: 'text/event-stream', signal });
  }

  /** The open alerts, or undefined where they are those of the last call. */
  async listOpen(signal: AbortSignal): Promise<OpenAlerts | undefined> {
    const response = await this.send('/alerts', {
      session: this.sessionName,
      unlessUnchanged: true,
      signal: withTimeout(signal),
    });
    if (response.status === 304) return undefined;
    const open = await this.readOpen(response);
    this.etag = response.headers.get('etag') ?? undefined;
    return open;
  }

  /** The open alerts of one session, whichever the others are asked for. */
  async listOpenOf(session: string, signal: AbortSignal): Promise<OpenAlerts> {
    return this.readOpen(await this.send('/alerts', { session, signal: withTimeout(signal) }));
  }

  /** Lets the next `listOpen` give the alerts in any case. */
  forgetLastList(): void {
    this.etag = undefined;
  }

  async feed(signal: AbortSignal): Promise<Feed> {
    const response = await this.send('/alerts/feed', { signal: withTimeout(signal) });
    return readFeed(await this.readJson(response));
  }

  /** What ended of a session in the last so many ms, the last ended first, at most `HISTORY_LIMIT`. */
  async history(session: string, lately: number): Promise<Alert[]> {
    const response = await this.send('/alerts', {
      session,
      query: {
        status: 'resolved',
        since: new Date(this.clock.now() - lately).toISOString(),
        limit: String(HISTORY_LIMIT),
      },
      signal: withTimeout(),
    });
    return readAlerts(await this.readJson(response));
  }

  /**
   * Closes an alert for its user. One that is not there any more counts as closed.
   *
   * @param leaving whether the page is being left: then there is no time to ask for a token, and the last one has to do
   */
  async dismiss(id: string, leaving = false): Promise<void> {
    try {
      await this.send(`/alerts/${encodeURIComponent(id)}`, {
        method: 'PATCH',
        body: { dismissed: true },
        signal: withTimeout(),
        leaving,
      });
    } catch (error) {
      if (!(error instanceof UnexpectedAnswerError && error.status === 404)) throw error;
    }
  }

  /** A call of what is loaded on demand, and the JSON that it is answered with. */
  async call(path: string, method: string, body?: unknown): Promise<unknown> {
    return this.readJson(await this.send(path, { method, body, signal: withTimeout() }));
  }

  private async send(
    path: string,
    call: {
      signal: AbortSignal;
      method?: string;
      session?: string;
      query?: Record<string, string>;
      accept?: string;
      body?: unknown;
      unlessUnchanged?: boolean;
      leaving?: boolean;
    },
  ): Promise<Response> {
    const { api, credentials } = this.options;
    const query = new URLSearchParams(call.query);
    if (call.session) query.set('session_name', call.session);
    const address = `${api}${path}${query.size > 0 ? `?${query}` : ''}`;

    const ask = async (token: string): Promise<Response> => {
      const etag = call.unlessUnchanged ? this.etag : undefined;
      const asked = Date.now();
      const response = await fetch(address, {
        method: call.method ?? 'GET',
        headers: {
          Accept: call.accept ?? 'application/json',
          ...(token && { Authorization: `Bearer ${token}` }),
          ...(call.body !== undefined && { 'Content-Type': 'application/json' }),
          ...(etag !== undefined && { 'If-None-Match': etag }),
        },
        body: call.body === undefined ? null : JSON.stringify(call.body),
        credentials,
        // The ETag is ours to compare: the browser's cache would answer a 304 with the old list as if it were new.
        cache: 'no-store',
        signal: call.signal,
        keepalive: call.leaving ?? false,
      }).catch((error: unknown) => {
        void this.findOutWhy(call.signal);
        throw error;
      });
      this.clock.hear(response, asked);
      this.isReachable = true;
      return response;
    };

    const token = call.leaving ? this.lastToken : await this.token(call.signal);
    let response = await ask(token);
    if (response.status === 401) {
      this.renewToken();
      const newToken = await this.token(call.signal);
      if (newToken !== token) {
        void response.body?.cancel();
        response = await ask(newToken);
      }
    }
    if (response.ok || (call.unlessUnchanged && response.status === 304)) return response;
    if (response.status === 401) this.events.problem?.('unauthorized');
    if (response.status === 404 && path === '/alerts') this.events.problem?.('address');
    void response.body?.cancel();
    throw new UnexpectedAnswerError(response.status);
  }

  private async readOpen(response: Response): Promise<OpenAlerts> {
    const alerts = readAlerts(await this.readJson(response));
    // Another origin may not let its headers be read.
    return { alerts, total: readTotal(response.headers.get('x-total-count')) ?? alerts.length };
  }

  private async readJson(response: Response): Promise<unknown> {
    const type = response.headers.get('content-type') ?? '';
    if (!/\bjson\b/.test(type)) {
      this.events.problem?.('address');
      void response.body?.cancel();
      throw new UnexpectedAnswerError(response.status);
    }
    return response.json();
  }

  /** A call that has failed may have been refused to this page's origin: a browser says no more of it than that. */
  private async findOutWhy(signal: AbortSignal): Promise<void> {
    const { api } = this.options;
    if (signal.aborted || this.isReachable !== undefined || !isOfAnotherOrigin(api)) return;
    this.isReachable = false;
    try {
      await fetch(`${api}/alerts`, { mode: 'no-cors', credentials: 'omit', signal: withTimeout() });
      this.events.problem?.('cors');
    } catch {
      // It is out of reach, which is no fault of the page.
      this.isReachable = undefined;
    }
  }

  /** The token to send, or an empty text for none. */
  private async token(signal: AbortSignal): Promise<string> {
    const refresh = this.wantsNewToken;
    const token = await abortable(this.askForToken(refresh), signal);
    if (refresh) this.wantsNewToken = false;
    const { iss, sub, expires } = readClaims(token);
    this.lastToken = token;
    this.tokenExpires = expires;
    const isOther = sub !== undefined && this.subject !== undefined && this.subject !== sub;
    this.subject = sub ?? this.subject;
    if (isOther) {
      this.forgetLastList();
      this.events.otherPerson?.();
    }
    if (isOther || !this.isKnown) {
      this.isKnown = true;
      this.events.person?.(sub === undefined ? token : `${iss ?? ''} ${sub}`);
    }
    signal.throwIfAborted();
    return token;
  }

  private async askForToken(refresh: boolean): Promise<string> {
    try {
      const token: unknown = await this.options.getToken({ refresh });
      if (typeof token !== 'string') throw new TypeError(`getToken has answered ${String(token)}`);
      return token;
    } catch (error) {
      this.events.problem?.('token', error);
      throw error;
    }
  }
}

function isOfAnotherOrigin(api: string): boolean {
  return URL.canParse(api, document.baseURI) && new URL(api, document.baseURI).origin !== location.origin;
}

function withTimeout(signal?: AbortSignal): AbortSignal {
  const timeout = AbortSignal.timeout(TIMEOUT);
  return signal ? AbortSignal.any([signal, timeout]) : timeout;
}

/** A host's callback knows nothing of our time-outs. */
function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      reject(signal.reason as Error);
    };
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', abort);
    });
  });
}
