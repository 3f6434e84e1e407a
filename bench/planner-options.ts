import { readConfig } from '../src/server/config.js';
import { dataSourceOptions } from '../src/server/database.service.js';

/** What the server tells PostgreSQL's planner, for those that are compared with it. */
export const PLANNER_OPTIONS = (
  dataSourceOptions(
    readConfig({ DATABASE_URL: 'postgresql://database', OIDC_ISSUER: 'http://issuer' }),
  ) as unknown as { extra: { options: string } }
).extra.options;
