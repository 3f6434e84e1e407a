/** What the process ends with; scripts may rely on it. */
export const EXIT = {
  /** Done. */
  ok: 0,
  /** Not done, or done with an answer that is a no; the message says what to do. */
  failed: 1,
  /** The command line or the environment is not right: nothing was tried. */
  usage: 2,
  /** A neighbour could not be reached: the same command may succeed later. */
  unreachable: 3,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends a command; the message is a sentence that says what to do, and all that is printed. */
export class CommandError extends Error {
  readonly exitCode: ExitCode = EXIT.failed;
}

export class UsageError extends CommandError {
  override readonly exitCode = EXIT.usage;
}

export class UnreachableError extends CommandError {
  override readonly exitCode = EXIT.unreachable;
}
