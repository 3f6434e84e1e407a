import { isNativeError } from 'node:util/types';

/** An error's message with those of its causes, for the log. */
export function messagesOf(error: unknown): string {
  // An error may come from another realm, as those of fetch do within jest.
  if (!(error instanceof Error) && !isNativeError(error)) return String(error);
  if ('errors' in error && Array.isArray(error.errors)) return error.errors.map(messagesOf).join('; ');
  return error.cause === undefined ? error.message : `${error.message}: ${messagesOf(error.cause)}`;
}
