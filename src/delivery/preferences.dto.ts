import {
  ApiExtraModels,
  ApiProperty,
  ApiPropertyOptional,
  ApiSchema,
  getSchemaPath,
  NOTHING_ELSE,
} from '../http/documented.decorators.js';
import {
  entriesOf,
  flag,
  listOf,
  NOT_EMPTY,
  nullable,
  objectOf,
  oneOf,
  optional,
  text,
} from '../http/fields.js';
import type { Field, Fields } from '../http/fields.js';
import { gravityOf } from '../alerts/gravity.js';
import { LONGEST_NAME, storable } from '../alerts/text.js';
import { isTimeZone } from './quiet-hours.js';
import type { QuietHours } from './quiet-hours.js';
import { isPoint } from './vapid-keys.js';

/** From which severity a user may want to be told; each holds those that are graver. */
export const SEVERITIES = ['critical', 'error', 'warning', 'info'] as const;
export type Severity = (typeof SEVERITIES)[number];
const USUAL_SEVERITY: Severity = 'warning';

/** Bounds of what a user may say. */
const MOST_MUTES = 200;
const MOST_SUBSCRIPTIONS = 10;
const LONGEST_ENDPOINT = 2_000;
const FOREVER = new Date('9999-12-31T23:59:59.000Z');

/** A browser that takes web push, as `PushSubscription.toJSON()` says it. */
@ApiSchema({ name: 'PushSubscription' })
export class PushSubscriptionData {
  @ApiProperty({ example: 'https://updates.push.services.mozilla.com/wpush/v2/…' })
  endpoint!: string;
  @ApiProperty({
    type: 'object',
    properties: { p256dh: { type: 'string' }, auth: { type: 'string' } },
    required: ['p256dh', 'auth'],
  })
  keys!: { p256dh: string; auth: string };
  @ApiPropertyOptional({
    type: 'integer',
    nullable: true,
    description: 'As browsers write it; it is not kept',
  })
  expirationTime?: undefined;
}

export class ChannelPreference {
  @ApiProperty({ description: 'Whether the user is told by it' })
  enabled!: boolean;
  @ApiPropertyOptional({
    enum: SEVERITIES,
    default: USUAL_SEVERITY,
    description: 'What is less grave is not told',
  })
  severity?: Severity;
  @ApiPropertyOptional({
    type: [PushSubscriptionData],
    description: `Of \`web_push\`: the user's browsers, at most ${MOST_SUBSCRIPTIONS}`,
  })
  subscriptions?: PushSubscriptionData[];
}

export class MutePreference {
  @ApiProperty({ maxLength: LONGEST_NAME, description: 'The `event_type` of the alerts' })
  event_type!: string;
  @ApiPropertyOptional({ maxLength: LONGEST_NAME, description: 'Only those of this session' })
  session_name?: string;
  @ApiPropertyOptional({ format: 'date-time', description: 'Until when; for good where it is left out' })
  until?: string;
}

export class QuietHoursPreference {
  @ApiProperty({ pattern: '^([01]\\d|2[0-3]):[0-5]\\d$', example: '22:00' })
  from!: string;
  @ApiProperty({ pattern: '^([01]\\d|2[0-3]):[0-5]\\d$', example: '07:00' })
  to!: string;
  @ApiProperty({ description: 'A name of the IANA time zone database', example: 'Europe/Zurich' })
  time_zone!: string;
  @ApiPropertyOptional({ default: false, description: 'Whether what is critical is told all the same' })
  critical_passes?: boolean;
}

/** What a channel that can be turned on needs, or where it goes. */
export class OfferedChannel {
  @ApiPropertyOptional({
    description: 'Of `email`: where it goes; absent where no verified address is known',
  })
  address?: string;
  @ApiPropertyOptional({ description: "Of `web_push`: the server's key, for `PushManager.subscribe()`" })
  public_key?: string;
}

@ApiExtraModels(ChannelPreference, OfferedChannel)
@ApiSchema(NOTHING_ELSE)
export class Preferences {
  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: { $ref: getSchemaPath(ChannelPreference) },
    description: 'By the names of `offered`; what is left out is off',
  })
  channels?: Record<string, ChannelPreference>;
  @ApiPropertyOptional({ type: [MutePreference], description: `At most ${MOST_MUTES}` })
  mutes?: MutePreference[];
  @ApiPropertyOptional({ type: QuietHoursPreference, nullable: true })
  quiet_hours?: QuietHoursPreference | null;
  @ApiPropertyOptional({
    type: 'object',
    readOnly: true,
    additionalProperties: { $ref: getSchemaPath(OfferedChannel) },
    description: 'The channels that can be turned on here; what a request says of it changes nothing',
  })
  offered?: Record<string, OfferedChannel>;
}

const TIME = [/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day like 22:00'] as const;
const BASE64URL = [/^[\w-]{1,100}=*$/, 'must be base64url'] as const;
/** Bytes of a subscription's secret (RFC 8291, section 3.2). */
const AUTH_LENGTH = 16;

/** Bytes as base64url, kept without padding. */
function bytes(isRight: (value: Uint8Array) => boolean, otherwise: string): Field<string> {
  const encoded = text({ pattern: BASE64URL });
  return (given) => {
    const reading = encoded(given);
    if ('wrong' in reading) return reading;
    const value = Buffer.from(reading.value, 'base64url');
    return isRight(value) ? { value: value.toString('base64url') } : { wrong: otherwise };
  };
}

const SUBSCRIPTION: Fields<PushSubscriptionData> = {
  endpoint: text({
    pattern: [/^https:\/\/[\x21-\x7e]+$/, 'must be an https address'],
    longest: LONGEST_ENDPOINT,
  }),
  keys: objectOf({
    p256dh: bytes(isPoint, "must be the browser's key, a point of P-256 of 65 bytes"),
    auth: bytes(({ length }) => length === AUTH_LENGTH, `must be ${AUTH_LENGTH} bytes`),
  }),
  // Browsers say it, and mean nothing by it.
  expirationTime: () => ({ value: undefined }),
};

function timeZone(): Field<string> {
  const name = text({ longest: 100 });
  return (given) => {
    const reading = name(given);
    if ('wrong' in reading || isTimeZone(reading.value)) return reading;
    return { wrong: 'must be a time zone like Europe/Zurich' };
  };
}

/** By RFC 3339, of a year that PostgreSQL and JavaScript write in the same way. */
const MOMENT = /^[1-9]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

function moment(): Field<string> {
  return (given) =>
    typeof given === 'string' && MOMENT.test(given) && Date.parse(given) <= FOREVER.getTime()
      ? { value: given }
      : { wrong: 'must be a moment like 2026-11-27T12:00:00Z' };
}

export const PREFERENCES_FIELDS: Fields<Preferences> = {
  channels: optional(
    entriesOf(
      objectOf<ChannelPreference>({
        enabled: flag(),
        severity: optional(oneOf(...SEVERITIES)),
        subscriptions: optional(listOf(objectOf(SUBSCRIPTION), MOST_SUBSCRIPTIONS)),
      }),
    ),
  ),
  mutes: optional(
    listOf(
      objectOf<MutePreference>({
        event_type: text({ pattern: NOT_EMPTY, longest: LONGEST_NAME }),
        session_name: optional(text({ pattern: NOT_EMPTY, longest: LONGEST_NAME })),
        until: optional(moment()),
      }),
      MOST_MUTES,
    ),
  ),
  quiet_hours: optional(
    nullable(
      objectOf<QuietHoursPreference>({
        from: text({ pattern: TIME }),
        to: text({ pattern: TIME }),
        time_zone: timeZone(),
        critical_passes: optional(flag()),
      }),
    ),
  ),
  offered: () => ({ value: undefined }),
};

/** What is kept of whether a channel is on. */
export interface KeptChannel {
  enabled: boolean;
  severity: Severity;
}

/** Preferences as they are kept. */
export interface KeptPreferences {
  channels: Record<string, KeptChannel>;
  quietHours: QuietHours | undefined;
  mutes: { eventType: string; sessionName: string; until: Date }[];
  targets: { channel: string; target: string; gravity: number | null; details: Record<string, unknown> }[];
}

export function keptChannel({ enabled, severity = USUAL_SEVERITY }: ChannelPreference): KeptChannel {
  return { enabled, severity };
}

export function gravityFrom({ enabled, severity }: KeptChannel): number | null {
  return enabled ? gravityOf(severity) : null;
}

export function keptMutes(mutes: MutePreference[]): KeptPreferences['mutes'] {
  const byKey = new Map<string, KeptPreferences['mutes'][number]>();
  for (const mute of mutes) {
    // As the alerts' own are kept.
    const eventType = storable(mute.event_type);
    const sessionName = storable(mute.session_name ?? '');
    const { until } = mute;
    byKey.set(JSON.stringify([eventType, sessionName]), {
      eventType,
      sessionName,
      until: until === undefined ? FOREVER : new Date(until),
    });
  }
  return [...byKey.values()];
}

export function keptQuietHours(given: QuietHoursPreference | null | undefined): QuietHours | undefined {
  if (!given) return undefined;
  const { from, to, time_zone, critical_passes = false } = given;
  return { from: minutesOf(from), to: minutesOf(to), timeZone: time_zone, criticalPasses: critical_passes };
}

/** As the API answers them. */
export function toPreferences(
  { channels, quietHours, mutes, targets }: KeptPreferences,
  offered: Record<string, OfferedChannel>,
): Preferences {
  const shown: Record<string, ChannelPreference> = {};
  for (const name of Object.keys(offered)) {
    shown[name] = channels[name] ?? { enabled: false, severity: USUAL_SEVERITY };
  }
  const subscriptions = targets.filter(({ channel }) => channel === 'web_push');
  if (shown['web_push']) {
    shown['web_push'] = {
      ...shown['web_push'],
      subscriptions: subscriptions.map(({ details }) => details as unknown as PushSubscriptionData),
    };
  }
  return {
    channels: shown,
    mutes: mutes.map(({ eventType, sessionName, until }) => ({
      event_type: eventType,
      ...(sessionName !== '' && { session_name: sessionName }),
      ...(until.getTime() !== FOREVER.getTime() && { until: until.toISOString() }),
    })),
    quiet_hours: quietHours
      ? {
          from: timeOf(quietHours.from),
          to: timeOf(quietHours.to),
          time_zone: quietHours.timeZone,
          critical_passes: quietHours.criticalPasses,
        }
      : null,
    offered,
  };
}

function minutesOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return hours * 60 + minutes;
}

function timeOf(minutes: number): string {
  return [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0')).join(':');
}
