import { languageOf } from './languages.js';

/** What a notice says besides the words of its alerts. */
export interface PushTexts {
  /** Of two or more. */
  alerts: (count: number) => string;
  over: (title: string) => string;
  /** Of two or more. */
  allOver: (count: number) => string;
  /** Of one or more that do not fit. */
  more: (count: number) => string;
}

/** Whichever way a title is written, what stands around it keeps its place. */
function isolated(title: string): string {
  return `\u2068${title}\u2069`;
}

const ENGLISH: PushTexts = {
  alerts: (count) => `${count} alerts`,
  over: (title) => `Over: ${isolated(title)}`,
  allOver: (count) => `${count} alerts are over`,
  more: (count) => `and ${count} more`,
};

const LANGUAGES: Readonly<Record<string, PushTexts>> = {
  en: ENGLISH,
  de: {
    alerts: (count) => `${count} Meldungen`,
    over: (title) => `Vorbei: ${isolated(title)}`,
    allOver: (count) => `${count} Meldungen sind vorbei`,
    more: (count) => `und ${count} weitere`,
  },
  fr: {
    alerts: (count) => `${count} alertes`,
    over: (title) => `Terminée : ${isolated(title)}`,
    allOver: (count) => `${count} alertes terminées`,
    more: (count) => (count === 1 ? 'et une autre' : `et ${count} autres`),
  },
  it: {
    alerts: (count) => `${count} avvisi`,
    over: (title) => `Terminato: ${isolated(title)}`,
    allOver: (count) => `${count} avvisi terminati`,
    more: (count) => (count === 1 ? 'e un altro' : `e altri ${count}`),
  },
};

/** The texts of a language (BCP 47), or the English ones. */
export function pushTextsIn(locale: string | undefined): PushTexts {
  return LANGUAGES[languageOf(locale).name] ?? ENGLISH;
}
