import type { IncomingMessage } from 'node:http';
import pg from 'pg';
import { newAlertId } from '../src/alerts/alert-id.js';
import type { KnownState, LifeChanges, SeriesState } from '../src/alerts/alert-life.js';
import * as lists from '../src/alerts/alerts.statements.js';
import * as life from '../src/alerts/life.statements.js';
import * as transaction from '../src/database/transaction.statements.js';
import type { Statement } from '../src/database/statement.js';
import { alertFingerprint, seriesKey } from '../src/alerts/name-based-id.js';
import type { Observation } from '../src/alerts/observation.js';
import { readAlerts, serve, summaryOf } from './bare-http.js';
import type { PostedAlert, WebhookSummary } from './bare-http.js';
import { PLANNER_OPTIONS } from './planner-options.js';
import { lockOn } from './user-locks.js';

/**
 * What Node can do at most: HTTP, JSON, the decision and the statements of the real server, and nothing around
 * them. It trusts everybody, checks nothing, measures nothing, and decides just enough for the benchmark's alerts.
 */

/** As many as the real server has at once by default. */
const POOL_SIZE = 10;

const pool = new pg.Pool({
  connectionString: process.env['DATABASE_URL'] ?? '',
  max: POOL_SIZE,
  pipeline: true,
  options: PLANNER_OPTIONS,
});

serve(answer);

async function answer(request: IncomingMessage): Promise<unknown> {
  switch (request.url) {
    case '/api/data/webhooks/alertmanager':
      return store(await readAlerts(request));
    case '/api/data/alerts': {
      const userId = request.headers['x-user-id'] as string;
      return (await pool.query(lists.listOpen([userId]))).rows;
    }
    case '/readyz':
      await pool.query('SELECT 1');
      return {};
    default:
      return {};
  }
}

async function store(alerts: PostedAlert[]): Promise<WebhookSummary> {
  const arrival = Date.now() * 1000;
  const observations = alerts.map(observed);
  const client = await pool.connect();
  const all = async (batch: Statement[]): Promise<unknown[][]> =>
    (await Promise.all(batch.map((statement) => client.query<object>(statement)))).map(({ rows }) => rows);
  try {
    const reads = life.readState(observations, arrival);
    const [, , ...answers] = await all([transaction.BEGIN, lockOn(observations), ...reads]);
    const changes = decide(observations, arrival, life.knownState(observations, answers));
    const notices = transaction.notifyChange('bare', life.usersOf(changes));
    await all([...life.writeChanges(changes), ...notices, transaction.COMMIT]);
    client.release();
    return summaryOf(alerts);
  } catch (error) {
    client.release(true);
    throw error;
  }
}

function observed(alert: PostedAlert): Observation {
  const { alertname, safe_username: userId, statefulset: sessionName, severity } = alert.labels;
  const seen = {
    seriesKey: seriesKey(userId, sessionName, alert.fingerprint),
    seriesFingerprint: alert.fingerprint,
    userId,
    sessionName,
    isNamed: true,
    fingerprint: alertFingerprint(userId, sessionName, alertname),
    startsAt: new Date(alert.startsAt),
  };
  if (alert.status === 'resolved') return { ...seen, status: 'resolved', endsAt: new Date(alert.endsAt) };
  return {
    ...seen,
    status: 'firing',
    eventType: alertname,
    title: alert.annotations.title,
    message: alert.annotations.description,
    severity,
    kind: 'condition',
    runbookUrl: null,
  };
}

/** What is new is opened, what is known is sighted or its text changed, what ends is closed. */
function decide(observations: Observation[], arrival: number, { alerts }: KnownState): LifeChanges {
  const openByFingerprint = new Map(alerts.map((alert) => [alert.fingerprint, alert]));
  const now = new Date();
  const changes: LifeChanges = { now, opened: [], rewritten: [], closed: [], sightings: [] };
  for (const seen of observations) {
    const alert = openByFingerprint.get(seen.fingerprint ?? 0);
    const [known] = alert?.series ?? [];
    if (seen.status === 'resolved') {
      if (!alert || !known) throw new Error('The series is not known');
      const ended = { ...known, endsAt: (seen.endsAt ?? now).getTime(), arrival };
      changes.closed.push({ alert: { ...alert, series: [ended] }, reason: 'resolved' });
      continue;
    }
    const { title, message, severity, runbookUrl } = seen;
    const words = { title, message, severity, runbookUrl };
    const startsAt = (seen.startsAt ?? now).getTime();
    const series: SeriesState[] = [
      { fingerprint: seen.seriesFingerprint, ...words, startsAt, endsAt: null, arrival },
    ];
    if (!alert) {
      const id = newAlertId(now.getTime());
      changes.opened.push({ ...seen, id, source: 'alertmanager', series, resolvedReason: null });
    } else if (alert.message === message) {
      changes.sightings.push({ seriesKey: seen.seriesKey, arrival, endsAt: null });
    } else {
      const changed = { ...alert, ...words, series };
      changes.rewritten.push({ alert: changed, isUpdated: true, isEscalated: false, isSeen: true });
    }
  }
  return changes;
}
