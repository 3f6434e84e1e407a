/** Clicks so soon after the list has moved (ms) were meant for what stood there before. */
const SETTLED = 400;
/** A pointer that has gone no further than this (px) is where it was. */
const STILL = 8;

interface Point {
  x: number;
  y: number;
}

/** Tells clicks that were not meant for what they hit: the second of a double click, and those on what has just moved. */
export class SteadyClicks {
  private pointer: Point | undefined;
  /** What was below the pointer. */
  private below: string | undefined;
  /** Where the pointer was when something else came below it, and when (ms). */
  private moved: { at: Point; time: number } | undefined;

  /** @param rowAt names the row of the list at a point; undefined where there is none */
  constructor(private readonly rowAt: (point: Point) => string | undefined) {}

  readonly track = ({ clientX: x, clientY: y }: PointerEvent): void => {
    this.pointer = { x, y };
    this.below = this.rowAt(this.pointer);
  };

  /** What is shown may have changed. */
  look(): void {
    const { pointer } = this;
    if (!pointer) return;
    const below = this.rowAt(pointer);
    if (below !== undefined && below !== this.below) this.moved = { at: pointer, time: performance.now() };
    this.below = below;
  }

  /** Whether a click was not meant for what it has hit. Clicks of the keyboard always are. */
  isMistaken({ detail, clientX: x, clientY: y }: MouseEvent): boolean {
    if (detail > 1) return true;
    if (detail === 0 || !this.moved) return false;
    const { at, time } = this.moved;
    return performance.now() - time < SETTLED && Math.hypot(x - at.x, y - at.y) <= STILL;
  }
}
