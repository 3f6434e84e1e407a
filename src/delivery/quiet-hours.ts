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
 * forward over it, that is when they have been.
 */
export function endOfQuiet({ from, to, timeZone }: QuietHours, moment: Date): Date | undefined {
  const minute = minuteOfDay(timeZone, moment);
  if (forward(from, minute) >= forward(from, to)) return undefined;
  const end = new Date(Math.floor(moment.getTime() / MINUTE) * MINUTE + forward(minute, to) * MINUTE);
  // Between now and then clocks may be put forward or back.
  const beyond = forward(to, minuteOfDay(timeZone, end));
  const shift = beyond > DAY / 2 ? DAY - beyond : -beyond;
  const shifted = new Date(end.getTime() + shift * MINUTE);
  // The hour that there is not: what lies before it is before the end.
  return shifted > moment && minuteOfDay(timeZone, shifted) === to ? shifted : end;
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
    clocks.set(timeZone, clock);
  }
  return clock;
}
