import { ApiProperty } from '../http/documented.decorators.js';

export class FeedResponse {
  @ApiProperty({
    enum: ['ok', 'stale', 'unknown'],
    description: "Whether Prometheus's watchdog alert comes; `unknown` where it never came",
  })
  status!: 'ok' | 'stale' | 'unknown';
  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  last_seen!: Date | null;
}
