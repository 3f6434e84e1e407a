import type { DataSourceOptions } from 'typeorm';
import { alertsEntities, alertsMigrations } from '../index.js';

/** How everything that is ours opens its database: the server, TypeORM's command line and the tests. */
export function postgresOptions(url: string) {
  return {
    type: 'postgres',
    url,
    entities: alertsEntities,
    migrations: alertsMigrations,
    migrationsTableName: 'session_alerts_migrations',
    installExtensions: false,
    uuidExtension: 'pgcrypto',
  } as const satisfies DataSourceOptions;
}
