import { AbstractLogger, DataSource } from 'typeorm';
import {
  DatabaseProblemsError,
  distributeTables,
  findProblemsOfServer,
  messagesOf,
  namesOf,
  pendingGrants,
  pendingMigrations,
  postgresOptions,
  problemsIn,
  readDatabaseAddress,
  refuseUnlimitedRole,
  refuseWithoutCitus,
  runGrants,
  runMigrations,
  sentenceOf,
} from 'nestjs-session-alerts/operations';
import type { GrantsReport } from 'nestjs-session-alerts/operations';
import { CommandError, UnreachableError, UsageError } from './command-error.js';

/** TypeORM prints on standard output that a migration failed; we say it ourselves. */
class SilentLogger extends AbstractLogger {
  protected writeLog(): void {
    // Nothing.
  }
}

export interface MigrateOptions {
  /** Only says what would be done. */
  dryRun: boolean;
  /** Whether the tables are to be distributed by user. */
  distribute: boolean;
  /** Roles that servers connect as, which get what serving needs. */
  grantTo: string[];
}

/** What was done to a database, or would be. */
export interface MigrationReport {
  /** Of the migrations. */
  names: string[];
  /** Those that distributed its tables. */
  statements: string[];
  /** By role, in the order in which they were given. */
  grants: { role: string; report: GrantsReport }[];
}

/**
 * Runs the pending migrations of the database at DATABASE_DIRECT_URL, or else at DATABASE_URL, and then, where that is
 * asked for, distributes its tables and gives servers' roles their rights.
 * @throws UsageError, UnreachableError, CommandError
 */
export async function migrateDatabase(
  env: NodeJS.ProcessEnv,
  { dryRun, distribute, grantTo }: MigrateOptions,
): Promise<MigrationReport> {
  const problems: string[] = [];
  const variable = env['DATABASE_DIRECT_URL'] ? 'DATABASE_DIRECT_URL' : 'DATABASE_URL';
  const address = readDatabaseAddress(env, variable, problems);
  if (!address) throw new UsageError(problems.join('\n'));
  const dataSource = new DataSource({
    ...postgresOptions(address),
    // One that migrates, and one that copies beside it.
    poolSize: 2,
    connectTimeoutMS: 10_000,
    applicationName: 'session-alerts migrate',
    logger: new SilentLogger(),
  });
  await connect(dataSource, namesOf(address));
  try {
    const problems = await findProblemsOfServer(dataSource);
    if (problems.length > 0) throw new DatabaseProblemsError(problems);
    if (distribute) await refuseWithoutCitus(dataSource);
    for (const role of grantTo) await refuseUnlimitedRole(dataSource, role);
    const { names, newer } = await (dryRun ? pendingMigrations(dataSource) : runMigrations(dataSource));
    if (newer) throw new CommandError(sentenceOf(newer));
    const statements = distribute ? await distributeTables(dataSource, { dryRun }) : [];
    const grants: MigrationReport['grants'] = [];
    for (const role of grantTo) {
      grants.push({ role, report: await (dryRun ? pendingGrants : runGrants)(dataSource, role) });
    }
    return { names, statements, grants };
  } catch (error) {
    if (error instanceof CommandError) throw error;
    if (error instanceof DatabaseProblemsError) throw new CommandError(error.message);
    throw new CommandError(
      `The database could not be migrated, and what failed was undone: ${messagesOf(error)}. Mend that, and run it again.`,
    );
  } finally {
    await dataSource.destroy();
  }
}

async function connect(dataSource: DataSource, host: string): Promise<void> {
  try {
    await dataSource.initialize();
  } catch (error) {
    const problems = problemsIn(error);
    if (problems) throw new CommandError(problems.map(sentenceOf).join(' '));
    const said = `${messagesOf(error)}: check DATABASE_URL.`;
    // What PostgreSQL itself says has a five-letter SQLSTATE; all other errors come from the way there.
    const isAnswered = /^[0-9A-Z]{5}$/.test((error as { code?: string }).code ?? '');
    if (isAnswered) throw new CommandError(`The database at ${host} refuses the connection: ${said}`);
    throw new UnreachableError(`The database at ${host} cannot be reached: ${said}`);
  }
}
