import { addLanguage, knownLanguage, textsOf } from './languages.js';
import { GERMAN } from './texts.de.js';
import { ENGLISH } from './texts.js';

describe("The panel's language", () => {
  it.each([
    ['de', 'de'],
    ['de-CH-1901', 'de'],
    ['FR-ca', 'fr'],
    ['it', 'it'],
    ['en-GB', 'en'],
    ['ja', undefined],
    ['den', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('of a page in %j is %j', (page, expected) => {
    expect(knownLanguage(page)).toBe(expected);
  });

  it('is loaded when it is needed, once', async () => {
    const texts = await new Promise((resolve) => {
      const loaded = (): void => {
        resolve(textsOf('de', () => undefined));
      };
      expect(textsOf('de', loaded)).toBeUndefined();
      expect(textsOf('de', loaded)).toBeUndefined();
    });
    expect(texts).toBe(GERMAN);
    expect(textsOf('en', () => undefined)).toBe(ENGLISH);
  });

  it('can be added, whole or to be loaded', async () => {
    addLanguage('pt-BR', { ...ENGLISH, heading: 'Alertas' });
    expect(knownLanguage('pt-br')).toBe('pt-br');
    expect(knownLanguage('pt')).toBeUndefined();
    expect(textsOf('pt-br', () => undefined)?.heading).toBe('Alertas');

    addLanguage('es', () => Promise.resolve({ ...ENGLISH, heading: 'Avisos' }));
    await new Promise<void>((resolve) => {
      textsOf('es', resolve);
    });
    expect(textsOf('es', () => undefined)?.heading).toBe('Avisos');
  });

  it('is English where it cannot be loaded, which is said once', async () => {
    const warned = jest.spyOn(console, 'warn').mockReturnValue();
    addLanguage('nl', () => Promise.reject(new Error('offline')));
    await new Promise<void>((resolve) => {
      textsOf('nl', resolve);
      textsOf('nl', () => undefined);
    });
    expect(textsOf('nl', () => undefined)).toBe(ENGLISH);
    expect(warned).toHaveBeenCalledTimes(1);
    warned.mockRestore();
  });
});
