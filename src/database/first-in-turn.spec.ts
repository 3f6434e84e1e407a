import { firstInTurn } from './first-in-turn.js';

const never = (): Promise<string> => new Promise(() => undefined);
const failing = (message: string) => () => Promise.reject(new Error(message));

describe('Of several attempts', () => {
  it('the first that succeeds is taken, and none is begun after it', async () => {
    const last = jest.fn(never);
    expect(await firstInTurn([failing('one'), () => Promise.resolve('two'), last], 1_000)).toBe('two');
    expect(last).not.toHaveBeenCalled();
  });

  it('one that is silent is not waited for, and still taken where it is the only one', async () => {
    expect(await firstInTurn([never, () => Promise.resolve('two')], 10)).toBe('two');
    let succeed = (_: string): void => undefined;
    const slow = new Promise<string>((resolve) => {
      succeed = resolve;
    });
    const failed = jest.fn(failing('two'));
    const first = firstInTurn([() => slow, failed], 10);
    while (failed.mock.calls.length === 0) await new Promise(setImmediate);
    succeed('one');
    expect(await first).toBe('one');
  });

  it('where all have failed, the failures of all are told', async () => {
    await expect(firstInTurn([failing('one'), failing('two')], 1_000)).rejects.toMatchObject({
      errors: [{ message: 'one' }, { message: 'two' }],
    });
  });
});
