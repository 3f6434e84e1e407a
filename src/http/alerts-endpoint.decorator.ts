import {
  applyDecorators,
  UnprocessableEntityException,
  UseFilters,
  UsePipes,
  ValidationPipe,
} from '@nestjs/common';
import type { ValidationError } from '@nestjs/common';
import { ApiUnprocessableEntityResponse } from '@nestjs/swagger';
import { ErrorResponse } from './error-response.dto.js';
import { ErrorResponseFilter } from './error-response.filter.js';

/** What all our controllers share: the error body, and 422 for what does not fit. */
export function AlertsEndpoint(): ClassDecorator {
  return applyDecorators(
    UseFilters(new ErrorResponseFilter()),
    UsePipes(new ValidationPipe({ transform: true, whitelist: true, exceptionFactory: doesNotFit })),
    ApiUnprocessableEntityResponse({ type: ErrorResponse, description: 'The body or query does not fit' }),
  );
}

/** 422 with all that is wrong in one sentence each. */
export function doesNotFit(errors: ValidationError[]): UnprocessableEntityException {
  const detail = errors.flatMap((error) => Object.values(error.constraints ?? {})).join('; ');
  return new UnprocessableEntityException({ message: 'The request does not fit', detail });
}
