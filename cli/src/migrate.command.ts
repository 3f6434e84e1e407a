import type { Command } from 'commander';
import type { Terminal } from './terminal.js';

interface MigrateOptions {
  dryRun?: boolean;
  json?: boolean;
}

export function addMigrateCommand(program: Command, terminal: Terminal): void {
  program
    .command('migrate')
    .summary("migrate the server's database")
    .description(
      'Migrates the database at DATABASE_URL (postgresql://user:password@host:5432/database). The server does so ' +
        'itself at start, unless MIGRATE_ON_START is false; whoever comes second waits, and finds nothing to do.',
    )
    .option('--dry-run', 'only list what is pending')
    .option('--json', 'print {"migrated": [...]} or, with --dry-run, {"pending": [...]}')
    .addHelpText(
      'after',
      '\nExample:\n  DATABASE_URL=postgresql://user:password@host:5432/database session-alerts migrate',
    )
    .action(async ({ dryRun = false, json = false }: MigrateOptions) => {
      // Only this command needs TypeORM and the entities.
      const { migrateDatabase } = await import('./database-migration.js');
      const names = await migrateDatabase(terminal.env, { dryRun });
      if (json) {
        terminal.stdout.write(`${JSON.stringify({ [dryRun ? 'pending' : 'migrated']: names })}\n`);
      } else if (names.length === 0) {
        terminal.stdout.write(`All migrations are in: there is nothing to do.\n`);
      } else {
        terminal.stdout.write(names.map((name) => `${dryRun ? 'pending' : 'migrated'}  ${name}\n`).join(''));
      }
    });
}
