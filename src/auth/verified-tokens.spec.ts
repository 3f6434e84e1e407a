import { generateKeyPairSync } from 'node:crypto';
import { VerifiedTokens } from './verified-tokens.js';
import type { VerifiedToken } from './verified-tokens.js';

describe('The tokens that were verified', () => {
  const { publicKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const now = Math.floor(Date.now() / 1000);
  let tokens: VerifiedTokens;

  beforeEach(() => {
    tokens = new VerifiedTokens();
  });

  function verified(id: string, expiresAt = now + 300): VerifiedToken {
    return { user: { id, roles: [] }, signer: { kid: 'one', algorithms: ['ES256'], key }, expiresAt };
  }

  it('are known by all their bytes', () => {
    const janes = verified('jane');
    tokens.remember('header.claims.signature', janes);
    expect(tokens.find('header.claims.signature', now * 1000)).toBe(janes);
    for (const other of ['', 'header.claims', 'header.claims.signaturE', 'header.claims.signature ']) {
      expect(tokens.find(other, now * 1000)).toBeUndefined();
    }
  });

  it('are forgotten in the second in which they expire', () => {
    tokens.remember('token', verified('jane', now + 300));
    expect(tokens.find('token', (now + 299) * 1000 + 999)).toBeDefined();
    expect(tokens.find('token', (now + 300) * 1000)).toBeUndefined();
  });

  it('are at most ten thousand, and the oldest go', () => {
    for (let number = 0; number <= 10_000; number++) tokens.remember(`token ${number}`, verified('jane'));
    expect(tokens.find('token 0', now * 1000)).toBeUndefined();
    expect(tokens.find('token 1', now * 1000)).toBeDefined();
    expect(tokens.find('token 10000', now * 1000)).toBeDefined();
  });
});
