import type { DataSource } from 'typeorm';
import type { Statement } from './statement.js';
import { Connection } from './connection.js';
import { CURRENT_MARK } from './connection-settings.js';
import { DatabaseUnavailableError } from './database-errors.js';
import { DATABASE_NAMES, grantingCommand, UNNAMED } from './database-names.js';
import type { DatabaseNames } from './database-names.js';
import { STANDBY, UnfitNodeError } from './node-facts.js';
import { CALLED_FUNCTION, RIGHTS_ON_TABLES } from './server-rights.js';

/** Why a database that answers cannot serve all the same. All are parts of a sentence; the first two name nothing internal. */
export interface DatabaseProblem {
  message: string;
  /** What mends it. */
  mend: string;
  /** The same with the names of role and database, where it has any: for the log and for administrators. */
  namedMend?: string;
}

/** The database answers and cannot serve as it is; the message, which is not for everybody, says why, and what mends it. */
export class DatabaseProblemsError extends Error {
  constructor(readonly problems: DatabaseProblem[]) {
    super(problems.map(namedSentenceOf).join(' '));
  }
}

/** For anybody. */
export function sentenceOf({ message, mend }: DatabaseProblem): string {
  return `${message}. ${mend}.`;
}

/** For the log and for administrators. */
export function namedSentenceOf({ message, mend, namedMend = mend }: DatabaseProblem): string {
  return sentenceOf({ message, mend: namedMend });
}

/** Nothing can be said of what does not answer; why it does not is for the log alone. */
export const UNREACHABLE: DatabaseProblem = {
  message: 'The database cannot be reached, refuses the connection or does not answer',
  mend: 'The log says why',
};

/** What an error says of why the database cannot serve; nothing where it is not about that. */
export function problemsIn(error: unknown): DatabaseProblem[] | undefined {
  if (error instanceof DatabaseProblemsError) return error.problems;
  if (error instanceof UnfitNodeError) return [error.problem];
  return error instanceof DatabaseUnavailableError ? problemsIn(error.cause) : undefined;
}

export const SHARED_CONNECTIONS: DatabaseProblem = {
  message:
    "The way to the database shares connections between transactions (such as PgBouncer's pool_mode = transaction), so " +
    'pages would not hear of changes, and settings, locks and prepared statements would be lost',
  mend: 'Set DATABASE_DIRECT_URL (directDataSource in an application) to PostgreSQL itself, or pool_mode = session for this database',
};

/** 15.0, as PostgreSQL's `server_version_num` writes it. */
const OLDEST = 150_000;

/** What the database tells of itself: the same in each row, and one of our tables in each. */
interface Facts extends DatabaseNames {
  versionNumber: string;
  version: string;
  encoding: string;
  isStandby: boolean;
  /** The process that has served the question. */
  backend: string;
  mark: string | null;
  table: string;
  isThere: boolean;
  mayUseSchema: boolean | null;
  mayCall: boolean | null;
  lacks: string | null;
}

const NEEDED = Object.entries(RIGHTS_ON_TABLES)
  .map(([name, privileges]) => `('${name}', '${privileges.join(' ')}')`)
  .join(', ');

const READ_FACTS: Statement = {
  text: `
    SELECT ${DATABASE_NAMES},
           current_setting('server_version_num') AS "versionNumber",
           current_setting('server_version') AS version,
           current_setting('server_encoding') AS encoding,
           pg_is_in_recovery() AS "isStandby",
           pg_backend_pid()::text AS backend,
           ${CURRENT_MARK} AS mark,
           needed.name AS table,
           pg_class.oid IS NOT NULL AS "isThere",
           has_schema_privilege(pg_namespace.oid, 'USAGE') AS "mayUseSchema",
           (SELECT bool_and(has_function_privilege(pg_proc.oid, 'EXECUTE')) FROM pg_catalog.pg_proc
             WHERE pronamespace = pg_namespace.oid AND proname = '${CALLED_FUNCTION.name}') AS "mayCall",
           (SELECT string_agg(privilege, ', ')
              FROM unnest(string_to_array(needed.privileges, ' ')) AS privilege
             WHERE NOT has_table_privilege(pg_class.oid, privilege)) AS lacks
      FROM (VALUES ${NEEDED}) AS needed (name, privileges)
      LEFT JOIN pg_catalog.pg_namespace ON nspname = 'session_alerts'
      LEFT JOIN pg_catalog.pg_class ON relnamespace = pg_namespace.oid AND relname = needed.name`,
};

/**
 * Looks whether the database can serve as it is, with our tables in it; one round trip.
 * @param listeningBackend the process that serves the connection that hears of changes, which nobody else may get
 * @param mayBeShared whether connections may be shared between transactions
 * @throws DatabaseUnavailableError
 */
export async function findProblems(
  connection: Connection,
  listeningBackend: number | undefined,
  { mayBeShared }: { mayBeShared: boolean },
): Promise<DatabaseProblem[]> {
  const facts = await connection.askOne<Facts>(READ_FACTS);
  const isShared =
    !mayBeShared && (isSharedWithOthers(connection, facts) || Number(facts[0]?.backend) === listeningBackend);
  // The pool makes a new one, which is set up again.
  if (isShared) connection.discard();
  if (facts[0]?.isStandby) connection.leaveNode();
  return [...problemsOfServer(facts, isShared), ...missingTables(facts)];
}

/**
 * The same before it is migrated: that tables are missing does not matter yet. It takes two connections at once, made by `settledConnections`.
 * @param mayBeShared whether connections may be shared between transactions
 * @throws DatabaseUnavailableError
 */
export async function findProblemsOfServer(
  dataSource: DataSource,
  { mayBeShared = false } = {},
): Promise<DatabaseProblem[]> {
  return besideAnother(dataSource, async (connection) => {
    const facts = await connection.query<Facts>(READ_FACTS);
    return problemsOfServer(facts, !mayBeShared && isSharedWithOthers(connection, facts));
  });
}

/**
 * Whether others may have a connection between two transactions; also where that cannot be told, as an application has
 * made them.
 * @throws DatabaseUnavailableError
 */
export async function isSharedBetweenTransactions(dataSource: DataSource): Promise<boolean> {
  return besideAnother(dataSource, async (connection) => {
    const [row] = await connection.query<{ mark: string | null }>({ text: `SELECT ${CURRENT_MARK} AS mark` });
    return connection.mark === undefined || row?.mark !== connection.mark;
  });
}

/** Where a connection is had for one transaction only, it is another's by the time that this asks. */
async function besideAnother<T>(
  dataSource: DataSource,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  const runners = [dataSource.createQueryRunner(), dataSource.createQueryRunner()] as const;
  try {
    const connection = await Connection.of(runners[0]);
    await Connection.of(runners[1]);
    return await work(connection);
  } finally {
    for (const runner of runners) await runner.release();
  }
}

function isSharedWithOthers({ mark }: Connection, [facts]: Facts[]): boolean {
  return mark !== undefined && facts?.mark !== mark;
}

function problemsOfServer(rows: Facts[], isShared: boolean): DatabaseProblem[] {
  const problems: DatabaseProblem[] = [];
  const [facts] = rows;
  if (!facts) return problems;
  if (Number(facts.versionNumber) < OLDEST) {
    problems.push({
      message: `PostgreSQL ${facts.version} is too old`,
      mend: 'Upgrade it to 15 or later',
    });
  }
  if (facts.encoding !== 'UTF8') {
    problems.push({
      message: `The database's encoding is ${facts.encoding}, which cannot hold every alert's text`,
      mend: "Make a new database with ENCODING 'UTF8' (TEMPLATE template0), and let the alerts' address lead to it",
    });
  }
  if (facts.isStandby) {
    problems.push(STANDBY);
  }
  if (isShared) problems.push(SHARED_CONNECTIONS);
  return [...problems, ...missingRights(rows)];
}

function missingTables(facts: Facts[]): DatabaseProblem[] {
  const missing = facts.filter(({ isThere }) => !isThere).map(({ table }) => `session_alerts.${table}`);
  if (missing.length === 0) return [];
  return [
    {
      message: `Tables are missing: ${missing.join(', ')}`,
      mend: 'Run the migrations (`session-alerts migrate` or MIGRATE_ON_START=true; migrate: true in an application)',
    },
  ];
}

function missingRights(facts: Facts[]): DatabaseProblem[] {
  const [first] = facts;
  if (!first) return [];
  const rights = facts
    .filter(({ lacks }) => lacks !== null)
    .map(({ lacks, table }) => `${lacks ?? ''} on session_alerts.${table}`);
  if (first.mayUseSchema === false) rights.unshift('USAGE on the schema session_alerts');
  if (first.mayCall === false) rights.push(`EXECUTE on session_alerts.${CALLED_FUNCTION.name}`);
  if (rights.length === 0) return [];
  return [
    lackingRights(
      rights,
      first,
      (names) => `Let the owner of the tables grant it that: \`${grantingCommand(names)}\``,
    ),
  ];
}

/** @param mendFor makes what mends it, of names that everybody may read, and of these */
export function lackingRights(
  rights: string[],
  names: DatabaseNames,
  mendFor: (names: DatabaseNames) => string,
): DatabaseProblem {
  return {
    message: `The role that connects to the database lacks ${rights.join('; ')}`,
    mend: mendFor(UNNAMED),
    namedMend: mendFor(names),
  };
}
