import type { Alert } from './alert.js';
import { escalatedAt } from './seen-alerts.js';

/** How long a dismissal can be undone before it is sent (ms). */
export const UNDOABLE = 5_000;

/** How a dismissal has ended: the API has taken it, it was undone, or the alert has ended or become graver meanwhile. */
export type DismissalEnd = 'dismissed' | 'undone' | 'overtaken';

interface Pending {
  alert: Alert;
  timer: ReturnType<typeof setTimeout>;
  settle(end: DismissalEnd | Promise<DismissalEnd>): void;
}

/** A person's dismissals: each can be undone for some seconds, then it is sent. */
export class Dismissals {
  /** Ids of those that were sent, whether or not the API has answered yet. */
  readonly gone = new Set<string>();
  private readonly pending = new Map<string, Pending>();

  constructor(
    private readonly send: (id: string, leaving: boolean) => Promise<void>,
    private readonly onChange: () => void,
  ) {}

  /** Ids of those that can be undone. */
  get leaving(): Iterable<string> {
    return this.pending.keys();
  }

  begin(alert: Alert): Promise<DismissalEnd> {
    const { id } = alert;
    this.take(id)?.settle('undone');
    return new Promise((settle) => {
      const timer = setTimeout(() => {
        this.finish(id, false);
      }, UNDOABLE);
      this.pending.set(id, { alert, timer, settle });
      this.onChange();
    });
  }

  undo(id: string): void {
    const pending = this.take(id);
    if (!pending) return;
    pending.settle('undone');
    this.onChange();
  }

  /** Sends all that waits: the page is being left. */
  hurry(): void {
    for (const id of [...this.pending.keys()]) this.finish(id, true);
  }

  /**
   * Takes note of what is open: an alert that has ended needs no dismissal, and a graver one is not what was dismissed.
   *
   * @param isWhole whether these are all; otherwise one that is missing may be open all the same
   */
  hear(alerts: readonly Alert[], isWhole: boolean): void {
    const open = new Map(alerts.map((alert) => [alert.id, alert]));
    for (const [id, { alert }] of this.pending) {
      const now = open.get(id);
      if (now ? escalatedAt(now) > escalatedAt(alert) : isWhole) this.take(id)?.settle('overtaken');
    }
  }

  /** Another person's alerts come next. */
  forget(): void {
    this.gone.clear();
    for (const id of this.pending.keys()) this.take(id)?.settle('undone');
  }

  private finish(id: string, leaving: boolean): void {
    const pending = this.take(id);
    if (!pending) return;
    this.gone.add(id);
    this.onChange();
    pending.settle(
      this.send(id, leaving).then(
        () => 'dismissed',
        (error: unknown) => {
          this.gone.delete(id);
          this.onChange();
          throw error;
        },
      ),
    );
  }

  private take(id: string): Pending | undefined {
    const pending = this.pending.get(id);
    this.pending.delete(id);
    clearTimeout(pending?.timer);
    return pending;
  }
}
