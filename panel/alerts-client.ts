import { UNKNOWN_FEED, readAlerts, readFeed, readTotal } from './alert.js';
import type { Alert, Feed, OpenAlerts } from './alert.js';
import type { Connection } from './connection.types.js';
import { AlertsApi, UnexpectedAnswerError } from './alerts-api.js';
import type { AlertsApiOptions } from './alerts-api.js';
import { BackOff, about } from './back-off.js';
import { Dismissals } from './dismissals.js';
import type { DismissalEnd } from './dismissals.js';
import { EventStreamParser } from './event-stream.js';
import type { ProblemKind } from './problem.js';
import type { SeenReports } from './seen-reports.js';

/** What is known of a person's alerts. */
export interface AlertsState {
  /**
   * The open alerts in the API's order, the gravest first; undefined before they were ever heard of. Those that are
   * being dismissed are among them as long as that can be undone.
   */
  readonly alerts: readonly Alert[] | undefined;
  /** How many there are: of very many the API lists the first only. */
  readonly total: number;
  /** Ids of those that are being dismissed. */
  readonly leaving: ReadonlySet<string>;
  /** Session whose alerts these are; an empty text where they are those of all the person's sessions. */
  readonly session: string;
  readonly connection: Connection;
  /** Where the connection is down: moment (ms, by the server's clock) up to which `alerts` is known to be true. */
  readonly trueUntil: number | undefined;
  readonly feed: Feed;
  /** Whether the server may keep what the person has seen, as older ones do not. */
  readonly keepsSeen: boolean;
}

export const NOTHING_KNOWN: AlertsState = {
  alerts: undefined,
  total: 0,
  leaving: new Set(),
  session: '',
  connection: 'connecting',
  trueUntil: undefined,
  feed: UNKNOWN_FEED,
  keepsSeen: true,
};

/** How long things take or may take (ms). */
export const TIMES = {
  /** A stream that has given nothing by then may be blocked: polling stands in for it. */
  standIn: 3_000,
  /** A stream that has given nothing by then is blocked. */
  firstEvent: 10_000,
  /** The server gives a sign of life every 15 s. */
  silence: 40_000,
  /** Before the stream is opened again, unless the server's `retry:` says otherwise. */
  reconnect: 1_000,
  longestBackOff: 30_000,
  poll: 5_000,
  /** While polling works: before the stream is tried again, at first and at most. */
  streamAgain: 5_000,
  streamAgainAtMost: 300_000,
  /** A page that is hidden for no longer keeps its connection. */
  hidden: 10_000,
  /** A token that ends so soon after its stream is what ended it. */
  tokenSlack: 60_000,
};
/** Every so many polls ask for the feed too. */
const POLLS_A_FEED = 6;

/** What a client tells. */
export interface AlertsClientEvents {
  /** After each change of `state`. */
  change(): void;
  /** Before anything is asked for: whose alerts they will be, as far as the token says. */
  person?(person: string): void;
  /** The tokens are another person's than before. */
  otherPerson?(): void;
  problem?(kind: ProblemKind, cause?: unknown): void;
}

/**
 * Keeps up with a person's open alerts: by the stream, by polling where the stream does not get through, and by
 * coming back with growing waits where nothing does.
 */
export class AlertsClient {
  private readonly api: AlertsApi;
  private known = NOTHING_KNOWN;
  /** As the API sent them. */
  private heard: readonly Alert[] | undefined;
  private heardTotal = 0;
  private heardSession = '';
  private readonly dismissals: Dismissals;
  private lastContact: number | undefined;
  private reports: SeenReports | undefined;

  private started = false;
  private visible = true;
  private hiding: ReturnType<typeof setTimeout> | undefined;
  /** Ends all connections. */
  private running: AbortController | undefined;
  private polling: AbortController | undefined;
  private readonly streamAgain = new BackOff(TIMES.streamAgain, TIMES.streamAgainAtMost);
  /** Ends the wait before the stream is tried again. */
  private streamWait: AbortController | undefined;

  constructor(
    options: AlertsApiOptions,
    private readonly events: AlertsClientEvents,
  ) {
    this.api = new AlertsApi(options, {
      person: (person) => events.person?.(person),
      problem: (kind, cause) => events.problem?.(kind, cause),
      otherPerson: () => {
        this.dismissals.forget();
        this.lastContact = undefined;
        this.hear(undefined);
        events.otherPerson?.();
      },
    });
    this.dismissals = new Dismissals(
      (id, leaving) => this.api.dismiss(id, leaving),
      () => {
        this.showHeard();
      },
    );
  }

  get state(): AlertsState {
    return this.known;
  }

  /** The time (ms) by the server's clock. */
  now(): number {
    return this.api.clock.now();
  }

  /** Session whose alerts are asked for; an empty text for all of the person's. */
  get session(): string {
    return this.api.sessionName;
  }

  /** Asks for another session's alerts. What was known stays shown until they are heard. */
  setSession(session: string): void {
    this.api.sessionName = session;
    this.api.forgetLastList();
    this.reconnect();
  }

  start(): void {
    this.started = true;
    this.run();
  }

  /** Ends every connection. What was known stays known. */
  stop(): void {
    this.started = false;
    this.dismissals.hurry();
    this.halt();
  }

  /** Nobody sees a hidden page: after a moment its connections end, until it is shown again. */
  setVisible(visible: boolean): void {
    if (visible === this.visible) return;
    this.visible = visible;
    clearTimeout(this.hiding);
    if (visible) {
      this.run();
      this.hurry();
    } else {
      this.hiding = setTimeout(() => {
        this.halt();
      }, TIMES.hidden);
    }
  }

  /** The network may be back: tries at once what would be tried later, or what may have died without a word. */
  hurry(): void {
    if (!this.running || this.known.connection === 'connecting') return;
    const silence = Date.now() - (this.lastContact ?? 0);
    if (this.known.connection === 'live' && silence < TIMES.silence / 2) return;
    this.reconnect();
  }

  /** Connects anew, with the token that there is now. */
  reconnect(): void {
    if (!this.running) return;
    this.halt();
    this.run();
  }

  /**
   * Dismisses an alert. It is `leaving` at once; some seconds later it is dismissed and gone from `state`, unless that
   * is undone before. Where it fails, the alert stays.
   *
   * @returns how that has ended
   * @throws what the call failed with
   */
  dismiss(alert: Alert): Promise<DismissalEnd> {
    return this.dismissals.begin(alert);
  }

  /** Lets an alert stay that is leaving. */
  undo(id: string): void {
    this.dismissals.undo(id);
  }

  /** Whether an alert has gone because it was dismissed here. */
  wasDismissed(id: string): boolean {
    return this.dismissals.gone.has(id);
  }

  /** The page is being left: what is leaving is dismissed now. */
  leave(): void {
    this.dismissals.hurry();
  }

  /** Reports alerts that the person has had before their eyes; to be called again for those that do not say so yet. */
  async see(alerts: readonly Alert[]): Promise<void> {
    if (alerts.length === 0 || this.known.connection === 'down') return;
    const { SeenReports } = await import('./seen-reports.js');
    this.reports ??= new SeenReports(
      (ids) => this.call('/alerts/seen', 'POST', { ids }),
      () => {
        this.become({ keepsSeen: false });
      },
    );
    this.reports.add(alerts);
  }

  /** A call of what is loaded on demand. */
  call(path: string, method: string, body?: unknown): Promise<unknown> {
    return this.api.call(path, method, body);
  }

  /** What ended of a session in the last so many ms, the last ended first. */
  history(session: string, lately: number): Promise<Alert[]> {
    return this.api.history(session, lately);
  }

  /** The open alerts of one session, apart from those that are followed. */
  async openOf(session: string): Promise<OpenAlerts> {
    return this.api.listOpenOf(session, this.running?.signal ?? AbortSignal.abort());
  }

  private run(): void {
    if (!this.started || !this.visible || this.running) return;
    this.running = new AbortController();
    if (this.known.connection === 'live') this.become({ connection: 'connecting' });
    void this.keepUp(this.running.signal);
  }

  private halt(): void {
    clearTimeout(this.hiding);
    this.stopPolling();
    this.running?.abort();
    this.running = undefined;
  }

  /** Opens the stream again and again; while it does not work, polling stands in for it. */
  private async keepUp(signal: AbortSignal): Promise<void> {
    const reconnect = new BackOff(TIMES.reconnect, TIMES.longestBackOff);
    this.streamAgain.reset();
    while (!signal.aborted) {
      const opened = Date.now();
      const { worked, retry } = await this.followStream(signal);
      if (isOver(signal)) return;
      const lasted = worked && Date.now() - opened >= TIMES.firstEvent;
      const endedWithToken = worked && this.api.tokenEndsWithin(TIMES.tokenSlack);
      // One that ends at once may do so for its token even where we cannot tell.
      if (endedWithToken || (worked && !lasted)) this.api.renewToken();

      if (lasted || endedWithToken) {
        reconnect.first = retry ?? TIMES.reconnect;
        if (lasted) {
          reconnect.reset();
          this.streamAgain.reset();
        }
        this.become({ connection: 'connecting' });
        await sleep(lasted && endedWithToken ? 0 : reconnect.next(), signal);
      } else {
        this.startPolling(signal);
        this.streamWait = new AbortController();
        await sleep(this.streamAgain.next(), AbortSignal.any([signal, this.streamWait.signal]));
      }
    }
  }

  /** Follows one stream until it ends, for whatever reason: whether the server is there at all, polling tells. */
  private async followStream(signal: AbortSignal): Promise<{ worked: boolean; retry: number | undefined }> {
    const parser = new EventStreamParser();
    const attempt = new AbortController();
    const either = AbortSignal.any([signal, attempt.signal]);
    const giveUp = (): void => {
      attempt.abort();
    };
    let deadline = setTimeout(giveUp, TIMES.firstEvent);
    const standIn = setTimeout(() => {
      this.startPolling(signal);
    }, TIMES.standIn);
    let worked = false;
    let total = 0;
    try {
      for await (const bytes of this.readStream(either)) {
        for (const event of parser.push(bytes)) {
          if (event.type === 'feed') {
            this.become({ feed: readFeed(JSON.parse(event.data)) });
          } else if (event.type === 'total') {
            total = readTotal(event.data) ?? 0;
          } else if (event.type === 'message') {
            const alerts = readAlerts(JSON.parse(event.data));
            worked = true;
            clearTimeout(standIn);
            this.stopPolling();
            this.contact('live');
            this.hear(alerts, total);
          }
        }
        if (worked) {
          // A list that goes with it comes right behind it: the two are shown together.
          if (parser.isBetweenEvents) this.hearTotal(total);
          this.lastContact = Date.now();
          clearTimeout(deadline);
          deadline = setTimeout(giveUp, TIMES.silence);
        }
      }
    } catch {
      // It ended: refused, cut, silent for too long, or with what is no list of alerts.
    } finally {
      clearTimeout(deadline);
      clearTimeout(standIn);
      giveUp();
    }
    return { worked, retry: parser.retry };
  }

  private async *readStream(signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const response = await this.api.openStream(signal);
    const type = response.headers.get('content-type') ?? '';
    if (!response.body || !type.startsWith('text/event-stream')) return;
    const reader = response.body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (signal.aborted || done) return;
      yield value;
    }
  }

  private startPolling(signal: AbortSignal): void {
    if (this.polling || signal.aborted) return;
    this.polling = new AbortController();
    this.api.forgetLastList();
    void this.poll(AbortSignal.any([signal, this.polling.signal]));
  }

  private stopPolling(): void {
    this.polling?.abort();
    this.polling = undefined;
  }

  private async poll(signal: AbortSignal): Promise<void> {
    const backOff = new BackOff(TIMES.reconnect, TIMES.longestBackOff);
    let failing = false;
    for (let polls = 0; !signal.aborted; polls += 1) {
      try {
        const open = await this.api.listOpen(signal);
        if (isOver(signal)) return;
        this.contact('polling');
        if (open) this.hear(open.alerts, open.total);
        // What was refused may work again, and so may the stream, at once or soon.
        if (failing) {
          this.streamAgain.reset();
          this.streamWait?.abort();
        }
        failing = false;
        backOff.reset();
        if (polls % POLLS_A_FEED === 0) await this.askForFeed(signal);
        await sleep(about(TIMES.poll), signal);
      } catch {
        if (isOver(signal)) return;
        failing = true;
        // Whatever it failed with, the list is not known to be true any more.
        this.become({
          connection: 'down',
          trueUntil: this.lastContact === undefined ? undefined : this.api.clock.at(this.lastContact),
        });
        await sleep(backOff.next(), signal);
      }
    }
  }

  private async askForFeed(signal: AbortSignal): Promise<void> {
    try {
      const feed = await this.api.feed(signal);
      if (!signal.aborted) this.become({ feed });
    } catch (error) {
      // An API without a feed is no worse than one whose feed nobody set up.
      if (error instanceof UnexpectedAnswerError && error.status === 404) this.become({ feed: UNKNOWN_FEED });
    }
  }

  private contact(connection: 'live' | 'polling'): void {
    this.lastContact = Date.now();
    this.become({ connection, trueUntil: undefined });
  }

  private hear(alerts: readonly Alert[] | undefined, total = 0): void {
    this.heard = alerts;
    this.heardTotal = Math.max(total, alerts?.length ?? 0);
    this.heardSession = this.api.sessionName;
    this.dismissals.hear(alerts ?? [], this.heardTotal === (alerts?.length ?? 0));
    this.showHeard();
  }

  private hearTotal(total: number): void {
    if (this.heard && Math.max(total, this.heard.length) !== this.heardTotal) this.hear(this.heard, total);
  }

  private showHeard(): void {
    const { heard, heardTotal, dismissals } = this;
    const alerts = heard?.filter(({ id }) => !dismissals.gone.has(id));
    const gone = (heard?.length ?? 0) - (alerts?.length ?? 0);
    this.become({
      alerts,
      total: heardTotal - gone,
      leaving: new Set(dismissals.leaving),
      session: this.heardSession,
    });
  }

  private become(change: Partial<AlertsState>): void {
    this.known = { ...this.known, ...change };
    this.events.change();
  }
}

/** Asks anew: the compiler takes an answer of before an `await` for the one after it. */
function isOver(signal: AbortSignal): boolean {
  return signal.aborted;
}

/** Waits (ms), or until the signal says to stop waiting. */
function sleep(time: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, time);
    signal.addEventListener('abort', done);
  });
}
