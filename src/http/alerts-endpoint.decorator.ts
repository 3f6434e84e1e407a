import { applyDecorators, SetMetadata, UseFilters } from '@nestjs/common';
import type { ExecutionContext } from '@nestjs/common';
import { ApiDefaultResponse, ApiUnprocessableEntityResponse } from './documented.decorators.js';
import { ErrorResponse } from './error-response.dto.js';
import { ErrorResponseFilter } from './error-response.filter.js';

const IS_ALERTS_ENDPOINT = 'session-alerts:endpoint';

/** What all our controllers share: the error body, and how they are told from a host's. */
export function AlertsEndpoint(): ClassDecorator {
  return applyDecorators(
    SetMetadata(IS_ALERTS_ENDPOINT, true),
    UseFilters(new ErrorResponseFilter()),
    ApiUnprocessableEntityResponse({ type: ErrorResponse, description: 'The body or query does not fit' }),
    ApiDefaultResponse({ type: ErrorResponse, description: 'Any other error' }),
  );
}

/**
 * Whether a call is one of this module's, for guards and interceptors of a host that are there for all its calls and
 * should leave these alone.
 */
export function isAlertsEndpoint(context: ExecutionContext): boolean {
  return Reflect.getMetadata(IS_ALERTS_ENDPOINT, context.getClass()) === true;
}
