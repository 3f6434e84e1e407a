import type { DataSource, QueryRunner } from 'typeorm';
import { DatabaseProblemsError } from '../database/database-problems.js';
import type { DatabaseProblem } from '../database/database-problems.js';
import { inTransaction, LONGEST_WAIT, withMigrationLock } from './listed-migrations.js';

/** One user's rows of all of these are on one machine: the first says on which, the others are kept beside it. */
export const DISTRIBUTED_TABLES = [
  'alerts',
  'sightings',
  'preferences',
  'mutes',
  'delivery_targets',
  'deliveries',
  'messages',
  'open_pages',
];

/** What statements call where the rows are. */
const FUNCTION = 'session_alerts.series_key(text, text, text)';

/** What requests saw of several users' at once would be on no machine of theirs: alerts keep when that was. */
const KEEP_SIGHTINGS = `
  UPDATE session_alerts.alerts AS alert SET last_seen = seen.last_seen
    FROM (SELECT series.user_id, series.id, to_timestamp(max(sightings.arrival) / 1e6) AS last_seen
            FROM (SELECT open.user_id, open.id,
                         session_alerts.series_key(open.user_id, open.session_name, behind.fingerprint) AS key
                    FROM session_alerts.alerts AS open
                   CROSS JOIN LATERAL (
                     SELECT encode(open.series, 'hex') AS fingerprint
                      UNION ALL
                     SELECT other ->> 'fingerprint' FROM json_array_elements(open.other_series) AS other) AS behind
                   WHERE open.resolved_date IS NULL AND behind.fingerprint IS NOT NULL) AS series
            JOIN session_alerts.sightings ON sightings.user_id = '' AND series.key = ANY (sightings.series)
           GROUP BY series.user_id, series.id) AS seen
   WHERE alert.user_id = seen.user_id AND alert.id = seen.id
     AND coalesce(alert.last_seen, alert.creation_date) < seen.last_seen`;

const FORGET_SIGHTINGS = `DELETE FROM session_alerts.sightings WHERE user_id = ''`;

const NO_CITUS: DatabaseProblem = {
  message: 'The database has no Citus, which distributes tables: nothing was changed',
  mend:
    'One PostgreSQL needs no --distribute. For several machines create the extension citus in this database on each of ' +
    'them, let citus_add_node know them here, and try again',
};

/**
 * Refuses a database whose tables nothing can distribute.
 * @throws DatabaseProblemsError
 */
export async function refuseWithoutCitus(dataSource: DataSource): Promise<void> {
  const found: unknown = await dataSource.query(
    `SELECT 1 FROM pg_catalog.pg_extension WHERE extname = 'citus'`,
  );
  if ((found as unknown[]).length === 0) throw new DatabaseProblemsError([NO_CITUS]);
}

/**
 * Distributes the migrated tables by user, with the functions of Citus and in one transaction, as far as they are not.
 * @returns the statements that did so, or would
 * @throws DatabaseProblemsError
 */
export async function distributeTables(
  dataSource: DataSource,
  { dryRun }: { dryRun: boolean },
): Promise<string[]> {
  const runner = dataSource.createQueryRunner();
  try {
    if (dryRun) return await missingOn(runner);
    return await withMigrationLock(runner, LONGEST_WAIT, () =>
      inTransaction(runner, async () => {
        const statements = await missingOn(runner);
        for (const statement of statements) await runner.query(statement);
        return statements;
      }),
    );
  } finally {
    await runner.release();
  }
}

async function missingOn(runner: QueryRunner): Promise<string[]> {
  const rows = (await runner.query(
    `SELECT relname AS name
       FROM pg_catalog.pg_dist_partition JOIN pg_catalog.pg_class ON pg_class.oid = logicalrelid
      WHERE relnamespace = to_regnamespace('session_alerts') AND partmethod = 'h'`,
  )) as { name: string }[];
  const missing = DISTRIBUTED_TABLES.filter((table) => !rows.some(({ name }) => name === table));
  if (missing.length === 0) return [];
  return [
    ...(missing.includes('sightings') ? [KEEP_SIGHTINGS, FORGET_SIGHTINGS] : []),
    ...missing.map(distribute),
    ...missing.map(
      (table) => `SELECT truncate_local_data_after_distributing_table('session_alerts.${table}')`,
    ),
    `SELECT create_distributed_function('${FUNCTION}')`,
  ].map((statement) => statement.trim().replaceAll(/\s+/g, ' '));
}

function distribute(table: string): string {
  const [first = table] = DISTRIBUTED_TABLES;
  const beside = table === first ? 'none' : `session_alerts.${first}`;
  return `SELECT create_distributed_table('session_alerts.${table}', 'user_id', colocate_with => '${beside}')`;
}
