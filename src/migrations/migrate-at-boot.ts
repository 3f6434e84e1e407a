import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { DatabaseProblemsError, sentenceOf } from '../database/database-problems.js';
import { wrong } from '../options/option-checks.js';
import { runMigrationsInTransactions } from './run-migrations.js';

/**
 * For an application, before it starts.
 * @throws Error with a sentence that says what to do
 */
export async function migrateAtBoot(dataSource: DataSource): Promise<void> {
  const logger = new Logger('AlertsModule');
  if (!dataSource.isInitialized) {
    logger.warn(
      'The DataSource is not connected yet, so nothing is migrated: have alertsMigrations in its migrations, or run `session-alerts migrate`',
    );
    return;
  }
  try {
    const { names, newer } = await runMigrationsInTransactions(dataSource);
    for (const name of names) logger.log(`Migrated: ${name}`);
    if (newer) logger.warn(sentenceOf(newer));
  } catch (error) {
    if (error instanceof DatabaseProblemsError) throw wrong(error.message);
    throw error;
  }
}
