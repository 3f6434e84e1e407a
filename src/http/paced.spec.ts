import { paced } from './paced.js';

describe('A look that costs more than asking for it', () => {
  let now: number;
  let looks: { resolve: (seen: string) => void; reject: (error: Error) => void }[];
  let ask: () => Promise<string>;

  beforeEach(() => {
    jest.useFakeTimers();
    now = 0;
    jest.spyOn(performance, 'now').mockImplementation(() => now);
    looks = [];
    ask = paced(() => new Promise<string>((resolve, reject) => looks.push({ resolve, reject })), 10);
  });
  afterEach(() => {
    jest.useRealTimers();
    jest.restoreAllMocks();
  });

  it('is shared by those who ask meanwhile', async () => {
    const answers = Promise.all([ask(), ask(), ask()]);
    looks[0]?.resolve('seen');
    expect(await answers).toEqual(['seen', 'seen', 'seen']);
    expect(looks).toHaveLength(1);
  });

  it('serves for ten times as long as it took', async () => {
    const first = ask();
    now = 20;
    looks[0]?.resolve('seen');
    await first;
    jest.advanceTimersByTime(199);
    expect(await ask()).toBe('seen');
    jest.advanceTimersByTime(1);
    const second = ask();
    looks[1]?.resolve('seen anew');
    expect(await second).toBe('seen anew');
  });

  it('serves for ten seconds at most', async () => {
    const first = ask();
    now = 60_000;
    looks[0]?.resolve('seen');
    await first;
    jest.advanceTimersByTime(10_000);
    void ask();
    expect(looks).toHaveLength(2);
  });

  it('is made again where it failed', async () => {
    const first = ask();
    looks[0]?.reject(new Error('away'));
    await expect(first).rejects.toThrow('away');
    void ask();
    expect(looks).toHaveLength(2);
  });
});
