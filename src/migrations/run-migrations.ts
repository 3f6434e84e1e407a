import { MigrationExecutor } from 'typeorm';
import type { DataSource, QueryRunner } from 'typeorm';

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
 * @throws MigratedElsewhereError
 */
export async function runMigrations(dataSource: DataSource): Promise<string[]> {
  return onOneConnection(dataSource, async (runner) => {
    await runner.query(`SET statement_timeout = 0`);
    await runner.query(`SELECT pg_advisory_lock($1, 0)`, [MIGRATION_LOCK]);
    try {
      await pendingOn(runner);
      const executor = new MigrationExecutor(dataSource, runner);
      executor.transaction = 'each';
      return (await executor.executePendingMigrations()).map(({ name }) => name);
    } finally {
      await runner.query(`SELECT pg_advisory_unlock($1, 0)`, [MIGRATION_LOCK]);
      await runner.query(`RESET statement_timeout`);
    }
  });
}

/**
 * The migrations that would run, in their order; changes nothing.
 * @throws MigratedElsewhereError
 */
export async function pendingMigrations(dataSource: DataSource): Promise<string[]> {
  return onOneConnection(dataSource, pendingOn);
}

async function pendingOn(runner: QueryRunner): Promise<string[]> {
  const { dataSource } = runner;
  const pending = await new MigrationExecutor(dataSource, runner).getPendingMigrations();
  if (pending.length === dataSource.migrations.length && (await runner.hasTable('session_alerts.alerts'))) {
    throw new MigratedElsewhereError();
  }
  return pending.map(({ name }) => name);
}

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
