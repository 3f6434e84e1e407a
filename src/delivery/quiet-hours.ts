/** When a user wants to be left alone, by the clocks of where they are. */
export interface QuietHours {
  /** Minutes since midnight. */
  from: number;
  to: number;
  /** A name of the IANA's database, such as `Europe/Zurich`. */
  timeZone: string;
  criticalPasses: boolean;
}

/** As they are kept: all of them, or none. */
export interface QuietHoursColumns {
  quietFrom: number | null;
  quietTo: number | null;
  timeZone: string | null;
  criticalPasses: boolean | null;
}

export function quietHoursIn(columns: QuietHoursColumns | undefined): QuietHours | undefined {
  const { quietFrom: from, quietTo: to, timeZone, criticalPasses } = columns ?? {};
  if (from == null || to == null || timeZone == null) return undefined;
  return { from, to, timeZone, criticalPasses: criticalPasses === true };
}

const DAY = 24 * 60;
const MINUTE = 60_000;

/** As many as there are time zones. */
const MOST_CLOCKS = 600;
const clocks = new Map<string, Intl.DateTimeFormat>();

/** Whether there is such a time zone here. */
export function isTimeZone(name: string): boolean {
  try {
    clockOf(name);
    return true;
  } catch {
    return false;
  }
}

/**
 * When the quiet hours end that a moment lies in; `undefined` where it lies in none. On the day that clocks are put
 * forward over their end, that is when they have been.
 */
export function endOfQuiet({ from, to, timeZone }: QuietHours, moment: Date): Date | undefined {
  const isQuiet = (minute: number): boolean => forward(from, minute) < forward(from, to);
  const minute = minuteOfDay(timeZone, moment);
  if (!isQuiet(minute)) return undefined;
  const start = new Date(Math.floor(moment.getTime() / MINUTE) * MINUTE);
  const end = after(start, forward(minute, to));
  if (minuteOfDay(timeZone, end) === to) return end;
  const change = clockChange(timeZone, start, end);
  const changed = minuteOfDay(timeZone, change);
  return isQuiet(changed) ? after(change, forward(changed, to)) : change;
}

/** When clocks are put forward or back between two moments, which lie on whole minutes. */
function clockChange(timeZone: string, since: Date, until: Date): Date {
  const offset = offsetAt(timeZone, since);
  let before = 0;
  let behind = (until.getTime() - since.getTime()) / MINUTE;
  while (behind - before > 1) {
    const middle = Math.floor((before + behind) / 2);
    if (offsetAt(timeZone, after(since, middle)) === offset) before = middle;
    else behind = middle;
  }
  return after(since, behind);
}

function after(moment: Date, minutes: number): Date {
  return new Date(moment.getTime() + minutes * MINUTE);
}

/** By how many minutes clocks are ahead of UTC, or behind it by the rest of a day. */
function offsetAt(timeZone: string, moment: Date): number {
  return forward(Math.floor(moment.getTime() / MINUTE) % DAY, minuteOfDay(timeZone, moment));
}

/** Minutes from one time of day to another, forward. */
function forward(from: number, to: number): number {
  return (to - from + DAY) % DAY;
}

function minuteOfDay(timeZone: string, moment: Date): number {
  const [hour = 0, minute = 0] = clockOf(timeZone).format(moment).split(':').map(Number);
  return hour * 60 + minute;
}

/** Making one takes longer than all that is asked of it. */
function clockOf(timeZone: string): Intl.DateTimeFormat {
  let clock = clocks.get(timeZone);
  if (!clock) {
    clock = new Intl.DateTimeFormat('en-GB', {
      timeZone,
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    });
    // Names may be written in any case.
    if (clocks.size >= MOST_CLOCKS) clocks.clear();
    clocks.set(timeZone, clock);
  }
  return clock;
}
