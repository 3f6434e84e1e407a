import { formatter } from './formatter.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * How long ago a moment was, in a language's own words ("5 min ago"), or undefined where it was less than a minute
 * ago. A moment still to come is a clock that is ahead of ours, and counts as now.
 */
export function timeAgo(moment: number, now: number, language: string | undefined): string | undefined {
  const elapsed = now - moment;
  if (!(elapsed >= MINUTE)) return undefined;
  const format = formatter(Intl.RelativeTimeFormat, language, { style: 'short' });
  const text =
    elapsed < HOUR
      ? format.format(-Math.floor(elapsed / MINUTE), 'minute')
      : elapsed < DAY
        ? format.format(-Math.floor(elapsed / HOUR), 'hour')
        : format.format(-Math.floor(elapsed / DAY), 'day');
  // English alone writes "5 min. ago" or "5 min ago" by country; the panel writes the lighter one.
  return language?.startsWith('en') ? text.replace('.', '') : text;
}

/** A moment with all that is known of it, for whoever wants it exactly. */
export function exactTime(moment: number, language: string | undefined): string {
  return formatter(Intl.DateTimeFormat, language, { dateStyle: 'full', timeStyle: 'medium' }).format(moment);
}

/** The time of a moment, and its day unless that is today. */
export function clockTime(moment: number, now: number, language: string | undefined): string {
  const isToday = new Date(moment).toDateString() === new Date(now).toDateString();
  return formatter(Intl.DateTimeFormat, language, {
    timeStyle: 'short',
    ...(isToday ? {} : { dateStyle: 'medium' }),
  }).format(moment);
}
