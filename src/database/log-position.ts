import type { Statement } from './statement.js';

/** How much of the write-ahead log a node has: a primary what is stored, a standby what it has replayed. */
export interface LogPosition {
  isStandby: boolean;
  /** Which history the log is of: each promotion begins another. */
  timeline: number;
  /** Bytes since the beginning. */
  position: number;
}

/** The primary's, which is asked often: half of what the other costs. */
export const READ_PRIMARY_POSITION: Statement = {
  name: 'session_alerts_read_primary_position',
  text: `
    SELECT false AS "isStandby", left(pg_walfile_name(pg_current_wal_flush_lsn()), 8) AS timeline,
           (pg_current_wal_flush_lsn() - '0/0'::pg_lsn)::text AS position`,
};

/**
 * Of either: what is read after it, by a statement of its own, holds all that is before that position. A standby knows its
 * timeline by its last restartpoint, which may be some minutes old; till then it counts as being on the one before.
 */
export const READ_POSITION: Statement = {
  name: 'session_alerts_read_position',
  text: `
    SELECT pg_is_in_recovery() AS "isStandby",
           CASE WHEN pg_is_in_recovery() THEN (SELECT lpad(to_hex(timeline_id), 8, '0') FROM pg_control_checkpoint())
                ELSE left(pg_walfile_name(pg_current_wal_flush_lsn()), 8)
                 END AS timeline,
           (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_flush_lsn() END
             - '0/0'::pg_lsn)::text AS position`,
};

/** Of a row that `READ_POSITION` answers. */
export function positionOf(row: unknown): LogPosition {
  const { isStandby, timeline, position } = row as Record<keyof LogPosition, unknown>;
  return {
    isStandby: isStandby === true,
    timeline: parseInt(String(timeline), 16),
    position: Number(position),
  };
}

/** Whether one node has all that another had. */
export function hasReached(one: LogPosition, other: LogPosition): boolean {
  return one.timeline === other.timeline && one.position >= other.position;
}
