import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Equals, IsNotEmpty, IsOptional, IsString, Matches, MaxLength } from 'class-validator';
import { RESOLVED_REASONS } from './alert-life.js';
import type { ResolvedReason } from './alert-life.js';
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

export class ListAlertsQuery {
  @ApiPropertyOptional({ description: 'Only the alerts of this session' })
  @IsOptional()
  @IsString()
  @MaxLength(LONGEST_NAME)
  session_name?: string;
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

export class UpdateAlertRequest {
  @ApiProperty({ enum: [true], description: 'Closes the alert' })
  @Equals(true, { message: 'resolved must be true: an alert can be closed, not opened again' })
  resolved!: true;
}
