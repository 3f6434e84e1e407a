import { ENGLISH, completeTexts, fill, fillPlural } from './texts.js';

describe("The panel's texts", () => {
  it('are English where the page replaces none', () => {
    expect(completeTexts({})).toEqual(ENGLISH);
  });

  it('can be replaced one by one, also within a group', () => {
    const texts = completeTexts({ heading: 'Meldungen', reasons: { resolved: 'Vorbei' } });
    expect(texts).toEqual({
      ...ENGLISH,
      heading: 'Meldungen',
      reasons: { ...ENGLISH.reasons, resolved: 'Vorbei' },
    });
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
});
