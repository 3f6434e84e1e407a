import { alertFingerprint, seriesIdentity } from './name-based-id.js';

// They are in every database: what they are made of cannot change. By hand: the first 16 bytes of
//   printf '["series","jane","jane-1","af76dc6588fad5c9"]' | sha256sum
// with version 8 and the variant of RFC 9562 set.
describe('Name-based ids', () => {
  it('of a series are what they always were', () => {
    expect(seriesIdentity('jane', 'jane-1', 'af76dc6588fad5c9')).toBe('a5f1b582-60fa-8050-8ac9-786122a77468');
  });

  it('of an alert are what they always were', () => {
    expect(alertFingerprint('jane', null, 'a "quote"')).toBe('f3a568e4-a24b-8d95-842e-31f9c54a6182');
  });

  it('tell names apart, however they are split', () => {
    expect(alertFingerprint('jane', 'a', 'b,c')).not.toBe(alertFingerprint('jane', 'a,b', 'c'));
  });
});
