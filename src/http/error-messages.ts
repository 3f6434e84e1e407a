import { isNativeError } from 'node:util/types';

/** Causes of causes; an error may also be its own. */
const DEEPEST_CAUSE = 8;

/** An error's message with those of its causes, for the log. Whatever was thrown, this throws nothing. */
export function messagesOf(error: unknown): string {
  return messagesTo(DEEPEST_CAUSE, error);
}

function messagesTo(depth: number, error: unknown): string {
  if (depth === 0) return '…';
  try {
    // An error may come from another realm, as those of fetch do within jest.
    if (!(error instanceof Error) && !isNativeError(error)) return String(error);
    if ('errors' in error && Array.isArray(error.errors)) {
      return error.errors.map((one) => messagesTo(depth - 1, one)).join('; ');
    }
    return error.cause === undefined
      ? error.message
      : `${error.message}: ${messagesTo(depth - 1, error.cause)}`;
  } catch {
    return 'something that cannot be shown';
  }
}
