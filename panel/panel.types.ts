import type { GetToken } from './access-token.js';
import type { Alert } from './alert.js';
import type { Connection } from './connection.types.js';
import type { Problem } from './problem.js';
import type { SessionAlertsTextsOverride } from './texts.js';

/**
 * How far what is shown can be relied on: `connecting` as long as nothing is known of that; `live`; `polling`, which
 * may be seconds behind; `stale` where alerts do not reach the API any more; `down` where the API is out of reach.
 */
export type ShownState = Connection | 'stale';

/** Of `session-alerts-change`, each time one of the two has changed. */
export interface ChangeDetail {
  /** Number of open alerts; `null` as long as it is not known. */
  open: number | null;
  state: ShownState;
}

/** Of `session-alerts-dismiss`, once the API has taken a dismissal. */
export interface DismissDetail {
  alert: Alert;
}

/** Of `session-alerts-problem`, once for each kind of what only the page's developer can mend. */
export type ProblemDetail = Problem;

/** What `<session-alerts>` dispatches. */
export interface SessionAlertsEventMap {
  'session-alerts-change': CustomEvent<ChangeDetail>;
  'session-alerts-dismiss': CustomEvent<DismissDetail>;
  'session-alerts-problem': CustomEvent<ProblemDetail>;
}

/** `<session-alerts>` as a page sees it. */
export interface SessionAlertsElement extends HTMLElement {
  /** Address of the API; attribute `api`. Default: `/api/data`. */
  api: string;
  /** Only the alerts of this session; attribute `session-name`. Default: those of all the person's sessions. */
  sessionName: string;
  /**
   * Address of a session's page, with `{session}` where its name goes; attribute `session-href`. Where all sessions'
   * alerts are shown, the heading of each session leads there.
   */
  sessionHref: string;
  /** Of requests, as `fetch` takes them; attribute `credentials`. Default: `same-origin`. */
  credentials: RequestCredentials;
  /** Whether only the badge tells of news: the panel does not open by itself; attribute `quiet`. */
  quiet: boolean;
  /** Whether the tab's title and icon say how many alerts are open; attribute `tab-count`. */
  tabCount: boolean;
  /** Whether a person may turn on notifications while the tab is hidden; attribute `desktop-notifications`. */
  desktopNotifications: boolean;
  /**
   * Address of the service worker that shows web push, of the page's own origin; attribute `push-worker`. Without it
   * nobody can turn web push on here.
   */
  pushWorker: string;
  /** An access token. Setting another one connects anew with it. */
  token: string | undefined;
  /** Asked for a token before each request; wins over `token`. */
  getToken: GetToken | undefined;
  /** Texts in place of the panel's own. */
  texts: SessionAlertsTextsOverride;
  /** Whether the panel is open; attribute `open`. */
  open: boolean;
}
