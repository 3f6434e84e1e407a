import { alertFingerprint, seriesKey } from './name-based-id.js';

// They are in every database: what they are made of cannot change. By hand: the last 13 hex digits of the first 32 of
//   printf '["series","jane","jane-1","af76dc6588fad5c9"]' | sha256sum
describe('Name-based ids', () => {
  it('of a series are what they always were', () => {
    expect(seriesKey('jane', 'jane-1', 'af76dc6588fad5c9')).toBe(0x9786122a77468);
  });

  it('of an alert are what they always were', () => {
    expect(alertFingerprint('jane', null, 'a "quote"')).toBe(0xe31f9c54a6182);
  });

  it('tell names apart, however they are split', () => {
    expect(alertFingerprint('jane', 'a', 'b,c')).not.toBe(alertFingerprint('jane', 'a,b', 'c'));
  });
});
