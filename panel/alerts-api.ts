import { readClaims } from './access-token.js';
import type { GetToken } from './access-token.js';
import { readAlerts, readFeed, readTotal } from './alert.js';
import type { Alert, Feed, OpenAlerts } from './alert.js';

/** Where the alerts are, and who asks. */
export interface AlertsApiOptions {
  /** Address of the API, without a slash at its end. */
  api: string;
  /** Only this session's alerts. */
  sessionName?: string | undefined;
  /** Where it gives none, the cookies that `credentials` lets through have to do. */
  getToken: GetToken;
  credentials: RequestCredentials;
}

/** The API answered, but not with what was asked for. */
export class UnexpectedAnswerError extends Error {
  override name = 'UnexpectedAnswerError';

  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** How long any call but the stream may take (ms). */
const TIMEOUT = 15_000;
/** Alerts of the history at most, as the API gives them by default. */
export const HISTORY_LIMIT = 50;

/** The calls of the API that the panel needs. A token goes into the header, never into an address. */
export class AlertsApi {
  private wantsNewToken = false;
  private tokenExpires: number | undefined;
  private subject: string | undefined;
  private etag: string | undefined;
  /** Called when the tokens turn out to be another person's than before. */
  onOtherPerson: () => void = () => undefined;

  constructor(private readonly options: AlertsApiOptions) {}

  /** Whether the last token is over, or will be within the given time (ms). */
  tokenEndsWithin(time: number): boolean {
    return this.tokenExpires !== undefined && this.tokenExpires - Date.now() < time;
  }

  /** Asks for a new token before the next call. */
  renewToken(): void {
    this.wantsNewToken = true;
  }

  /** Opens the stream of the open alerts; the answer is what the server sends, whatever its type. */
  openStream(signal: AbortSignal): Promise<Response> {
    return this.send('/alerts/stream', { session: true, accept: 'text/event-stream', signal });
  }

  /** The open alerts, or undefined where they are those of the last call. */
  async listOpen(signal: AbortSignal): Promise<OpenAlerts | undefined> {
    const response = await this.send('/alerts', {
      session: true,
      unlessUnchanged: true,
      signal: withTimeout(signal),
    });
    if (response.status === 304) return undefined;
    const alerts = readAlerts(await readJson(response));
    this.etag = response.headers.get('etag') ?? undefined;
    // Another origin may not let its headers be read.
    return { alerts, total: readTotal(response.headers.get('x-total-count')) ?? alerts.length };
  }

  /** Lets the next `listOpen` give the alerts in any case. */
  forgetLastList(): void {
    this.etag = undefined;
  }

  async feed(signal: AbortSignal): Promise<Feed> {
    return readFeed(await readJson(await this.send('/alerts/feed', { signal: withTimeout(signal) })));
  }

  /** What ended since a moment (ms), the last ended first, at most `HISTORY_LIMIT`. */
  async history(since: number, signal?: AbortSignal): Promise<Alert[]> {
    const response = await this.send('/alerts', {
      session: true,
      query: {
        status: 'resolved',
        since: new Date(since).toISOString(),
        limit: String(HISTORY_LIMIT),
      },
      signal: withTimeout(signal),
    });
    return readAlerts(await readJson(response));
  }

  /** Closes an alert for its user. One that is not there any more counts as closed. */
  async dismiss(id: string): Promise<void> {
    try {
      await this.send(`/alerts/${encodeURIComponent(id)}`, {
        method: 'PATCH',
        body: { dismissed: true },
        signal: withTimeout(),
      });
    } catch (error) {
      if (!(error instanceof UnexpectedAnswerError && error.status === 404)) throw error;
    }
  }

  private async send(
    path: string,
    call: {
      signal: AbortSignal;
      method?: string;
      session?: boolean;
      query?: Record<string, string>;
      accept?: string;
      body?: unknown;
      unlessUnchanged?: boolean;
    },
  ): Promise<Response> {
    const { api, sessionName, credentials } = this.options;
    const query = new URLSearchParams(call.query);
    if (call.session && sessionName) query.set('session_name', sessionName);
    const address = `${api}${path}${query.size > 0 ? `?${query}` : ''}`;

    const ask = (token: string): Promise<Response> => {
      const etag = call.unlessUnchanged ? this.etag : undefined;
      return fetch(address, {
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
      });
    };

    const token = await this.token(call.signal);
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
    void response.body?.cancel();
    throw new UnexpectedAnswerError(response.status, `${path} was answered ${response.status}`);
  }

  /** The token to send, or an empty text for none. */
  private async token(signal: AbortSignal): Promise<string> {
    const refresh = this.wantsNewToken;
    const token = await abortable(Promise.resolve(this.options.getToken({ refresh })), signal);
    if (refresh) this.wantsNewToken = false;
    const { sub, expires } = readClaims(token);
    this.tokenExpires = expires;
    if (sub !== undefined) {
      if (this.subject !== undefined && this.subject !== sub) {
        this.forgetLastList();
        this.onOtherPerson();
      }
      this.subject = sub;
    }
    return token;
  }
}

async function readJson(response: Response): Promise<unknown> {
  const type = response.headers.get('content-type') ?? '';
  if (!/\bjson\b/.test(type)) {
    void response.body?.cancel();
    throw new UnexpectedAnswerError(response.status, `The answer is not JSON but ${type || 'of no type'}`);
  }
  return response.json();
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
