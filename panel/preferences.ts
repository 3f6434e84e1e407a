import type { Alert } from './alert.js';

/** From which severity a channel tells; each holds those that are graver. */
export const SEVERITIES = ['critical', 'error', 'warning', 'info'] as const;
export type ChannelSeverity = (typeof SEVERITIES)[number];

export interface Channel {
  enabled: boolean;
  severity: ChannelSeverity;
  /** Of `web_push`: the person's browsers. */
  subscriptions?: readonly PushSubscriptionJSON[];
}

/** Alerts of one kind that a person does not want to be told of. */
export interface Mute {
  event_type: string;
  /** Those of all sessions where it is left out. */
  session_name?: string;
  /** ISO 8601; for good where it is left out. */
  until?: string;
}

export interface QuietHours {
  /** As `22:00`. */
  from: string;
  to: string;
  /** A name of the IANA's database. */
  time_zone: string;
  critical_passes: boolean;
}

/** How a person wants to be told, as the API answers it and takes it back as a whole. */
export interface Preferences {
  channels: Record<string, Channel>;
  mutes: readonly Mute[];
  quiet_hours: QuietHours | null;
  /** The channels that there are, and what each needs or where it goes. */
  offered: Record<string, { address?: string; public_key?: string }>;
}

/**
 * The preferences of an answer of the API.
 *
 * @throws TypeError where it has none
 */
export function readPreferences(body: unknown): Preferences {
  if (typeof body !== 'object' || body === null || !('offered' in body)) {
    throw new TypeError('The answer has no preferences');
  }
  const { channels = {}, mutes = [], quiet_hours = null, offered } = body as Partial<Preferences>;
  return { channels, mutes, quiet_hours, offered: offered ?? {} };
}

/** For how long something is muted. */
export type MuteTime = 'hour' | 'tomorrow' | 'good';

/** When tomorrow begins for who wants to be left alone until then (h). */
const MORNING = 8;

/** The end of a mute that begins now (ms); undefined of one for good. */
export function endOfMute(time: MuteTime, now: number): string | undefined {
  if (time === 'good') return undefined;
  const end = new Date(now);
  if (time === 'hour') {
    end.setTime(now + 3_600_000);
  } else {
    end.setDate(end.getDate() + 1);
    end.setHours(MORNING, 0, 0, 0);
  }
  return end.toISOString();
}

/** These and one more, in place of one of the same alerts. */
export function withMute(mutes: readonly Mute[], mute: Mute): Mute[] {
  return [...withoutMute(mutes, mute), mute];
}

export function withoutMute(mutes: readonly Mute[], { event_type, session_name }: Mute): Mute[] {
  return mutes.filter((mute) => mute.event_type !== event_type || mute.session_name !== session_name);
}

/** Without all that mutes an alert. */
export function withoutMutesOf(
  mutes: readonly Mute[],
  alert: Pick<Alert, 'event_type' | 'session_name'>,
): Mute[] {
  return mutes.filter(
    ({ event_type, session_name }) =>
      event_type !== alert.event_type || (session_name !== undefined && session_name !== alert.session_name),
  );
}
