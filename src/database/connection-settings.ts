import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { clientOn, GuardedClient } from './guarded-client.js';
import { READ_NODE_FACTS } from './node-facts.js';
import type { NodeFacts } from './node-facts.js';
import type { Statement } from './statement.js';
import { BEGIN } from './transaction.statements.js';
import type { WayToDatabase } from './way-to-database.js';

/** Names and values as PostgreSQL has them. */
export type Settings = Readonly<Record<string, string>>;

/**
 * What our statements, and `pg`, depend on. `ALTER ROLE … SET`, `ALTER DATABASE … SET`, the server's configuration, the
 * address's `options` and `PGOPTIONS` may say anything. What an administrator decides about the data is left as it is
 * (tablespace, access method, role); so are costs and memory, by which the planner goes.
 */
const SETTINGS: Settings = {
  client_encoding: 'UTF8',
  client_min_messages: 'warning',
  exit_on_error: 'off',
  search_path: '"$user", public',

  DateStyle: 'ISO, MDY',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  timezone_abbreviations: 'Default',
  bytea_output: 'hex',
  extra_float_digits: '1',
  array_nulls: 'on',
  standard_conforming_strings: 'on',
  backslash_quote: 'safe_encoding',
  transform_null_equals: 'off',
  quote_all_identifiers: 'off',

  default_transaction_isolation: 'read committed',
  default_transaction_read_only: 'off',
  default_transaction_deferrable: 'off',
  statement_timeout: '15s',
  lock_timeout: '0',
  idle_in_transaction_session_timeout: '15s',
  idle_session_timeout: '0',
  transaction_timeout: '0',
};

/** Names one connection, for as long as it is the same that we have set up. */
const MARK = 'session_alerts.connection';
const marks = new WeakMap<object, string>();
const beginnings = new WeakMap<object, Statement>();

/** How long (ms) the first statement may take: where the way falls silent just then, nobody else would notice. */
const LONGEST_SILENCE = 10_000;

/** What a pool of `pg` is to be made with, as TypeORM's `extra`. */
export interface PoolExtras {
  Client: typeof pg.Client;
  /** Done once a connection, before anybody has it. */
  onConnect: (client: pg.ClientBase) => Promise<void>;
}

/**
 * Lets every connection say what it depends on, in one round trip after it is made: what stands in the start packet
 * poolers refuse, or drop without a word. On the same way it is told what node it has come to.
 * @param more settings besides ours, and in their place
 * @param way where they lead; nothing where it does not matter what node that is
 */
export function settledConnections(more: Settings = {}, way?: WayToDatabase): PoolExtras {
  const settings = { ...SETTINGS, ...more };
  const beginning = beginSettled(settings);
  return {
    Client: way ? clientOn(way) : GuardedClient,
    onConnect: async (client) => {
      const mark = randomUUID();
      const { stream } = (client as unknown as { connection: { stream: { destroy(): void } } }).connection;
      const timer = setTimeout(() => {
        stream.destroy();
      }, LONGEST_SILENCE);
      let facts: NodeFacts | undefined;
      try {
        const results = [await client.query<NodeFacts>(settle({ ...settings, [MARK]: mark }))].flat();
        facts = results.at(-1)?.rows[0];
      } finally {
        clearTimeout(timer);
      }
      if (facts) way?.meet(client, facts);
      marks.set(client, mark);
      beginnings.set(client, beginning);
    },
  };
}

/** In which setting, with which value, a client's connection still has what `settledConnections` set. */
export function markOf(client: object): string | undefined {
  return marks.get(client);
}

/** Begins a transaction that has the same by itself; nothing where an application has made the connection. */
export function beginningOf(client: object): Statement | undefined {
  return beginnings.get(client);
}

/** The mark of the connection that is asked. */
export const CURRENT_MARK = `current_setting('${MARK}', true)`;

/**
 * One message. What could keep the rest of it from being done comes first, by itself. Versions differ in which settings
 * there are. Citus has to know whose rows are asked for, so it plans each statement anew.
 */
function settle(settings: Settings): string {
  const values = Object.entries(settings).map(([name, value]) => `('${name}', '${value}')`);
  return `
    SET statement_timeout = 0; SET jit = off;
    SELECT pg_catalog.set_config(name, value, false)
      FROM (VALUES ${values.join(', ')}) AS wanted (name, value)
     WHERE (pg_catalog.current_setting(name, true) IS NOT NULL OR name = '${MARK}')
       AND NOT (name = 'plan_cache_mode' AND EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'citus'))
     UNION ALL
    SELECT pg_catalog.set_config('synchronous_commit', 'on', false)
     WHERE pg_catalog.current_setting('synchronous_commit') = 'off';
    ${READ_NODE_FACTS}`;
}

/** One message, as between two of a transaction a hostile time limit may end it. */
function beginSettled(settings: Settings): Statement {
  const values = Object.entries(settings).map(([name, value]) => `('${name}', '${value}')`);
  return {
    text: `
      ${BEGIN.text}; SET LOCAL statement_timeout = 0;
      SELECT pg_catalog.set_config(name, value, true)
        FROM (VALUES ${values.join(', ')}) AS wanted (name, value)
       WHERE pg_catalog.current_setting(name, true) IS NOT NULL`,
  };
}
