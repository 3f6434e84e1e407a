import { MigrationExecutor } from 'typeorm';
import type { DataSource, QueryRunner } from 'typeorm';
import { MIGRATIONS_TABLE } from '../database/connection-settings.js';
import { DatabaseProblemsError, lackingRights } from '../database/database-problems.js';
import { dataSourceOf } from './data-source-of.js';

/** Class of the advisory lock under which one process at a time migrates. */
const MIGRATION_LOCK = 0x5e551003;

/** The tables belong to an application that embeds the module, runs the migrations and notes that in a table of its own. */
export class MigratedElsewhereError extends Error {
  constructor() {
    super(
      'The tables were made by an application that runs the migrations itself; nothing else may run them (MIGRATE_ON_START=false)',
    );
  }
}

/**
 * Runs the migrations that are pending, and names them. Those who start together wait for the first; those after
 * it find nothing to do. All on one connection, which may take as long as it needs.
 * @throws MigratedElsewhereError, DatabaseProblemsError where the role lacks the rights
 */
export async function runMigrations(dataSource: DataSource): Promise<string[]> {
  return onOneConnection(dataSource, async (runner) => {
    const [{ before }] = (await runner.query(
      `SELECT current_setting('statement_timeout') AS before, set_config('statement_timeout', '0', false)`,
    )) as [{ before: string }];
    await runner.query(`SELECT pg_advisory_lock($1, 0)`, [MIGRATION_LOCK]);
    try {
      if ((await pendingOn(runner)).length === 0) return [];
      await refuseWithoutRights(runner, 'migrate');
      const executor = new MigrationExecutor(dataSource, runner);
      executor.transaction = 'each';
      return (await executor.executePendingMigrations()).map(({ name }) => name);
    } finally {
      await runner.query(`SELECT pg_advisory_unlock($1, 0)`, [MIGRATION_LOCK]);
      await runner.query(`SELECT set_config('statement_timeout', $1, false)`, [before]);
    }
  });
}

/**
 * The migrations that would run, in their order; changes nothing.
 * @throws MigratedElsewhereError, DatabaseProblemsError where the role lacks the right to look
 */
export async function pendingMigrations(dataSource: DataSource): Promise<string[]> {
  return onOneConnection(dataSource, pendingOn);
}

async function pendingOn(runner: QueryRunner): Promise<string[]> {
  await refuseWithoutRights(runner, 'look');
  const dataSource = dataSourceOf(runner);
  const pending = await new MigrationExecutor(dataSource, runner).getPendingMigrations();
  if (pending.length === dataSource.migrations.length && (await runner.hasTable('session_alerts.alerts'))) {
    throw new MigratedElsewhereError();
  }
  return pending.map(({ name }) => name);
}

/** What the role lacks to look what is pending, and to migrate. */
const LACKING_RIGHTS = `
  WITH noted AS (SELECT pg_class.oid, nspname, relnamespace
                   FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace ON pg_namespace.oid = relnamespace
                  WHERE relname = '${MIGRATIONS_TABLE}' AND coalesce(nspname = current_schema(), true)),
       ours AS (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = 'session_alerts')
  SELECT 'look' AS work, 'USAGE on the schema ' || nspname AS lacks
    FROM noted WHERE NOT has_schema_privilege(relnamespace, 'USAGE')
   UNION ALL
  SELECT 'look', 'SELECT on ' || nspname || '.${MIGRATIONS_TABLE}'
    FROM noted WHERE NOT has_table_privilege(oid, 'SELECT')
   UNION ALL
  SELECT 'migrate', 'INSERT on ' || nspname || '.${MIGRATIONS_TABLE}'
    FROM noted WHERE NOT has_table_privilege(oid, 'INSERT')
   UNION ALL
  SELECT 'migrate', 'CREATE on the schema ' || coalesce(current_schema(), 'public')
   WHERE NOT EXISTS (SELECT FROM noted)
     AND NOT coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)
   UNION ALL
  SELECT 'migrate', 'CREATE on the database'
   WHERE NOT EXISTS (SELECT FROM ours) AND NOT has_database_privilege(current_database(), 'CREATE')
   UNION ALL
  SELECT 'migrate', privilege || ' on the schema session_alerts'
    FROM ours, unnest(ARRAY['USAGE', 'CREATE']) AS privilege WHERE NOT has_schema_privilege(oid, privilege)
   UNION ALL
  SELECT 'migrate', 'the ownership of session_alerts.' || relname
    FROM pg_catalog.pg_class JOIN ours ON ours.oid = relnamespace
   WHERE relkind = 'r' AND NOT pg_has_role(relowner, 'USAGE')`;

/** @throws DatabaseProblemsError */
async function refuseWithoutRights(runner: QueryRunner, work: 'look' | 'migrate'): Promise<void> {
  const rows = (await runner.query(LACKING_RIGHTS)) as { work: string; lacks: string }[];
  const rights = rows.filter((row) => row.work === work).map(({ lacks }) => lacks);
  if (rights.length > 0) throw new DatabaseProblemsError([lackingRights(rights, MEND_RIGHTS)]);
}

const MEND_RIGHTS =
  'Let an administrator grant it that, or run `session-alerts migrate` as a role that has it and set MIGRATE_ON_START=false';

async function onOneConnection<T>(
  dataSource: DataSource,
  work: (runner: QueryRunner) => Promise<T>,
): Promise<T> {
  const runner = dataSource.createQueryRunner();
  try {
    return await work(runner);
  } finally {
    await runner.release();
  }
}
