import { ENGLISH } from './texts.js';
import type { SessionAlertsTexts } from './texts.js';

/** The texts of a language, or how to load them. */
export type LanguageTexts = SessionAlertsTexts | (() => Promise<SessionAlertsTexts>);

/** By language, as a BCP 47 tag begins with it, in small letters. */
const languages = new Map<string, LanguageTexts>([
  ['en', ENGLISH],
  ['de', async () => (await import('./texts.de.js')).GERMAN],
  ['fr', async () => (await import('./texts.fr.js')).FRENCH],
  ['it', async () => (await import('./texts.it.js')).ITALIAN],
]);

const loading = new Map<string, Promise<void>>();

/** Adds a language, or replaces one, for panels whose `lang` names it (`pt` for `pt-BR` as well, or `pt-BR` alone). */
export function addLanguage(language: string, texts: LanguageTexts): void {
  languages.set(language.toLowerCase(), texts);
}

/** The language that the panel speaks where the page is in another: its tag, if the panel knows it. */
export function knownLanguage(tag: string | undefined): string | undefined {
  for (let name = tag?.toLowerCase() ?? ''; name; name = name.slice(0, Math.max(0, name.lastIndexOf('-')))) {
    if (languages.has(name)) return name;
  }
  return undefined;
}

/**
 * The texts of a language that the panel knows; undefined while they are being loaded.
 *
 * @param onLoaded called once they are, or cannot be and English stands in
 */
export function textsOf(language: string, onLoaded: () => void): SessionAlertsTexts | undefined {
  const texts = languages.get(language) ?? ENGLISH;
  if (typeof texts !== 'function') return texts;
  let loaded = loading.get(language);
  if (!loaded) {
    loaded = texts().then(
      (found) => void languages.set(language, found),
      (error: unknown) => {
        console.warn(
          `<session-alerts>: the texts for "${language}" cannot be loaded; English stands in.`,
          error,
        );
        languages.set(language, ENGLISH);
      },
    );
    loading.set(language, loaded);
  }
  void loaded.then(onLoaded);
  return undefined;
}
