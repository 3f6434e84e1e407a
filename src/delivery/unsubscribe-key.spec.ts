import { readUnsubscribeKey, writeUnsubscribeKey } from './unsubscribe-key.js';

const secret = '0b5c6a1e-2f4d-4a6e-9a77-0d6f3d7f1a11';

describe('The key by which mail is turned off', () => {
  it.each(['jane', '0b5c6a1e-2f4d-4a6e-9a77-0d6f3d7f1a12', 'jäne@example.org', '😀'.repeat(255)])(
    'names its user (%s), and stands in an address as it is',
    (userId) => {
      const key = writeUnsubscribeKey({ userId, secret });
      expect(new URLSearchParams({ key }).toString()).toBe(`key=${key}`);
      expect(readUnsubscribeKey(key)).toEqual({ userId, secret });
    },
  );

  it.each([
    ...[
      '',
      secret,
      `.${secret}`,
      'amFuZQ.',
      'amFuZQ.short',
      `amFuZQ.${secret}.${secret}`,
      `amFuZQ.${secret}\n`,
    ],
    // A NUL, and what is longer than any id.
    ...[`AA.${secret}`, writeUnsubscribeKey({ userId: 'x'.repeat(256), secret })],
  ])('is not %j', (key) => {
    expect(readUnsubscribeKey(key)).toBeUndefined();
  });
});
