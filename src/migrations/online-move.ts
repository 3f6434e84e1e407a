import { setTimeout as sleep } from 'node:timers/promises';
import type { QueryRunner } from 'typeorm';
import { dataSourceOf } from './data-source-of.js';

/** A table that is read while it is moved. */
export interface MovedTable {
  name: string;
  /** The column that says which alert a row belongs to; a row without one belongs to none. */
  alertId: string;
}

/** Into which tables alerts are moved, and how. All names are of the schema `session_alerts`. */
export interface Move {
  /** The tables that alerts and what belongs to them are read from; the first has a row for each alert. */
  from: [MovedTable, ...MovedTable[]];
  /** Makes the new tables, under names of their own. */
  create: string[];
  /** Removes them, where an earlier attempt has left any. */
  discard: string[];
  /** Forgets, in the new tables, alerts whose ids are $1, and writes them as they are now. */
  copy: string[];
  /** Copies what belongs to no alert and is never changed; may be done again. */
  copyRest: string[];
  /** Of each new table the present one whose owner and rights it gets. */
  heirs: { name: string; of: string }[];
  /** Puts the new tables into the place of the old ones. */
  replace: string[];
}

const BATCH = 5_000;
/** When so few are left to be copied again, the rest is done while nobody writes. */
const FEW = 2_000;
/** How long (ms) others may be kept waiting by a lock that we wait for, and how often we try. */
const LONGEST_LOCK_WAIT = 2_000;
const MOST_TRIES = 60;

const NOTE_NO_MORE = [
  `DROP FUNCTION IF EXISTS session_alerts.note_moving CASCADE`,
  `DROP TABLE IF EXISTS session_alerts.moving`,
];

/** How long (ms) to wait for a second connection. */
const LONGEST_CONNECT = 10_000;

const LOCK_NOT_AVAILABLE = '55P03';

/**
 * Moves alerts into other tables while a server goes on writing to the present ones: copies them in batches, which
 * commit one by one on a connection of their own; triggers note what has changed since; and only the last of it is
 * copied while nobody may write, in the migration's own transaction, which also replaces the tables. Where the
 * present tables are seen by that transaction alone, as it has made them, all is copied there.
 */
export class OnlineMove {
  constructor(private readonly move: Move) {}

  async run(runner: QueryRunner): Promise<void> {
    if (runner.isTransactionActive) await runner.query(`SET LOCAL idle_in_transaction_session_timeout = 0`);
    const isPrepared = await this.prepare(runner);
    if (!isPrepared) await queryAll(runner, [...this.move.discard, ...this.move.create]);
    await lockOut(
      runner,
      this.move.from.map(({ name }) => name),
    );
    await this.copyChanged(runner, isPrepared);
    await queryAll(runner, this.move.copyRest);
    for (const heir of this.move.heirs) await handOver(runner, heir);
    await queryAll(runner, [...this.move.replace, ...NOTE_NO_MORE]);
  }

  /** Copies all but what changes meanwhile; false where that cannot be done beside the migration's transaction. */
  private async prepare(migration: QueryRunner): Promise<boolean> {
    const runner = dataSourceOf(migration).createQueryRunner();
    if (!(await isConnected(runner))) return false;
    try {
      const [first] = this.move.from;
      const rows: unknown = await runner.query(`SELECT to_regclass('session_alerts.${first.name}') AS found`);
      if (!(rows as { found: string | null }[])[0]?.found) return false;
      await withTimeouts(runner, () => this.copyAll(runner));
      return true;
    } catch (error) {
      // The migration's own transaction has the tables: it is one with those that made them.
      if (sqlState(error) === LOCK_NOT_AVAILABLE) return false;
      throw error;
    } finally {
      await runner.release();
    }
  }

  private async copyAll(runner: QueryRunner): Promise<void> {
    await this.start(runner);
    let last = '';
    for (let isDone = false; !isDone;) {
      const copied = await this.copyBatch(runner, last);
      last = copied.last;
      isDone = copied.isLast && copied.changed < FEW;
    }
    await queryAll(runner, this.move.copyRest);
    // Of a table that is known to be empty PostgreSQL reads all, by plans that outlast that.
    if (last === '') return;
    await queryAll(
      runner,
      this.move.create
        .flatMap((statement) => /^\s*CREATE TABLE (\S+)/.exec(statement)?.[1] ?? [])
        .map((table) => `ANALYZE ${table}`),
    );
  }

  /** From then on is noted what changes. */
  private async start(runner: QueryRunner): Promise<void> {
    await queryAll(runner, [
      ...NOTE_NO_MORE,
      ...this.move.discard,
      ...this.move.create,
      `CREATE UNLOGGED TABLE session_alerts.moving (alert_id text COLLATE "C" NOT NULL)`,
      // Whoever may write the tables notes it.
      `CREATE FUNCTION session_alerts.note_moving() RETURNS trigger
       LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
       BEGIN
         IF TG_OP <> 'INSERT' THEN
           EXECUTE format('INSERT INTO session_alerts.moving
                           SELECT DISTINCT %1$I FROM before WHERE %1$I IS NOT NULL', TG_ARGV[0]);
         END IF;
         IF TG_OP <> 'DELETE' THEN
           EXECUTE format('INSERT INTO session_alerts.moving
                           SELECT DISTINCT %1$I FROM after WHERE %1$I IS NOT NULL', TG_ARGV[0]);
         END IF;
         RETURN NULL;
       END $$`,
    ]);
    for (const { name, alertId } of this.move.from) {
      const table = `session_alerts.${name}`;
      const note = `FOR EACH STATEMENT EXECUTE FUNCTION session_alerts.note_moving('${alertId}')`;
      await queryAll(runner, [
        `CREATE TRIGGER note_inserted AFTER INSERT ON ${table} REFERENCING NEW TABLE AS after ${note}`,
        `CREATE TRIGGER note_updated AFTER UPDATE ON ${table}
           REFERENCING OLD TABLE AS before NEW TABLE AS after ${note}`,
        `CREATE TRIGGER note_deleted AFTER DELETE ON ${table} REFERENCING OLD TABLE AS before ${note}`,
        // Whatever session_replication_role says.
        ...['note_inserted', 'note_updated', 'note_deleted'].map(
          (trigger) => `ALTER TABLE ${table} ENABLE ALWAYS TRIGGER ${trigger}`,
        ),
      ]);
    }
  }

  /** All in one snapshot, so that the new tables are at every commit what the present ones once were. */
  private async copyBatch(
    runner: QueryRunner,
    after: string,
  ): Promise<{ last: string; isLast: boolean; changed: number }> {
    await runner.startTransaction('REPEATABLE READ');
    try {
      const changed = await this.takeChanged(runner);
      const ids = await this.idsAfter(runner, after);
      await this.copy(runner, [...changed.filter((id) => id <= after), ...ids]);
      await runner.commitTransaction();
      return { last: ids.at(-1) ?? after, isLast: ids.length < BATCH, changed: changed.length };
    } catch (error) {
      await runner.rollbackTransaction();
      throw error;
    }
  }

  private async copyChanged(runner: QueryRunner, isPrepared: boolean): Promise<void> {
    if (isPrepared) {
      await this.copy(runner, await this.takeChanged(runner));
      return;
    }
    for (let after = '', ids = [after]; ids.length > 0; after = ids.at(-1) ?? after) {
      ids = await this.idsAfter(runner, after);
      await this.copy(runner, ids);
    }
  }

  private async takeChanged(runner: QueryRunner): Promise<string[]> {
    const rows: unknown = await runner.query(
      `WITH taken AS (DELETE FROM session_alerts.moving RETURNING alert_id) SELECT DISTINCT alert_id AS id FROM taken`,
    );
    return idsIn(rows);
  }

  private async idsAfter(runner: QueryRunner, after: string): Promise<string[]> {
    const [{ name, alertId }] = this.move.from;
    const rows: unknown = await runner.query(
      `SELECT ${alertId} AS id FROM session_alerts.${name} WHERE ${alertId} > $1 ORDER BY ${alertId} LIMIT ${BATCH}`,
      [after],
    );
    return idsIn(rows);
  }

  private async copy(runner: QueryRunner, ids: string[]): Promise<void> {
    if (ids.length === 0) return;
    for (const statement of this.move.copy) await runner.query(statement, [ids]);
  }
}

/**
 * Keeps others out of tables of ours until the transaction ends. Who waits for a lock keeps others waiting who come
 * later: so we give up soon, and try again.
 */
export async function lockOut(runner: QueryRunner, names: string[]): Promise<void> {
  const tables = names.map((name) => `session_alerts.${name}`).join(', ');
  await runner.query(`SET LOCAL lock_timeout = ${LONGEST_LOCK_WAIT}`);
  for (let attempt = 1; ; attempt++) {
    await runner.query(`SAVEPOINT before_lock`);
    try {
      await runner.query(`LOCK TABLE ${tables} IN ACCESS EXCLUSIVE MODE`);
      break;
    } catch (error) {
      if (attempt === MOST_TRIES || sqlState(error) !== LOCK_NOT_AVAILABLE) throw error;
      await runner.query(`ROLLBACK TO SAVEPOINT before_lock`);
      await sleep(1_000);
    }
  }
  await runner.query(`SET LOCAL lock_timeout = 0`);
}

/** Whether there is a second connection: a pool may have one alone. */
async function isConnected(runner: QueryRunner): Promise<boolean> {
  const waiting = new AbortController();
  const connecting = runner.connect().then(
    () => true,
    () => false,
  );
  const patience = sleep(LONGEST_CONNECT, false, { signal: waiting.signal }).catch(() => false);
  const isThere = await Promise.race([connecting, patience]);
  waiting.abort();
  if (!isThere) void connecting.then(() => runner.release());
  return isThere;
}

/** A statement of the work may take as long as it needs, and waits for no lock for long. The connection stays as it was. */
async function withTimeouts(runner: QueryRunner, work: () => Promise<void>): Promise<void> {
  const set = `SELECT set_config('statement_timeout', $1, false), set_config('lock_timeout', $2, false)`;
  const [before] = (await runner.query(
    `SELECT current_setting('statement_timeout') AS statement, current_setting('lock_timeout') AS lock`,
  )) as [{ statement: string; lock: string }];
  await runner.query(set, ['0', String(LONGEST_LOCK_WAIT)]);
  try {
    await work();
  } finally {
    await runner.query(set, [before.statement, before.lock]);
  }
}

/** A server's role need not be the one that migrates: it may use the new table as it might use the present one. */
export async function handOver(
  runner: QueryRunner,
  { name, of }: { name: string; of: string },
): Promise<void> {
  const commands = (await runner.query(
    `WITH present AS (SELECT relowner, relacl FROM pg_catalog.pg_class WHERE oid = $2::regclass)
     SELECT format('ALTER TABLE %s OWNER TO %I', $1::text, pg_get_userbyid(relowner)) AS command
       FROM present WHERE pg_get_userbyid(relowner) <> current_user
      UNION ALL
     SELECT format('ALTER FUNCTION %s OWNER TO %I', pg_proc.oid::regprocedure, pg_get_userbyid(relowner))
       FROM present, pg_catalog.pg_proc
      WHERE pronamespace = 'session_alerts'::regnamespace AND pg_get_userbyid(proowner) = current_user
        AND pg_get_userbyid(relowner) <> current_user
      UNION ALL
     SELECT format('GRANT %s ON %s TO %s', privilege_type, $1::text,
                   CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END
                     || CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
       FROM present, aclexplode(relacl) WHERE grantee <> relowner`,
    [`session_alerts.${name}`, `session_alerts.${of}`],
  )) as { command: string }[];
  await queryAll(
    runner,
    commands.map(({ command }) => command),
  );
}

async function queryAll(runner: QueryRunner, statements: string[]): Promise<void> {
  for (const statement of statements) await runner.query(statement);
}

function idsIn(rows: unknown): string[] {
  return (rows as { id: string }[]).map(({ id }) => id);
}

function sqlState(error: unknown): unknown {
  return (error as { code?: unknown } | undefined)?.code;
}
