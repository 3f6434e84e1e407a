import { readDatabaseAddress } from './src/database/database-address.js';
import { AlertsDataSource } from './src/migrations/alerts-data-source.js';
import { postgresOptions } from './src/migrations/postgres-options.js';

const problems: string[] = [];
const address = readDatabaseAddress(process.env, 'DATABASE_URL', problems);
if (!address) throw new Error(problems.join('\n'));

/** For TypeORM's command line: `npm run migration:run` and `npm run migration:revert`. */
export default new AlertsDataSource(postgresOptions(address));
