import { SeenAlerts } from './seen-alerts.js';

function storageWith(items: Record<string, string>): Storage {
  const kept = new Map(Object.entries(items));
  return {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  } as unknown as Storage;
}

describe('The alerts that a tab has seen', () => {
  it('are remembered over a reload', () => {
    const storage = storageWith({});
    const before = new SeenAlerts(() => storage);
    expect(before.has('a')).toBe(false);
    before.add(['a', 'b']);
    expect(['a', 'b', 'c'].map((id) => before.has(id))).toEqual([true, true, false]);

    const after = new SeenAlerts(() => storage);
    expect(['a', 'b', 'c'].map((id) => after.has(id))).toEqual([true, true, false]);
  });

  it('of two panels add up', () => {
    const storage = storageWith({});
    const [ann, bob] = [new SeenAlerts(() => storage), new SeenAlerts(() => storage)];
    ann.add(['a']);
    bob.add(['b']);
    const after = new SeenAlerts(() => storage);
    expect([after.has('a'), after.has('b')]).toEqual([true, true]);
  });

  it('are the last thousand', () => {
    const storage = storageWith({});
    const many = Array.from({ length: 1500 }, (_, index) => `id-${index}`);
    new SeenAlerts(() => storage).add(many);
    const after = new SeenAlerts(() => storage);
    expect([after.has('id-1499'), after.has('id-0')]).toEqual([true, false]);
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
  ])('are remembered until a reload where %s', (_, storage) => {
    const seen = new SeenAlerts(storage);
    expect(seen.has('a')).toBe(false);
    seen.add(['a']);
    expect(seen.has('a')).toBe(true);
  });
});
