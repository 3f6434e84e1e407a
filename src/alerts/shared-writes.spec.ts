import { setImmediate } from 'node:timers/promises';
import { SharedWrites, WritesFullError } from './shared-writes.js';
import type { SharedWritesLimits } from './shared-writes.js';

/** A write that is under way until the test ends it. */
interface Write {
  requests: string[];
  /** Only its commit is waited for, for so long (ms). */
  decide(passing?: number): Promise<void>;
  succeed(): Promise<void>;
  fail(error: Error): Promise<void>;
}

/** What may be the fault of one request. */
class BadRequest extends Error {}

describe('Writes that wait for each other', () => {
  /** All that were begun, in their order. */
  let begun: Write[];
  /** What each request was answered, or why not, in the order of the answers. */
  let answers: [request: string, answer: unknown][];
  let writes: SharedWrites<string, string>;

  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
    limitTo({ mostWaiting: 100, mostTogether: 10, patience: 5 });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  function limitTo(limits: SharedWritesLimits): void {
    begun = [];
    answers = [];
    writes = new SharedWrites<string, string>(
      (requests, isDecided) =>
        new Promise((resolve, reject) => {
          begun.push({
            requests,
            decide: (passing = 5) => {
              isDecided();
              jest.advanceTimersByTime(passing);
              return untilSettled();
            },
            succeed: () => {
              resolve(requests.map((request) => `${request} is written`));
              return untilSettled();
            },
            fail: (error) => {
              reject(error);
              return untilSettled();
            },
          });
        }),
      (error) => error instanceof BadRequest,
      // `jane 1` and `jane 2` are about the same.
      (request) => [request.split(' ')[0] ?? ''],
      limits,
    );
  }

  /** Lets everything happen that waits for nothing but its turn. */
  async function untilSettled(): Promise<void> {
    // The next write begins two turns of the event loop after the last.
    for (let turn = 0; turn < 3; turn++) await setImmediate();
  }

  async function submit(requests: string[], weight = 1): Promise<void> {
    for (const request of requests) {
      void writes.submit(request, weight).then(
        (answer) => answers.push([request, answer]),
        (reason: unknown) => answers.push([request, reason]),
      );
    }
    await untilSettled();
  }

  function wereWritten(): string[][] {
    return begun.map(({ requests }) => requests);
  }

  it('lets the first one go at once, by itself', async () => {
    const answer = writes.submit('a', 1);
    expect(wereWritten()).toEqual([['a']]);
    void begun[0]!.succeed();
    expect(await answer).toBe('a is written');
  });

  it('lets what comes during a write go together after it, in the order in which it came', async () => {
    await submit(['a']);
    await submit(['b', 'c']);
    await submit(['d']);
    expect(wereWritten()).toEqual([['a']]);
    await begun[0]!.succeed();
    expect(wereWritten()).toEqual([['a'], ['b', 'c', 'd']]);
  });

  it('takes along what comes while the last ones are answered', async () => {
    await submit(['a']);
    await submit(['b']);
    void begun[0]!.succeed();
    for (let turn = 0; turn < 2; turn++) await setImmediate();
    expect(answers).toEqual([['a', 'a is written']]);
    await submit(['c']);
    expect(wereWritten()).toEqual([['a'], ['b', 'c']]);
  });

  it('goes on for as long as something comes, and begins anew after a rest', async () => {
    await submit(['a']);
    await submit(['b']);
    await begun[0]!.succeed();
    await submit(['c']);
    await begun[1]!.succeed();
    await begun[2]!.succeed();
    await submit(['d']);
    await submit(['e']);
    expect(wereWritten()).toEqual([['a'], ['b'], ['c'], ['d']]);
    await begun[3]!.succeed();
    expect(wereWritten()).toEqual([['a'], ['b'], ['c'], ['d'], ['e']]);
  });

  it('never has two writes that are being decided', async () => {
    await submit(['a']);
    await submit(['b'], 10);
    await submit(['c'], 10);
    for (let ended = 0; ended < 3; ended++) {
      expect(begun).toHaveLength(ended + 1);
      await begun[ended]!.succeed();
    }
    expect(begun).toHaveLength(3);
  });

  it('begins the next one while the last has only to be committed', async () => {
    await submit(['a']);
    await submit(['b', 'c']);
    await begun[0]!.decide();
    expect(wereWritten()).toEqual([['a'], ['b', 'c']]);
    // There are no more than two.
    await begun[1]!.decide();
    await submit(['d']);
    expect(begun).toHaveLength(2);
    await begun[1]!.succeed();
    expect(wereWritten()).toEqual([['a'], ['b', 'c'], ['d']]);
    expect(answers).toEqual([
      ['b', 'b is written'],
      ['c', 'c is written'],
    ]);
    await begun[0]!.succeed();
    expect(answers).toContainEqual(['a', 'a is written']);
  });

  it('lets at most two be under way, and begins the next when one of them has ended', async () => {
    await submit(['a']);
    await begun[0]!.decide();
    await submit(['b']);
    await submit(['c']);
    expect(wereWritten()).toEqual([['a'], ['b']]);
    await begun[0]!.succeed();
    expect(begun).toHaveLength(2);
    await begun[1]!.decide();
    expect(wereWritten()).toEqual([['a'], ['b'], ['c']]);
  });

  it('lets what comes go together with what waits where the commit is fast', async () => {
    await submit(['a']);
    await submit(['b']);
    await begun[0]!.decide(4);
    await submit(['c']);
    expect(wereWritten()).toEqual([['a']]);
    await begun[0]!.succeed();
    expect(wereWritten()).toEqual([['a'], ['b', 'c']]);
  });

  it('keeps what is about the same apart from what is under way, and lets others pass', async () => {
    await submit(['jane 1']);
    await submit(['jane 2', 'ann 1', 'jane 3']);
    await begun[0]!.decide();
    expect(wereWritten()).toEqual([['jane 1'], ['ann 1']]);
    await begun[1]!.succeed();
    expect(begun).toHaveLength(2);
    await begun[0]!.succeed();
    expect(wereWritten()).toEqual([['jane 1'], ['ann 1'], ['jane 2', 'jane 3']]);
  });

  it('goes on where what had only to be committed fails', async () => {
    await submit(['a']);
    await begun[0]!.decide();
    await submit(['b']);
    await begun[0]!.fail(new Error('The disk is full'));
    await begun[1]!.succeed();
    await submit(['c']);
    expect(wereWritten()).toEqual([['a'], ['b'], ['c']]);
    expect(answers).toEqual([
      ['a', new Error('The disk is full')],
      ['b', 'b is written'],
    ]);
  });

  it('gives each request its own answer, and none before its write has ended', async () => {
    await submit(['a']);
    await submit(['b', 'c']);
    expect(answers).toEqual([]);
    await begun[0]!.succeed();
    expect(answers).toEqual([['a', 'a is written']]);
    await begun[1]!.succeed();
    expect(answers).toEqual([
      ['a', 'a is written'],
      ['b', 'b is written'],
      ['c', 'c is written'],
    ]);
  });

  describe('the most that goes together', () => {
    it('is reached, and not passed', async () => {
      await submit(['first']);
      await submit(['a', 'b', 'c', 'd'], 4);
      await submit(['e'], 6);
      for (let ended = 0; ended < 4; ended++) await begun[ended]!.succeed();
      // 4 + 4 (+ 4), 4 + 4 (+ 6), 6
      expect(wereWritten()).toEqual([['first'], ['a', 'b'], ['c', 'd'], ['e']]);
    });

    it('may be reached exactly', async () => {
      await submit(['first']);
      await submit(['a', 'b', 'c'], 5);
      await begun[0]!.succeed();
      expect(wereWritten().at(-1)).toEqual(['a', 'b']);
    });

    it('lets one that is heavier by itself go alone', async () => {
      await submit(['first']);
      await submit(['light']);
      await submit(['heavy'], 11);
      await submit(['after', 'it']);
      for (let ended = 0; ended < 4; ended++) await begun[ended]!.succeed();
      expect(wereWritten()).toEqual([['first'], ['light'], ['heavy'], ['after', 'it']]);
      expect(answers).toHaveLength(5);
    });

    it('lets nothing light overtake something heavy', async () => {
      await submit(['first']);
      await submit(['a'], 6);
      await submit(['heavy'], 9);
      await submit(['b'], 1);
      await begun[0]!.succeed();
      await begun[1]!.succeed();
      // `b` would have fitted beside `a`.
      expect(wereWritten()).toEqual([['first'], ['a'], ['heavy', 'b']]);
    });
  });

  describe('a write that fails', () => {
    const bad = new BadRequest('b cannot be written');
    const away = new Error('The database is away');

    it('tries each by itself where one may be to blame, and refuses only that one', async () => {
      await submit(['first']);
      await submit(['a', 'b', 'c']);
      await begun[0]!.succeed();
      await begun[1]!.fail(bad);
      expect(wereWritten().slice(1)).toEqual([['a', 'b', 'c'], ['a']]);
      expect(answers).toEqual([['first', 'first is written']]);
      await begun[2]!.succeed();
      await begun[3]!.fail(bad);
      await begun[4]!.succeed();
      expect(wereWritten().slice(1)).toEqual([['a', 'b', 'c'], ['a'], ['b'], ['c']]);
      expect(answers.slice(1)).toEqual([
        ['a', 'a is written'],
        ['b', bad],
        ['c', 'c is written'],
      ]);
    });

    it('keeps what came meanwhile waiting until each has been tried', async () => {
      await submit(['first']);
      await submit(['a', 'b']);
      await begun[0]!.succeed();
      await submit(['later']);
      await begun[1]!.fail(bad);
      await begun[2]!.succeed();
      await submit(['latest']);
      await begun[3]!.fail(bad);
      expect(wereWritten().slice(1)).toEqual([['a', 'b'], ['a'], ['b'], ['later', 'latest']]);
    });

    it('tries no more of them when one fails for which none is to blame', async () => {
      await submit(['first']);
      await submit(['a', 'b', 'c']);
      await begun[0]!.succeed();
      await begun[1]!.fail(bad);
      await begun[2]!.fail(away);
      expect(wereWritten().slice(1)).toEqual([['a', 'b', 'c'], ['a']]);
      expect(answers.slice(1)).toEqual([
        ['a', away],
        ['b', away],
        ['c', away],
      ]);
    });

    it('does not try one again that was alone', async () => {
      await submit(['a']);
      await begun[0]!.fail(bad);
      expect(wereWritten()).toEqual([['a']]);
      expect(answers).toEqual([['a', bad]]);
    });

    it('refuses all of them where none is to blame, and writes what comes after', async () => {
      await submit(['first']);
      await submit(['a', 'b']);
      await begun[0]!.succeed();
      await submit(['c']);
      await begun[1]!.fail(away);
      expect(answers.slice(1)).toEqual([
        ['a', away],
        ['b', away],
      ]);
      expect(wereWritten().slice(1)).toEqual([['a', 'b'], ['c']]);
      await begun[2]!.succeed();
      expect(answers.at(-1)).toEqual(['c', 'c is written']);
    });

    it('may fail by throwing at once', async () => {
      const failing = new SharedWrites<string, string>(
        () => {
          throw away;
        },
        () => false,
        (request) => [request],
        { mostWaiting: 10, mostTogether: 10, patience: 5 },
      );
      await expect(failing.submit('a', 1)).rejects.toBe(away);
      await expect(failing.submit('b', 1)).rejects.toBe(away);
    });
  });

  describe('when too much waits', () => {
    beforeEach(() => {
      limitTo({ mostWaiting: 10, mostTogether: 6, patience: 5 });
    });

    it('refuses what comes, at once and unwritten', async () => {
      await submit(['first']);
      await submit(['a', 'b'], 5);
      expect(writes.isFull).toBe(true);
      await submit(['c']);
      expect(answers).toEqual([['c', expect.any(WritesFullError)]]);
      for (let ended = 0; ended < 3; ended++) await begun[ended]!.succeed();
      expect(wereWritten()).toEqual([['first'], ['a'], ['b']]);
    });

    it('lets in what goes on with what it has let in before', async () => {
      await submit(['first']);
      await submit(['a', 'b'], 5);
      const rest = writes.submit('rest of first', 5, true);
      for (let ended = 0; ended < 4; ended++) {
        await untilSettled();
        await begun[ended]!.succeed();
      }
      await expect(rest).resolves.toBe('rest of first is written');
      expect(wereWritten()).toEqual([['first'], ['a'], ['b'], ['rest of first']]);
    });

    it('counts what waits alone, not what is being written', async () => {
      await submit(['first'], 50);
      expect(writes.isFull).toBe(false);
      await submit(['a'], 9);
      expect(writes.isFull).toBe(false);
      await submit(['b'], 1);
      expect(writes.isFull).toBe(true);
      expect(answers).toEqual([]);
    });

    it('has room again when the next write has begun', async () => {
      await submit(['first']);
      await submit(['a', 'b'], 5);
      await begun[0]!.succeed();
      expect(writes.isFull).toBe(false);
      await submit(['c'], 5);
      expect(writes.isFull).toBe(true);
      await submit(['d']);
      expect(answers.at(-1)).toEqual(['d', expect.any(WritesFullError)]);
      await begun[1]!.succeed();
      await begun[2]!.succeed();
      await begun[3]!.succeed();
      expect(wereWritten()).toEqual([['first'], ['a'], ['b'], ['c']]);
    });

    it('takes one that is heavier than all that may wait while there is room', async () => {
      await submit(['first']);
      await submit(['heavy'], 1_000);
      expect(answers).toEqual([]);
      expect(writes.isFull).toBe(true);
      await begun[0]!.succeed();
      expect(wereWritten()).toEqual([['first'], ['heavy']]);
      expect(writes.isFull).toBe(false);
    });

    it('has room again after failures too', async () => {
      await submit(['first']);
      await submit(['a', 'b'], 5);
      await begun[0]!.fail(new Error('away'));
      await begun[1]!.fail(new BadRequest('a'));
      await begun[2]!.fail(new BadRequest('b'));
      expect(writes.isFull).toBe(false);
      await submit(['c']);
      expect(wereWritten().at(-1)).toEqual(['c']);
    });
  });
});
