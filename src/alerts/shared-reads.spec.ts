import { setImmediate } from 'node:timers/promises';
import { SharedReads } from './shared-reads.js';

describe('SharedReads', () => {
  /** The keys of each read, and how it ends. */
  let reads: { keys: string[]; answer: () => void; fail: (error: Error) => void }[];
  let shared: SharedReads<string>;

  beforeEach(() => {
    reads = [];
    shared = new SharedReads<string>(
      (keys) =>
        new Promise((resolve, reject) => {
          reads.push({
            keys,
            answer: () => {
              resolve(keys.map((key) => `${key} in read ${reads.length}`));
            },
            fail: reject,
          });
        }),
      3,
    );
  });

  /** Lets what waits go on. */
  async function settled(): Promise<void> {
    // The next read begins a turn of the event loop after the last.
    for (let turn = 0; turn < 2; turn++) await setImmediate();
  }

  it('reads at once where nothing is under way', () => {
    void shared.get('ann');
    expect(reads.map(({ keys }) => keys)).toEqual([['ann']]);
  });

  it('reads together what came meanwhile, and gives each its own', async () => {
    const ann = shared.get('ann');
    const bob = shared.get('bob');
    const eve = shared.get('eve');
    expect(reads).toHaveLength(1);
    reads[0]!.answer();
    await expect(ann).resolves.toBe('ann in read 1');
    await settled();
    expect(reads[1]!.keys).toEqual(['bob', 'eve']);
    reads[1]!.answer();
    await expect(Promise.all([bob, eve])).resolves.toEqual(['bob in read 2', 'eve in read 2']);
  });

  it('reads anew for who asks while the same is being read: it may have changed since', async () => {
    const first = shared.get('ann');
    const second = shared.get('ann');
    const third = shared.get('ann');
    reads[0]!.answer();
    await expect(first).resolves.toBe('ann in read 1');
    await settled();
    expect(reads[1]!.keys).toEqual(['ann']);
    reads[1]!.answer();
    await expect(Promise.all([second, third])).resolves.toEqual(['ann in read 2', 'ann in read 2']);
  });

  it('reads no more than so many together, those who came first before the others', async () => {
    const all = ['ann', 'b', 'c', 'd', 'e'].map((key) => shared.get(key));
    reads[0]!.answer();
    await settled();
    expect(reads[1]!.keys).toEqual(['b', 'c', 'd']);
    reads[1]!.answer();
    await settled();
    expect(reads[2]!.keys).toEqual(['e']);
    reads[2]!.answer();
    await expect(Promise.all(all)).resolves.toEqual([
      'ann in read 1',
      'b in read 2',
      'c in read 2',
      'd in read 2',
      'e in read 3',
    ]);
  });

  it('tells all who waited for a read that failed, and goes on', async () => {
    const ann = shared.get('ann');
    const others = Promise.allSettled([shared.get('bob'), shared.get('eve')]);
    reads[0]!.answer();
    await ann;
    await settled();
    const late = shared.get('late');
    const failure = new Error('no database');
    reads[1]!.fail(failure);
    const reason = { status: 'rejected', reason: failure };
    expect(await others).toEqual([reason, reason]);
    await settled();
    reads[2]!.answer();
    await expect(late).resolves.toBe('late in read 3');
    await settled();
    void shared.get('ann');
    expect(reads).toHaveLength(4);
  });
});
