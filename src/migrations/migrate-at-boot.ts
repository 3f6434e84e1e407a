import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { DatabaseProblemsError, sentenceOf } from '../database/database-problems.js';
import { wrong } from '../options/option-checks.js';
import { runMigrations } from './run-migrations.js';

/**
 * For an application, before it starts; one whose DataSource is connected later has to do it then.
 * @throws Error with a sentence that says what to do
 */
export async function migrateAtBoot(dataSource: DataSource): Promise<void> {
  if (!dataSource.isInitialized) return;
  const logger = new Logger('AlertsModule');
  try {
    const { names, newer } = await runMigrations(dataSource);
    for (const name of names) logger.log(`Migrated: ${name}`);
    if (newer) logger.warn(sentenceOf(newer));
  } catch (error) {
    if (error instanceof DatabaseProblemsError) throw wrong(error.message);
    throw error;
  }
}
