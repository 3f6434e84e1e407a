import { readFileSync, writeFileSync } from 'node:fs';
import { UsageError } from './usage-error.js';

/** Where figures begin and end in a document that is written by hand otherwise. */
const begin = (place: string): string => `<!-- bench: ${place} -->`;
const END = '<!-- bench: end -->';

/**
 * Puts texts in their places in a Markdown file.
 * @throws UsageError the file or a place is not there
 */
export function fillDocument(file: string, texts: ReadonlyMap<string, string>): void {
  writeFileSync(file, withTexts(readDocument(file), file, texts));
}

/** @throws UsageError the file or a place is not there */
export function checkDocument(file: string, places: string[]): void {
  withTexts(readDocument(file), file, new Map(places.map((place) => [place, ''])));
}

/** The document with these texts instead of what stands in their places. */
export function withTexts(document: string, file: string, texts: ReadonlyMap<string, string>): string {
  return [...texts].reduce((filled, [place, text]) => {
    const from = filled.indexOf(begin(place));
    const to = filled.indexOf(END, from);
    if (from < 0 || to < 0) {
      throw new UsageError(
        `${file} has no place for the figures: put the lines \`${begin(place)}\` and \`${END}\` where they belong.`,
      );
    }
    return `${filled.slice(0, from)}${begin(place)}\n\n${text}\n\n${filled.slice(to)}`;
  }, document);
}

function readDocument(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new UsageError(`${file} cannot be read: name a Markdown file that is there.`, { cause });
  }
}
