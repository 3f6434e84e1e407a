import type { DataSourceOptions } from 'typeorm';
import { settledConnections } from '../database/connection-settings.js';
import type { Settings } from '../database/connection-settings.js';
import { alertsEntities } from './tables.js';

/**
 * How everything that is ours opens its database: the server, the command lines and the tests.
 * @param settings of PostgreSQL, besides those that all connections have
 */
export function postgresOptions(url: string, settings: Settings = {}) {
  return {
    type: 'postgres',
    url,
    entities: alertsEntities,
    installExtensions: false,
    uuidExtension: 'pgcrypto',
    extra: settledConnections(settings),
  } as const satisfies DataSourceOptions;
}
