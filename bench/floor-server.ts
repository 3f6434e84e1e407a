import type { IncomingMessage } from 'node:http';
import pg from 'pg';
import { readAlerts, serve, summaryOf } from './bare-http.js';
import { keepAlerts } from './floor-statement.js';
import { PLANNER_OPTIONS } from './planner-options.js';

/** The least that any receiver must do, behind the barest server: it takes webhooks, and nothing else. */

/** As many as the real server has at once by default. */
const POOL_SIZE = 10;

const pool = new pg.Pool({
  connectionString: process.env['DATABASE_URL'] ?? '',
  max: POOL_SIZE,
  options: PLANNER_OPTIONS,
});

serve(answer);

async function answer(request: IncomingMessage): Promise<unknown> {
  switch (request.url) {
    case '/api/data/webhooks/alertmanager': {
      const alerts = await readAlerts(request);
      await pool.query(keepAlerts(alerts));
      return summaryOf(alerts);
    }
    case '/readyz':
      await pool.query('SELECT 1');
      return {};
    default:
      return {};
  }
}
