import { applyDecorators, UseFilters, UsePipes } from '@nestjs/common';
import { ApiUnprocessableEntityResponse } from '@nestjs/swagger';
import { ErrorResponse } from './error-response.dto.js';
import { ErrorResponseFilter } from './error-response.filter.js';
import { KnownFieldsPipe } from './known-fields.pipe.js';
import type { UnknownFields } from './known-fields.pipe.js';

/** What all our controllers share: the error body, 415 for what is no JSON and 422 for what does not fit. */
export function AlertsEndpoint(unknownFields: UnknownFields = 'refused'): ClassDecorator {
  return applyDecorators(
    UseFilters(new ErrorResponseFilter()),
    UsePipes(new KnownFieldsPipe(unknownFields)),
    ApiUnprocessableEntityResponse({ type: ErrorResponse, description: 'The body or query does not fit' }),
  );
}
