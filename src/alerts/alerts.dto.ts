import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  Equals,
  IsIn,
  IsInt,
  IsNotEmpty,
  IsOptional,
  IsRFC3339,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateIf,
} from 'class-validator';
import { RESOLVED_REASONS } from './alert-life.js';
import type { OpenedAlert, ResolvedReason } from './alert-life.js';
import type { AlertKind } from './observation.js';
import { LONGEST_NAME, USER_ID } from './text.js';

/** What the API shows of an alert, as the repository reads it. */
export interface AlertRow {
  id: string;
  title: string;
  message: string;
  event_type: string;
  user_id: string;
  session_name: string | null;
  creation_date: Date;
  resolved_date: Date | null;
  severity: string | null;
  kind: AlertKind;
  updated_date: Date;
  runbook_url: string | null;
  resolved_reason: ResolvedReason | null;
}

/** What the API shows of an alert that was opened just then. */
export function toAlertRow(alert: OpenedAlert, openedAt: Date): AlertRow {
  return {
    id: alert.id,
    title: alert.title,
    message: alert.message,
    event_type: alert.eventType,
    user_id: alert.userId,
    session_name: alert.sessionName,
    creation_date: openedAt,
    resolved_date: alert.resolvedReason === null ? null : openedAt,
    severity: alert.severity,
    kind: alert.kind,
    updated_date: openedAt,
    runbook_url: alert.runbookUrl,
    resolved_reason: alert.resolvedReason,
  };
}

/** An alert as the API answers it. */
export class AlertResponse implements AlertRow {
  @ApiProperty({ description: 'ULID', example: '01KAMJ2Q2Y9W2V2Q8Z2J3D5X7R' })
  id!: string;
  @ApiProperty({ example: 'High memory usage' })
  title!: string;
  @ApiProperty({ example: 'Memory usage over 90% of capacity' })
  message!: string;
  @ApiProperty({
    description: "Alertmanager's `alertname`, or the title where there is none",
    example: 'RenkuSessionHighMemory',
  })
  event_type!: string;
  @ApiProperty({ description: "Keycloak's user id", example: '0b5c6a1e-2f4d-4a6e-9a77-0d6f3d7f1a11' })
  user_id!: string;
  @ApiProperty({ type: String, nullable: true, example: 'jane-doe-7f3a9c' })
  session_name!: string | null;
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
  @ApiProperty({ type: String, nullable: true })
  runbook_url!: string | null;
  @ApiProperty({ enum: RESOLVED_REASONS, nullable: true })
  resolved_reason!: ResolvedReason | null;
}

const MOST_LISTED = 200;
export const SINCE_IS_NO_MOMENT = 'since must be a moment like 2025-11-27T12:00:00Z';
export const DEFAULT_LISTED = 50;

export class ListAlertsQuery {
  @ApiPropertyOptional({ description: 'Only the alerts of this session' })
  @IsOptional()
  @IsString()
  @MaxLength(LONGEST_NAME)
  session_name?: string;

  @ApiPropertyOptional({ enum: ['open', 'resolved'], default: 'open' })
  @IsOptional()
  @IsIn(['open', 'resolved'])
  status?: 'open' | 'resolved';

  @ApiPropertyOptional({ format: 'date-time', description: 'With `status=resolved`: only what ended since' })
  @IsOptional()
  @IsRFC3339({ message: SINCE_IS_NO_MOMENT })
  since?: string;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: MOST_LISTED, default: DEFAULT_LISTED })
  @IsOptional()
  @Type(() => Number)
  @IsInt({ message: `limit must be a whole number from 1 to ${MOST_LISTED}` })
  @Min(1)
  @Max(MOST_LISTED)
  limit?: number;

  @ApiPropertyOptional({ description: 'The id of the last alert of the page before' })
  @IsOptional()
  @IsString()
  @MaxLength(LONGEST_NAME)
  cursor?: string;
}

export class CreateAlertRequest {
  @ApiProperty({ example: 'Maintenance tonight' })
  @IsString()
  @Matches(/\S/, { message: 'title must not be blank' })
  title!: string;

  @ApiProperty({ example: 'Sessions will be restarted at 22:00 UTC.' })
  @IsString()
  @Matches(/\S/, { message: 'message must not be blank' })
  message!: string;

  @ApiProperty({ example: 'maintenance' })
  @IsString()
  @Matches(/\S/, { message: 'event_type must not be blank' })
  @MaxLength(LONGEST_NAME)
  event_type!: string;

  @ApiProperty({ description: "Keycloak's user id", example: '0b5c6a1e-2f4d-4a6e-9a77-0d6f3d7f1a11' })
  @Matches(USER_ID, { message: "user_id must be a user's id, of at most 255 characters, without spaces" })
  user_id!: string;

  @ApiPropertyOptional({ type: String, nullable: true, example: 'jane-doe-7f3a9c' })
  @IsOptional()
  @IsString()
  @IsNotEmpty()
  @MaxLength(LONGEST_NAME)
  session_name?: string | null;

  @ApiPropertyOptional({ type: String, nullable: true, example: 'info' })
  @IsOptional()
  @IsString()
  @IsNotEmpty()
  @MaxLength(LONGEST_NAME)
  severity?: string | null;
}

/** Unlike `@IsOptional()` it does not pass `null`. */
function isGiven(_request: object, value: unknown): boolean {
  return value !== undefined;
}

export class UpdateAlertRequest {
  @ApiPropertyOptional({ enum: [true], description: 'As an administrator: closes the alert' })
  @ValidateIf(isGiven)
  @Equals(true, { message: 'resolved must be true: an alert can be closed, not opened again' })
  resolved?: true;

  @ApiPropertyOptional({ enum: [true], description: 'As its user: closes the alert' })
  @ValidateIf(isGiven)
  @Equals(true, { message: 'dismissed must be true: an alert can be closed, not opened again' })
  dismissed?: true;
}

export class FeedResponse {
  @ApiProperty({
    enum: ['ok', 'stale', 'unknown'],
    description: "Whether Prometheus's watchdog alert comes; `unknown` where it never came",
  })
  status!: 'ok' | 'stale' | 'unknown';
  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  last_seen!: Date | null;
}
