import type { Statement } from './statement.js';

/** The classes of our advisory locks: the gate that every writer passes, and the users behind it. */
const GATE = 0x5e551001;
const USERS = 0x5e551002;

const NOW = `(extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now`;

/** READ COMMITTED, so that what is read after the locks is what the writers before us left. */
export const BEGIN: Statement = { text: 'BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE' };
export const COMMIT: Statement = { text: 'COMMIT' };
export const ROLLBACK: Statement = { text: 'ROLLBACK' };

/** Until the transaction ends. */
export const ALLOW_HASH_JOINS: Statement = { text: 'SET LOCAL enable_hashjoin = on' };

/** The database's clock (µs since 1970). */
export const READ_CLOCK: Statement = { name: 'session_alerts_read_clock', text: `SELECT ${NOW}` };

/**
 * Until the transaction ends: NULL in an array is NULL, and what is committed is stored. Connections of an application
 * are as it has made them, and stay so.
 */
const DEPENDED_ON = `
  CASE current_setting('array_nulls') WHEN 'off' THEN set_config('array_nulls', 'on', true) END,
  CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'on', true) END`;

/** Waits until no other writer has these users, and tells the time then. */
export function lockUsers(keys: number[]): Statement {
  return {
    name: 'session_alerts_lock_users',
    text: `
      WITH gate AS MATERIALIZED (SELECT pg_advisory_xact_lock_shared($1, 0)),
           locked AS MATERIALIZED (SELECT pg_advisory_xact_lock($2, key) FROM gate, unnest($3::int[]) AS key)
      SELECT ${NOW}, ${DEPENDED_ON} FROM (SELECT count(*) FROM locked) AS all_locked`,
    values: [GATE, USERS, keys],
  };
}

/** Waits until there is no other writer, and tells the time then. */
export function lockAll(): Statement {
  return {
    name: 'session_alerts_lock_all',
    text: `
      WITH gate AS MATERIALIZED (SELECT pg_advisory_xact_lock($1, 0))
      SELECT ${NOW}, ${DEPENDED_ON} FROM (SELECT count(*) FROM gate) AS locked`,
    values: [GATE],
  };
}

/** Where replicas tell each other whose open alerts have changed. */
export const CHANNEL = 'session_alerts';

/** In a notice instead of ids: everybody's. For those who change the tables past us. */
export const EVERYBODY = '*';

/** In a notice instead of the process that sends it: that the user has said anew how to be told. */
export const OF_PREFERENCES = 'preferences';

/** In a notice instead of the process that sends it: that some process listens for its own. */
export const PING = 'ping';

/** Tells the time as well. */
export function notifyPing(id: string): Statement {
  return { text: `SELECT pg_notify('${CHANNEL}', $1), ${NOW}`, values: [`${PING} ${id}`] };
}

export function notifyPreferences(userId: string): Statement {
  return { text: `SELECT pg_notify('${CHANNEL}', $1)`, values: [`${OF_PREFERENCES} ${userId}`] };
}

/** PostgreSQL takes less than 8,000 bytes. */
const LONGEST_NOTICE = 7_900;

/**
 * Tells all replicas, when the transaction commits, whose open alerts it changes; nothing where it changes none. A
 * notice is the process that sends it and the users' ids, with spaces between: an id has none.
 */
export function notifyChange(process: string, userIds: ReadonlySet<string>): Statement[] {
  if (userIds.size === 0) return [];
  const notices: string[] = [];
  let notice = [process];
  let length = process.length;
  for (const userId of userIds) {
    const added = Buffer.byteLength(userId) + 1;
    if (length + added > LONGEST_NOTICE) {
      notices.push(notice.join(' '));
      notice = [process];
      length = process.length;
    }
    notice.push(userId);
    length += added;
  }
  return [
    {
      name: 'session_alerts_notify_change',
      text: `SELECT pg_notify('${CHANNEL}', notice) FROM unnest($1::text[]) AS notice`,
      values: [[...notices, notice.join(' ')]],
    },
  ];
}
