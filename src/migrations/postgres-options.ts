import type { DataSourceOptions } from 'typeorm';
import { settledConnections } from '../database/connection-settings.js';
import type { PoolExtras, Settings } from '../database/connection-settings.js';
import { clientOptions, databaseAddress } from '../database/database-address.js';
import type { DatabaseAddress } from '../database/database-address.js';
import { alertsEntities } from './tables.js';

/**
 * How everything that is ours opens its database: the server, the command lines and the tests.
 * @param address or a connection string, which has to be right
 * @param settings of PostgreSQL, besides those that all connections have
 */
export function postgresOptions(address: DatabaseAddress | string, settings: Settings = {}) {
  const { extra, ...node } = clientOptions(typeof address === 'string' ? databaseAddress(address) : address);
  const pool: PoolExtras = { ...extra, ...settledConnections(settings) };
  return {
    type: 'postgres',
    ...node,
    entities: alertsEntities,
    installExtensions: false,
    uuidExtension: 'pgcrypto',
    extra: pool,
  } as const satisfies DataSourceOptions;
}
