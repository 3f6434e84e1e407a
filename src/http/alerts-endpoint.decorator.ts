import {
  applyDecorators,
  UnprocessableEntityException,
  UseFilters,
  UsePipes,
  ValidationPipe,
} from '@nestjs/common';
import type { ArgumentMetadata, ValidationError } from '@nestjs/common';
import { ApiUnprocessableEntityResponse } from '@nestjs/swagger';
import { ErrorResponse } from './error-response.dto.js';
import { ErrorResponseFilter } from './error-response.filter.js';

/** class-transformer walks all of a body; what is nested too deeply for its stack fits no request of ours. */
class FitPipe extends ValidationPipe {
  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    if (isEmptyQuery(value, metadata)) return {};
    try {
      return (await super.transform(value, metadata)) as unknown;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      const detail = 'the body is nested too deeply';
      throw new UnprocessableEntityException(
        { message: 'The request does not fit', detail },
        { cause: error },
      );
    }
  }
}

/** No query of ours has to be there, and most are not: nothing was said, so nothing can be wrong. */
function isEmptyQuery(value: unknown, { type }: ArgumentMetadata): boolean {
  if (type !== 'query' || typeof value !== 'object' || value === null) return false;
  for (const _name in value) return false;
  return true;
}

/** What all our controllers share: the error body, 415 for what is no JSON and 422 for what does not fit. */
export function AlertsEndpoint(): ClassDecorator {
  return applyDecorators(
    UseFilters(new ErrorResponseFilter()),
    UsePipes(new FitPipe({ transform: true, whitelist: true, exceptionFactory: doesNotFit })),
    ApiUnprocessableEntityResponse({ type: ErrorResponse, description: 'The body or query does not fit' }),
  );
}

/** 422 with all that is wrong in one sentence each. */
export function doesNotFit(errors: ValidationError[]): UnprocessableEntityException {
  const detail = errors.flatMap((error) => Object.values(error.constraints ?? {})).join('; ');
  return new UnprocessableEntityException({ message: 'The request does not fit', detail });
}
