import { ApiProperty, ApiPropertyOptional } from '../http/documented.decorators.js';
import { oneOf, optional } from '../http/fields.js';
import type { Fields } from '../http/fields.js';

export interface WebhookQuery {
  dry_run?: 'true' | 'false';
}
export const WEBHOOK_FIELDS: Fields<WebhookQuery> = { dry_run: optional(oneOf('true', 'false')) };

/** What became of a webhook. Short: Alertmanager copies it into its log. */
export class WebhookSummary {
  @ApiProperty({
    type: 'integer',
    minimum: 0,
    description: 'Firing alerts that were opened or refreshed',
    example: 2,
  })
  stored!: number;
  @ApiProperty({ type: 'integer', minimum: 0, description: 'Resolved alerts that were applied', example: 1 })
  resolved!: number;
  @ApiProperty({ type: 'integer', minimum: 0, description: 'Alerts that changed nothing', example: 1 })
  skipped!: number;
  @ApiProperty({
    description: 'Why they changed nothing, with how many each',
    type: 'object',
    additionalProperties: { type: 'integer' },
    example: { no_user: 1 },
  })
  reasons!: Record<string, number>;
}

export class DryRunAlert {
  @ApiProperty({ enum: ['opened', 'refreshed', 'resolved', 'skipped'] })
  result!: string;
  @ApiPropertyOptional({ example: 'no_user' })
  reason?: string;
  @ApiPropertyOptional()
  user_id?: string;
  @ApiPropertyOptional()
  session_name?: string;
  @ApiPropertyOptional()
  event_type?: string;
  @ApiPropertyOptional()
  title?: string;
  @ApiPropertyOptional()
  message?: string;
  @ApiPropertyOptional({ type: String, nullable: true })
  severity?: string | null;
  @ApiPropertyOptional({ enum: ['condition', 'event'] })
  kind?: string;
}

/** What a webhook would do, alert by alert. */
export class DryRunSummary extends WebhookSummary {
  @ApiProperty({ enum: [true] })
  dry_run!: true;
  @ApiProperty({ type: [DryRunAlert], description: 'The first 1,000 alerts, in their order' })
  alerts!: DryRunAlert[];
}
