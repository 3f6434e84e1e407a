import pg from 'pg';
import { DataSource } from 'typeorm';
import { postgresOptions } from '../src/migrations/postgres-options.js';
import { runMigrations } from '../src/migrations/run-migrations.js';
import { startEmbeddedPostgres } from '../server/demo/embedded-postgres.js';

/** Besides PostgreSQL's defaults; fsync stays on. */
export const CLUSTER_SETTINGS = {
  shared_buffers: '512MB',
  max_wal_size: '4GB',
  checkpoint_timeout: '30min',
  max_connections: '200',
};

/** The PostgreSQL of a whole run, with a database for each target. */
export class Cluster {
  private constructor(
    readonly version: string,
    readonly pid: number,
    private readonly url: string,
    readonly stop: () => Promise<void>,
  ) {}

  /** @param settings besides those of every run */
  static async start(settings: Record<string, string> = {}): Promise<Cluster> {
    const postgres = await startEmbeddedPostgres({ settings: { ...CLUSTER_SETTINGS, ...settings } });
    try {
      const [row] = await query<{ server_version: string }>(postgres.url, 'SHOW server_version');
      return new Cluster(row?.server_version ?? '', postgres.pid, postgres.url, () => postgres.stop());
    } catch (error) {
      await postgres.stop();
      throw error;
    }
  }

  /** A database of its own with our tables; returns its connection string. */
  async createDatabase(name: string): Promise<string> {
    const url = await this.createEmptyDatabase(name);
    const dataSource = await new DataSource(postgresOptions(url)).initialize();
    await runMigrations(dataSource);
    await dataSource.destroy();
    return url;
  }

  async createEmptyDatabase(name: string): Promise<string> {
    await query(this.url, `CREATE DATABASE ${name}`);
    const url = new URL(this.url);
    url.pathname = `/${name}`;
    return url.href;
  }

  /** Changes a setting of the running server. */
  async configure(name: string, value: string): Promise<void> {
    await query(this.url, `ALTER SYSTEM SET ${name} = ${value}`);
    await query(this.url, 'SELECT pg_reload_conf()');
  }

  /** How much has been written ahead, since the beginning (bytes). */
  async walBytes(): Promise<number> {
    const [row] = await query<{ bytes: string }>(
      this.url,
      `SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') AS bytes`,
    );
    return Number(row?.bytes);
  }

  async dropDatabase(url: string): Promise<void> {
    await query(this.url, `DROP DATABASE ${new URL(url).pathname.slice(1)} WITH (FORCE)`);
  }
}

/** One statement on a connection of its own. */
export async function query<Row extends pg.QueryResultRow>(
  url: string,
  text: string,
  values: unknown[] = [],
): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(text, values)).rows;
  } finally {
    await client.end();
  }
}
