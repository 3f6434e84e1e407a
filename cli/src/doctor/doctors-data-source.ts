import { DataSource } from 'typeorm';
import { postgresOptions } from 'nestjs-session-alerts/operations';
import type { DatabaseAddress } from 'nestjs-session-alerts/operations';
import { TIMEOUT } from './neighbours.js';

/** The server's database as doctor opens it: it waits no longer for it than for its other neighbours. */
export function doctorsDataSource(address: DatabaseAddress): DataSource {
  const options = postgresOptions(address, { statement_timeout: `${TIMEOUT}ms` });
  return new DataSource({
    ...options,
    poolSize: 2,
    connectTimeoutMS: TIMEOUT,
    applicationName: 'session-alerts-doctor',
    extra: { ...options.extra, query_timeout: TIMEOUT },
    logging: false,
  });
}
