import { SteadyClicks } from './steady-clicks.js';

const at = (x: number, y: number) => ({ clientX: x, clientY: y }) as PointerEvent;
const click = (x: number, y: number, detail = 1) => ({ clientX: x, clientY: y, detail }) as MouseEvent;

describe('A click', () => {
  let row: string | undefined;
  let clicks: SteadyClicks;

  beforeEach(() => {
    jest.useFakeTimers();
    row = 'a';
    clicks = new SteadyClicks(() => row);
    clicks.track(at(50, 50));
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('counts where nothing has moved', () => {
    clicks.look();
    expect(clicks.isMistaken(click(50, 50))).toBe(false);
  });

  it('is mistaken within 400 ms after another row has come below the pointer', () => {
    row = 'b';
    clicks.look();
    expect(clicks.isMistaken(click(52, 50))).toBe(true);
    jest.advanceTimersByTime(399);
    expect(clicks.isMistaken(click(50, 50))).toBe(true);
    jest.advanceTimersByTime(1);
    expect(clicks.isMistaken(click(50, 50))).toBe(false);
  });

  it('is mistaken where the list has come below the pointer', () => {
    row = undefined;
    clicks.track(at(50, 50));
    row = 'a';
    clicks.look();
    expect(clicks.isMistaken(click(50, 50))).toBe(true);
  });

  it('counts where the pointer has gone elsewhere since', () => {
    row = 'b';
    clicks.look();
    expect(clicks.isMistaken(click(50, 120))).toBe(false);
  });

  it('is mistaken as the second of a double click', () => {
    expect(clicks.isMistaken(click(50, 50, 2))).toBe(true);
  });

  it('of the keyboard counts always', () => {
    row = 'b';
    clicks.look();
    expect(clicks.isMistaken(click(0, 0, 0))).toBe(false);
  });
});
