import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, Logger, Optional } from '@nestjs/common';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import type { DataSourceOptions } from 'typeorm';
import { AlertsHealth } from 'nestjs-session-alerts';
import {
  DatabaseProblemsError,
  UNREACHABLE,
  findProblemsOfServer,
  messagesOf,
  postgresOptions,
  problemsIn,
  runMigrations,
  sentenceOf,
} from 'nestjs-session-alerts/operations';
import type { DatabaseAddress, DatabaseProblem, Settings } from 'nestjs-session-alerts/operations';
import { SERVER_CONFIG } from './server-config.token.js';
import type { ServerConfig } from './config.js';

const LONGEST_WAIT = 1_000;

/**
 * No planning at run time; and a plan that was made while the tables were small has to serve when they are not:
 * it looks up each row by an index.
 */
export const PLANNER: Settings = {
  plan_cache_mode: 'force_generic_plan',
  enable_seqscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  jit: 'off',
  max_parallel_workers_per_gather: '0',
  // What its plans are made of.
  enable_bitmapscan: 'on',
  enable_hashagg: 'on',
  enable_incremental_sort: 'on',
  enable_indexonlyscan: 'on',
  enable_indexscan: 'on',
  enable_material: 'on',
  enable_memoize: 'on',
  enable_nestloop: 'on',
  enable_sort: 'on',
  from_collapse_limit: '8',
  join_collapse_limit: '8',
};

/** Name of the DataSource whose connections nobody shares, where it is another. */
export const DIRECT = 'direct';
/** Name of the one that leads to standbys, which the module connects whenever it can be reached. */
export const READ = 'read';
/** Hearing of changes, and the jobs that one replica does at a time; or what migrates, and what copies beside it. */
const DIRECT_POOL_SIZE = 5;

/** The standalone server's DataSource; a database that takes too long becomes a 503. */
export function dataSourceOptions({ databaseAddress, databasePoolSize }: ServerConfig): DataSourceOptions {
  return optionsOf(databaseAddress, databasePoolSize);
}

/** Those beside it that the environment tells of, by their names. */
export function otherDataSources(config: ServerConfig): Map<string, DataSourceOptions> {
  const { databaseDirectAddress: direct, databaseReadAddress: read, databasePoolSize } = config;
  const others = new Map<string, DataSourceOptions>();
  if (direct) others.set(DIRECT, optionsOf(direct, DIRECT_POOL_SIZE));
  if (read) others.set(READ, optionsOf(read, databasePoolSize));
  return others;
}

function optionsOf(address: DatabaseAddress, poolSize: number) {
  const options = postgresOptions(address, PLANNER, true);
  return {
    ...options,
    poolSize,
    connectTimeoutMS: 5_000,
    applicationName: 'session-alerts',
    extra: {
      ...options.extra,
      keepAlive: true,
      // A transaction in two round trips.
      pipeline: true,
    },
  };
}

/** Until the first attempt has ended, well or not. */
const CONNECTING: DatabaseProblem = {
  message: 'The server is still connecting to the database, or migrating it',
  mend: 'Wait a little; the log says when it is done',
};

/** Connects and migrates in the background: the server is up, and says that it waits, before the database is. */
@Injectable()
export class DatabaseService implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(DatabaseService.name);
  private readonly stopping = new AbortController();
  private connecting: Promise<void> | undefined;
  private said = '';

  /** Whether the tables are there. */
  isReady = false;

  /** Why not yet. */
  problems: DatabaseProblem[] = [CONNECTING];

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @Optional() @InjectDataSource(DIRECT) private readonly direct: DataSource | null,
    @Inject(SERVER_CONFIG) private readonly config: ServerConfig,
    private readonly health: AlertsHealth,
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
        this.problems = await this.prepare();
        this.isReady = this.problems.length === 0;
        if (this.isReady) {
          this.logger.log('The database is ready');
          return;
        }
      } catch (error) {
        this.problems = problemsIn(error) ?? [UNREACHABLE];
        this.say(messagesOf(error));
      }
      await sleep(wait, undefined, { signal }).catch(() => undefined);
    }
  }

  /**
   * @returns why it cannot serve although it is migrated, which the log has been told
   * @throws DatabaseProblemsError where it cannot be migrated
   */
  private async prepare(): Promise<DatabaseProblem[]> {
    const direct = this.direct ?? this.dataSource;
    for (const dataSource of new Set([direct, this.dataSource])) {
      if (!dataSource.isInitialized) await dataSource.initialize();
      const mayBeShared = dataSource !== direct;
      const problems = await findProblemsOfServer(dataSource, { mayBeShared });
      if (problems.length > 0) throw new DatabaseProblemsError(problems);
    }
    if (this.config.migrateOnStart) {
      const { names, newer } = await runMigrations(direct);
      for (const name of names) this.logger.log(`Migrated: ${name}`);
      if (newer) this.logger.warn(sentenceOf(newer));
    }
    return this.health.findProblems();
  }

  /** Once, not at every attempt of a long outage. */
  private say(trouble: string): void {
    if (trouble !== this.said) this.logger.warn(`The database is not ready, trying again: ${trouble}`);
    this.said = trouble;
  }
}
