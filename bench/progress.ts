/** Says on stderr what runs and how long is left, roughly. */
export class Progress {
  private readonly startedAt = performance.now();
  /** Seconds expected of the parts that are done, by the plan. */
  private done = 0;
  private current: string | undefined;

  /** @param plan how long each part is expected to take (s) */
  constructor(private readonly plan: ReadonlyMap<string, number>) {}

  begin(part: string): void {
    this.current = part;
  }

  end(part: string): void {
    this.done += this.plan.get(part) ?? 0;
    this.current = undefined;
  }

  /** @param share how much of the current part is done */
  step(text: string, share = 0): void {
    const total = [...this.plan.values()].reduce((sum, seconds) => sum + seconds, 0);
    const expected =
      this.done + share * (this.current === undefined ? 0 : (this.plan.get(this.current) ?? 0));
    const elapsed = (performance.now() - this.startedAt) / 1000;
    // The machine may be slower or faster than the plan, which shows only after a while.
    const pace = expected > 10 ? elapsed / expected : 1;
    const left = Math.max(0, total - expected) * pace;
    const line = `[${clock(elapsed)}, about ${clock(left)} left] ${this.current ?? 'run'}: ${text}`;
    process.stderr.write(process.stderr.isTTY ? `\r\u001b[K${line}` : `${line}\n`);
  }

  /** Something that stays on the screen. */
  say(sentence: string): void {
    this.finish();
    process.stderr.write(`${sentence}\n`);
  }

  finish(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  }
}

function clock(seconds: number): string {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${`${whole % 60}`.padStart(2, '0')}`;
}
