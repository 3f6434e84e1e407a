import { query } from './cluster.js';
import { CHANGED_ENDING } from './webhook-bodies.js';
import { FLOORS } from './webhook-target.js';
import type { TargetName } from './webhook-target.js';

/** Looks, between the phases of a round, whether what was measured has happened. */
export interface Stored {
  /** Before a round about so many alerts. */
  begin(): Promise<void>;
  /** They are open, have been repeated and say what is new. */
  checkChanged(alerts: number): Promise<void>;
  /** None is open. */
  checkResolved(alerts: number): Promise<void>;
}

/** What a database holds, by its own count. */
interface Counts {
  open: number;
  resolved: number;
  changed: number;
  /** Repeats that left their alerts alone; 0 where nobody notes them. */
  sighted: number;
}

/** In our own tables, or in the one table of the floor. */
export function storedBy(target: TargetName, databaseUrl: string): Stored {
  return FLOORS.includes(target)
    ? new CountedRows(target, databaseUrl, { table: 'floor_alerts' })
    : new CountedRows(target, databaseUrl, {
        table: 'session_alerts.alerts',
        sighted: '(SELECT coalesce(sum(cardinality(series)), 0)::int FROM session_alerts.sightings)',
      });
}

class CountedRows implements Stored {
  private before: Counts = { open: 0, resolved: 0, changed: 0, sighted: 0 };

  constructor(
    private readonly target: string,
    private readonly databaseUrl: string,
    private readonly where: { table: string; sighted?: string },
  ) {}

  async begin(): Promise<void> {
    this.before = await this.count();
  }

  async checkChanged(alerts: number): Promise<void> {
    const { open, changed, sighted } = await this.count();
    checkEqual(
      this.target,
      { open, changed, sighted: sighted - this.before.sighted },
      { open: alerts, changed: alerts, sighted: this.where.sighted === undefined ? 0 : alerts },
    );
  }

  async checkResolved(alerts: number): Promise<void> {
    const { open, resolved } = await this.count();
    checkEqual(
      this.target,
      { open, resolved: resolved - this.before.resolved },
      { open: 0, resolved: alerts },
    );
  }

  private async count(): Promise<Counts> {
    const { table, sighted = '0' } = this.where;
    const [counts] = await query<Counts>(
      this.databaseUrl,
      `SELECT count(*) FILTER (WHERE resolved_date IS NULL)::int AS open,
              count(resolved_date)::int AS resolved,
              count(*) FILTER (WHERE resolved_date IS NULL AND message LIKE $1)::int AS changed,
              ${sighted} AS sighted
         FROM ${table}`,
      [`%${CHANGED_ENDING}`],
    );
    if (!counts) throw new Error('The database counts nothing');
    return counts;
  }
}

function checkEqual(target: string, actual: Partial<Counts>, expected: Partial<Counts>): void {
  const [is, should] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (is !== should) throw new Error(`The database of ${target} should hold ${should}, but holds ${is}`);
}
