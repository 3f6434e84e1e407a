import type { Alert } from './alert.js';
import { UnexpectedAnswerError } from './alerts-api.js';
import { escalatedAt } from './seen-alerts.js';

/** Between two reports (ms). */
const PAUSE = 1_000;
/** What is read at once goes together (ms). */
const TOGETHER = 50;
/** Alerts of one report at most. */
const MOST = 100;

/** Reports what a person has had before their eyes: each alert once, and once more where it has become graver. */
export class SeenReports {
  /** By id, what was reported or is about to be, and when that last became graver (ms). */
  private readonly reported = new Map<string, number>();
  private readonly waiting = new Map<string, number>();
  private sending: ReturnType<typeof setTimeout> | undefined;
  private lastSent = -Infinity;
  private isUnknown = false;

  /**
   * @param post sends ids
   * @param onUnknown the server knows nothing of it, and is not told again
   */
  constructor(
    private readonly post: (ids: string[]) => Promise<unknown>,
    private readonly onUnknown: () => void,
  ) {}

  /** What is given again goes along only where it has not come through. */
  add(alerts: readonly Alert[]): void {
    if (this.isUnknown) return;
    for (const alert of alerts) {
      if (this.reported.get(alert.id) !== escalatedAt(alert)) this.waiting.set(alert.id, escalatedAt(alert));
    }
    this.sendInTime();
  }

  private sendInTime(): void {
    if (this.waiting.size === 0) return;
    const pause = Math.max(TOGETHER, this.lastSent + PAUSE - performance.now());
    this.sending ??= setTimeout(() => void this.send(), pause);
  }

  private async send(): Promise<void> {
    const batch = [...this.waiting].slice(0, MOST);
    let hasWorked = false;
    try {
      // The next change comes at the latest with the connection.
      if (!isOnline()) return;
      this.lastSent = performance.now();
      for (const [id, moment] of batch) {
        this.waiting.delete(id);
        this.reported.set(id, moment);
      }
      await this.post(batch.map(([id]) => id));
      hasWorked = true;
    } catch (error) {
      if (error instanceof UnexpectedAnswerError && [404, 405].includes(error.status)) {
        this.isUnknown = true;
        this.onUnknown();
      }
      for (const [id] of batch) this.reported.delete(id);
    } finally {
      this.sending = undefined;
    }
    if (hasWorked) this.sendInTime();
  }
}

/** Node does not say, and browsers are wrong at most where they say yes. */
function isOnline(): boolean {
  return (globalThis.navigator as Navigator | undefined)?.onLine !== false;
}
