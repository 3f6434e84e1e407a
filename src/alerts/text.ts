/** Longest user id, session name, event type and severity that are kept, in UTF-16 code units. */
export const LONGEST_NAME = 255;
export const LONGEST_TITLE = 500;
export const LONGEST_ACTION_LABEL = 60;
export const LONGEST_MESSAGE = 20_000;

const CUT_MARK = '… [cut]';

/** Text as PostgreSQL can hold it: NUL and lone surrogates become U+FFFD (rule 14). */
export function storable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\uFFFD');
}

/** Storable text of at most `longest` code units, with a mark where it was cut. */
export function capped(text: string, longest: number): string {
  if (text.length <= longest) return storable(text);
  const kept = text.slice(0, longest - CUT_MARK.length);
  // A pair that the cut went through leaves a lone half.
  return storable(kept.replace(/[\uD800-\uDBFF]$/, '')) + CUT_MARK;
}
