import { AlertsDataSource } from './src/migrations/alerts-data-source.js';
import { postgresOptions } from './src/migrations/postgres-options.js';

const url = process.env['DATABASE_URL'];
if (!url) throw new Error('DATABASE_URL is missing: set it to postgresql://user:password@host:5432/database');

/** For TypeORM's command line: `npm run migration:run` and `npm run migration:revert`. */
export default new AlertsDataSource(postgresOptions(url));
