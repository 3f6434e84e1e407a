import { query } from './cluster.js';
import { ALERTS } from './load-jobs.js';
import type { TargetProcess } from './target-process.js';
import type { Tokens } from './tokens.js';
import { CHANGED_ENDING, firstUserOf } from './webhook-bodies.js';
import { FLOORS } from './webhook-target.js';
import type { TargetName } from './webhook-target.js';

/** Looks, between the phases of a round, whether what was measured has happened. */
export interface Stored {
  /** Before a round. */
  begin(): Promise<void>;
  /** The round's alerts are open, have been repeated and say what is new. */
  checkChanged(round: StoredRound): Promise<void>;
  /** None is open. */
  checkResolved(round: StoredRound): Promise<void>;
}

/** Which alerts a round was about. */
export interface StoredRound {
  firstBatch: number;
  batches: number;
  alerts: number;
}

/** Of so many users of a round a server is asked for their alerts. */
const SAMPLE = 16;

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

/** In tables that we do not know: some of its users are asked what they see. */
export function storedBehind({ url }: TargetProcess, tokens: Tokens): Stored {
  const messagesOf = async (userId: string): Promise<string[]> => {
    const authorization = `Bearer ${await tokens.userToken(userId)}`;
    const answer = await fetch(`${url}${ALERTS}`, { headers: { authorization } });
    return ((await answer.json()) as { message: string }[]).map(({ message }) => message);
  };
  const check = async (
    { firstBatch, batches }: StoredRound,
    expected: string,
    isRight: (messages: string[]) => boolean,
  ): Promise<void> => {
    const [count, step] = [Math.min(SAMPLE, batches), Math.max(1, Math.floor(batches / SAMPLE))];
    for (let index = 0; index < count; index++) {
      const userId = firstUserOf(firstBatch + index * step);
      const messages = await messagesOf(userId);
      if (!isRight(messages)) {
        throw new Error(`${userId} should see ${expected}, but sees ${JSON.stringify(messages)}`);
      }
    }
  };
  return {
    begin: () => Promise.resolve(),
    checkChanged: (round) =>
      check(round, 'one alert with its new message', (messages) => {
        return messages.length === 1 && messages.every((message) => message.endsWith(CHANGED_ENDING));
      }),
    checkResolved: (round) => check(round, 'no alert', (messages) => messages.length === 0),
  };
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

  async checkChanged({ alerts }: StoredRound): Promise<void> {
    const { open, changed, sighted } = await this.count();
    checkEqual(
      this.target,
      { open, changed, sighted: sighted - this.before.sighted },
      { open: alerts, changed: alerts, sighted: this.where.sighted === undefined ? 0 : alerts },
    );
  }

  async checkResolved({ alerts }: StoredRound): Promise<void> {
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
