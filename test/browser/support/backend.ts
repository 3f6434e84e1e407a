/** What a test tells Alertmanager's side: an alert's own words, and whose it is. */
export interface FiredAlert {
  user: string;
  session: string;
  /** `alertname`: with user and session it says which alert it is. */
  name: string;
  title?: string;
  message?: string;
  severity?: string;
  runbookUrl?: string;
  kind?: 'condition' | 'event';
}

/** Which alert is meant. */
export type AlertName = Pick<FiredAlert, 'user' | 'session' | 'name'>;

/** A server with the API that the panel lives on. */
export interface Backend {
  /** Origin, without a slash at its end. The API is at `/api/data`. */
  readonly url: string;
  /** An access token of a user; a lifetime (s) that is negative makes an expired one. */
  token(user: string, lifetime?: number): Promise<string>;
  fire(...alerts: FiredAlert[]): Promise<void>;
  resolve(...alerts: AlertName[]): Promise<void>;
  /** The watchdog alert comes, or has stopped coming. */
  setFeed(status: 'ok' | 'stale' | 'unknown'): Promise<void>;
  /** Ends every connection and refuses new ones. */
  stop(): Promise<void>;
  /** Comes back at the same address, with all that it knew. */
  start(): Promise<void>;
  close(): Promise<void>;
}
