import { UnprocessableEntityException } from '@nestjs/common';

/** 422 with what is wrong. */
export function unfit(detail: string): UnprocessableEntityException {
  return new UnprocessableEntityException({ message: 'The request does not fit', detail });
}
