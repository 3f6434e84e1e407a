import { encodeTime, monotonicFactory } from 'ulid';

/**
 * A new alert's id: a ULID that carries the given time (ms since 1970) and rises within a process, so that
 * one batch keeps its order.
 */
export const newAlertId: (time: number) => string = monotonicFactory();

/** A ULID, in either case: it means the same. */
export const ALERT_ID = /^[0-7][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{25}$/;

/** Lower than the id of every alert that was opened then (ms since 1970) or later; no id is from before 1970. */
export function firstAlertId(time: number): string {
  return encodeTime(Math.max(time, 0));
}
