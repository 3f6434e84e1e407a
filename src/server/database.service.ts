import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, Logger } from '@nestjs/common';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import type { DataSourceOptions } from 'typeorm';
import pg from 'pg';
import { messagesOf } from '../error-messages.js';
import { postgresOptions } from '../migrations/postgres-options.js';
import { runMigrations } from '../migrations/run-migrations.js';
import { SERVER_CONFIG } from './server-config.token.js';
import type { ServerConfig } from './config.js';

const LONGEST_WAIT = 5_000;

/**
 * No planning at run time; and a plan that was made while the tables were small has to serve when they are not:
 * it looks up each row by an index.
 */
const PLANNER = [
  'plan_cache_mode=force_generic_plan',
  'enable_seqscan=off',
  'enable_hashjoin=off',
  'enable_mergejoin=off',
  'jit=off',
]
  .map((setting) => `-c ${setting}`)
  .join(' ');

/**
 * A connection that is cut off in the very packet that completes it has no listener: its pool has handed it out,
 * TypeORM has not taken it. The error would end the process; the pool discards the connection all the same.
 */
class GuardedClient extends pg.Client {
  constructor(config?: pg.ClientConfig) {
    super(config);
    this.on('error', () => undefined);
  }
}

/** The standalone server's DataSource; a database that takes too long becomes a 503. */
export function dataSourceOptions(config: ServerConfig): DataSourceOptions {
  return {
    ...postgresOptions(config.databaseUrl),
    poolSize: config.databasePoolSize,
    connectTimeoutMS: 5_000,
    applicationName: 'session-alerts',
    extra: {
      Client: GuardedClient,
      statement_timeout: 15_000,
      idle_in_transaction_session_timeout: 15_000,
      keepAlive: true,
      // A transaction in two round trips.
      pipeline: true,
      options: PLANNER,
    },
  };
}

/** Connects and migrates in the background: the server is up, and says that it waits, before the database is. */
@Injectable()
export class DatabaseService implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(DatabaseService.name);
  private readonly stopping = new AbortController();
  private connecting: Promise<void> | undefined;

  /** Whether the tables are there. */
  isReady = false;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @Inject(SERVER_CONFIG) private readonly config: ServerConfig,
  ) {}

  onApplicationBootstrap(): void {
    this.connecting = this.connect();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await this.connecting;
  }

  private async connect(): Promise<void> {
    const { signal } = this.stopping;
    for (let wait = 250; !signal.aborted; wait = Math.min(wait * 2, LONGEST_WAIT)) {
      try {
        if (!this.dataSource.isInitialized) await this.dataSource.initialize();
        if (this.config.migrateOnStart) {
          for (const name of await runMigrations(this.dataSource)) this.logger.log(`Migrated: ${name}`);
        }
        this.isReady = true;
        this.logger.log('The database is ready');
        return;
      } catch (error) {
        this.logger.warn(`The database is not ready, trying again: ${messagesOf(error)}`);
        await sleep(wait, undefined, { signal }).catch(() => undefined);
      }
    }
  }
}
