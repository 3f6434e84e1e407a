import { notifyChange } from './transaction.statements.js';

describe('The notice of a change', () => {
  function noticesFor(userIds: string[]): string[] {
    const [statement] = notifyChange('process', new Set(userIds));
    return (statement?.values?.[0] ?? []) as string[];
  }

  it('is none where nobody sees a change', () => {
    expect(notifyChange('process', new Set())).toEqual([]);
  });

  it('names the process and the users', () => {
    expect(noticesFor(['jane', 'bob'])).toEqual(['process jane bob']);
  });

  it('is as many as PostgreSQL takes bytes, and leaves nobody out', () => {
    // Two and four bytes a character.
    const userIds = Array.from({ length: 3_000 }, (_, i) => `${'é😀'.repeat(i % 20)}user-${i}`);
    const notices = noticesFor(userIds);
    expect(notices.length).toBeGreaterThan(20);
    for (const notice of notices) expect(Buffer.byteLength(notice)).toBeLessThan(8_000);
    expect(notices.flatMap((notice) => notice.split(' ').slice(1))).toEqual(userIds);
    expect(new Set(notices.map((notice) => notice.split(' ')[0]))).toEqual(new Set(['process']));
  });
});
