import type { DataSource, QueryRunner } from 'typeorm';
import { DatabaseProblemsError } from '../database/database-problems.js';
import type { DatabaseProblem } from '../database/database-problems.js';
import { inTransaction, LONGEST_WAIT, withMigrationLock } from './listed-migrations.js';
import { onOneConnection } from './run-migrations.js';
import { OTHER_OWNERS, REMARKS, valuesFor, WRONG_RIGHTS } from './server-grants.statements.js';

export interface GrantsReport {
  /** What has run, or would run, in its order: nothing where the role has what it needs, and no more. */
  statements: string[];
  /** Sentences on rights that are not ours to give or to take. */
  remarks: string[];
}

/**
 * Gives a server's role what serving needs of what is ours, and takes away what it has more of that; all or nothing.
 * @throws DatabaseProblemsError where who is connected may not
 */
export async function runGrants(dataSource: DataSource, role: string): Promise<GrantsReport> {
  return onOneConnection(dataSource, (runner) =>
    // Two who change rights at once are in each other's way.
    withMigrationLock(runner, LONGEST_WAIT, () =>
      inTransaction(runner, async () => {
        const report = await look(runner, role);
        for (const statement of report.statements) await run(runner, statement, role);
        const { statements: left } = await look(runner, role);
        if (left.length > 0) throw new DatabaseProblemsError([await whyUndone(runner, role, left)]);
        return report;
      }),
    ),
  );
}

/** What that would run; changes nothing. */
export async function pendingGrants(dataSource: DataSource, role: string): Promise<GrantsReport> {
  return onOneConnection(dataSource, (runner) => look(runner, role));
}

async function look(runner: QueryRunner, role: string): Promise<GrantsReport> {
  const wrong = (await runner.query(WRONG_RIGHTS, valuesFor(role))) as { statement: string }[];
  const remarks = (await runner.query(REMARKS, valuesFor(role))) as { remark: string }[];
  return {
    statements: wrong.map(({ statement }) => statement),
    remarks: remarks.map(({ remark }) => remark),
  };
}

const INSUFFICIENT_PRIVILEGE = '42501';
const DEPENDENT_PRIVILEGES_STILL_EXIST = '2BP01';

async function run(runner: QueryRunner, statement: string, role: string): Promise<void> {
  await runner.query('SAVEPOINT before_grant');
  try {
    await runner.query(statement);
  } catch (error) {
    const { code } = error as { code?: unknown };
    await runner.query('ROLLBACK TO SAVEPOINT before_grant');
    if (code === INSUFFICIENT_PRIVILEGE)
      throw new DatabaseProblemsError([await whyUndone(runner, role, [statement])]);
    if (code !== DEPENDENT_PRIVILEGES_STILL_EXIST) throw error;
    throw new DatabaseProblemsError([
      {
        message: `The role ${JSON.stringify(role)} has handed rights on to others, which would lose them by "${statement}"`,
        mend: `Run that with CASCADE, where they may`,
      },
    ]);
  }
}

/** GRANT and REVOKE leave undone what they may not do, with no more than a notice. */
async function whyUndone(runner: QueryRunner, role: string, statements: string[]): Promise<DatabaseProblem> {
  const owners = (await runner.query(OTHER_OWNERS, valuesFor(role))) as { owner: string }[];
  const undone = statements.map((statement) => `"${statement}"`).join('; ');
  if (owners.length === 0) {
    return {
      message: `What others than the owner have given to the role ${JSON.stringify(role)} is left by ${undone}`,
      mend: 'Let them, or a superuser in their names (SET ROLE), take it away',
    };
  }
  return {
    message: `The role that connects to the database may not run ${undone}`,
    mend: `Run this as the owner of the tables (${owners.map(({ owner }) => JSON.stringify(owner)).join(', ')})`,
  };
}
