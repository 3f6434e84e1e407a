import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Statement } from '../src/database/statement.js';
import { floorFlights } from './floor-statement.js';
import { PLANNER_OPTIONS } from './planner-options.js';
import { storedBy } from './stored.js';
import type { Stored } from './stored.js';
import type { Kind } from './webhook-bodies.js';
import { WebhookStatements } from './webhook-statements.js';
import type { Flights } from './webhook-statements.js';
import { batchesOf } from './webhook-target.js';
import type { WebhookPlan, WebhookTarget } from './webhook-target.js';

/** How `pg` writes a parameter. */
const { prepareValue } = createRequire(import.meta.url)('pg/lib/utils.js') as {
  prepareValue: (value: unknown) => string | null;
};

/** Where Debian keeps the programs of each version, which it does not put on PATH. */
const DEBIAN = '/usr/lib/postgresql';

/** The advisory lock that every connection waits for before its first webhook. */
const START = 1;

/** Rows that go into a table at once, in alerts. */
const CHUNK = 2000;

/** PostgreSQL's own load generator, if it is there. */
export function findPgbench(): string | undefined {
  const versions = existsSync(DEBIAN)
    ? readdirSync(DEBIAN).sort((one, other) => Number(other) - Number(one))
    : [];
  const folders = [
    ...(process.env['PATH'] ?? '').split(delimiter),
    ...versions.map((version) => join(DEBIAN, version, 'bin')),
  ];
  return folders.map((folder) => join(folder, 'pgbench')).find((file) => existsSync(file));
}

/** The statements of so many batches from the first one on. */
type FlightsOf = (size: number, kind: Kind, firstBatch: number, count: number) => Flights[];

/** What it runs: our own statements, and the least that any receiver needs. */
const STATEMENTS = {
  pgbench: () => {
    const statements = new WebhookStatements();
    return (...batches) => statements.of(...batches);
  },
  floorPgbench: () => floorFlights,
} satisfies Record<string, () => FlightsOf>;
type PgbenchName = keyof typeof STATEMENTS;
export const PGBENCHES: PgbenchName[] = ['pgbench', 'floorPgbench'];

/**
 * What the database can do at most: a server's statements with that server's parameters, and no Node at all.
 * pgbench's own variables are too small for the parameters: they lie in a table, from which each webhook's come
 * first, as the very texts that the server would send.
 */
export class PgbenchTarget implements WebhookTarget {
  readonly stored: Stored;
  private readonly flights: FlightsOf;

  constructor(
    readonly name: PgbenchName,
    private readonly program: string,
    private readonly databaseUrl: string,
  ) {
    this.stored = storedBy(name, databaseUrl);
    this.flights = STATEMENTS[name]();
  }

  async prepare(plan: WebhookPlan, kind: Kind, firstBatch: number): Promise<() => Promise<number>> {
    const { size, connections } = plan;
    const batches = this.flights(size, kind, firstBatch, batchesOf(plan));
    const client = new pg.Client({ connectionString: this.databaseUrl });
    await client.connect();
    await layDown(client, batches, Math.ceil(CHUNK / size));
    await client.query(`SELECT pg_advisory_lock(${START})`);
    const ended = this.run(batches, connections);
    await Promise.race([untilWaiting(client, connections), ended]);
    return async () => {
      const startedAt = performance.now();
      await client.query(`SELECT pg_advisory_unlock(${START})`);
      await ended;
      const elapsed = performance.now() - startedAt;
      await client.end();
      return elapsed;
    };
  }

  private async run(batches: Flights[], connections: number): Promise<void> {
    const perConnection = batches.length / connections;
    const { hostname, port, username, password, pathname } = new URL(this.databaseUrl);
    const options = `-n -M prepared -f - -D i=0 -c ${connections} -j 2 -t ${perConnection}`;
    const child = spawn(this.program, options.split(' '), {
      env: {
        PGHOST: hostname,
        PGPORT: port,
        PGUSER: username,
        PGPASSWORD: password,
        PGDATABASE: pathname.slice(1),
        PGOPTIONS: PLANNER_OPTIONS,
      },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    child.stdin.end(scriptOf(batches, perConnection));
    const [output, errors] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ]);
    if (!output.includes(`transactions actually processed: ${batches.length}/${batches.length}\n`)) {
      throw new Error(`pgbench failed:\n${errors.slice(0, 4_000)}\n${output}`);
    }
  }
}

/** Waits until so many connections wait for the start. */
async function untilWaiting(client: pg.Client, connections: number): Promise<void> {
  for (;;) {
    const { rows } = await client.query<{ waiting: number }>(
      `SELECT count(*)::int AS waiting FROM pg_locks WHERE locktype = 'advisory' AND objid = ${START} AND NOT granted`,
    );
    if (rows[0]?.waiting === connections) return;
    await sleep(5);
  }
}

/** One webhook after the other, each of its statements with its parameters as variables. */
function scriptOf(batches: Flights[], perConnection: number): string {
  const [first] = batches;
  if (!first) throw new Error('There is nothing to run');
  const all = first.flat();
  const text = (statement: Statement): string =>
    statement.text.replace(
      /\$(\d+)/g,
      (_, number: string) => `:${nameOf(all.indexOf(statement), Number(number))}`,
    );
  const pipeline = (statements: Statement[]): string[] => [
    '\\startpipeline',
    ...statements.map((statement) => `${text(statement)};`),
    '\\endpipeline',
  ];
  return [
    `\\set batch :client_id * ${perConnection} + :i`,
    '\\set i :i + 1',
    `SELECT ${parametersOf(first)
      .map(({ name }) => name)
      .join(', ')} FROM bench.webhooks WHERE batch = :batch \\gset`,
    ...first.flatMap(pipeline),
    // All wait for one another after their first, which warms up.
    '\\if :i = 1',
    `SELECT pg_advisory_lock_shared(${START});`,
    '\\endif',
  ].join('\n');
}

/** One row a webhook, one column a parameter; EXTERNAL, as reading them must not cost a decompression. */
async function layDown(client: pg.Client, batches: Flights[], chunk: number): Promise<void> {
  const rows = batches.map(parametersOf);
  const names = (rows[0] ?? []).map(({ name }) => name);
  if (rows.some((row) => row.length !== names.length)) throw new Error('The webhooks are not alike');
  await client.query('DROP SCHEMA IF EXISTS bench CASCADE');
  await client.query('CREATE SCHEMA bench');
  const columns = names.map((name) => `${name} text STORAGE EXTERNAL`);
  await client.query(`CREATE UNLOGGED TABLE bench.webhooks (batch int PRIMARY KEY, ${columns.join(', ')})`);
  const arrays = names.map((_, index) => `$${index + 2}::text[]`);
  for (let first = 0; first < rows.length; first += chunk) {
    const some = rows.slice(first, first + chunk);
    await client.query(`INSERT INTO bench.webhooks SELECT * FROM unnest($1::int[], ${arrays.join(', ')})`, [
      some.map((_, index) => first + index),
      ...names.map((_, index) => some.map((row) => prepareValue(row[index]?.value))),
    ]);
  }
}

interface Parameter {
  name: string;
  value: unknown;
}

function parametersOf(flights: Flights): Parameter[] {
  return flights
    .flat()
    .flatMap(({ values = [] }, statement) =>
      values.map((value, index) => ({ name: nameOf(statement, index + 1), value })),
    );
}

function nameOf(statement: number, parameter: number): string {
  return `s${statement}p${parameter}`;
}
