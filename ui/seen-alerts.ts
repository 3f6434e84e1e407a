const KEY = 'session-alerts:seen';
/** Ids kept at most; what is older cannot be open any more, or does no harm when it opens the panel once again. */
const LIMIT = 1000;

/** Which alerts the panel has shown in this tab, so that each opens it by itself once, reloads included. */
export class SeenAlerts {
  /** All that is remembered where there is no storage, as in sandboxed frames. */
  private readonly here = new Set<string>();

  constructor(private readonly storage: () => Storage = () => sessionStorage) {}

  has(id: string): boolean {
    return this.here.has(id) || this.stored().includes(id);
  }

  add(ids: readonly string[]): void {
    if (ids.every((id) => this.here.has(id))) return;
    for (const id of ids) this.here.add(id);
    // Other panels of this tab write here too.
    const all = [...new Set([...this.stored(), ...ids])];
    try {
      this.storage().setItem(KEY, JSON.stringify(all.slice(-LIMIT)));
    } catch {
      // Full or forbidden: `here` has to do.
    }
  }

  private stored(): unknown[] {
    try {
      const ids: unknown = JSON.parse(this.storage().getItem(KEY) ?? '[]');
      return Array.isArray(ids) ? ids : [];
    } catch {
      return [];
    }
  }
}
