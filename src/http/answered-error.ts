import type { ErrorDetails } from './error-response.dto.js';

/** An error that hosts may meet outside of any request, and that says itself how a request is answered. */
export abstract class AnsweredError extends Error {
  abstract readonly answer: Readonly<Pick<ErrorDetails, 'code' | 'message'>>;
  /** Whether it needs no line in the log: a metric counts it. */
  readonly isCounted: boolean = false;
}
