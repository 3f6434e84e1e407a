import type { Command } from 'commander';
import type { MigrationReport } from './database-migration.js';
import type { Terminal } from './terminal.js';

interface MigrateOptions {
  dryRun?: boolean;
  json?: boolean;
  distribute?: boolean;
  grantTo?: string[];
}

export function addMigrateCommand(program: Command, terminal: Terminal): void {
  program
    .command('migrate')
    .summary("migrate the server's database")
    .description(
      'Migrates the database at DATABASE_URL (postgresql://user:password@host:5432/database). The server does so ' +
        'itself at start, unless MIGRATE_ON_START is false; whoever comes second waits, and finds nothing to do. ' +
        'With --grant-to the server need not own its tables.',
    )
    .option(
      '--grant-to <role>',
      'the role that the server connects as: it gets the rights on our tables that serving needs, and keeps no others; may be given several times',
      (role: string, roles: string[] | undefined) => [...(roles ?? []), role],
    )
    .option('--dry-run', 'only list what is pending')
    .option(
      '--distribute',
      'and distribute the tables by user over several machines, where the database has Citus',
    )
    .option(
      '--json',
      'print {"migrated": [...]} or, with --dry-run, {"pending": [...]}; with --distribute also {"statements": [...]}, with --grant-to {"grants": {"<role>": {"statements": [...], "remarks": [...]}}}',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  DATABASE_URL=postgresql://user:password@host:5432/database session-alerts migrate' +
        '\n  DATABASE_URL=postgresql://owner:password@host:5432/database session-alerts migrate --grant-to server',
    )
    .action(async ({ dryRun = false, json = false, distribute = false, grantTo = [] }: MigrateOptions) => {
      // Only this command needs TypeORM and the entities.
      const { migrateDatabase } = await import('./database-migration.js');
      const report = await migrateDatabase(terminal.env, {
        dryRun,
        distribute,
        grantTo: [...new Set(grantTo)],
      });
      if (json) terminal.stdout.write(`${JSON.stringify(jsonOf(report, dryRun, distribute))}\n`);
      else print(report, dryRun, distribute, terminal);
    });
}

function jsonOf(
  { names, statements, grants }: MigrationReport,
  dryRun: boolean,
  distribute: boolean,
): object {
  return {
    [dryRun ? 'pending' : 'migrated']: names,
    ...(distribute && { statements }),
    ...(grants.length > 0 && {
      grants: Object.fromEntries(grants.map(({ role, report }) => [role, report])),
    }),
  };
}

function print(
  { names, statements, grants }: MigrationReport,
  dryRun: boolean,
  distribute: boolean,
  { stdout, stderr }: Terminal,
): void {
  if (names.length + statements.length === 0) {
    const also = distribute ? ', and the tables are distributed' : '';
    stdout.write(`All migrations are in${also}: there is nothing to do.\n`);
  }
  for (const name of names) stdout.write(`${dryRun ? 'pending' : 'migrated'}  ${name}\n`);
  for (const statement of statements) stdout.write(`${dryRun ? 'pending' : 'distributed'}  ${statement}\n`);
  for (const { role, report } of grants) {
    if (report.statements.length === 0) {
      stdout.write(`${JSON.stringify(role)} has the rights that serving needs: there is nothing to do.\n`);
    }
    for (const statement of report.statements) {
      stdout.write(`${dryRun ? 'pending' : 'done'}  ${statement};\n`);
    }
    for (const remark of report.remarks) stderr.write(`${remark}\n`);
  }
}
