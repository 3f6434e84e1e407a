import 'reflect-metadata';
import type { Type } from '@nestjs/common';

type Handler = (this: unknown, ...args: unknown[]) => unknown;

/**
 * The controller with these decorators on each of its handlers, as a class of its own: to everybody else in the process the
 * controller stays what it was.
 */
export function decorated(controller: Type<object>, decorators: readonly MethodDecorator[]): Type<object> {
  if (decorators.length === 0) return controller;
  class Decorated extends controller {}
  // The log and OpenAPI call it so.
  Object.defineProperty(Decorated, 'name', { value: controller.name });
  for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(controller.prototype))) {
    if (name !== 'constructor') decorateHandler(Decorated.prototype, name, value as Handler, decorators);
  }
  return Decorated;
}

/** Metadata is kept by function, so the handler becomes one more, which carries what the handler does. */
function decorateHandler(
  prototype: object,
  name: string,
  handler: Handler,
  decorators: readonly MethodDecorator[],
): void {
  const value: Handler = function (...args) {
    return handler.apply(this, args);
  };
  Object.defineProperty(value, 'name', { value: name });
  for (const key of Reflect.getMetadataKeys(handler) as unknown[]) {
    Reflect.defineMetadata(key, Reflect.getMetadata(key, handler), value);
  }
  const descriptor = { value, writable: true, configurable: true };
  Object.defineProperty(prototype, name, Reflect.decorate([...decorators], prototype, name, descriptor));
}
