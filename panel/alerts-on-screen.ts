import type { Alert } from './alert.js';

/** An alert that was on screen for so long (ms) has been read. */
const READ = 1_000;
/** Of an alert, or of the place where alerts are listed, so much has to be in sight. */
const IN_SIGHT = 0.5;

/** An alert as it was read: one that has become graver since has yet to be. */
export function readingOf({ id, escalated_date: graver }: Pick<Alert, 'id' | 'escalated_date'>): string {
  return `${id} ${graver ?? ''}`;
}

/** Tells which alerts of the list a person has had before their eyes. */
export class AlertsOnScreen {
  /** By `readingOf`, those that were on screen for a second. */
  readonly read = new Set<string>();
  private observer: IntersectionObserver | undefined;
  private readonly watched = new Map<HTMLElement, string>();
  private readonly timers = new Map<string, ReturnType<typeof setTimeout>>();

  constructor(private readonly onRead: () => void) {}

  /** Watches these rows of a scrolled list, each of which bears its alert's reading. */
  watch(list: Element, rows: Iterable<HTMLElement>): void {
    this.observer ??= new IntersectionObserver(
      (entries) => {
        for (const entry of entries) this.see(entry);
      },
      { root: list, threshold: [0, 0.25, IN_SIGHT, 0.75, 1] },
    );
    const current = new Set<Element>(rows);
    for (const [row, reading] of this.watched) {
      if (!current.has(row) || row.dataset['reading'] !== reading) this.forget(row, reading);
    }
    for (const row of rows) {
      if (this.watched.has(row)) continue;
      this.watched.set(row, row.dataset['reading'] ?? '');
      this.observer.observe(row);
    }
  }

  /** Nothing is on screen any more. */
  stop(): void {
    this.observer?.disconnect();
    this.observer = undefined;
    this.watched.clear();
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.timers.clear();
  }

  private see({ target, intersectionRatio, intersectionRect, rootBounds }: IntersectionObserverEntry): void {
    const row = target as HTMLElement;
    const id = this.watched.get(row);
    if (id === undefined || this.read.has(id)) return;
    const isInSight =
      intersectionRatio >= IN_SIGHT || intersectionRect.height >= IN_SIGHT * (rootBounds?.height ?? Infinity);
    if (!isInSight) {
      this.leave(id);
    } else if (!this.timers.has(id)) {
      this.timers.set(
        id,
        setTimeout(() => {
          this.timers.delete(id);
          if (document.visibilityState === 'visible') this.read.add(id);
          // Looked at anew, which happens in a page that is drawn.
          else this.forget(row, id);
          this.onRead();
        }, READ),
      );
    }
  }

  private forget(row: HTMLElement, id: string): void {
    this.observer?.unobserve(row);
    this.watched.delete(row);
    this.leave(id);
  }

  private leave(id: string): void {
    clearTimeout(this.timers.get(id));
    this.timers.delete(id);
  }
}
