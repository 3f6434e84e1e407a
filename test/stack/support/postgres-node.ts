import { randomBytes } from 'node:crypto';
import { chown, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitUntil } from '../../support/server.js';
import { query } from './postgres.js';
import { freePort, Program } from './program.js';

const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  // What is killed is the process: the machine keeps what was written.
  fsync: 'off',
  wal_receiver_status_interval: '1s',
  wal_retrieve_retry_interval: '100ms',
};

/** A server of Debian's PostgreSQL, which has what replication needs: a primary, or a streaming standby of one. */
export class PostgresNode {
  private program: Program | undefined;

  private constructor(
    readonly port: number,
    private readonly folder: string,
    private readonly user: User,
  ) {}

  static async primary(): Promise<PostgresNode> {
    const node = await PostgresNode.make();
    await node.run('initdb', ['--username=postgres', '--auth=trust', '--encoding=UTF8', '--locale=C']);
    await node.start();
    return node;
  }

  /** A standby of it, with all that it has. */
  async standby(): Promise<PostgresNode> {
    const node = await PostgresNode.make();
    await node.follow(this);
    return node;
  }

  private static async make(): Promise<PostgresNode> {
    const user = await unprivilegedUser();
    const folder = await mkdtemp(join(tmpdir(), 'session-alerts-node-'));
    if (user) await chown(folder, user.uid, user.gid);
    return new PostgresNode(await freePort(), folder, user);
  }

  /** The superuser's connection string, database `postgres`. */
  get url(): string {
    return this.urlOf('postgres');
  }

  urlOf(database: string): string {
    return `postgresql://postgres@127.0.0.1:${this.port}/${database}`;
  }

  get pid(): number {
    return this.program?.pid ?? NaN;
  }

  /** One statement in a database, on a connection of its own. */
  query<Row extends Record<string, unknown>>(statement: string, database = 'postgres'): Promise<Row[]> {
    return query<Row>(this.urlOf(database), statement);
  }

  /** An empty database, of which all standbys have a copy soon; returns its name. */
  async createDatabase(): Promise<string> {
    const name = `stack_${randomBytes(8).toString('hex')}`;
    await this.query(`CREATE DATABASE ${name}`);
    return name;
  }

  async start(): Promise<void> {
    const flags = Object.entries(SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const program = await this.launch('postgres', ['-D', this.data, '-p', `${this.port}`, ...flags]);
    this.program = program;
    try {
      await program.until(async () => (await this.query('SELECT 1')).length === 1);
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** As a machine dies: the server and all its processes at once. */
  async kill(): Promise<void> {
    const children = await readFile(`/proc/${this.pid}/task/${this.pid}/children`, 'utf8');
    const ended = this.program?.stop('SIGKILL');
    for (const child of children.trim().split(' ')) end(Number(child));
    await ended;
    await waitUntil(async () =>
      this.query('SELECT 1').then(
        () => false,
        () => true,
      ),
    );
  }

  /** Makes it the primary; returns when it takes writes (`performance.now()`). */
  async promote(): Promise<number> {
    await this.query('SELECT pg_promote(wait => false)');
    await waitUntil(async () => {
      const [row] = await this.query<{ standby: boolean }>('SELECT pg_is_in_recovery() AS standby');
      return row?.standby === false;
    });
    return performance.now();
  }

  /** Begins as a standby of another, or begins anew as one. */
  async follow(primary: PostgresNode): Promise<void> {
    await rm(this.data, { recursive: true, force: true });
    await this.run('pg_basebackup', [
      `--dbname=${primary.url}`,
      '--write-recovery-conf',
      '--checkpoint=fast',
    ]);
    await this.start();
  }

  /** Lets it answer a commit when its standby has it, from now on. */
  async waitForStandby(): Promise<void> {
    await this.query(`ALTER SYSTEM SET synchronous_standby_names = '*'`);
    await this.query('SELECT pg_reload_conf()');
    await waitUntil(async () => {
      const states = await this.query(`SELECT FROM pg_stat_replication WHERE sync_state = 'sync'`);
      return states.length === 1;
    });
  }

  /** Ends it at once, and removes all that was its own. */
  async stop(): Promise<void> {
    if (this.program?.isRunning) await this.program.stop('SIGQUIT');
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  private get data(): string {
    return join(this.folder, 'data');
  }

  private async run(tool: string, options: string[]): Promise<void> {
    const program = await this.launch(tool, [`--pgdata=${this.data}`, '--no-sync', ...options]);
    const ending = await program.ended;
    if (ending === 0) return;
    await this.stop();
    throw new Error(`${tool} ended with ${ending}. It wrote:\n${program.output}`);
  }

  private async launch(tool: string, args: string[]): Promise<Program> {
    const { folder, user } = this;
    return new Program(tool, await binary(tool), args, {
      ...user,
      env: { LC_ALL: 'C' },
      cwd: folder,
      folder,
    });
  }
}

type User = { uid: number; gid: number } | undefined;

/** PostgreSQL refuses to run as root. */
async function unprivilegedUser(): Promise<User> {
  if (process.getuid?.() !== 0) return undefined;
  const account = /^postgres:[^:]*:(\d+):(\d+):/m.exec(await readFile('/etc/passwd', 'utf8'));
  return { uid: Number(account?.[1]), gid: Number(account?.[2]) };
}

async function binary(name: string): Promise<string> {
  const versions = await readdir('/usr/lib/postgresql');
  return join('/usr/lib/postgresql', versions.sort().at(-1) ?? '', 'bin', name);
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended with its parent.
  }
}
