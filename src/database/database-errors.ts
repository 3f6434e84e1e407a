import { AnsweredError } from '../http/answered-error.js';

/** The database could not be reached, or cannot serve right now: the same call may succeed later. */
export class DatabaseUnavailableError extends AnsweredError {
  readonly answer = { code: 503, message: 'The database cannot be reached. Try again.' };

  constructor(cause: unknown) {
    super('The alerts database cannot serve right now', { cause });
  }
}

/**
 * SQLSTATEs of a database that is there but cannot serve: connection trouble (08), access (28), no such
 * database (3D000), short of resources (53), shutting down or starting up (57), its disk (58), read-only
 * after a failover or a transaction cut off (25), rolled back for another one's sake (40), a lock time-out
 * (55), our tables not migrated yet (3F000, 42P01), rights that are missing (42501), prepared statements on a
 * connection that is shared with others (26000, 42P05), a standby that is told to write (0A000).
 */
const CANNOT_SERVE = /^(08|25|28|40|53|55|57|58)...$|^(0A000|26000|3D000|3F000|42501|42P01|42P05)$/;
/** Serialization failure and deadlock. */
const CONCURRENCY_FAILURES = new Set(['40001', '40P01']);
/** No such prepared statement, and one that is there already. */
const LOST_STATEMENTS = new Set(['26000', '42P05']);

/**
 * Tells trouble with the database from mistakes in a statement. What has no SQLSTATE never reached the
 * server or lost it on the way.
 */
export function asDatabaseError(error: unknown): unknown {
  const state = sqlState(error);
  return state === undefined || CANNOT_SERVE.test(state) ? new DatabaseUnavailableError(error) : error;
}

/** Whether the transaction failed only because another one was in its way. */
export function isConcurrencyFailure(error: unknown): boolean {
  return error instanceof DatabaseUnavailableError && CONCURRENCY_FAILURES.has(sqlState(error.cause) ?? '');
}

/** Whether a prepared statement was not there, or another's, as others have had the connection since it was prepared. */
export function isLostStatement(error: unknown): boolean {
  return error instanceof DatabaseUnavailableError && LOST_STATEMENTS.has(sqlState(error.cause) ?? '');
}

/** Whether the node takes no writes, or no longer. */
export function isReadOnly(error: unknown): boolean {
  return sqlState(error) === '25006';
}

function sqlState(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}
