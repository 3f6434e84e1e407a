import type { QueryRunner } from 'typeorm';
import { DatabaseProblemsError, lackingRights } from '../database/database-problems.js';
import type { DatabaseProblem } from '../database/database-problems.js';
import { DATABASE_NAMES, grantingCommand } from '../database/database-names.js';
import type { DatabaseNames } from '../database/database-names.js';
import { LIST_NAME } from './migration-list.js';

/** To look what is pending, and to migrate. */
type Work = 'look' | 'migrate';

interface LackingRight extends DatabaseNames {
  work: Work;
  lacks: string;
  /** What of it an administrator may grant, as a statement says it; but for the database's name. */
  grant: string | null;
}

/** What the role lacks for either; everything is in our schema. */
const LACKING_RIGHTS = `
  WITH ours AS (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = 'session_alerts'),
       tables AS (SELECT pg_class.* FROM pg_catalog.pg_class JOIN ours ON ours.oid = relnamespace WHERE relkind = 'r'),
       lacking (work, lacks, "grant") AS (
         SELECT 'look', 'USAGE on the schema session_alerts', NULL
           FROM ours WHERE NOT has_schema_privilege(oid, 'USAGE')
          UNION ALL
         SELECT 'look', 'SELECT on session_alerts.' || relname, NULL
           FROM tables WHERE relname = '${LIST_NAME}' AND NOT has_table_privilege(oid, 'SELECT')
          UNION ALL
         SELECT 'migrate', 'CREATE on the database', 'CREATE ON DATABASE'
          WHERE NOT EXISTS (SELECT FROM ours) AND NOT has_database_privilege(current_database(), 'CREATE')
          UNION ALL
         SELECT 'migrate', privilege || ' on the schema session_alerts', privilege || ' ON SCHEMA session_alerts'
           FROM ours, unnest(ARRAY['USAGE', 'CREATE']) AS privilege WHERE NOT has_schema_privilege(oid, privilege)
          UNION ALL
         SELECT 'migrate', 'the ownership of session_alerts.' || relname, NULL
           FROM tables WHERE NOT pg_has_role(relowner, 'USAGE'))
  SELECT lacking.*, ${DATABASE_NAMES} FROM lacking`;

/** What the role lacks, if anything. */
export async function findLackingRights(
  runner: QueryRunner,
  work: Work,
): Promise<DatabaseProblem | undefined> {
  const rows = (await runner.query(LACKING_RIGHTS)) as LackingRight[];
  const lacking = rows.filter((row) => row.work === work);
  const [first] = lacking;
  if (!first) return undefined;
  return lackingRights(
    lacking.map(({ lacks }) => lacks),
    first,
    (names) => mendOf(lacking, work, names),
  );
}

/** Tables keep their owner, who can do what others cannot be given a right to. */
function mendOf(lacking: LackingRight[], work: Work, names: DatabaseNames): string {
  const command = `\`${grantingCommand(names)}\``;
  if (work === 'look') return `Let the owner of the tables grant it that: ${command}`;
  const grants = lacking.flatMap(({ grant }) => grant ?? []);
  if (grants.length < lacking.length) {
    return `Let the owner of the tables migrate in its place, and give it what serving needs: ${command}`;
  }
  const statements = grants.map((grant) => {
    const what = grant.endsWith('DATABASE') ? `${grant} ${names.database}` : grant;
    return `GRANT ${what} TO ${names.role}`;
  });
  return `Let an administrator run \`${statements.join('; ')}\`, or migrate in its place: ${command}`;
}

/** @throws DatabaseProblemsError */
export async function refuseWithoutRights(runner: QueryRunner, work: Work): Promise<void> {
  const problem = await findLackingRights(runner, work);
  if (problem) throw new DatabaseProblemsError([problem]);
}
