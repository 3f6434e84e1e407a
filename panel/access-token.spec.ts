import { readClaims } from './access-token.js';

function jwt(claims: unknown): string {
  const encode = (value: unknown) =>
    btoa(String.fromCharCode(...new TextEncoder().encode(JSON.stringify(value))))
      .replaceAll('+', '-')
      .replaceAll('/', '_')
      .replace(/=+$/, '');
  return `${encode({ alg: 'RS256' })}.${encode(claims)}.signature`;
}

describe('What a token says of itself', () => {
  it('is whose it is and when it ends', () => {
    expect(readClaims(jwt({ sub: 'Zoë?>~', exp: 1_700_000_000 }))).toEqual({
      sub: 'Zoë?>~',
      expires: 1_700_000_000_000,
    });
  });

  it.each([['opaque'], ['a.b.c'], ['..'], [''], [jwt(null)], [jwt({ sub: 1, exp: 'soon' })]])(
    'is nothing where it is %p',
    (token) => {
      expect(readClaims(token)).toEqual({});
    },
  );
});
