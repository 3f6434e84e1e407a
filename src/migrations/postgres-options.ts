import type { DataSourceOptions } from 'typeorm';
import { settledConnections } from '../database/connection-settings.js';
import type { PoolExtras, Settings } from '../database/connection-settings.js';
import { clientOptions, databaseAddress } from '../database/database-address.js';
import type { DatabaseAddress } from '../database/database-address.js';
import { WayToDatabase } from '../database/way-to-database.js';
import { alertsEntities } from './tables.js';

/**
 * How everything that is ours opens its database: the server, the command lines and the tests.
 * @param address or a connection string, which has to be right
 * @param settings of PostgreSQL, besides those that all connections have
 * @param isWatched whether to look all the time where the address leads, for what runs for long
 */
export function postgresOptions(
  address: DatabaseAddress | string,
  settings: Settings = {},
  isWatched = false,
) {
  const read = typeof address === 'string' ? databaseAddress(address) : address;
  const { extra, ...node } = clientOptions(read);
  const pool: PoolExtras = { ...extra, ...settledConnections(settings, new WayToDatabase(read, isWatched)) };
  return {
    type: 'postgres',
    ...node,
    entities: alertsEntities,
    installExtensions: false,
    uuidExtension: 'pgcrypto',
    extra: pool,
  } as const satisfies DataSourceOptions;
}
