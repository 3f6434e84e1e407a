import { endOfQuiet } from './quiet-hours.js';
import type { QuietHours } from './quiet-hours.js';

/** What is told of an alert: that it has begun, that it has become graver, that it is over. */
export type Transition = 'opened' | 'escalated' | 'over';

/** Why something is not told after all. */
export type Needless = 'seen' | 'ended' | 'muted' | 'unknown_alert';

/** Where a user is told. */
export interface Target {
  userId: string;
  channel: string;
  target: string;
}

/** What an alert is now. */
export interface AlertNow {
  isOpen: boolean;
  isSeen: boolean;
  mutedUntil: Date | null;
  gravity: number;
}

/** Something that is due to be told at a target, or will be soon. */
export interface DueDelivery extends Target {
  alertId: string;
  id: string;
  transition: Transition;
  /** What is not due yet goes with what is, and is no reason for a message by itself. */
  dueDate: Date;
  /** `undefined` where there is no such alert any more. */
  alert: AlertNow | undefined;
}

/** What is known of a target, and of its user. */
export interface TargetState {
  /** When the last message for it was made. */
  lastMessage: Date | null;
  quietHours: QuietHours | undefined;
  /** When each message of the last hour for the user was made, the oldest first. */
  lately: Date[];
}

export interface Limits {
  /** ms between two messages for one target: what is due meanwhile is one. */
  gather: number;
  /** Messages for one user in an hour. */
  perHour: number;
}

/** What becomes of what is due. */
export interface Decision {
  needless: { delivery: DueDelivery; reason: Needless }[];
  postponed: { delivery: DueDelivery; until: Date }[];
  /** Each becomes one message. */
  messages: { target: Target; deliveries: DueDelivery[] }[];
}

const HOUR = 3_600_000;
export const CRITICAL = 4;

/** Why it need not be told any more. That something is over is told to whom it was told that it had begun. */
export function needlessness(
  { transition, alert }: Pick<DueDelivery, 'transition' | 'alert'>,
  now: Date,
): Needless | undefined {
  if (!alert) return 'unknown_alert';
  if (transition === 'over') return undefined;
  if (!alert.isOpen) return 'ended';
  if (alert.isSeen) return 'seen';
  return alert.mutedUntil && alert.mutedUntil > now ? 'muted' : undefined;
}

/**
 * What is told now of what is due, by target: as one message, and no sooner than a target, its user's night and the
 * hour allow.
 */
export function decide(
  now: Date,
  due: DueDelivery[],
  stateOf: (target: Target) => TargetState,
  { gather, perHour }: Limits,
): Decision {
  const decision: Decision = { needless: [], postponed: [], messages: [] };
  const made = new Map<string, number>();
  for (const deliveries of byTarget(due)) {
    const needed: DueDelivery[] = [];
    for (const delivery of deliveries) {
      const reason = needlessness(delivery, now);
      if (reason) decision.needless.push({ delivery, reason });
      else needed.push(delivery);
    }
    const first = needed.find(({ dueDate }) => dueDate <= now);
    if (!first) continue;
    const { lastMessage, quietHours, lately } = stateOf(first);
    const inHour = lately.filter((moment) => now.getTime() - moment.getTime() < HOUR);
    const already = inHour.length + (made.get(first.userId) ?? 0);
    const isFull = already >= perHour;
    const waits = [
      lastMessage && new Date(lastMessage.getTime() + gather),
      isFull ? new Date((inHour[Math.max(0, inHour.length - perHour)] ?? now).getTime() + HOUR) : null,
    ].filter((until): until is Date => until !== null && until > now);
    const latest =
      waits.length > 0 ? new Date(Math.max(...waits.map((until) => until.getTime()))) : undefined;
    const quietEnd = quietHours && endOfQuiet(quietHours, now);
    const passes = ({ transition, alert }: DueDelivery): boolean =>
      quietHours?.criticalPasses === true && transition !== 'over' && (alert?.gravity ?? 0) >= CRITICAL;
    const isTold = (delivery: DueDelivery): boolean => !latest && (!quietEnd || passes(delivery));
    for (const delivery of needed) {
      if (isTold(delivery)) continue;
      const until = quietEnd && !passes(delivery) && (!latest || quietEnd > latest) ? quietEnd : latest;
      if (until && until > delivery.dueDate) decision.postponed.push({ delivery, until });
    }
    const told = needed.filter(isTold);
    if (!told.some(({ dueDate }) => dueDate <= now)) continue;
    made.set(first.userId, (made.get(first.userId) ?? 0) + 1);
    const { userId, channel, target } = first;
    decision.messages.push({ target: { userId, channel, target }, deliveries: told });
  }
  return decision;
}

function byTarget(due: DueDelivery[]): DueDelivery[][] {
  const groups = new Map<string, DueDelivery[]>();
  for (const delivery of due) {
    const { userId, channel, target } = delivery;
    const key = JSON.stringify([userId, channel, target]);
    const group = groups.get(key);
    if (group) group.push(delivery);
    else groups.set(key, [delivery]);
  }
  return [...groups.values()];
}

/** The first wait (ms) after a failure, and the longest. */
const FIRST_WAIT = 5_000;
const LONGEST_WAIT = 15 * 60_000;

/** How long (ms) to wait after so many attempts have failed: doubled each time, and never the same for all. */
export function backOff(attempts: number, random = Math.random()): number {
  const wait = Math.min(FIRST_WAIT * 2 ** Math.min(attempts - 1, 20), LONGEST_WAIT);
  return Math.round(wait * (0.5 + random / 2));
}
