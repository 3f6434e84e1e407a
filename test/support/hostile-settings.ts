/**
 * Settings that `ALTER DATABASE … SET` and `ALTER ROLE … SET` take, and that could change what our statements mean, how
 * their answers read, or whether a connection lives: by name, with values as SQL has them.
 */
export const HOSTILE_SETTINGS: Record<string, string> = {
  datestyle: `'German, DMY'`,
  timezone: `'Asia/Kathmandu'`,
  timezone_abbreviations: `'India'`,
  intervalstyle: `'sql_standard'`,
  bytea_output: `'escape'`,
  client_encoding: `'LATIN1'`,
  extra_float_digits: '-15',
  array_nulls: 'off',
  standard_conforming_strings: 'off',
  transform_null_equals: 'on',
  quote_all_identifiers: 'on',
  client_min_messages: `'debug5'`,
  exit_on_error: 'on',
  search_path: `'nowhere'`,

  default_transaction_isolation: `'serializable'`,
  default_transaction_read_only: 'on',
  synchronous_commit: 'off',
  session_replication_role: `'replica'`,

  statement_timeout: `'150ms'`,
  lock_timeout: `'1ms'`,
  idle_in_transaction_session_timeout: `'150ms'`,
  idle_session_timeout: `'150ms'`,
  transaction_timeout: `'150ms'`,

  plan_cache_mode: `'force_custom_plan'`,
  enable_indexscan: 'off',
  enable_nestloop: 'off',
  parallel_setup_cost: '0',
  jit_above_cost: '0',
};

/** What hurts only where more comes together, if at all. */
const MORE: Record<string, string> = {
  backslash_quote: 'on',
  xmloption: `'document'`,
  check_function_bodies: 'off',
  row_security: 'off',
  default_transaction_deferrable: 'on',
  enable_bitmapscan: 'off',
  enable_hashagg: 'off',
  enable_indexonlyscan: 'off',
  enable_material: 'off',
  enable_sort: 'off',
  from_collapse_limit: '1',
  join_collapse_limit: '1',
  max_parallel_workers_per_gather: '8',
  work_mem: `'64kB'`,
};

/** All at once, but those that would keep the tests themselves from what they do. */
export function hostileTogether(): Record<string, string> {
  // Without triggers some tests could not make the database fail; compiling takes longer than the time-outs.
  const apart = ['session_replication_role', 'jit_above_cost'];
  const together = Object.entries({ ...HOSTILE_SETTINGS, ...MORE });
  return Object.fromEntries(together.filter(([name]) => !apart.includes(name)));
}

/** Those of the settings that this server's version has. */
export async function settingsOf(
  query: (text: string) => Promise<{ name: string }[]>,
  settings: Record<string, string>,
): Promise<[name: string, value: string][]> {
  const known = new Set((await query('SELECT lower(name) AS name FROM pg_settings')).map(({ name }) => name));
  return Object.entries(settings).filter(([name]) => known.has(name));
}
