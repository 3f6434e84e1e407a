import type { Statement } from '../database/statement.js';

/** What has become of an alert that others may have to be told. */
export interface AlertNews {
  userId: string;
  alertId: string;
  transition: 'opened' | 'escalated';
  gravity: number;
  eventType: string | undefined;
  sessionName: string | null;
}

/** What a transaction does to alerts, for those whose statements leave with it. */
export interface AlertsNews {
  now: Date;
  news: AlertNews[];
  /** Ids of alerts that end, and whose they are. */
  ended: string[];
  endedUsers: string[];
}

/** What leaves with the transactions that change alerts; here nobody knows what it is. */
export abstract class Departures {
  /** None where nobody wants to know. */
  abstract with(news: AlertsNews): Statement[];
  /** What deletes all that is kept about a user elsewhere. */
  abstract ofErased(userId: string): Statement[];
}
