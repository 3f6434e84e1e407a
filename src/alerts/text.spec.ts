import { capped, storable } from './text.js';

const LONE_HALF = '\uD83D';
const OTHER_HALF = '\uDE00';

describe('Text that PostgreSQL can hold', () => {
  it.each([
    ['plain text', 'Memory usage over 90% of capacity'],
    ['the empty text', ''],
    ['white space around it', '  \n\ttext\r\n '],
    ['control characters other than NUL', '\u0001\u0007\u001b[31m\u007f\u0085'],
    ['emoji, accents and other scripts', 'Mémoire élevée 🚨 高い 👩‍💻'],
    ['text from right to left', '‮rtl שלום مرحبا'],
    ['markup', '<script>alert(1)</script> & <b>bold</b> [link](javascript:alert(1))'],
    ['line separators and byte order marks', '\u2028\u2029\uFEFF'],
    ['U+FFFD itself', '\uFFFD'],
  ])('keeps %s', (_what, text) => {
    expect(storable(text)).toBe(text);
  });

  it.each([
    ['a NUL', 'a\0b', 'a\uFFFDb'],
    ['every NUL', '\0\0', '\uFFFD\uFFFD'],
    ['a lone first half', `a${LONE_HALF}b`, 'a\uFFFDb'],
    ['a lone second half', `a${OTHER_HALF}b`, 'a\uFFFDb'],
    ['halves in the wrong order', OTHER_HALF + LONE_HALF, '\uFFFD\uFFFD'],
    ['a half at the end', `a${LONE_HALF}`, 'a\uFFFD'],
  ])('has %s replaced', (_what, text, kept) => {
    expect(storable(text)).toBe(kept);
  });
});

describe('Text with a longest length', () => {
  it('is kept as it is up to that length', () => {
    expect(capped('x'.repeat(100), 100)).toBe('x'.repeat(100));
  });

  it('is cut beyond it, to that length, with a mark at its end', () => {
    const text = capped('x'.repeat(101), 100);
    expect(text).toHaveLength(100);
    expect(text).toMatch(/^x+… \[cut\]$/);
  });

  it('is never cut through a pair', () => {
    for (const shift of ['', 'x']) {
      const text = capped(shift + '😀'.repeat(100), 100);
      expect(text.isWellFormed()).toBe(true);
      expect(text).not.toContain('\uFFFD');
      expect(text).toMatch(/^x?(😀)+… \[cut\]$/u);
      expect(text.length).toBeLessThanOrEqual(100);
    }
  });

  it('has what PostgreSQL cannot hold replaced, cut or not', () => {
    expect(capped('a\0b', 100)).toBe('a\uFFFDb');
    expect(capped('\0'.repeat(200), 100)).toMatch(/^\uFFFD+… \[cut\]$/);
  });
});
