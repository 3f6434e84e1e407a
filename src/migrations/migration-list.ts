import type { QueryRunner } from 'typeorm';
import { DatabaseProblemsError, lackingRights } from '../database/database-problems.js';
import type { DatabaseProblem } from '../database/database-problems.js';
import { DATABASE_NAMES } from '../database/database-names.js';
import type { DatabaseNames } from '../database/database-names.js';
import { dataSourceOf } from './data-source-of.js';
import { handOver } from './online-move.js';

/** Versions before made it in another schema, and find it by its name wherever it is. */
export const LIST_NAME = 'session_alerts_migrations';
const LIST = `session_alerts.${LIST_NAME}`;

/** A list of migrations outside of our schema: ours, as versions before made it, or an application's own. */
interface ListElsewhere {
  /** As a statement names it. */
  table: string;
  schema: string;
  isOurs: boolean;
  mayRead: boolean;
  mayMove: boolean;
}

const TABLELESS: DatabaseProblem = {
  message: `${LIST} names migrations as done, and the tables that they have made are gone`,
  mend: 'Restore them, or drop the schema session_alerts, which is then made anew',
};

const UNLISTED: DatabaseProblem = {
  message:
    "The schema session_alerts has tables, and nothing tells by which migrations: TypeORM's synchronize has made them, or they were restored without their list",
  mend: `Restore the table ${LIST_NAME} (or, of an application, its migrations) too, or drop the schema where its alerts may go`,
};

/** Which of our migrations are done is noted in our schema, whoever runs them. */
export class MigrationList {
  /** @param known names of all migrations of this version */
  constructor(
    private readonly runner: QueryRunner,
    private readonly known: string[],
  ) {}

  /**
   * The names of those that are done; changes nothing.
   * @throws DatabaseProblemsError where it cannot be told how far the tables are migrated
   */
  async read(): Promise<string[]> {
    try {
      return (await this.look()).done;
    } catch (error) {
      if (this.runner.isTransactionActive) throw error;
      // Another may have been moving the list just then, which it does once.
      return (await this.look()).done;
    }
  }

  /**
   * The same; and from now on it is noted where it belongs. In the transaction that goes on to migrate.
   * @throws DatabaseProblemsError
   */
  async keep(): Promise<string[]> {
    const { schema, list, tables, elsewhere, done } = await this.look();
    if (list) return done;
    // `IF NOT EXISTS` would ask for the right to make schemas all the same.
    if (!schema) await this.runner.query(`CREATE SCHEMA session_alerts`);
    const before = elsewhere.find(({ isOurs }) => isOurs);
    if (before) await this.move(before);
    else await this.create(tables);
    // Without tables it tells of some that were dropped.
    if (!tables) await this.runner.query(`DELETE FROM ${LIST}`);
    const noted = await this.namesIn(LIST);
    for (const name of done) if (!noted.includes(name)) await this.note(name);
    return done;
  }

  async note(name: string): Promise<void> {
    // A name ends with its moment: TypeORM wants it so.
    await this.runner.query(
      `INSERT INTO ${LIST} (timestamp, name) VALUES (right($1::text, 13)::bigint, $1::text)`,
      [name],
    );
  }

  async forget(name: string): Promise<void> {
    await this.runner.query(`DELETE FROM ${LIST} WHERE name = $1`, [name]);
  }

  /** When all is undone. The schema goes as well, where nothing else is in it and this role could make it again. */
  async drop(): Promise<void> {
    await this.runner.query(`DROP TABLE ${LIST}`);
    const ours = (await this.runner.query(`
      SELECT FROM pg_catalog.pg_namespace
       WHERE nspname = 'session_alerts' AND pg_has_role(nspowner, 'USAGE')
         AND has_database_privilege(current_database(), 'CREATE')
         AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend
                          WHERE refclassid = 'pg_catalog.pg_namespace'::regclass
                            AND refobjid = pg_namespace.oid AND deptype = 'n')`)) as unknown[];
    if (ours.length > 0) await this.runner.query(`DROP SCHEMA session_alerts`);
  }

  private async look() {
    const [there] = (await this.runner.query(`
      SELECT count(pg_namespace.oid) > 0 AS schema, coalesce(bool_or(relname = '${LIST_NAME}'), false) AS list,
             coalesce(bool_or(relname = 'alerts'), false) AS tables
        FROM pg_catalog.pg_namespace LEFT JOIN pg_catalog.pg_class ON relnamespace = pg_namespace.oid
       WHERE nspname = 'session_alerts'`)) as [{ schema: boolean; list: boolean; tables: boolean }];
    const { list, tables } = there;
    const elsewhere = await this.listsElsewhere();
    if (list) {
      const done = await this.readInPlace(elsewhere);
      if (!tables && done.length > 0) throw new DatabaseProblemsError([TABLELESS]);
      return { ...there, elsewhere, done };
    }
    return { ...there, elsewhere, done: tables ? await this.readElsewhere(elsewhere) : [] };
  }

  private async readInPlace(elsewhere: ListElsewhere[]): Promise<string[]> {
    const done = await this.namesIn(LIST);
    for (const { table, isOurs, mayRead } of elsewhere) {
      if (!isOurs || !mayRead) continue;
      const other = await this.knownIn(table);
      if (this.known.every((name) => done.includes(name) === other.includes(name))) continue;
      throw new DatabaseProblemsError([
        {
          message: `Two lists tell which migrations are done, ${LIST} and ${table}: a backup of an earlier version has been restored over newer tables`,
          mend: `Drop the schema session_alerts and restore it again; or drop ${table}, if it is only left over`,
        },
      ]);
    }
    return done;
  }

  private async readElsewhere(lists: ListElsewhere[]): Promise<string[]> {
    const done = new Set<string>();
    for (const { table, mayRead } of lists) {
      if (mayRead) for (const name of await this.knownIn(table)) done.add(name);
    }
    if (done.size > 0) return [...done];
    // Others, which merely look like one, are nobody's business.
    const unread = lists.filter(
      ({ mayRead, table }) => !mayRead && /(^|\.)(session_alerts_)?migrations$/.test(table),
    );
    throw new DatabaseProblemsError([
      unread.length === 0
        ? UNLISTED
        : lackingRights(
            unread.map(({ table }) => `SELECT on ${table}`),
            await this.databaseNames(),
            ({ role }) => {
              const statements = unread.map(
                ({ schema, table }) =>
                  `GRANT USAGE ON SCHEMA ${schema} TO ${role}; GRANT SELECT ON ${table} TO ${role}`,
              );
              return `Let an administrator run \`${statements.join('; ')}\`: one of them says which migrations are done`;
            },
          ),
    ]);
  }

  private async move({ table, schema, mayMove }: ListElsewhere): Promise<void> {
    if (!mayMove) {
      throw new DatabaseProblemsError([
        lackingRights(
          [`the ownership of ${table}`],
          await this.databaseNames(),
          ({ role }) =>
            `Let an administrator run \`GRANT USAGE ON SCHEMA ${schema} TO ${role}; ALTER TABLE ${table} OWNER TO ${role}\`: it is moved once`,
        ),
      ]);
    }
    await this.runner.query(`ALTER TABLE ${table} SET SCHEMA session_alerts`);
  }

  private async create(tables: boolean): Promise<void> {
    await this.runner.query(
      `CREATE TABLE ${LIST} (id serial PRIMARY KEY, timestamp bigint NOT NULL, name varchar NOT NULL)`,
    );
    // Whoever may look at the tables may look how far they are migrated.
    if (tables) await handOver(this.runner, { name: LIST_NAME, of: 'feed' });
  }

  private async listsElsewhere(): Promise<ListElsewhere[]> {
    // Where TypeORM is about to write into it, it is the application's.
    const theirs = dataSourceOf(this.runner).options.migrationsTableName;
    const mayUse = `has_schema_privilege(relnamespace, 'USAGE')`;
    return (await this.runner.query(
      `SELECT format('%I.%I', nspname, relname) AS table, quote_ident(nspname) AS schema, relname = '${LIST_NAME}' AND relname <> $1 AS "isOurs",
              ${mayUse} AND has_table_privilege(pg_class.oid, 'SELECT') AS "mayRead",
              ${mayUse} AND pg_has_role(relowner, 'USAGE') AS "mayMove"
         FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace ON pg_namespace.oid = relnamespace
        -- What runs code of its owner's where it is read or written is none.
        WHERE relkind = 'r' AND NOT relrowsecurity AND NOT relhastriggers AND nspname <> 'session_alerts' AND nspname NOT LIKE 'pg\\_%'
          AND (SELECT array_agg(attname::text ORDER BY attname) FROM pg_catalog.pg_attribute
                WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped) = '{id,name,timestamp}'
        ORDER BY nspname = 'public' DESC, nspname`,
      [theirs ?? ''],
    )) as ListElsewhere[];
  }

  private async databaseNames(): Promise<DatabaseNames> {
    const [names] = (await this.runner.query(`SELECT ${DATABASE_NAMES}`)) as [DatabaseNames];
    return names;
  }

  private namesIn(table: string): Promise<string[]> {
    return this.names(`SELECT name FROM ${table} ORDER BY id`);
  }

  /** Of an application's list what is ours. */
  private knownIn(table: string): Promise<string[]> {
    return this.names(`SELECT name FROM ${table} WHERE name = ANY ($1::text[])`, [this.known]);
  }

  private async names(statement: string, values: unknown[] = []): Promise<string[]> {
    const rows: unknown = await this.runner.query(statement, values);
    return (rows as { name: string }[]).map(({ name }) => name);
  }
}
