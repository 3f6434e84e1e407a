/** Embeddings, overrides and isolates, which reach beyond the text that they stand in. */
const CONTROLS = /[\u202A-\u202E\u2066-\u2069]/g;
/** Something that is written from right to left. */
const RIGHT_TO_LEFT = /[\u0590-\u08FF\uFB1D-\uFDFF\uFE70-\uFEFC]|[\u{10800}-\u{10FFF}\u{1E800}-\u{1EFFF}]/u;
const FIRST_STRONG_ISOLATE = '\u2068';
const POP_ISOLATE = '\u2069';

/**
 * People's text to be put into a sentence where there are no elements, as in an accessible name or a notification:
 * whatever its direction, it does not change that of the sentence.
 */
export function isolated(text: string): string {
  const plain = text.replace(CONTROLS, '');
  return RIGHT_TO_LEFT.test(plain) ? FIRST_STRONG_ISOLATE + plain + POP_ISOLATE : plain;
}
