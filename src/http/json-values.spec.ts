import { JsonValues } from './json-values.js';

describe('How many values a JSON text has', () => {
  function countOf(...chunks: string[]): number {
    const values = new JsonValues();
    for (const chunk of chunks) values.add(Buffer.from(chunk));
    return values.count;
  }

  it.each([
    ['{}', 1],
    ['[[],[]]', 4],
    ['{"a":1,"b":[2,3]}', 4],
    [String.raw`{"a,[{":"\",[{\\","b":"\\\","}`, 2],
    ['"🚨,🚨"', 0],
  ])('%s: %i', (text, count) => {
    expect(countOf(text)).toBe(count);
    expect(countOf(...Array.from(text))).toBe(count);
  });
});
