import { isPoint, makeVapidKeys, publicKeyOf } from './vapid-keys.js';

describe('Keys of VAPID', () => {
  it('are as long as they have to be, and fit each other', () => {
    // One private key in 256 is a number with leading zeros.
    const pairs = Array.from({ length: 600 }, makeVapidKeys);
    expect(
      new Set(pairs.map(({ privateKey, publicKey }) => `${privateKey.length} ${publicKey.length}`)),
    ).toEqual(new Set(['43 87']));
    expect(pairs.filter(({ privateKey, publicKey }) => publicKeyOf(privateKey) !== publicKey)).toEqual([]);
  });

  it.each([
    ['zero', Buffer.alloc(32)],
    ['too great', Buffer.alloc(32, 255)],
    ['empty', Buffer.alloc(0)],
  ])('are none where the private one is %s', (_what, bytes) => {
    expect(publicKeyOf(bytes.toString('base64url'))).toBeUndefined();
  });

  it('tell a point of their curve from other bytes', () => {
    const point = Buffer.from(makeVapidKeys().publicKey, 'base64url');
    expect(isPoint(point)).toBe(true);
    const off = Buffer.from(point);
    off[64]! ^= 1;
    expect([off, point.subarray(1), Buffer.alloc(65), Buffer.alloc(0)].map(isPoint)).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });
});
