import { Cluster } from '../cluster.js';
import type { User } from '../load-jobs.js';
import type { Progress } from '../progress.js';
import { cpuOf, cpuOfCluster } from '../proc.js';
import { TargetProcess } from '../target-process.js';
import type { OwnServer } from '../target-process.js';
import { Tokens } from '../tokens.js';
import type { LiveOptions } from './options.js';
import { PagesProcess } from './pages-process.js';

/** CPU time over a while, in % of one core. */
export interface CpuShare {
  server: number;
  database: number;
}

/** What all parts use, and all that has to end with the run. */
export class LiveBench {
  readonly pages = new PagesProcess();

  private constructor(
    readonly options: LiveOptions,
    readonly progress: Progress,
    readonly cluster: Cluster,
    readonly tokens: Tokens,
    /** One for each stream. */
    readonly users: User[],
  ) {}

  static async start(options: LiveOptions, progress: Progress): Promise<LiveBench> {
    progress.step('starting PostgreSQL');
    const cluster = await Cluster.start({ shared_preload_libraries: 'pg_stat_statements' });
    const tokens = await Tokens.start();
    const users: User[] = [];
    const start = new LiveBench(options, progress, cluster, tokens, users);
    while (users.length < options.streams) {
      progress.step(`signing tokens, ${users.length} are done`);
      const ids = Array.from({ length: 1_000 }, (_, index) => userId(users.length + index));
      users.push(...(await Promise.all(ids.map(async (id) => ({ id, token: await tokens.userToken(id) })))));
    }
    users.length = options.streams;
    return start;
  }

  async stop(): Promise<void> {
    await this.pages.end();
    this.tokens.stop();
    await this.cluster.stop();
  }

  /** Runs a server for as long as the work takes. */
  withServer<T>(
    name: OwnServer,
    databaseUrl: string,
    work: (server: TargetProcess) => Promise<T>,
  ): Promise<T> {
    return TargetProcess.during(name, databaseUrl, this.tokens, work);
  }

  /** What the server and all of PostgreSQL use while the work goes on. */
  async cpuDuring(server: TargetProcess, work: Promise<unknown>): Promise<CpuShare> {
    const used = () => ({
      server: cpuOf(server.pid) ?? NaN,
      database: cpuOfCluster(this.cluster.pid) ?? NaN,
    });
    const [startedAt, before] = [performance.now(), used()];
    await work;
    const [elapsed, after] = [performance.now() - startedAt, used()];
    return {
      server: (100 * (after.server - before.server)) / elapsed,
      database: (100 * (after.database - before.database)) / elapsed,
    };
  }
}

/** A UUID, as Keycloak's `sub` is. */
function userId(number: number): string {
  const hex = number.toString(16).padStart(8, '0');
  return `${hex}-5e55-4a1e-8f00-0123${hex}`;
}
