import type { DataSource, QueryRunner } from 'typeorm';
import { DatabaseProblemsError } from '../database/database-problems.js';
import type { DatabaseProblem } from '../database/database-problems.js';
import {
  inMigratingTransaction,
  inTransaction,
  LONGEST_WAIT,
  namesOf,
  newerThan,
  waitingAtMost,
  withMigrationLock,
} from './listed-migrations.js';
import { MigrationList } from './migration-list.js';
import { findLackingRights, refuseWithoutRights } from './migration-rights.js';
import { alertsMigrations } from './tables.js';

/** How long (ms) to wait for a lock where what it is for can be done another time as well. */
const SHORT_WAIT = 1_000;

export interface MigrationsReport {
  /** Which have run, or would run, in their order. */
  names: string[];
  /** The tables are those of a newer version: they may lack what this one needs. */
  newer: DatabaseProblem | undefined;
}

/**
 * Runs the migrations that are pending. Those who start together wait for the first; those after it find nothing to
 * do. All on one connection, which may take as long as it needs.
 * @param longestWait how long (ms) another may migrate meanwhile
 * @throws DatabaseProblemsError
 */
export async function runMigrations(
  dataSource: DataSource,
  longestWait = LONGEST_WAIT,
): Promise<MigrationsReport> {
  return onOneConnection(dataSource, (runner) =>
    withMigrationLock(runner, longestWait, async () =>
      runPending(runner, await look(runner, longestWait), inTransaction),
    ),
  );
}

/**
 * The same in transactions alone, on connections of an application's.
 * @throws DatabaseProblemsError
 */
export async function runMigrationsInTransactions(dataSource: DataSource): Promise<MigrationsReport> {
  return onOneConnection(dataSource, async (runner) => {
    const report = await inTransaction(runner, () => look(runner, LONGEST_WAIT));
    return runPending(runner, report, inMigratingTransaction);
  });
}

async function runPending(
  runner: QueryRunner,
  report: MigrationsReport,
  inOne: typeof inTransaction,
): Promise<MigrationsReport> {
  for (const Migration of alertsMigrations) {
    if (report.names.includes(Migration.name)) await inOne(runner, () => new Migration().up(runner));
  }
  if (report.names.length === 0) await moveList(runner);
  return report;
}

/**
 * Undoes the last.
 * @returns its name; nothing where none is done
 * @throws DatabaseProblemsError
 */
export async function undoLastMigration(dataSource: DataSource): Promise<string | undefined> {
  return onOneConnection(dataSource, (runner) =>
    withMigrationLock(runner, LONGEST_WAIT, async () => {
      const { names: pending } = await look(runner, LONGEST_WAIT);
      const Last = alertsMigrations.findLast(({ name }) => !pending.includes(name));
      await (Last && new Last().down(runner));
      return Last?.name;
    }),
  );
}

/**
 * The migrations that would run; changes nothing.
 * @throws DatabaseProblemsError where the role lacks the right to look, or nothing tells
 */
export async function pendingMigrations(dataSource: DataSource): Promise<MigrationsReport> {
  return onOneConnection(dataSource, (runner) => look(runner, LONGEST_WAIT));
}

/** What the role that is connected lacks to run them, if anything. */
export async function findLackingToMigrate(dataSource: DataSource): Promise<DatabaseProblem | undefined> {
  return onOneConnection(dataSource, (runner) => findLackingRights(runner, 'migrate'));
}

async function look(runner: QueryRunner, longestWait: number): Promise<MigrationsReport> {
  await refuseWithoutRights(runner, 'look');
  const done = await waitingAtMost(runner, longestWait, () => listOn(runner).read());
  return {
    names: namesOf(alertsMigrations).filter((name) => !done.includes(name)),
    newer: newerThan(alertsMigrations, done),
  };
}

/** Where nothing else is to be done. What stands in its way now, such as a backup, need not at the next start. */
async function moveList(runner: QueryRunner): Promise<void> {
  if (await findLackingRights(runner, 'migrate')) return;
  try {
    await inTransaction(runner, () => waitingAtMost(runner, SHORT_WAIT, () => listOn(runner).keep()));
  } catch (error) {
    if (!(error instanceof DatabaseProblemsError)) throw error;
  }
}

function listOn(runner: QueryRunner): MigrationList {
  return new MigrationList(runner, namesOf(alertsMigrations));
}

export async function onOneConnection<T>(
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
