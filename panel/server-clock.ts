/** How far the clocks may be apart before it counts (ms): `Date` says whole seconds only, and answers take a while. */
const SLACK = 2_000;

/**
 * The time as the server has it, by the `Date` of its answers: the times of alerts are the server's, and a computer
 * whose clock is wrong must neither call what is old new nor miss what has ended.
 */
export class ServerClock {
  private ahead = 0;

  /** Takes note of an answer to what was asked at a moment (ms, by this computer's clock). */
  hear(response: Response, asked: number): void {
    const written = response.headers.get('date');
    const date = written === null ? NaN : Date.parse(written);
    // Another origin may not let its headers be read.
    if (Number.isNaN(date)) return;
    const answered = Date.now();
    const ahead = date + 500 - (asked + answered) / 2;
    this.ahead = Math.abs(ahead) > SLACK + (answered - asked) / 2 ? ahead : 0;
  }

  /** What the server's clock shows at a moment (ms) of this computer's. */
  at(moment: number): number {
    return moment + this.ahead;
  }

  now(): number {
    return this.at(Date.now());
  }
}
