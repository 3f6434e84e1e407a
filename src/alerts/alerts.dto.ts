import { ApiProperty, ApiPropertyOptional, ApiSchema, NOTHING_ELSE } from '../http/documented.decorators.js';
import { flag, NOT_EMPTY, nullable, oneOf, optional, text, wholeNumber } from '../http/fields.js';
import type { Fields } from '../http/fields.js';
import { actionOf } from './action.js';
import { ALERT_ID } from './alert-id.js';
import { firingSeries, RESOLVED_REASONS } from './alert-life.js';
import type { OpenedAlert, ResolvedReason, SeriesState, Words } from './alert-life.js';
import type { AlertKind } from './observation.js';
import { LONGEST_ACTION_LABEL, LONGEST_MESSAGE, LONGEST_NAME, LONGEST_TITLE } from './text.js';

/** What the API shows of an alert. */
export interface AlertRow {
  id: string;
  title: string;
  message: string;
  event_type: string;
  user_id: string;
  /** Absent where the alert is of no session. */
  session_name?: string;
  creation_date: Date;
  resolved_date: Date | null;
  severity: string | null;
  kind: AlertKind;
  updated_date: Date;
  /** When it last became graver; absent where it never did. */
  escalated_date?: Date;
  runbook_url: string | null;
  /** Of a button, which leads to `action_url`; both or neither. */
  action_label?: string;
  action_url?: string;
  resolved_reason: ResolvedReason | null;
  /** When its user had it before their eyes, since it opened or became graver; absent where they did not. */
  seen_date?: Date;
  /** Until when its user does not want to be told of such alerts; absent where they do. */
  muted_until?: Date;
  /** Those that fire, the gravest first; absent where no more than one does. */
  series?: ShownSeries[];
  /** How many fire, of which `series` has the gravest; absent where no more than one does. */
  series_count?: number;
}

/** What the API shows of one series of several. */
export interface ShownSeries {
  title: string;
  message: string;
  severity: string | null;
  starts_at: Date;
  runbook_url: string | null;
  action_label?: string;
  action_url?: string;
}

/** What the repository reads of an alert; moments in ms since 1970, as `pg` reads a bigint. */
export interface StoredAlert extends Omit<
  AlertRow,
  | 'session_name'
  | 'creation_date'
  | 'resolved_date'
  | 'updated_date'
  | 'escalated_date'
  | 'action_label'
  | 'action_url'
  | 'seen_date'
  | 'muted_until'
  | 'series'
  | 'series_count'
> {
  session_name: string | null;
  creation_date: string;
  resolved_date: string | null;
  updated_date: string;
  escalated_date: string | null;
  action_label: string | null;
  action_url: string | null;
  seen_date: string | null;
  muted_until: string | null;
  /** Of the series whose words the alert has; `null` where it has none. */
  starts_at: string | null;
  /** `null` while that fires. */
  ends_at: string | null;
  other_series: SeriesState[] | null;
}

/** @param milliseconds since 1970, as `pg` reads a bigint */
export function momentOf(milliseconds: string): Date {
  return new Date(Number(milliseconds));
}

/** How many series of an alert an answer carries. */
const MOST_SERIES = 20;

/** What the API shows of an alert that was read. */
export function toAlertRow(stored: StoredAlert): AlertRow {
  const { title, message, severity, runbook_url: runbookUrl, starts_at: startsAt, ends_at: endsAt } = stored;
  const isOpen = stored.resolved_date === null;
  const series = isOpen && stored.other_series ? [...stored.other_series] : [];
  const action = actionOf(stored.action_label, stored.action_url);
  if (series.length > 0 && startsAt !== null && endsAt === null) {
    const own = { title, message, severity, runbookUrl, action, startsAt: Number(startsAt) };
    // Of equals it is the one that is shown: it comes first.
    series.push({ ...own, endsAt: null, fingerprint: '', arrival: 0 });
  }
  return {
    id: stored.id,
    title,
    message,
    event_type: stored.event_type,
    user_id: stored.user_id,
    ...(stored.session_name !== null && { session_name: stored.session_name }),
    creation_date: momentOf(stored.creation_date),
    resolved_date: stored.resolved_date === null ? null : momentOf(stored.resolved_date),
    severity,
    kind: stored.kind,
    updated_date: momentOf(stored.updated_date),
    ...(stored.escalated_date !== null && { escalated_date: momentOf(stored.escalated_date) }),
    runbook_url: runbookUrl,
    ...shownAction(action),
    resolved_reason: stored.resolved_reason,
    ...(stored.seen_date !== null && { seen_date: momentOf(stored.seen_date) }),
    ...(stored.muted_until !== null && { muted_until: momentOf(stored.muted_until) }),
    ...shownSeries(series),
  };
}

/** What the API shows of an alert that was opened just then. */
export function toOpenedRow(alert: OpenedAlert, openedAt: Date): AlertRow {
  return {
    id: alert.id,
    title: alert.title,
    message: alert.message,
    event_type: alert.eventType,
    user_id: alert.userId,
    ...(alert.sessionName !== null && { session_name: alert.sessionName }),
    creation_date: openedAt,
    resolved_date: alert.resolvedReason === null ? null : openedAt,
    severity: alert.severity,
    kind: alert.kind,
    updated_date: openedAt,
    runbook_url: alert.runbookUrl,
    ...shownAction(alert.action),
    resolved_reason: alert.resolvedReason,
    ...shownSeries(alert.resolvedReason === null ? alert.series : []),
  };
}

function shownAction(action: Words['action']): Pick<AlertRow, 'action_label' | 'action_url'> | undefined {
  return action && { action_label: action.label, action_url: action.url };
}

/** Nothing where no more than one fires: the alert itself says all of it. */
function shownSeries(series: SeriesState[]): Pick<AlertRow, 'series' | 'series_count'> {
  const firing = firingSeries({ series });
  if (firing.length <= 1) return {};
  const gravest = firing.slice(0, MOST_SERIES);
  return {
    series: gravest.map(({ title, message, severity, startsAt, runbookUrl, action }) => ({
      title,
      message,
      severity,
      starts_at: new Date(startsAt),
      runbook_url: runbookUrl,
      ...shownAction(action),
    })),
    series_count: firing.length,
  };
}

/** What Renku's API takes for a session's name and for a user: those whom its users' own calls name. Labels may say more. */
const LONGEST_SESSION = 99;
const NAMED_USER = /^[A-Za-z0-9][A-Za-z0-9-]{1,254}$/;
/** Ids are answered in upper case. */
const ANSWERED_ID = '^[0-7][0-9A-HJKMNP-TV-Z]{25}$';

/** One series of an alert behind which several fire, as the API answers it. */
export class SeriesResponse implements ShownSeries {
  @ApiProperty({ maxLength: LONGEST_TITLE, example: 'Disk nearly full' })
  title!: string;
  @ApiProperty({ maxLength: LONGEST_MESSAGE, example: 'Volume data is at 95%' })
  message!: string;
  @ApiProperty({ type: String, nullable: true, example: 'warning' })
  severity!: string | null;
  @ApiProperty({ format: 'date-time', description: 'When it started, as Prometheus says' })
  starts_at!: Date;
  @ApiProperty({ type: String, nullable: true })
  runbook_url!: string | null;
  @ApiPropertyOptional({ type: String, maxLength: LONGEST_ACTION_LABEL })
  action_label?: string;
  @ApiPropertyOptional({ type: String })
  action_url?: string;
}

/** An alert as the API answers it. */
export class AlertResponse implements AlertRow {
  @ApiProperty({ description: 'ULID', pattern: ANSWERED_ID, example: '01KAMJ2Q2Y9W2V2Q8Z2J3D5X7R' })
  id!: string;
  @ApiProperty({ maxLength: LONGEST_TITLE, example: 'High memory usage' })
  title!: string;
  @ApiProperty({ maxLength: LONGEST_MESSAGE, example: 'Memory usage over 90% of capacity' })
  message!: string;
  @ApiProperty({
    maxLength: LONGEST_NAME,
    description: "Alertmanager's `alertname`, or the title where there is none",
    example: 'RenkuSessionHighMemory',
  })
  event_type!: string;
  @ApiProperty({
    maxLength: LONGEST_NAME,
    description: "Keycloak's user id",
    example: '0b5c6a1e-2f4d-4a6e-9a77-0d6f3d7f1a11',
  })
  user_id!: string;
  @ApiPropertyOptional({
    minLength: 1,
    maxLength: LONGEST_NAME,
    example: 'jane-doe-7f3a9c',
    description: `Left out where it is of no session; longer than ${LONGEST_SESSION} where a webhook's label was`,
  })
  session_name?: string;
  @ApiProperty({ format: 'date-time' })
  creation_date!: Date;
  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: '`null` while open' })
  resolved_date!: Date | null;
  @ApiProperty({ type: String, nullable: true, example: 'warning' })
  severity!: string | null;
  @ApiProperty({
    enum: ['condition', 'event'],
    description: 'A condition ends when it ends; an event has happened and stays until dismissed',
  })
  kind!: AlertKind;
  @ApiProperty({ format: 'date-time', description: 'When what the user reads last changed' })
  updated_date!: Date;
  @ApiPropertyOptional({
    format: 'date-time',
    description: 'When it last became graver; left out where it never did',
  })
  escalated_date?: Date;
  @ApiProperty({ type: String, nullable: true })
  runbook_url!: string | null;
  @ApiPropertyOptional({
    type: String,
    maxLength: LONGEST_ACTION_LABEL,
    description: 'Words of a button that leads to `action_url`; neither is there without the other',
    example: 'Resize this session',
  })
  action_label?: string;
  @ApiPropertyOptional({ type: String, example: 'https://sessions.example.org/resize' })
  action_url?: string;
  @ApiProperty({ type: String, enum: [...RESOLVED_REASONS, null], nullable: true })
  resolved_reason!: ResolvedReason | null;
  @ApiPropertyOptional({
    description:
      'When its user had it before their eyes; absent where they had not since it opened or became graver',
  })
  seen_date?: Date;
  @ApiPropertyOptional({
    description:
      'Until when its user wants to hear nothing of such alerts; absent where they have not said so',
  })
  muted_until?: Date;
  @ApiPropertyOptional({
    type: [SeriesResponse],
    maxItems: MOST_SERIES,
    description: `Where several series of it fire: each with what is its own, the gravest first, at most ${MOST_SERIES}`,
  })
  series?: SeriesResponse[];
  @ApiPropertyOptional({
    type: 'integer',
    minimum: 2,
    description: 'Where several series of it fire: how many',
  })
  series_count?: number;
}

const MOST_LISTED = 200;
/** Of the parameter `cursor`. */
export const CURSOR_IS_NO_ALERT = 'must be the id of the last alert of the page before';
/** Of the parameter `since`. */
export const SINCE_IS_NO_MOMENT = 'must be a moment like 2025-11-27T12:00:00Z';
export const DEFAULT_LISTED = 50;

/** By RFC 3339, as far as its form goes. */
const MOMENT = /^\d{4}-\d\d-\d\d[ T]([01]\d|2[0-3]):\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i;

export interface ListAlertsQuery {
  session_name?: string;
  status?: 'open' | 'resolved';
  since?: string;
  limit?: number;
  cursor?: string;
}
export const LIST_FIELDS: Fields<ListAlertsQuery> = {
  session_name: optional(text({ longest: LONGEST_NAME })),
  status: optional(oneOf('open', 'resolved')),
  since: optional(text({ pattern: [MOMENT, SINCE_IS_NO_MOMENT] })),
  limit: optional(wholeNumber(1, MOST_LISTED)),
  cursor: optional(text({ pattern: [ALERT_ID, CURSOR_IS_NO_ALERT] })),
};

/** What the API's description has of a parameter; in words of our own, as hosts may do without Swagger's types. */
interface DescribedParameter {
  name: string;
  required: false;
  description?: string;
  schema: { type: 'string' | 'integer'; [keyword: string]: unknown };
}

export const SESSION_PARAMETER: DescribedParameter = {
  name: 'session_name',
  required: false,
  description: 'Only the alerts of this session',
  schema: { type: 'string', maxLength: LONGEST_NAME },
};

/** What `ListAlertsQuery` takes, as the API's description has it. */
export const LIST_PARAMETERS: readonly DescribedParameter[] = [
  SESSION_PARAMETER,
  {
    name: 'status',
    required: false,
    schema: { type: 'string', enum: ['open', 'resolved'], default: 'open' },
  },
  {
    name: 'since',
    required: false,
    description: 'With `status=resolved`: only what ended since',
    schema: { type: 'string', format: 'date-time' },
  },
  {
    name: 'limit',
    required: false,
    description: 'With `status=resolved`: how many a page has',
    schema: { type: 'integer', minimum: 1, maximum: MOST_LISTED, default: DEFAULT_LISTED },
  },
  {
    name: 'cursor',
    required: false,
    description: 'With `status=resolved`: the id of the last alert of the page before',
    schema: { type: 'string', pattern: ALERT_ID.source },
  },
];

const NOT_BLANK = [/\S/, 'must not be blank'] as const;
@ApiSchema(NOTHING_ELSE)
export class CreateAlertRequest {
  @ApiProperty({
    pattern: NOT_BLANK[0].source,
    description: `Cut where it has more than ${LONGEST_TITLE} characters`,
    example: 'Maintenance tonight',
  })
  title!: string;

  @ApiProperty({
    pattern: NOT_BLANK[0].source,
    description: `Cut where it has more than ${LONGEST_MESSAGE} characters`,
    example: 'Sessions will be restarted at 22:00 UTC.',
  })
  message!: string;

  @ApiProperty({ pattern: NOT_BLANK[0].source, maxLength: LONGEST_NAME, example: 'maintenance' })
  event_type!: string;

  @ApiProperty({
    pattern: NAMED_USER.source,
    description: "Keycloak's user id",
    example: '0b5c6a1e-2f4d-4a6e-9a77-0d6f3d7f1a11',
  })
  user_id!: string;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    minLength: 1,
    maxLength: LONGEST_SESSION,
    example: 'jane-doe-7f3a9c',
  })
  session_name?: string | null;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    minLength: 1,
    maxLength: LONGEST_NAME,
    example: 'info',
  })
  severity?: string | null;
}

export const CREATE_FIELDS: Fields<CreateAlertRequest> = {
  title: text({ pattern: NOT_BLANK }),
  message: text({ pattern: NOT_BLANK }),
  event_type: text({ pattern: NOT_BLANK, longest: LONGEST_NAME }),
  user_id: text({
    pattern: [
      NAMED_USER,
      `must have 2 to ${LONGEST_NAME} letters, digits and hyphens, and not begin with a hyphen`,
    ],
  }),
  session_name: optional(nullable(text({ pattern: NOT_EMPTY, longest: LONGEST_SESSION }))),
  severity: optional(nullable(text({ pattern: NOT_EMPTY, longest: LONGEST_NAME }))),
};

@ApiSchema(NOTHING_ELSE)
export class UpdateAlertRequest {
  @ApiPropertyOptional({ description: '`true`, as an administrator: closes the alert' })
  resolved?: boolean;

  @ApiPropertyOptional({ description: '`true`, as its user: closes the alert' })
  dismissed?: boolean;
}

export const UPDATE_FIELDS: Fields<UpdateAlertRequest> = {
  resolved: optional(flag()),
  dismissed: optional(flag()),
};
