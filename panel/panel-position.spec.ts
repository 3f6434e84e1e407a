import { placePanel } from './panel-position.js';

const wide = { width: 1280, height: 800 };

function bellAt(left: number, top: number) {
  return { left, right: left + 36, top, bottom: top + 36 };
}

describe("The panel's place", () => {
  it('is below the bell, the ends of both in line', () => {
    expect(placePanel(bellAt(1200, 10), wide, 384, false)).toEqual({
      left: 1236 - 384,
      width: 384,
      maxHeight: 640,
      top: 54,
      bottom: undefined,
    });
  });

  it('is the mirrored one where text runs from right to left', () => {
    expect(placePanel(bellAt(100, 10), wide, 384, true)).toMatchObject({ left: 100 });
  });

  it('is never outside the window', () => {
    expect(placePanel(bellAt(20, 10), wide, 384, false)).toMatchObject({ left: 8 });
    expect(placePanel(bellAt(1200, 10), wide, 384, true)).toMatchObject({ left: 1280 - 8 - 384 });
  });

  it('is the whole width of a narrow window', () => {
    const phone = { width: 360, height: 640 };
    expect(placePanel(bellAt(310, 4), phone, 384, false)).toMatchObject({ left: 8, width: 344 });
  });

  it('is above a bell at the bottom', () => {
    expect(placePanel(bellAt(10, 750), wide, 384, false)).toMatchObject({
      top: undefined,
      bottom: 58,
      maxHeight: 640,
    });
  });
});
