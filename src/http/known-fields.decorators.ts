import { createParamDecorator } from '@nestjs/common';
import type { ExecutionContext, Type } from '@nestjs/common';
import { ApiBody, ApiQuery } from '@nestjs/swagger';
import { KnownFieldsPipe } from './known-fields.pipe.js';
import type { UnknownFields } from './known-fields.pipe.js';

/** For calls that take no parameters. */
export class NoQuery {
  [name: string]: never;
}

const QueryOf = createParamDecorator(
  (_data: unknown, context: ExecutionContext) =>
    context.switchToHttp().getRequest<{ query: unknown }>().query,
);
const BodyOf = createParamDecorator(
  (_data: unknown, context: ExecutionContext) => context.switchToHttp().getRequest<{ body: unknown }>().body,
);

/**
 * The query, checked against its class by us alone. An application's global ValidationPipe, by its own options, would
 * refuse, drop or convert what the API documents: it leaves custom parameters alone, and with `validateCustomDecorators`
 * those whose type it cannot see. So write that as `Readonly<…>`.
 */
export function KnownQuery(query: Type, unknownFields: UnknownFields = 'refused'): ParameterDecorator {
  const pipe = new KnownFieldsPipe('query', query, unknownFields);
  return (target, name, index) => {
    QueryOf(pipe)(target, name, index);
    if (pipe.fields.length > 0) describe(ApiQuery({ type: query, name: '' }), target, name);
  };
}

/** The body, in the same way. */
export function KnownBody(body: Type): ParameterDecorator {
  return (target, name, index) => {
    BodyOf(new KnownFieldsPipe('body', body, 'refused'))(target, name, index);
    describe(ApiBody({ type: body }), target, name);
  };
}

/** Swagger does not see what custom parameters are. */
function describe(decorator: MethodDecorator, target: object, name: string | symbol | undefined): void {
  const method = name === undefined ? undefined : Object.getOwnPropertyDescriptor(target, name);
  if (name !== undefined && method) decorator(target, name, method);
}
