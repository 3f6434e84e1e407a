import type { Alert } from './alert.js';
import { SeenAlerts, escalatedAt } from './seen-alerts.js';

/** What a person has to be told of a change. */
export interface News {
  opened: readonly Alert[];
  graver: readonly Alert[];
  ended: readonly Alert[];
}

/**
 * Tells what is news in each state of a person's open alerts. Of very many the first are listed only: what is no
 * longer among them may be open all the same, and what comes among them may have been open for long.
 */
export class AlertNews {
  private readonly seen = new SeenAlerts();
  private before: readonly Alert[] = [];
  private wasWhole = true;
  /** When the last of all that was ever listed opened or became graver (ms). */
  private newest = 0;

  /** Another person's or session's alerts come next. */
  reset(): void {
    this.before = [];
    this.wasWhole = true;
    this.newest = 0;
  }

  /** @param total how many alerts are open, which may be more than are listed */
  take(alerts: readonly Alert[], total: number): News {
    const { before, wasWhole, newest } = this;
    const isWhole = total <= alerts.length;
    this.before = alerts;
    this.wasWhole = isWhole;
    this.newest = alerts.reduce((last, alert) => Math.max(last, momentOf(alert)), newest);

    const { unseen, graver } = this.seen.see(alerts);
    const ids = new Set(alerts.map(({ id }) => id));
    return {
      opened: wasWhole ? unseen : unseen.filter((alert) => momentOf(alert) > newest),
      graver,
      ended: isWhole ? before.filter(({ id }) => !ids.has(id)) : [],
    };
  }
}

/** When an alert was last news (ms). */
function momentOf(alert: Alert): number {
  return Math.max(Date.parse(alert.creation_date) || 0, escalatedAt(alert));
}
