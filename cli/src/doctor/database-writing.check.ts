import { randomBytes } from 'node:crypto';
import type { DataSource } from 'typeorm';
import type { Examination } from './check.js';
import { reasonOf } from './neighbours.js';

const CHECK = 'database.writing';
/** Bytes that do not compress: more than what the pages that there are will mostly have room for. */
const WEIGHT = 64 * 1024;

const WRITE = `
  INSERT INTO session_alerts.alerts
              (creation_date, fingerprint, gravity, is_event, by_hand, resolved_date, resolved_reason,
               message, title, event_type, user_id, id)
       VALUES (now(), 0, 0, false, true, now(), 'manual', $1, 'Written by doctor, and rolled back',
               'SessionAlertsDoctor', 'session-alerts-doctor', $2)`;

/** What else SQLSTATEs say of a write that fails. */
const MENDS: Readonly<Record<string, string>> = {
  '53100':
    'Its disk is full: give the volume of PostgreSQL more space, or free some (old WAL that a replication slot holds, other databases)',
  '25006':
    'Let DATABASE_URL lead to the primary, or let it write again: some hosts set a database to read-only when its disk is nearly full',
  '42501':
    "Let the owner of the tables grant this role INSERT on session_alerts.alerts (and a policy, where row security is on), or use the server's own DATABASE_URL",
};

/** An alert can be written: one is, and rolled back. */
export async function checkWriting(examination: Examination, dataSource: DataSource): Promise<void> {
  const fault = examination.faultIn('database');
  if (fault) {
    examination.skip(CHECK, `because of what is wrong with ${fault.check}`);
    return;
  }
  const runner = dataSource.createQueryRunner();
  try {
    await runner.startTransaction();
    await runner.query(WRITE, [
      randomBytes((WEIGHT * 3) / 4).toString('base64'),
      randomBytes(13).toString('hex'),
    ]);
    examination.ok(CHECK, 'An alert can be written; it was rolled back');
  } catch (error) {
    const mend =
      MENDS[String((error as { code?: unknown }).code)] ??
      "See PostgreSQL's log, and whether the server can write with this DATABASE_URL";
    examination.wrong(CHECK, `No alert can be written: ${reasonOf(error)}`, mend);
  } finally {
    await runner.rollbackTransaction().catch(() => undefined);
    await runner.release();
  }
}
