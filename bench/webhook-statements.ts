import { AlertLife } from '../src/alerts/alert-life.js';
import type { AlertState } from '../src/alerts/alert-life.js';
import { readState, usersOf, writeChanges } from '../src/alerts/life.statements.js';
import { BEGIN, COMMIT, notifyChange } from '../src/database/transaction.statements.js';
import type { Statement } from '../src/database/statement.js';
import { AlertMapper } from '../src/webhooks/alert-mapper.service.js';
import { ALERTMANAGER } from '../src/webhooks/senders.js';
import { lockOn } from './user-locks.js';
import { WebhookTemplate } from './webhook-bodies.js';
import type { Kind } from './webhook-bodies.js';

/** The flights in which the statements of a webhook go to the database, one after the other. */
export type Flights = Statement[][];

/** Works out, without a database, what the server would send to it for the webhooks of a round. */
export class WebhookStatements {
  private readonly mapper = new AlertMapper({ feed: { alertname: 'Watchdog', staleAfter: 600 } });
  /** What the database holds about each batch. */
  private readonly stored = new Map<number, AlertState[]>();

  /** The statements of so many batches from the first one on; the kinds of a batch have to come in their order. */
  of(size: number, kind: Kind, firstBatch: number, count: number): Flights[] {
    const template = new WebhookTemplate(size, kind);
    // One moment for all: what each one reads of later sightings is as little as in the real server.
    const now = new Date();
    return Array.from({ length: count }, (_, index) => {
      const batch = firstBatch + index;
      const { alerts } = JSON.parse(template.body(batch).toString()) as { alerts: unknown[] };
      return this.statementsOf(batch, alerts, now);
    });
  }

  private statementsOf(batch: number, posted: unknown[], now: Date): Flights {
    const observations = posted.map((alert) => {
      const mapped = this.mapper.map(alert, ALERTMANAGER);
      if (!('observation' in mapped)) throw new Error("One of the benchmark's alerts cannot be shown");
      return mapped.observation;
    });
    const alerts = this.stored.get(batch) ?? [];
    const life = new AlertLife(now, { alerts, past: [], sightings: [] });
    const arrival = now.getTime() * 1000;
    for (const seen of observations) life.observe(seen, arrival, 'resolved');
    const changes = life.changes();
    if (changes.opened.length > 0) this.stored.set(batch, changes.opened);
    if (changes.closed.length > 0) this.stored.delete(batch);
    return [
      [BEGIN, lockOn(observations), ...readState(observations, arrival)],
      [...writeChanges(changes), ...notifyChange('pgbench', usersOf(changes)), COMMIT],
    ];
  }
}
