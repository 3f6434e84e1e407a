import { setTimeout as sleep } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { withConnection } from './connection.js';
import type { Connection } from './connection.js';
import { UNNAMED } from './database-names.js';
import { lackingRights } from './database-problems.js';
import type { DatabaseProblem } from './database-problems.js';
import { hasReached, positionOf, READ_POSITION, READ_PRIMARY_POSITION } from './log-position.js';
import type { LogPosition } from './log-position.js';
import type { Statement } from './statement.js';

/** How far behind (ms) a standby may be before that is trouble. */
const LONGEST_LAG = 1_000;
const FIRST_WAIT = 1;
const LONGEST_WAIT = 50;

/** The standby does not answer; why is for the log alone. */
export const STANDBY_UNREACHABLE: DatabaseProblem = {
  message: 'The standby cannot be reached, refuses the connection or does not answer',
  mend: 'The log says why',
};

const OTHER_DATABASE: DatabaseProblem = {
  message: 'The address for reading leads to another database than that of the alerts, or to no copy of it',
  mend: 'Let it lead to streaming standbys of the primary, and to the database of the same name',
};

const OTHER_TIMELINE: DatabaseProblem = {
  message:
    "The standby does not follow the primary that is now, or has not noted it yet since the primary's promotion",
  mend: 'Wait for its next restartpoint (checkpoint_timeout); where it stays so, let it follow the new primary',
};

const BEHIND: DatabaseProblem = {
  message: 'The standby is behind the primary by more than a second',
  mend: 'Look at pg_stat_replication on the primary, and at long queries on the standby, which hold up what it replays',
};

/** What has to be the same on the primary and what reads instead of it. */
interface Identity {
  /** Of the cluster, which its physical copies share. */
  system: string;
  database: string;
  /** Null where the table is not there. */
  mayRead: boolean | null;
}

export interface PrimaryState {
  identity: Identity;
  position: LogPosition;
}

export interface StandbyState {
  problems: DatabaseProblem[];
  isStandby: boolean;
  /** How long (ms) it took until it had what the primary had when it was asked. */
  lag: number;
}

const READ_IDENTITY: Statement = {
  text: `
    SELECT (SELECT system_identifier::text FROM pg_control_system()) AS system,
           (SELECT oid::text FROM pg_catalog.pg_database WHERE datname = current_database()) AS database,
           (SELECT has_schema_privilege(pg_namespace.oid, 'USAGE') AND has_table_privilege(pg_class.oid, 'SELECT')
              FROM pg_catalog.pg_namespace
              JOIN pg_catalog.pg_class ON relnamespace = pg_namespace.oid
             WHERE nspname = 'session_alerts' AND relname = 'alerts') AS "mayRead"`,
};

/** @throws DatabaseUnavailableError */
export async function readPrimary(dataSource: DataSource): Promise<PrimaryState> {
  return withConnection(dataSource, async (connection) => ({
    identity: await readIdentity(connection),
    position: await readPosition(connection, READ_PRIMARY_POSITION),
  }));
}

/**
 * Why a standby cannot be read from instead of the primary, and how long it takes to have what the primary had; that may
 * take a second.
 * @throws DatabaseUnavailableError
 */
export async function readStandby(
  dataSource: DataSource,
  { identity: ofPrimary, position: wanted }: PrimaryState,
): Promise<StandbyState> {
  return withConnection(dataSource, async (connection) => {
    const { system, database, mayRead } = await readIdentity(connection);
    const { isStandby, timeline } = await readPosition(connection);
    const state = (problems: DatabaseProblem[], lag: number): StandbyState => ({ problems, isStandby, lag });
    if (system !== ofPrimary.system || database !== ofPrimary.database) return state([OTHER_DATABASE], 0);
    if (timeline !== wanted.timeline) return state([OTHER_TIMELINE], 0);
    const lag = await untilReached(connection, wanted, LONGEST_LAG);
    if (lag === undefined) return state([BEHIND], LONGEST_LAG);
    if (mayRead === false) {
      const mend = 'Let the owner of the tables grant it that, on the primary';
      const rights = ['SELECT on session_alerts.alerts, with USAGE on its schema'];
      return state([lackingRights(rights, UNNAMED, () => mend)], lag);
    }
    // Before they are migrated there is nothing to read, on either.
    return state([], mayRead ? lag : Infinity);
  });
}

/**
 * Waits until a node has all that another had.
 * @param patience how long (ms)
 * @returns how long it took (ms); nothing where that was not enough
 */
export async function untilReached(
  connection: Connection,
  wanted: LogPosition,
  patience: number,
): Promise<number | undefined> {
  const since = performance.now();
  for (let wait = FIRST_WAIT; ; wait = Math.min(wait * 2, LONGEST_WAIT)) {
    if (hasReached(await readPosition(connection), wanted)) return performance.now() - since;
    if (performance.now() - since + wait > patience) return undefined;
    await sleep(wait);
  }
}

async function readIdentity(connection: Connection): Promise<Identity> {
  const [identity] = await connection.query<Identity>(READ_IDENTITY);
  return identity as Identity;
}

async function readPosition(connection: Connection, statement = READ_POSITION): Promise<LogPosition> {
  const [row] = await connection.query(statement);
  return positionOf(row);
}
