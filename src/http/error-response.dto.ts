import { ApiProperty, ApiPropertyOptional } from './documented.decorators.js';

export class ErrorDetails {
  @ApiProperty({ type: 'integer', minimum: 400, maximum: 599, description: 'The HTTP status', example: 422 })
  code!: number;
  @ApiProperty({ example: 'The request does not fit' })
  message!: string;
  @ApiPropertyOptional({ example: 'title must not be blank' })
  detail?: string;
  @ApiPropertyOptional({ description: 'Stands in the log beside the cause' })
  trace_id?: string;
}

/** The body of every error that our controllers answer; the shape of Renku's API. */
export class ErrorResponse {
  @ApiProperty()
  error!: ErrorDetails;
}
