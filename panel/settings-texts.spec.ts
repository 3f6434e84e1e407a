import { TEXTS as GERMAN } from './settings-texts.de.js';
import { TEXTS as ENGLISH } from './settings-texts.en.js';
import { TEXTS as FRENCH } from './settings-texts.fr.js';
import { TEXTS as ITALIAN } from './settings-texts.it.js';

/** Each text by its place, with what is put into it. */
function placeholders(texts: object, path = ''): Record<string, string> {
  return Object.assign(
    {},
    ...Object.entries(texts).map(([name, text]: [string, unknown]) =>
      typeof text === 'string'
        ? { [`${path}${name}`]: [...new Set(text.match(/\{\w+\}/g))].sort().join() }
        : placeholders(text as object, `${path}${name}.`),
    ),
  ) as Record<string, string>;
}

describe("The settings' texts", () => {
  it.each([
    ['de', GERMAN],
    ['fr', FRENCH],
    ['it', ITALIAN],
  ])('are all there and translated in %s, each with what the English one has put in', (language, texts) => {
    expect(placeholders(texts)).toEqual(placeholders(ENGLISH));
    const same = Object.entries(texts).filter(
      ([name, text]) => typeof text === 'string' && text === ENGLISH[name as 'save'],
    );
    expect(same.map(([name]) => name)).toEqual(language === 'it' ? ['email'] : []);
  });

  it.each([ENGLISH, GERMAN, FRENCH, ITALIAN])('name a button in full as it says', (texts) => {
    expect(texts.muteAlert.startsWith(texts.mute)).toBe(true);
    expect(texts.unmuteAlert.startsWith(texts.unmute)).toBe(true);
    expect(texts.fromOf.toLowerCase()).toContain(texts.from.toLowerCase());
  });
});
