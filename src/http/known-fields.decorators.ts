import { createParamDecorator } from '@nestjs/common';
import type { ExecutionContext } from '@nestjs/common';
import type { Fields } from './fields.js';
import { KnownFields } from './known-fields.js';
import type { UnknownFields } from './known-fields.js';

/**
 * The query, read by us alone. An application's global ValidationPipe, by its own options, would refuse, drop or convert
 * what the API documents: it leaves custom parameters alone, and with `validateCustomDecorators` those whose type it
 * cannot see. So write that as `Readonly<…>`. Swagger does not see it either: say what it is beside.
 */
export function KnownQuery<T extends object>(
  fields: Fields<T>,
  unknownFields: UnknownFields = 'refused',
): ParameterDecorator {
  return Known('query', fields, unknownFields);
}

/** The body, in the same way. */
export function KnownBody<T extends object>(fields: Fields<T>): ParameterDecorator {
  return Known('body', fields, 'refused');
}

/** Read where it is taken out of the request: Nest waits, with promises, for whatever it pipes. */
function Known<T extends object>(
  part: 'body' | 'query',
  fields: Fields<T>,
  unknownFields: UnknownFields,
): ParameterDecorator {
  const known = new KnownFields(part, fields, unknownFields);
  return createParamDecorator((_data: unknown, context: ExecutionContext) =>
    known.read(context.switchToHttp().getRequest<Record<typeof part, unknown>>()[part]),
  )();
}
