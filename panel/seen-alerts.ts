import type { Alert } from './alert.js';

const KEY = 'session-alerts:seen';
/** Alerts kept at most; what is older cannot be open any more, or does no harm when it opens the panel once again. */
const LIMIT = 1000;

/** When an alert last became graver (ms); 0 where it never did. */
export function escalatedAt({ escalated_date: date }: Alert): number {
  return (date !== null && Date.parse(date)) || 0;
}

/** What was not seen yet of some alerts. */
export interface Unseen {
  /** Those that were never seen. */
  unseen: Alert[];
  /** Those that were, and have become graver since. */
  graver: Alert[];
}

/**
 * Which alerts the panel has shown in this tab, and after which time that they became graver: each opens it by itself
 * once, and once more each time that it becomes graver, reloads included.
 */
export class SeenAlerts {
  /** By id, the last that were shown at the end. It is all that is remembered without storage, as in sandboxed frames. */
  private seen = new Map<string, number>();

  constructor(private readonly storage: () => Storage = () => sessionStorage) {}

  /** Takes note of alerts that are shown, and says what was not seen of them before. */
  see(alerts: readonly Alert[]): Unseen {
    if (alerts.every((alert) => (this.seen.get(alert.id) ?? -1) >= escalatedAt(alert))) {
      return { unseen: [], graver: [] };
    }
    const seen = new Map(this.seen);
    // Other panels of this tab write here too.
    for (const [id, moment] of this.stored()) seen.set(id, Math.max(moment, seen.get(id) ?? 0));
    const unseen = alerts.filter(({ id }) => !seen.has(id));
    const graver = alerts.filter((alert) => escalatedAt(alert) > (seen.get(alert.id) ?? Infinity));
    for (const alert of alerts) {
      const moment = Math.max(escalatedAt(alert), seen.get(alert.id) ?? 0);
      seen.delete(alert.id);
      seen.set(alert.id, moment);
    }
    const kept = [...seen].slice(-LIMIT);
    this.seen = new Map(kept);
    try {
      this.storage().setItem(KEY, JSON.stringify(kept));
    } catch {
      // Full or forbidden: `seen` has to do.
    }
    return { unseen, graver };
  }

  private stored(): [string, number][] {
    try {
      const entries: unknown = JSON.parse(this.storage().getItem(KEY) ?? '[]');
      return Array.isArray(entries) ? entries.filter(isEntry) : [];
    } catch {
      return [];
    }
  }
}

function isEntry(entry: unknown): entry is [string, number] {
  return Array.isArray(entry) && typeof entry[0] === 'string' && typeof entry[1] === 'number';
}
