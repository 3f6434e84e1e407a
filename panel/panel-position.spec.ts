import { meet, placePanel } from './panel-position.js';
import type { Box, PanelPosition, Surroundings } from './panel-position.js';

const WIDE = { left: 0, top: 0, right: 1280, bottom: 800 };

function bellAt(left: number, top: number): Box {
  return { left, right: left + 36, top, bottom: top + 36 };
}

function place(change: Partial<Surroundings>): PanelPosition | undefined {
  const view = change.view ?? WIDE;
  return placePanel({
    bell: bellAt(1200, 10),
    view,
    windowHeight: view.bottom,
    width: 384,
    height: 500,
    rightToLeft: false,
    ...change,
  });
}

/** What a panel that wants a height of 500 takes in a window. */
function boxOf({ left, width, top, bottom, maxHeight }: PanelPosition, windowHeight: number): Box {
  const height = Math.min(500, maxHeight);
  const from = top ?? windowHeight - (bottom ?? 0) - height;
  return { left, right: left + width, top: from, bottom: from + height };
}

describe("The panel's place", () => {
  it('is below the bell, the ends of both in line', () => {
    expect(place({})).toEqual({
      left: 1236 - 384,
      width: 384,
      maxHeight: 640,
      top: 54,
      bottom: undefined,
    });
  });

  it('is the mirrored one where text runs from right to left', () => {
    expect(place({ bell: bellAt(100, 10), rightToLeft: true })).toMatchObject({ left: 100 });
  });

  it('is never outside the window', () => {
    expect(place({ bell: bellAt(20, 10) })).toMatchObject({ left: 8 });
    expect(place({ rightToLeft: true })).toMatchObject({ left: 1280 - 8 - 384 });
  });

  it('is the whole width of a narrow window', () => {
    const phone = { left: 0, top: 0, right: 360, bottom: 640 };
    expect(place({ bell: bellAt(310, 4), view: phone })).toMatchObject({ left: 8, width: 344 });
  });

  it('is above a bell at the bottom', () => {
    expect(place({ bell: bellAt(10, 750) })).toMatchObject({ top: undefined, bottom: 58, maxHeight: 640 });
  });

  it.each([
    ['above', bellAt(1200, -500), { top: 8, left: 852 }],
    ['below', bellAt(1200, 2000), { bottom: 8, left: 852 }],
    ['to the left', bellAt(-900, 10), { top: 54, left: 8 }],
    ['to the right', bellAt(3000, 10), { top: 54, left: 888 }],
  ])('is at the edge where the bell is scrolled away, %s', (_, bell, expected) => {
    expect(place({ bell })).toMatchObject(expected);
  });

  it('is in what is visible where the page is zoomed in or a keyboard covers half of it', () => {
    const view = { left: 300, top: 200, right: 700, bottom: 500 };
    const position = place({ view, windowHeight: 800, bell: bellAt(1200, 10) });
    const box = boxOf(position!, 800);
    expect(box.left).toBeGreaterThanOrEqual(view.left);
    expect(box.right).toBeLessThanOrEqual(view.right);
    expect(box.top).toBeGreaterThanOrEqual(view.top);
    expect(box.bottom).toBeLessThanOrEqual(view.bottom);
  });

  describe.each([1280, 1000, 375, 320])('beside what has the focus, in a window of %d', (width) => {
    const view = { left: 0, top: 0, right: width, bottom: 700 };
    const bell = bellAt(width - 44, 10);

    it.each([60, 200, 330, 450, 640])('at %d from the top', (top) => {
      const focus = { left: 20, right: width - 20, top, bottom: top + 40 };
      const position = place({ bell, view, focus });
      expect(position).toBeDefined();
      expect(meet(boxOf(position!, 700), focus)).toBe(false);
      expect(position?.maxHeight).toBeGreaterThanOrEqual(200);
    });

    it('is nowhere where there is no room left', () => {
      const low = { ...view, bottom: 180 };
      const focus = { left: 0, right: width, top: 70, bottom: 120 };
      expect(place({ bell, view: low, focus })).toBeUndefined();
    });
  });

  it('is where it would be where the focus is elsewhere', () => {
    const focus = { left: 20, right: 300, top: 300, bottom: 340 };
    expect(place({ focus })).toEqual(place({}));
  });

  it('is beside the focus, on the other side of the window, rather than low', () => {
    const focus = { left: 900, right: 1200, top: 200, bottom: 240 };
    const view = { ...WIDE, bottom: 420 };
    const position = place({ focus, view });
    expect(position).toMatchObject({ left: 8, top: 54 });
  });

  it('leaves most of an editor in sight that fills the window', () => {
    const focus = { left: 0, right: 1280, top: 50, bottom: 800 };
    const position = place({ focus });
    expect(position).toMatchObject({ left: 852, top: 54 });
    const narrow = { left: 0, top: 0, right: 320, bottom: 568 };
    const editor = { left: 0, right: 320, top: 50, bottom: 568 };
    const low = place({ focus: editor, view: narrow, bell: bellAt(276, 7) });
    expect(low!.maxHeight).toBeLessThanOrEqual(0.5 * 568);
    expect(low!.maxHeight).toBeGreaterThanOrEqual(200);
  });
});
