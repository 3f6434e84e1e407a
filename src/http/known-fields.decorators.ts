import { createParamDecorator } from '@nestjs/common';
import type { ExecutionContext } from '@nestjs/common';
import type { Fields } from './fields.js';
import { KnownFieldsPipe } from './known-fields.pipe.js';
import type { UnknownFields } from './known-fields.pipe.js';

const QueryOf = createParamDecorator(
  (_data: unknown, context: ExecutionContext) =>
    context.switchToHttp().getRequest<{ query: unknown }>().query,
);
const BodyOf = createParamDecorator(
  (_data: unknown, context: ExecutionContext) => context.switchToHttp().getRequest<{ body: unknown }>().body,
);

/**
 * The query, read by us alone. An application's global ValidationPipe, by its own options, would refuse, drop or convert
 * what the API documents: it leaves custom parameters alone, and with `validateCustomDecorators` those whose type it
 * cannot see. So write that as `Readonly<…>`. Swagger does not see it either: say what it is beside.
 */
export function KnownQuery<T extends object>(
  fields: Fields<T>,
  unknownFields: UnknownFields = 'refused',
): ParameterDecorator {
  return QueryOf(new KnownFieldsPipe('query', fields, unknownFields));
}

/** The body, in the same way. */
export function KnownBody<T extends object>(fields: Fields<T>): ParameterDecorator {
  return BodyOf(new KnownFieldsPipe('body', fields, 'refused'));
}
