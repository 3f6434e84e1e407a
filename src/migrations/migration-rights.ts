import type { QueryRunner } from 'typeorm';
import { DatabaseProblemsError, lackingRights } from '../database/database-problems.js';
import type { DatabaseProblem } from '../database/database-problems.js';
import { LIST_NAME } from './migration-list.js';

/** To look what is pending, and to migrate. */
type Work = 'look' | 'migrate';

/** What the role lacks for either; everything is in our schema. */
const LACKING_RIGHTS = `
  WITH ours AS (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = 'session_alerts'),
       tables AS (SELECT pg_class.* FROM pg_catalog.pg_class JOIN ours ON ours.oid = relnamespace WHERE relkind = 'r')
  SELECT 'look' AS work, 'USAGE on the schema session_alerts' AS lacks
    FROM ours WHERE NOT has_schema_privilege(oid, 'USAGE')
   UNION ALL
  SELECT 'look', 'SELECT on session_alerts.' || relname
    FROM tables WHERE relname = '${LIST_NAME}' AND NOT has_table_privilege(oid, 'SELECT')
   UNION ALL
  SELECT 'migrate', 'CREATE on the database'
   WHERE NOT EXISTS (SELECT FROM ours) AND NOT has_database_privilege(current_database(), 'CREATE')
   UNION ALL
  SELECT 'migrate', privilege || ' on the schema session_alerts'
    FROM ours, unnest(ARRAY['USAGE', 'CREATE']) AS privilege WHERE NOT has_schema_privilege(oid, privilege)
   UNION ALL
  SELECT 'migrate', 'the ownership of session_alerts.' || relname
    FROM tables WHERE NOT pg_has_role(relowner, 'USAGE')`;

const MEND =
  'Let an administrator grant it that, or run `session-alerts migrate` as a role that has it (and set MIGRATE_ON_START=false, or migrate: false in an application)';

/** What the role lacks, if anything. */
export async function findLackingRights(
  runner: QueryRunner,
  work: Work,
): Promise<DatabaseProblem | undefined> {
  const rows = (await runner.query(LACKING_RIGHTS)) as { work: Work; lacks: string }[];
  const rights = rows.filter((row) => row.work === work).map(({ lacks }) => lacks);
  return rights.length > 0 ? lackingRights(rights, MEND) : undefined;
}

/** @throws DatabaseProblemsError */
export async function refuseWithoutRights(runner: QueryRunner, work: Work): Promise<void> {
  const problem = await findLackingRights(runner, work);
  if (problem) throw new DatabaseProblemsError([problem]);
}
