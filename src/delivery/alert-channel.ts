import type { AlertRow } from '../alerts/alerts.dto.js';
import type { Transition } from './delivery-rules.js';

/** An alert as a message brings it: that it has begun or become graver, as it is now, or that it is over. */
export interface ToldAlert {
  transition: Transition;
  alert: AlertRow;
  /** Where the user's page about its session is, where the settings say it (`sessionUrl`). */
  link: string | undefined;
}

/** What is told at one target at once. */
export interface AlertMessage {
  /** A UUID: a message that comes again, as its first arrival was not heard of, has the same. */
  id: string;
  userId: string;
  /** Which of the channel's targets; empty where a user has one. */
  target: string;
  /** What was noted of the target when the user turned the channel on. */
  details: Readonly<Record<string, unknown>>;
  /** The user's language (BCP 47), where it is known. */
  locale: string | undefined;
  /** The gravest first, then the newest; what is over comes last. */
  alerts: readonly ToldAlert[];
  /** The id of the message that told of one of these first, where this follows upon it. */
  beganWith: string | undefined;
  /** When it was made. */
  createdDate: Date;
}

/** A way to tell people of alerts outside of the page; a host may add its own. */
export interface AlertChannel {
  /** As preferences name it: lower-case letters, digits and `_`. */
  readonly name: string;
  /**
   * Sends a message. It counts as told when this returns.
   * @param signal ends it where it takes too long
   * @throws TargetGoneError, RetryLaterError, MessageRefusedError; after anything else it is tried again
   */
  send(message: AlertMessage, signal: AbortSignal): Promise<void>;
  /** Ends what it keeps open, when the application ends. */
  close?(): void | Promise<void>;
}

/** There is no such target any more: it is forgotten. */
export class TargetGoneError extends Error {}

/** Nobody takes this message, however often it comes: it is given up, and others go on. */
export class MessageRefusedError extends Error {}

/** Not now. */
export class RetryLaterError extends Error {
  /** @param retryAfter seconds, from now; where the other side has said it */
  constructor(
    message: string,
    readonly retryAfter?: number,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}
