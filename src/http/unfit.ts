import { UnprocessableEntityException } from '@nestjs/common';
import type { ValidationError } from '@nestjs/common';

/** 422 with what is wrong. */
export function unfit(detail: string, options: { cause?: unknown } = {}): UnprocessableEntityException {
  return new UnprocessableEntityException({ message: 'The request does not fit', detail }, options);
}

/** 422 with all that is wrong, in one sentence each. */
export function doesNotFit(errors: ValidationError[]): UnprocessableEntityException {
  return unfit(errors.flatMap((error) => Object.values(error.constraints ?? {})).join('; '));
}
