import { AlertsClient, NOTHING_KNOWN } from './alerts-client.js';
import type { AlertsState } from './alerts-client.js';
import type { Alert, OpenAlerts } from './alert.js';
import type { AlertsApiOptions } from './alerts-api.js';
import type { DismissalEnd } from './dismissals.js';
import type { Problem, ProblemKind } from './problem.js';

/** How often one session's alerts are asked for apart, where the whole list is too long to have all of them (ms). */
const APART = 1_000;

/** What a panel wants to be told. */
export interface PageAlertsEvents {
  change(): void;
  problem(problem: Problem): void;
}

/** The connections of a page by API and person. */
const connections = new Map<string, Connection>();
/** What the console was told. */
const logged = new Set<string>();

/**
 * The alerts that one panel shows. The panels of a page that show the same person's alerts, of one session or of all,
 * share one connection to the API: over HTTP/1.1 a browser has six for all of a page.
 */
export class PageAlerts {
  /** Whether the alerts are followed although nobody sees the page. */
  private whileHidden = false;
  private connection: Connection | undefined;
  /** What was known, and of whom, when the connection was left. */
  private remembered: { person: string | undefined; state: AlertsState } | undefined;

  constructor(
    readonly options: AlertsApiOptions,
    readonly events: PageAlertsEvents,
  ) {}

  get state(): AlertsState {
    const { connection, remembered } = this;
    const state = connection?.stateOf(this.options.sessionName) ?? NOTHING_KNOWN;
    if (state.alerts || !remembered || !(connection?.mayBe(remembered.person) ?? true)) return state;
    return { ...remembered.state, connection: state.connection, feed: state.feed };
  }

  /** The time (ms) by the server's clock. */
  now(): number {
    return this.connection?.client.now() ?? Date.now();
  }

  start(): void {
    new Connection(this).start();
  }

  stop(): void {
    if (this.state.alerts) this.remembered = { person: this.connection?.person, state: this.state };
    this.connection?.remove(this);
    this.connection = undefined;
  }

  /** Connects anew, as whoever the tokens now name. */
  reconnect(): void {
    if (!this.connection) return;
    if (this.connection.isShared) {
      this.stop();
      this.start();
    } else {
      this.connection.client.reconnect();
    }
  }

  get keepsUpWhileHidden(): boolean {
    return this.whileHidden;
  }

  set keepsUpWhileHidden(value: boolean) {
    if (value === this.whileHidden) return;
    this.whileHidden = value;
    this.connection?.onVisibility();
  }

  /** As `AlertsClient.dismiss`. */
  dismiss(alert: Alert): Promise<DismissalEnd> {
    return this.connection?.client.dismiss(alert) ?? Promise.resolve('undone');
  }

  undo(id: string): void {
    this.connection?.client.undo(id);
  }

  /** Whether an alert has gone because it was dismissed in this page. */
  wasDismissed(id: string): boolean {
    return this.connection?.client.wasDismissed(id) ?? false;
  }

  /** As `AlertsClient.see`. Where it cannot be loaded or sent, the next change calls again. */
  see(alerts: readonly Alert[]): void {
    this.connection?.client.see(alerts).catch(() => undefined);
  }

  /** A call of the API, of what is loaded on demand. */
  async call(path: string, method: string, body?: unknown): Promise<unknown> {
    return this.connection?.client.call(path, method, body);
  }

  /** What ended in the last so many ms, the last ended first. */
  async history(lately: number): Promise<Alert[]> {
    return (await this.connection?.client.history(this.options.sessionName, lately)) ?? [];
  }

  /** Shares a connection from now on. */
  join(connection: Connection): void {
    this.connection = connection;
    this.events.change();
  }

  /** Finds the connection of whoever the tokens now name, and knows nothing of the person before. */
  joinAnew(): void {
    this.remembered = undefined;
    this.start();
    this.events.change();
  }
}

/** One connection of a page, and the panels that share it. */
class Connection {
  readonly client: AlertsClient;
  private readonly panels = new Set<PageAlerts>();
  /** Whose alerts these are; undefined as long as that is not known. */
  person: string | undefined;
  private readonly told = new Set<ProblemKind>();
  /** Where the whole list is too long: the alerts of each session that a panel shows. */
  private readonly apart = new Map<string, OpenAlerts>();
  private askingApart: ReturnType<typeof setTimeout> | undefined;

  constructor(first: PageAlerts) {
    const { api, sessionName, credentials } = first.options;
    this.client = new AlertsClient(
      {
        api,
        sessionName,
        credentials,
        getToken: (options) => {
          const [panel] = this.panels;
          return panel?.options.getToken(options) ?? '';
        },
      },
      {
        change: () => {
          this.lookApart();
          this.tellPanels();
        },
        person: (person) => {
          this.claim(JSON.stringify([api, credentials, person]));
        },
        otherPerson: () => {
          this.release();
          if (this.isShared) this.scatter();
        },
        problem: (kind, cause) => {
          void this.complain(kind, api, cause);
        },
      },
    );
    this.add(first);
  }

  get isShared(): boolean {
    return this.panels.size > 1;
  }

  /** Whether these may be a person's alerts. */
  mayBe(person: string | undefined): boolean {
    return this.person === undefined || this.person === person;
  }

  start(): void {
    document.addEventListener('visibilitychange', this.onVisibility);
    window.addEventListener('online', this.onOnline);
    window.addEventListener('pagehide', this.onLeave);
    this.onVisibility();
    this.client.start();
  }

  remove(panel: PageAlerts): void {
    this.panels.delete(panel);
    if (this.panels.size === 0) this.stop();
    else this.onVisibility();
  }

  readonly onVisibility = (): void => {
    const isVisible = document.visibilityState === 'visible';
    // Many a browser ends a hidden page without another word.
    if (!isVisible) this.client.leave();
    this.client.setVisible(isVisible || [...this.panels].some((panel) => panel.keepsUpWhileHidden));
  };

  /** What a panel of one session knows, or one of all where that is an empty text. */
  stateOf(sessionName: string): AlertsState {
    const { state } = this.client;
    const { alerts, session, total } = state;
    if (session === sessionName || !alerts) return state;
    if (session !== '') return { ...state, alerts: undefined, total: 0 };
    const own = alerts.filter((alert) => alert.session_name === sessionName);
    if (alerts.length >= total) return { ...state, alerts: own, total: own.length };
    const apart = this.apart.get(sessionName) ?? { alerts: [], total: 0 };
    // What was dismissed since they were asked for is gone; what is leaving stays in its place until then.
    const open = apart.alerts.filter(({ id }) => !this.client.wasDismissed(id));
    const isOwn = new Set(own.map(({ id }) => id));
    const others = open.filter(({ id }) => !isOwn.has(id));
    const gone = apart.alerts.length - open.length;
    return { ...state, alerts: [...own, ...others], total: Math.max(apart.total - gone, own.length) };
  }

  private readonly onOnline = (): void => {
    this.client.hurry();
  };

  private readonly onLeave = (): void => {
    this.client.leave();
  };

  private add(panel: PageAlerts): void {
    this.panels.add(panel);
    panel.join(this);
    const { sessionName } = panel.options;
    if (this.client.session !== '' && this.client.session !== sessionName) this.client.setSession('');
    this.onVisibility();
  }

  private stop(): void {
    document.removeEventListener('visibilitychange', this.onVisibility);
    window.removeEventListener('online', this.onOnline);
    window.removeEventListener('pagehide', this.onLeave);
    clearTimeout(this.askingApart);
    this.release();
    this.client.stop();
  }

  private release(): void {
    if (this.person !== undefined) connections.delete(this.person);
    this.person = undefined;
  }

  /** It is known now whose connection this is: there is one for each person. */
  private claim(person: string): void {
    if (this.panels.size === 0) return;
    const other = connections.get(person);
    if (!other) {
      this.person = person;
      connections.set(person, this);
      return;
    }
    const panels = [...this.panels];
    this.panels.clear();
    this.stop();
    for (const panel of panels) other.add(panel);
  }

  /** The panels may not be one person's any more: each finds its own connection. */
  private scatter(): void {
    const panels = [...this.panels];
    this.panels.clear();
    this.stop();
    for (const panel of panels) panel.joinAnew();
  }

  private tellPanels(): void {
    for (const panel of this.panels) panel.events.change();
  }

  /** Asks for the alerts of each session of which the list may not have all. */
  private lookApart(): void {
    const { alerts, session, total, connection } = this.client.state;
    const isWhole = session !== '' || alerts === undefined || alerts.length >= total;
    if (isWhole || connection === 'down') {
      if (isWhole) this.apart.clear();
      return;
    }
    this.askingApart ??= setTimeout(() => void this.askApart(), this.apart.size === 0 ? 0 : APART);
  }

  private async askApart(): Promise<void> {
    const sessions = new Set([...this.panels].map(({ options }) => options.sessionName).filter(Boolean));
    for (const session of sessions) {
      // The next change asks again.
      const open = await this.client.openOf(session).catch(() => undefined);
      if (open) this.apart.set(session, open);
    }
    this.askingApart = undefined;
    if (sessions.size > 0) this.tellPanels();
  }

  /** The words for it are loaded where they are needed, which in a page that works they never are. */
  private async complain(kind: ProblemKind, api: string, cause: unknown): Promise<void> {
    if (this.told.has(kind)) return;
    this.told.add(kind);
    const { PROBLEMS } = await import('./problem-texts.js');
    const message = PROBLEMS[kind](api);
    const isNew = !logged.has(message);
    logged.add(message);
    if (isNew) console.warn(`<session-alerts>: ${message}`, ...(cause === undefined ? [] : [cause]));
    for (const panel of this.panels) panel.events.problem({ kind, message });
  }
}
