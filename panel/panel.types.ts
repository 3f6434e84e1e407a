import type { GetToken } from './access-token.js';
import type { Alert } from './alert.js';
import type { Connection } from './alerts-client.js';
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

/** Of `session-alerts-problem`: what keeps the panel from asking the API, and what to set. */
export interface ProblemDetail {
  kind: 'address' | 'token' | 'cors' | 'unauthorized';
  message: string;
}

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
  /** Where an alert's session is, with `{session}` for its name; attribute `session-href`. Default: none. */
  sessionHref: string;
  /** Of requests, as `fetch` takes them; attribute `credentials`. Default: `same-origin`. */
  credentials: RequestCredentials;
  /** An access token. Setting another one connects anew with it. */
  token: string | undefined;
  /** Asked for a token before each request; wins over `token`. */
  getToken: GetToken | undefined;
  /** Texts in place of the English ones. */
  texts: SessionAlertsTextsOverride;
  /** Whether the panel is open; attribute `open`. */
  open: boolean;
  /** Whether the panel never opens by itself; attribute `quiet`. */
  quiet: boolean;
  /** Whether the title of the page counts the alerts; attribute `tab-count`. */
  tabCount: boolean;
  /** Whether new alerts are desktop notifications as well; attribute `desktop-notifications`. */
  desktopNotifications: boolean;
}
