import { severityName, severityWord } from './alert-templates.js';
import type { Wording } from './alert-templates.js';
import type { News } from './alert-news.js';
import type { Alert } from './alert.js';
import { isolated } from './bidi.js';
import { severityOf } from './severity.js';
import { fillPlural } from './texts.js';
import type { PluralText } from './texts.js';

/** What a screen reader is told. */
export interface Said {
  text: string;
  /** Whether it interrupts what is being read. */
  urgent: boolean;
  /** Ids of the alerts that are news in it. */
  news: readonly string[];
}

export const NOTHING_SAID: Said = { text: '', urgent: false, news: [] };

/** Between two announcements (ms). */
const PAUSE = 1_000;
/** What was said is gone after that (ms), so that no screen reader's cursor comes upon it later. */
const SAID = 10_000;
/** Titles that are said at most. */
const TITLES_SAID = 3;
/** Makes a text that is said a second time another one; it is not heard. */
const AGAIN = '\u00A0';

/** Says what has changed, at most once a second: what comes meanwhile is gathered. */
export class Announcer {
  private opened: Alert[] = [];
  private graver: Alert[] = [];
  private ended: Alert[] = [];
  private sentences: string[] = [];
  private isUrgent = false;
  private lastText = '';
  private lastTime = -Infinity;
  private waiting: ReturnType<typeof setTimeout> | undefined;
  private forgetting: ReturnType<typeof setTimeout> | undefined;

  /** @param show puts it where a screen reader hears of it */
  constructor(
    private readonly wording: () => Wording,
    private readonly show: (said: Said) => void,
  ) {}

  news({ opened, graver, ended }: News): void {
    const isOver = new Set(ended.map(({ id }) => id));
    const neverSaid = new Set(this.opened.filter(({ id }) => isOver.has(id)).map(({ id }) => id));
    const isStill = ({ id }: Alert): boolean => !isOver.has(id);
    this.opened = [...this.opened.filter(isStill), ...opened];
    this.graver = [...this.graver.filter(isStill), ...graver];
    this.ended.push(...ended.filter(({ id }) => !neverSaid.has(id)));
    if ([...opened, ...graver].some(({ severity }) => severityOf(severity) === 'critical'))
      this.isUrgent = true;
    this.sayInTime();
  }

  say(sentence: string, urgent = false): void {
    this.sentences.push(sentence);
    this.isUrgent ||= urgent;
    this.sayInTime();
  }

  stop(): void {
    clearTimeout(this.waiting);
    clearTimeout(this.forgetting);
    this.waiting = undefined;
  }

  private sayInTime(): void {
    this.waiting ??= setTimeout(
      () => {
        this.waiting = undefined;
        this.sayNow();
      },
      Math.max(0, this.lastTime + PAUSE - performance.now()),
    );
  }

  private sayNow(): void {
    const { texts } = this.wording();
    const text = [
      this.sentence(texts.announceNew, this.opened),
      this.sentence(texts.announceGraver, this.graver),
      this.sentence(texts.announceEnded, this.ended),
      ...new Set(this.sentences),
    ]
      .filter(Boolean)
      .join('. ');
    const urgent = this.isUrgent;
    const news = [...this.opened, ...this.graver].map(({ id }) => id);
    this.opened = [];
    this.graver = [];
    this.ended = [];
    this.sentences = [];
    this.isUrgent = false;
    if (text === '') return;

    this.lastTime = performance.now();
    this.lastText = text === this.lastText ? text + AGAIN : text;
    this.show({ text: this.lastText, urgent, news });
    clearTimeout(this.forgetting);
    this.forgetting = setTimeout(() => {
      this.show(NOTHING_SAID);
    }, SAID);
  }

  /** What has happened to some alerts; nothing of none. */
  private sentence(text: PluralText, alerts: readonly Alert[]): string {
    const wording = this.wording();
    const { texts, language } = wording;
    const [first] = alerts;
    if (!first) return '';
    const titles = alerts
      .slice(0, TITLES_SAID)
      .map((alert) => `${isolated(severityWord(alert, wording))}: ${isolated(alert.title)}`)
      .join('; ');
    return fillPlural(text, alerts.length, language, {
      titles,
      severity: isolated(severityName(first, texts)),
      title: isolated(first.title),
    });
  }
}
