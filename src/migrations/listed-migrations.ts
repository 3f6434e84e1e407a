import type { MigrationInterface, QueryRunner } from 'typeorm';
import { DatabaseProblemsError } from '../database/database-problems.js';
import type { DatabaseProblem } from '../database/database-problems.js';
import { MigrationList } from './migration-list.js';
import { refuseWithoutRights } from './migration-rights.js';

export type MigrationType = new () => MigrationInterface;

/** Class of the advisory lock under which one at a time migrates. */
const MIGRATION_LOCK = 0x5e551003;

/** How long (ms) to wait for another that migrates, or that uses our list. */
export const LONGEST_WAIT = 60_000;

const LOCK_NOT_AVAILABLE = '55P03';

/** Or something such as a backup has the list of migrations. */
const STILL_LOCKED: DatabaseProblem = {
  message: 'Another process is still migrating the alerts, or keeps the list of their migrations locked',
  mend: 'Wait until it has ended (pg_stat_activity shows what it does), and try again',
};

/**
 * Migrations as an application's DataSource gets them. It may note them where it likes, and several may run them at once:
 * by our own list each is done once, after those before it.
 */
export function listed(migrations: MigrationType[]): MigrationType[] {
  return migrations.map((migration, index) => {
    const { name } = migration;
    const classes = {
      [name]: class implements MigrationInterface {
        readonly name = name;

        async up(runner: QueryRunner): Promise<void> {
          await inTransaction(runner, () => runUpTo(runner, migrations, index + 1));
        }

        async down(runner: QueryRunner): Promise<void> {
          await inTransaction(runner, () => undo(runner, migrations, migration));
        }
      },
    };
    return classes[name] as MigrationType;
  });
}

/** A newer version has been here: what it has done to the tables this one does not know. */
export function newerThan(migrations: MigrationType[], done: string[]): DatabaseProblem | undefined {
  const newer = done.filter((name) => !migrations.some((migration) => migration.name === name));
  if (newer.length === 0) return undefined;
  return {
    message: `The alerts' tables are those of a newer version, which has run ${newer.join(', ')}`,
    mend: 'Use that version, or undo it by that version before this one is used',
  };
}

/**
 * Runs the first so many, as far as they are not done, in the transaction of the runner.
 * @throws DatabaseProblemsError
 */
async function runUpTo(runner: QueryRunner, migrations: MigrationType[], count: number): Promise<void> {
  const list = new MigrationList(runner, namesOf(migrations));
  const pending = await waitingAtMost(runner, LONGEST_WAIT, async () => {
    await lockInTransaction(runner);
    const done = await list.read();
    const missing = migrations.slice(0, count).filter(({ name }) => !done.includes(name));
    if (missing.length === 0) return [];
    await refuseWithoutRights(runner, 'migrate');
    const newer = newerThan(migrations, done);
    if (newer) throw new DatabaseProblemsError([newer]);
    await list.keep();
    return missing;
  });
  for (const Pending of pending) {
    await new Pending().up(runner);
    await list.note(Pending.name);
  }
}

/** Undoes one, where it is done, and nothing that was done after it. */
async function undo(runner: QueryRunner, migrations: MigrationType[], Undone: MigrationType): Promise<void> {
  const list = new MigrationList(runner, namesOf(migrations));
  const done = await waitingAtMost(runner, LONGEST_WAIT, async () => {
    await lockInTransaction(runner);
    await refuseWithoutRights(runner, 'migrate');
    return list.keep();
  });
  if (!done.includes(Undone.name)) return;
  const before = namesOf(migrations.slice(0, migrations.indexOf(Undone) + 1));
  const since = done.filter((name) => !before.includes(name));
  if (since.length > 0) {
    throw new DatabaseProblemsError([
      {
        message: `${Undone.name} cannot be undone while ${since.join(', ')} is done`,
        mend: 'Undo that before, by the version that has it',
      },
    ]);
  }
  await new Undone().down(runner);
  await list.forget(Undone.name);
  if (done.length === 1) await list.drop();
}

/** A session that has the lock already gets it at once. */
async function lockInTransaction(runner: QueryRunner): Promise<void> {
  await refuseWithoutRights(runner, 'look');
  await runner.query(`SELECT pg_advisory_xact_lock($1, 0)`, [MIGRATION_LOCK]);
}

/**
 * Does the work while no other process migrates, on one connection, whose statements may take as long as they need.
 * @throws DatabaseProblemsError
 */
export async function withMigrationLock<T>(
  runner: QueryRunner,
  longestWait: number,
  work: () => Promise<T>,
): Promise<T> {
  const before = await set(runner, 'statement_timeout', '0');
  try {
    await waitingAtMost(runner, longestWait, () =>
      runner.query(`SELECT pg_advisory_lock($1, 0)`, [MIGRATION_LOCK]),
    );
    try {
      return await work();
    } finally {
      await unlessGone(runner.query(`SELECT pg_advisory_unlock($1, 0)`, [MIGRATION_LOCK]));
    }
  } finally {
    await unlessGone(set(runner, 'statement_timeout', before));
  }
}

/** The same in one transaction, whose lock ends with it: an application's connections may be those of a pooler. */
export async function inMigratingTransaction<T>(runner: QueryRunner, work: () => Promise<T>): Promise<T> {
  return inTransaction(runner, async () => {
    await set(runner, 'statement_timeout', '0');
    return work();
  });
}

/** What goes with the connection anyway: where that is gone the first error says so. */
async function unlessGone(mended: Promise<unknown>): Promise<void> {
  await mended.catch(() => undefined);
}

/** @throws DatabaseProblemsError where a lock takes longer (ms) */
export async function waitingAtMost<T>(
  runner: QueryRunner,
  longestWait: number,
  work: () => Promise<T>,
): Promise<T> {
  const before = await set(runner, 'lock_timeout', String(longestWait));
  try {
    const result = await work();
    await set(runner, 'lock_timeout', before);
    return result;
  } catch (error) {
    // A transaction that fails takes its settings back by itself.
    if (!runner.isTransactionActive) await unlessGone(set(runner, 'lock_timeout', before));
    if ((error as { code?: unknown }).code !== LOCK_NOT_AVAILABLE) throw error;
    throw new DatabaseProblemsError([STILL_LOCKED]);
  }
}

/** Sets one of PostgreSQL's settings, on the connection or for its transaction, and tells what it was. */
async function set(runner: QueryRunner, name: string, value: string): Promise<string> {
  const [row] = (await runner.query(`SELECT current_setting($1) AS before, set_config($1, $2, $3)`, [
    name,
    value,
    runner.isTransactionActive,
  ])) as [{ before: string }];
  return row.before;
}

/** In one of its own, where an application runs its migrations without. */
export async function inTransaction<T>(runner: QueryRunner, work: () => Promise<T>): Promise<T> {
  if (runner.isTransactionActive) return work();
  await runner.startTransaction('READ COMMITTED');
  try {
    const result = await work();
    await runner.commitTransaction();
    return result;
  } catch (error) {
    // Where the connection is gone the first error says so.
    await runner.rollbackTransaction().catch(() => undefined);
    throw error;
  }
}

export function namesOf(migrations: MigrationType[]): string[] {
  return migrations.map(({ name }) => name);
}
