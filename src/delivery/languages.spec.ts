import { acceptedLanguage, LANGUAGES, languageOf } from './languages.js';
import { ENGLISH, fill, fillPlural } from './texts.js';
import type { PluralText } from './texts.js';

/** Each text by its place, with what is put into it; the forms for numbers are one. */
function placeholders(texts: object, path = ''): Record<string, string> {
  const entries = Object.entries(texts as Record<string, string | object>).map(([name, text]) => {
    if (typeof text !== 'string' && !('other' in text)) return placeholders(text, `${path}${name}.`);
    const forms = typeof text === 'string' ? [text] : Object.values(text as PluralText);
    const named = forms.map((form) => [...new Set(form.match(/\{\w+\}/g))].sort().join());
    return { [path + name]: [...new Set(named)].join(' or ') };
  });
  return Object.assign({}, ...entries) as Record<string, string>;
}

describe.each(LANGUAGES.map(({ name, texts }) => ({ name, texts })))(
  'The texts in $name',
  ({ name, texts }) => {
    it('are all there, each with what the English one has put in', () => {
      expect(placeholders(texts)).toEqual(placeholders(ENGLISH));
      expect(JSON.stringify(texts)).not.toContain('""');
    });

    it('have the forms that the language has for numbers that are shown', () => {
      for (const forms of [texts.subjectOfMore, texts.subjectOfMoreOver, texts.andMore]) {
        for (const count of [1, 2, 21, 500]) {
          expect(forms).toHaveProperty(new Intl.PluralRules(name).select(count));
        }
      }
    });

    it('are translated', () => {
      const same = Object.entries(texts).filter(([key, text]) => text === ENGLISH[key as 'why']);
      // French has the same word for a session.
      if (name !== 'en')
        expect(same.map(([key]) => key)).toEqual(name === 'fr' ? ['subject', 'session'] : []);
    });
  },
);

describe('A language', () => {
  it.each([
    ['de', 'de'],
    ['de-CH', 'de'],
    ['DE_ch', 'de'],
    ['fr-Latn-CH', 'fr'],
    ['it', 'it'],
    ['rm', 'en'],
    ['den', 'en'],
    ['', 'en'],
    [undefined, 'en'],
  ])('of %s is %s', (locale, expected) => {
    expect(languageOf(locale).name).toBe(expected);
  });

  it.each([
    ['de-CH,de;q=0.9,en;q=0.8', 'de'],
    ['rm, it;q=0.5, fr;q=0.7', 'fr'],
    ['de;q=0, it;q=0.1', 'it'],
    ['*', 'en'],
    ['fr;q=x', 'en'],
    [undefined, 'en'],
  ])('is chosen by Accept-Language: %s is %s', (header, expected) => {
    expect(acceptedLanguage(header).name).toBe(expected);
  });

  it('has its forms and its way to write numbers', () => {
    const say = (count: number, name: string) => fillPlural(languageOf(name).texts.andMore, count, name);
    expect([say(1, 'fr'), say(2, 'fr'), say(1, 'it'), say(2, 'it'), say(5_000, 'de')]).toEqual([
      ...['et 1 autre', 'et 2 autres', 'e 1 altro', 'e altri 2', 'und 5.000 weitere'],
    ]);
    expect(fill('{a} {b}', { a: '{b} $&' })).toBe('{b} $& {b}');
  });
});
