import { GERMAN } from './texts.de.js';
import { FRENCH } from './texts.fr.js';
import { ITALIAN } from './texts.it.js';
import { ENGLISH, capitalized, completeTexts, fill, fillPlural } from './texts.js';

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

describe("The panel's texts", () => {
  it('are those of the language where the page replaces none', () => {
    expect(completeTexts(ENGLISH, {})).toEqual(ENGLISH);
  });

  it('can be replaced one by one, also within a group', () => {
    const texts = completeTexts(ENGLISH, { heading: 'Meldungen', reasons: { resolved: 'Vorbei' } });
    expect(texts).toEqual({
      ...ENGLISH,
      heading: 'Meldungen',
      reasons: { ...ENGLISH.reasons, resolved: 'Vorbei' },
    });
  });

  it('are in English where an older language has them not', () => {
    const { bellNew, ...older } = GERMAN;
    expect(completeTexts(older as typeof GERMAN, {})).toEqual({ ...GERMAN, bellNew: ENGLISH.bellNew });
    expect(bellNew).not.toEqual(ENGLISH.bellNew);
  });

  it('say what is put in, once and as it is', () => {
    expect(fill('{title} and {title}, {other}', { title: '{count} $& $1' })).toBe(
      '{count} $& $1 and {count} $& $1, {other}',
    );
  });

  it("use the language's forms for numbers", () => {
    const polish = {
      one: '{count} alert',
      few: '{count} alerty',
      many: '{count} alertów',
      other: '{count} alertu',
    };
    const say = (count: number) => fillPlural(polish, count, 'pl');
    expect([1, 2, 5, 22].map(say)).toEqual(['1 alert', '2 alerty', '5 alertów', '22 alerty']);
  });

  it('write large numbers as the language does', () => {
    const say = (language: string) => fillPlural({ other: '{count}' }, 50_000, language);
    expect(['en', 'de'].map(say)).toEqual(['50,000', '50.000']);
  });

  it('fall back on the general form', () => {
    expect(fillPlural({ other: 'all {count}' }, 1, 'en')).toBe('all 1');
    expect(fillPlural({ one: 'one', other: 'all {count}' }, 1, 'no_language')).toBe('all 1');
  });

  describe.each([
    ['de', GERMAN],
    ['fr', FRENCH],
    ['it', ITALIAN],
  ])('in %s', (language, texts) => {
    it('are all there, each with what the English one has put in', () => {
      expect(placeholders(texts)).toEqual(placeholders(ENGLISH));
    });

    it('are translated', () => {
      const same = Object.entries(texts).filter(
        ([name, text]) => typeof text === 'string' && text === ENGLISH[name as 'heading'],
      );
      // The word for a session is the same in French, and what consists of others alone in the other two.
      expect(same.map(([name]) => name)).toEqual([language === 'fr' ? 'session' : 'linkOf']);
    });

    it('have the forms that the language has for numbers that are shown', () => {
      const { showMore } = texts;
      for (const count of [1, 2, 21, 500]) {
        expect(showMore).toHaveProperty(new Intl.PluralRules(language).select(count));
      }
    });
  });

  it('begin with a capital where they stand alone', () => {
    expect(['warning', 'élevée', '', '𝓍'].map((text) => capitalized(text, 'en'))).toEqual([
      'Warning',
      'Élevée',
      '',
      '𝓍',
    ]);
  });
});
