import { PLANNER } from '../server/src/database.service.js';

/** What the server tells PostgreSQL's planner, for those that are compared with it. */
export const PLANNER_OPTIONS = Object.entries(PLANNER)
  .map(([name, value]) => `-c ${name}=${value}`)
  .join(' ');
