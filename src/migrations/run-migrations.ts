import { MigrationExecutor } from 'typeorm';
import type { DataSource, QueryRunner } from 'typeorm';

/** Class of the advisory lock under which one process at a time migrates. */
const MIGRATION_LOCK = 0x5e551003;

/**
 * Runs the migrations that are pending, and names them. Those who start together wait for the first; those after
 * it find nothing to do. All on one connection, which may take as long as it needs.
 */
export async function runMigrations(dataSource: DataSource): Promise<string[]> {
  return onOneConnection(dataSource, async (runner) => {
    await runner.query(`SET statement_timeout = 0`);
    await runner.query(`SELECT pg_advisory_lock($1, 0)`, [MIGRATION_LOCK]);
    try {
      const executor = new MigrationExecutor(dataSource, runner);
      executor.transaction = 'each';
      return (await executor.executePendingMigrations()).map(({ name }) => name);
    } finally {
      await runner.query(`SELECT pg_advisory_unlock($1, 0)`, [MIGRATION_LOCK]);
      await runner.query(`RESET statement_timeout`);
    }
  });
}

/** The migrations that would run, in their order; changes nothing. */
export async function pendingMigrations(dataSource: DataSource): Promise<string[]> {
  return onOneConnection(dataSource, async (runner) =>
    (await new MigrationExecutor(dataSource, runner).getPendingMigrations()).map(({ name }) => name),
  );
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
