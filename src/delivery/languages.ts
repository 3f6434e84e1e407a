import { GERMAN } from './texts.de.js';
import { FRENCH } from './texts.fr.js';
import { ITALIAN } from './texts.it.js';
import { ENGLISH } from './texts.js';
import type { DeliveryTexts } from './texts.js';

/** A language that we speak, and all that we say in it. */
export interface Language {
  name: string;
  texts: DeliveryTexts;
}

const FIRST: Language = { name: 'en', texts: ENGLISH };
export const LANGUAGES: readonly Language[] = [
  FIRST,
  { name: 'de', texts: GERMAN },
  { name: 'fr', texts: FRENCH },
  { name: 'it', texts: ITALIAN },
];

/** That of a locale (`de-CH`, `de_CH`); English where we speak none of it. */
export function languageOf(locale: string | undefined): Language {
  return spoken(locale ?? '') ?? FIRST;
}

/** The one that a reader would have the most, by the header `Accept-Language` (RFC 9110, section 12.5.4). */
export function acceptedLanguage(header: string | undefined): Language {
  const accepted = (header ?? '')
    .slice(0, 1_000)
    .split(',')
    .map((range) => {
      const [name = '', weight = '1'] = range.split(/;\s*q=/i);
      return { language: spoken(name.trim()), weight: Number(weight) };
    })
    .filter(({ language, weight }) => language && weight > 0)
    .sort((one, other) => other.weight - one.weight);
  return accepted[0]?.language ?? FIRST;
}

function spoken(locale: string): Language | undefined {
  const [name] = locale.toLowerCase().split(/[-_]/);
  return LANGUAGES.find((language) => language.name === name);
}
