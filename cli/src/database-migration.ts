import { AbstractLogger, DataSource } from 'typeorm';
import {
  DatabaseProblemsError,
  findProblemsOfServer,
  messagesOf,
  pendingMigrations,
  postgresOptions,
  runMigrations,
  sentenceOf,
} from 'nestjs-session-alerts/operations';
import { CommandError, UnreachableError, UsageError } from './command-error.js';

/** TypeORM prints on standard output that a migration failed; we say it ourselves. */
class SilentLogger extends AbstractLogger {
  protected writeLog(): void {
    // Nothing.
  }
}

/**
 * Runs the pending migrations of the database at DATABASE_URL and names them; a dry run only names them.
 * @throws UsageError, UnreachableError, CommandError
 */
export async function migrateDatabase(
  env: NodeJS.ProcessEnv,
  { dryRun }: { dryRun: boolean },
): Promise<string[]> {
  const url = env['DATABASE_URL'] ?? '';
  if (!/^postgres(ql)?:\/\//.test(url) || !URL.canParse(url)) {
    // What is there may hold a password: it is not repeated.
    throw new UsageError('Set DATABASE_URL to something like postgresql://user:password@host:5432/database.');
  }
  const dataSource = new DataSource({
    ...postgresOptions(url),
    // One that migrates, and one that copies beside it.
    poolSize: 2,
    connectTimeoutMS: 10_000,
    applicationName: 'session-alerts migrate',
    logger: new SilentLogger(),
  });
  await connect(dataSource, new URL(url));
  try {
    const problems = await findProblemsOfServer(dataSource);
    if (problems.length > 0) throw new DatabaseProblemsError(problems);
    const { names, newer } = await (dryRun ? pendingMigrations(dataSource) : runMigrations(dataSource));
    if (newer) throw new CommandError(sentenceOf(newer));
    return names;
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

async function connect(dataSource: DataSource, { host }: URL): Promise<void> {
  try {
    await dataSource.initialize();
  } catch (error) {
    const said = `${messagesOf(error)}: check DATABASE_URL.`;
    // What PostgreSQL itself says has a five-letter SQLSTATE; all other errors come from the way there.
    const isAnswered = /^[0-9A-Z]{5}$/.test((error as { code?: string }).code ?? '');
    if (isAnswered) throw new CommandError(`The database at ${host} refuses the connection: ${said}`);
    throw new UnreachableError(`The database at ${host} cannot be reached: ${said}`);
  }
}
