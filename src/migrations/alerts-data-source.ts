import { DataSource, Migration } from 'typeorm';
import { pendingMigrations, runMigrations, undoLastMigration } from './run-migrations.js';

/** For TypeORM's command line: it runs, undoes and shows our migrations by our list, and makes none of its own. */
export class AlertsDataSource extends DataSource {
  override async runMigrations(options?: { fake?: boolean }): Promise<Migration[]> {
    refuseFake(options);
    const { names, newer } = await runMigrations(this);
    if (newer) this.logger.log('warn', newer.message);
    return names.map((name) => new Migration(undefined, Number(name.slice(-13)), name));
  }

  override async undoLastMigration(options?: { fake?: boolean }): Promise<void> {
    refuseFake(options);
    await undoLastMigration(this);
  }

  override async showMigrations(): Promise<boolean> {
    const { names } = await pendingMigrations(this);
    for (const name of names) this.logger.logSchemaBuild(`[ ] ${name}`);
    return names.length > 0;
  }
}

/** @throws Error it would be done for real */
function refuseFake({ fake = false }: { fake?: boolean } = {}): void {
  if (fake) throw new Error('--fake is not known here: our own list says what is done');
}
