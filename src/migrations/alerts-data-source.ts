import { DataSource, Migration } from 'typeorm';
import { pendingMigrations, runMigrations, undoLastMigration } from './run-migrations.js';

/** For TypeORM's command line: it runs, undoes and shows our migrations by our list, and makes none of its own. */
export class AlertsDataSource extends DataSource {
  override async runMigrations(): Promise<Migration[]> {
    const { names, newer } = await runMigrations(this);
    if (newer) this.logger.log('warn', newer.message);
    return names.map((name) => new Migration(undefined, Number(name.slice(-13)), name));
  }

  override async undoLastMigration(): Promise<void> {
    await undoLastMigration(this);
  }

  override async showMigrations(): Promise<boolean> {
    const { names } = await pendingMigrations(this);
    for (const name of names) this.logger.logSchemaBuild(`[ ] ${name}`);
    return names.length > 0;
  }
}
