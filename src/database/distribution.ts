import type { Connection } from './connection.js';

/** How many users' transactions are under way at a time, where each user has one. */
const AT_ONCE = 4;

/** Whether our tables are distributed by user, by Citus: then it has this list. */
export async function areDistributed(connection: Connection): Promise<boolean> {
  const [citus] = await connection.askOne<{ isThere: boolean }>({
    text: `SELECT to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL AS "isThere"`,
  });
  if (citus?.isThere !== true) return false;
  const distributed = await connection.askOne({
    text: `
      SELECT 1 FROM pg_catalog.pg_dist_partition
       WHERE logicalrelid = to_regclass('session_alerts.alerts') AND partmethod = 'h'`,
  });
  return distributed.length > 0;
}

/** Does the work for each of these, a few at a time; the results are in their order. */
export async function forEachOf<T, Result>(all: T[], work: (one: T) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  const left = all.entries();
  const goOn = async (): Promise<void> => {
    for (const [index, one] of left) results[index] = await work(one);
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, all.length) }, goOn));
  return results;
}
