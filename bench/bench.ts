import { Cluster, query } from './cluster.js';
import { FLOOR_TABLE } from './floor-statement.js';
import { LoadProcess } from './load-process.js';
import type { Options } from './options.js';
import type { Progress } from './progress.js';
import type { RevisionBuild } from './revision.js';
import { TargetProcess } from './target-process.js';
import type { OtherServer, ServerName } from './target-process.js';
import { Tokens } from './tokens.js';
import { FLOORS } from './webhook-target.js';
import type { TargetName } from './webhook-target.js';

/** What all parts use, and all that has to end with the run. */
export class Bench {
  /** Makes the load. */
  readonly load = new LoadProcess();
  /** Looks how others fare meanwhile. */
  readonly watcher = new LoadProcess();
  private nextBatch = 0;

  private constructor(
    readonly options: Options,
    readonly progress: Progress,
    readonly cluster: Cluster,
    readonly tokens: Tokens,
    private readonly against: RevisionBuild | undefined,
  ) {}

  /** @param against the revision that is measured too, built */
  static async start(
    options: Options,
    progress: Progress,
    against: RevisionBuild | undefined,
  ): Promise<Bench> {
    progress.step('starting PostgreSQL');
    return new Bench(options, progress, await Cluster.start(), await Tokens.start(), against);
  }

  async stop(): Promise<void> {
    await Promise.all([this.load.end(), this.watcher.end()]);
    this.tokens.stop();
    await this.cluster.stop();
  }

  /** A database for each target with what it needs; returns their connection strings. */
  async createDatabases(purpose: string, targets: TargetName[]): Promise<Map<TargetName, string>> {
    const urls = new Map<TargetName, string>();
    for (const target of targets) {
      const name = `${purpose}_${target.toLowerCase()}`;
      if (target === 'against') {
        // It migrates when it starts.
        urls.set(target, await this.cluster.createEmptyDatabase(name));
      } else if (FLOORS.includes(target)) {
        const url = await this.cluster.createEmptyDatabase(name);
        await query(url, FLOOR_TABLE);
        urls.set(target, url);
      } else {
        urls.set(target, await this.cluster.createDatabase(name));
      }
    }
    return urls;
  }

  /** Runs a server for as long as the work takes. */
  withServer<T>(
    name: ServerName,
    databaseUrl: string,
    work: (server: TargetProcess) => Promise<T>,
  ): Promise<T> {
    const server = name === 'against' ? this.otherServer() : name;
    return TargetProcess.during(server, databaseUrl, this.tokens, work);
  }

  /** Runs several at a time, each on the database that is given for it. */
  withServers<T>(
    names: ServerName[],
    databaseUrlOf: (name: ServerName) => string,
    work: (servers: TargetProcess[]) => Promise<T>,
    started: TargetProcess[] = [],
  ): Promise<T> {
    const [name, ...rest] = names;
    if (name === undefined) return work(started);
    return this.withServer(name, databaseUrlOf(name), (server) =>
      this.withServers(rest, databaseUrlOf, work, [...started, server]),
    );
  }

  private otherServer(): OtherServer {
    if (!this.against) throw new Error('There is no other revision');
    return { name: 'against', title: `of ${this.against.commit}`, program: this.against.server };
  }

  /** So many batches of webhooks that nothing has used yet; returns the first. */
  takeBatches(count: number): number {
    const first = this.nextBatch;
    this.nextBatch += count;
    return first;
  }
}
