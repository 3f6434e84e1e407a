import { createHash } from 'node:crypto';
import type { AlertMessage, ToldAlert } from './alert-channel.js';
import { pushTextsIn } from './push-texts.js';
import type { PushTexts } from './push-texts.js';

/** What the service worker is told: a notice, and where a click on it leads. */
export interface PushPayload {
  /** The message's: one that comes again has the same. */
  id: string;
  title: string;
  body: string;
  /** A notice replaces the one with the same tag. */
  tag: string;
  url?: string;
  /** Of the gravest. */
  severity?: string;
  /** `over` where all of it is. */
  transition: ToldAlert['transition'];
  /** How many alerts it tells of. */
  alerts: number;
}

/** Bytes that every push service takes, encrypted (RFC 8030 asks for 4,096 in all). */
export const LONGEST_PAYLOAD = 3_000;
/** Lines of a notice, which shows no more. */
const MOST_LINES = 5;
const LONGEST_SEVERITY = 20;
const CUT_MARK = '…';

/** Control characters and blanks of any kind. */
const BLANKS = /[\p{Cc}\s]+/gu;

/**
 * A message as JSON of at most so many bytes, whatever its alerts say: texts are cut where a character ends, and of
 * many alerts only the first are named.
 */
export function pushPayload(
  message: Pick<AlertMessage, 'id' | 'alerts' | 'locale'>,
  longest = LONGEST_PAYLOAD,
): string {
  const { id, alerts, locale } = message;
  const [first] = alerts;
  const { title, lines } = wordsOf(alerts, pushTextsIn(locale));
  // A link that is cut leads nowhere.
  const url = first?.link !== undefined && sizeOf(first.link) <= longest / 2 ? first.link : undefined;
  const payload: PushPayload = {
    id,
    title: cut(title, longest / 10),
    body: '',
    tag: `session-alerts ${topicOf(message)}`,
    ...(url !== undefined && { url }),
    ...(first?.alert.severity && { severity: cut(first.alert.severity, LONGEST_SEVERITY) }),
    transition: first?.transition ?? 'opened',
    alerts: alerts.length,
  };
  let most = Math.min(lines.length, MOST_LINES);
  let longestLine = most > 1 ? longest / 10 : longest / 3;
  for (;;) {
    const shown = lines.slice(0, most).map((line) => cut(line, longestLine));
    const left = lines.length - most;
    const all = left > 0 ? [...shown, pushTextsIn(locale).more(left)] : shown;
    const text = JSON.stringify({ ...payload, body: all.join('\n') });
    if (Buffer.byteLength(text) <= longest) return text;
    if (most > 1) most -= 1;
    else longestLine /= 2;
  }
}

/**
 * What a message replaces, with a push service and on the screen: one about the very same alerts. Another may tell of
 * alerts besides, which nobody may have read yet.
 */
export function topicOf({ alerts }: Pick<AlertMessage, 'alerts'>): string {
  const ids = alerts.map(({ alert }) => alert.id).sort();
  return createHash('sha256').update(ids.join()).digest('base64url').slice(0, 32);
}

function wordsOf(alerts: readonly ToldAlert[], texts: PushTexts): { title: string; lines: string[] } {
  const begun = alerts.filter(({ transition }) => transition !== 'over');
  const over = alerts.filter(({ transition }) => transition === 'over');
  const [only] = begun.length === 0 ? over : begun;
  const overLines = over.map(({ alert }) => texts.over(plain(alert.title)));
  if (!only) return { title: '', lines: [] };
  if (begun.length === 1) {
    return { title: plain(only.alert.title), lines: [detailOf(only), ...overLines].filter(Boolean) };
  }
  if (begun.length > 1)
    return { title: texts.alerts(begun.length), lines: [...begun.map(lineOf), ...overLines] };
  if (over.length > 1) return { title: texts.allOver(over.length), lines: over.map(lineOf) };
  const { session_name: session = '' } = only.alert;
  return { title: texts.over(plain(only.alert.title)), lines: [plain(session)].filter(Boolean) };
}

function lineOf({ alert }: ToldAlert): string {
  return [alert.title, alert.session_name]
    .filter(Boolean)
    .map((text) => plain(text ?? ''))
    .join(' · ');
}

function detailOf({ alert }: ToldAlert): string {
  return [alert.session_name, alert.message]
    .filter(Boolean)
    .map((text) => plain(text ?? ''))
    .join(' · ');
}

/** Of a text, on one line, what of its Markdown would only disturb where nothing is made of it. */
function plain(text: string): string {
  return text
    .slice(0, LONGEST_PAYLOAD)
    .toWellFormed()
    .replace(/\[([^\][]*)\]\([^()\s]*\)/g, '$1')
    .replace(/\*\*|`/g, '')
    .replace(BLANKS, ' ')
    .trim();
}

/** At most so many bytes of a text, to the end of a character, with a mark where it was cut. */
function cut(text: string, longest: number): string {
  if (sizeOf(text) <= longest) return text;
  let kept = '';
  let left = longest - Buffer.byteLength(CUT_MARK);
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    left -= sizeOf(segment);
    if (left < 0) break;
    kept += segment;
  }
  return kept + CUT_MARK;
}

/** Bytes, as JSON writes them. */
function sizeOf(text: string): number {
  return Buffer.byteLength(JSON.stringify(text)) - 2;
}
