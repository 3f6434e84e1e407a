import { isolated } from './bidi.js';

describe("People's text in a sentence", () => {
  it.each(['High memory usage', 'Mémoire 95 %', '内存不足', ''])('stays as it is: %j', (text) => {
    expect(isolated(text)).toBe(text);
  });

  it.each(['זיכרון', 'ذاكرة عالية', 'volume ذاكرة', '𞤀𞤣'])('keeps its direction to itself: %j', (text) => {
    expect(isolated(text)).toBe(`\u2068${text}\u2069`);
  });

  it('has nothing that reaches beyond it', () => {
    expect(isolated('a\u202Eb\u2066c\u2069d\u202A')).toBe('abcd');
    expect(isolated('\u2069ا\u202E')).toBe('\u2068ا\u2069');
  });
});
