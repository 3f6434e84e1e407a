import { ApiProperty, ApiSchema, NOTHING_ELSE } from '../http/documented.decorators.js';
import { listOf, text } from '../http/fields.js';
import type { Fields } from '../http/fields.js';
import { ALERT_ID } from '../alerts/alert-id.js';
import { MOST_SHOWN } from '../alerts/alerts.statements.js';

@ApiSchema(NOTHING_ELSE)
export class SeenRequest {
  @ApiProperty({ type: [String], maxItems: MOST_SHOWN, description: 'ULIDs, in either case' })
  ids!: string[];
}

export class SeenResponse {
  @ApiProperty({ type: 'integer', description: 'How many of them the caller had not seen before' })
  seen!: number;
}

export const SEEN_FIELDS: Fields<SeenRequest> = {
  ids: listOf(text({ pattern: [ALERT_ID, 'must be the id of an alert'] }), MOST_SHOWN),
};
