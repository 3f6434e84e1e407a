import { chown, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitUntil } from '../../support/server.js';
import { query } from './postgres.js';
import { freePort, Program } from './program.js';

/** One of two servers of PostgreSQL that stream to each other. */
export class PostgresNode {
  private program: Program | undefined;

  constructor(
    readonly port: number,
    readonly folder: string,
    private readonly user: User,
  ) {}

  /** Connection string of its database `postgres`. */
  get url(): string {
    return `postgresql://postgres@127.0.0.1:${this.port}/postgres`;
  }

  async start(): Promise<void> {
    const settings = {
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      // What is killed is the process: the machine keeps what was written.
      fsync: 'off',
      wal_receiver_status_interval: '1s',
      wal_retrieve_retry_interval: '100ms',
    };
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    this.program = new Program(
      'PostgreSQL',
      await binary('postgres'),
      ['-D', this.folder, '-p', `${this.port}`, ...flags],
      {
        ...this.user,
        env: { LC_ALL: 'C' },
        cwd: this.folder,
        folder: this.folder,
      },
    );
    await this.program.until(async () => (await query(this.url, 'SELECT 1').catch(() => [])).length === 1);
  }

  /** As a machine dies: the server and all its processes at once. */
  async kill(): Promise<void> {
    const { pid = NaN } = this.program ?? {};
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
    const ended = this.program?.stop('SIGKILL');
    for (const child of children.trim().split(' ')) end(Number(child));
    await ended;
    await waitUntil(async () =>
      query(this.url, 'SELECT 1').then(
        () => false,
        () => true,
      ),
    );
  }

  /** Makes it the primary; returns when it takes writes (`performance.now()`). */
  async promote(): Promise<number> {
    await query(this.url, 'SELECT pg_promote(wait => false)');
    await waitUntil(async () => {
      const [row] = await query<{ standby: boolean }>(this.url, 'SELECT pg_is_in_recovery() AS standby');
      return row?.standby === false;
    });
    return performance.now();
  }

  /** Begins anew as a standby of another, which waits for it from then on before it answers a commit. */
  async follow(primary: PostgresNode): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
    await run('pg_basebackup', ['-D', this.folder, '-d', primary.url, '-R', '-c', 'fast'], this.user);
    await this.start();
    // With a standby that is not there, nothing could be committed.
    await query(primary.url, `ALTER SYSTEM SET synchronous_standby_names = '*'`);
    await query(primary.url, 'SELECT pg_reload_conf()');
    await waitUntil(async () => {
      const states = await query(primary.url, `SELECT FROM pg_stat_replication WHERE sync_state = 'sync'`);
      return states.length === 1;
    });
  }

  async stop(): Promise<void> {
    if (this.program?.isRunning) await this.program.stop('SIGINT');
  }
}

/** Two servers of Debian's PostgreSQL, the second a standby that the first waits for. */
export class ReplicatedPostgres {
  private constructor(
    readonly nodes: [PostgresNode, PostgresNode],
    private readonly folder: string,
  ) {}

  static async start(): Promise<ReplicatedPostgres> {
    const user = await unprivilegedUser();
    const folder = await mkdtemp(join(tmpdir(), 'session-alerts-replicated-'));
    if (user.uid !== undefined && user.gid !== undefined) await chown(folder, user.uid, user.gid);
    const first = new PostgresNode(await freePort(), join(folder, 'first'), user);
    const second = new PostgresNode(await freePort(), join(folder, 'second'), user);
    const cluster = new ReplicatedPostgres([first, second], folder);
    try {
      await run(
        'initdb',
        ['-D', first.folder, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync'],
        user,
      );
      await first.start();
      await second.follow(first);
      return cluster;
    } catch (error) {
      await cluster.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    for (const node of this.nodes) await node.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

interface User {
  uid?: number;
  gid?: number;
}

/** PostgreSQL refuses to run as root. */
async function unprivilegedUser(): Promise<User> {
  if (process.getuid?.() !== 0) return {};
  const account = /^postgres:[^:]*:(\d+):(\d+):/m.exec(await readFile('/etc/passwd', 'utf8'));
  return { uid: Number(account?.[1]), gid: Number(account?.[2]) };
}

async function binary(name: string): Promise<string> {
  const versions = await readdir('/usr/lib/postgresql');
  return join('/usr/lib/postgresql', versions.sort().at(-1) ?? '', 'bin', name);
}

async function run(name: string, args: string[], user: User): Promise<void> {
  const program = new Program(name, await binary(name), args, { ...user, env: { LC_ALL: 'C' }, cwd: '/' });
  const ending = await program.ended;
  if (ending !== 0) throw new Error(`${name} ended with ${ending}. It wrote:\n${program.output}`);
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended with its parent.
  }
}
