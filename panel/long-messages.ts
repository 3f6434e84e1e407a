/** A message of no more lines is shown as a whole: folding it to twelve, as the styles do, must be worth a click. */
const LONG = 15;

/** Which messages are so long that their first lines have to do until somebody asks for all. */
export class LongMessages {
  private readonly long = new Set<string>();
  private readonly whole = new Set<string>();

  constructor(private readonly onChange: () => void) {}

  isLong(key: string): boolean {
    return this.long.has(key);
  }

  isWhole(key: string): boolean {
    return this.whole.has(key);
  }

  showWhole(key: string): void {
    if (!this.long.has(key) || this.whole.has(key)) return;
    this.whole.add(key);
    this.onChange();
  }

  /** Measures the messages that are shown, each of which bears its key. */
  measure(root: ParentNode): void {
    let hasChanged = false;
    const shown = [...root.querySelectorAll<HTMLElement>('[data-message]')];
    const [first] = shown;
    if (!first) return;
    const line = parseFloat(getComputedStyle(first).lineHeight) || 20;
    for (const message of shown) {
      const key = message.dataset['message'] ?? '';
      const isLong = message.scrollHeight > LONG * line;
      if (isLong === this.long.has(key)) continue;
      hasChanged = true;
      if (isLong) this.long.add(key);
      else this.long.delete(key);
    }
    if (hasChanged) this.onChange();
  }
}
