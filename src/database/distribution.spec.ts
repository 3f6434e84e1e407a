import { forEachOf } from './distribution.js';

describe('Work that is done for each', () => {
  it('is done a few at a time, and its results are in order', async () => {
    let underWay = 0;
    let most = 0;
    const all = Array.from({ length: 10 }, (_, index) => index);
    const results = await forEachOf(all, async (one) => {
      most = Math.max(most, ++underWay);
      for (let turn = 0; turn <= 10 - one; turn++) await Promise.resolve();
      underWay--;
      return -one;
    });
    expect(results).toEqual(all.map((one) => -one));
    expect(most).toBe(4);
  });

  it('is none for nobody', async () => {
    expect(await forEachOf([], () => Promise.reject(new Error('asked')))).toEqual([]);
  });

  it('fails where one fails', async () => {
    const failing = forEachOf([1, 2], (one) =>
      one === 2 ? Promise.reject(new Error('the second')) : Promise.resolve(),
    );
    await expect(failing).rejects.toThrow('the second');
  });
});
