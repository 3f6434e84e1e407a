import type { DataSourceOptions } from 'typeorm';
import { MIGRATIONS_TABLE, settledConnections } from '../database/connection-settings.js';
import type { Settings } from '../database/connection-settings.js';
import { alertsEntities, alertsMigrations } from './tables.js';

/**
 * How everything that is ours opens its database: the server, the command lines and the tests.
 * @param settings of PostgreSQL, besides those that all connections have
 */
export function postgresOptions(url: string, settings: Settings = {}) {
  return {
    type: 'postgres',
    url,
    entities: alertsEntities,
    migrations: alertsMigrations,
    migrationsTableName: MIGRATIONS_TABLE,
    installExtensions: false,
    uuidExtension: 'pgcrypto',
    extra: settledConnections(settings),
  } as const satisfies DataSourceOptions;
}
