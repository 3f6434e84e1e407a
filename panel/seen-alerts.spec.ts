import { readAlerts } from './alert.js';
import type { Alert } from './alert.js';
import { SeenAlerts } from './seen-alerts.js';

function storageWith(items: Record<string, string>): Storage {
  const kept = new Map(Object.entries(items));
  return {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  } as unknown as Storage;
}

/** Alerts by their ids; those that have become graver with the minute of it behind: `a@5`. */
function alerts(...names: string[]): Alert[] {
  return names.map((name) => {
    const [id, minute] = name.split('@');
    return readAlerts([
      { id, title: 'x', ...(minute && { escalated_date: `2026-11-22T05:0${minute}:00.000Z` }) },
    ])[0]!;
  });
}

/** What was not seen yet, by ids; what has become graver with a mark. */
function see(seen: SeenAlerts, ...names: string[]): string[] {
  const { unseen, graver } = seen.see(alerts(...names));
  return [...unseen.map(({ id }) => id), ...graver.map(({ id }) => `${id}!`)];
}

describe('The alerts that a tab has seen', () => {
  it('are remembered over a reload', () => {
    const storage = storageWith({});
    const before = new SeenAlerts(() => storage);
    expect(see(before, 'a', 'b')).toEqual(['a', 'b']);
    expect(see(before, 'a', 'b', 'c')).toEqual(['c']);

    const after = new SeenAlerts(() => storage);
    expect(see(after, 'a', 'b', 'c', 'd')).toEqual(['d']);
  });

  it('are news once more each time that they become graver, and at no other', () => {
    const storage = storageWith({});
    const before = new SeenAlerts(() => storage);
    expect(see(before, 'a', 'b@1')).toEqual(['a', 'b']);
    expect(see(before, 'a@2', 'b@1')).toEqual(['a!']);
    expect(see(before, 'a@2', 'b@1')).toEqual([]);

    const after = new SeenAlerts(() => storage);
    expect(see(after, 'a@2', 'b@1')).toEqual([]);
    // An answer of before.
    expect(see(after, 'a', 'b@1')).toEqual([]);
    expect(see(after, 'a@2', 'b@3')).toEqual(['b!']);
  });

  it('are news neither where the moment is none', () => {
    const seen = new SeenAlerts(() => storageWith({}));
    const [alert] = alerts('a');
    seen.see([alert!]);
    expect(seen.see([{ ...alert!, escalated_date: 'yesterday' }])).toEqual({ unseen: [], graver: [] });
  });

  it('of two panels add up', () => {
    const storage = storageWith({});
    const [ann, bob] = [new SeenAlerts(() => storage), new SeenAlerts(() => storage)];
    see(ann, 'a', 'c');
    expect(see(bob, 'b', 'c')).toEqual(['b']);
    expect(see(ann, 'c@1')).toEqual(['c!']);
    expect(see(bob, 'c@1')).toEqual([]);
    const after = new SeenAlerts(() => storage);
    expect(see(after, 'a', 'b', 'c@1')).toEqual([]);
  });

  it('are the last thousand, of which what is still open is the last', () => {
    const storage = storageWith({});
    const seen = new SeenAlerts(() => storage);
    see(seen, 'open', 'over');
    for (let count = 0; count < 1500; count += 100) {
      see(seen, 'open', ...Array.from({ length: 100 }, (_, index) => `id-${count + index}`));
    }
    const after = new SeenAlerts(() => storage);
    expect(see(after, 'open', 'over', 'id-0', 'id-1499')).toEqual(['over', 'id-0']);
  });

  it.each([
    [
      'there is no storage',
      () => {
        throw new Error('SecurityError');
      },
    ],
    ['what is stored is not ours', () => storageWith({ 'session-alerts:seen': '{"a"' })],
    ['what is stored is no list', () => storageWith({ 'session-alerts:seen': '{}' })],
    [
      'what is stored is a list of something else',
      () => storageWith({ 'session-alerts:seen': '["a",["a"]]' }),
    ],
  ])('are remembered until a reload where %s', (_, storage) => {
    const seen = new SeenAlerts(storage);
    expect(see(seen, 'a')).toEqual(['a']);
    expect(see(seen, 'a')).toEqual([]);
  });
});
