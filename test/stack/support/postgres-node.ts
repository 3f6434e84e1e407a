import { chown, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { query } from './postgres.js';
import { freePort, Program } from './program.js';

/** Debian's, which has what replication needs. */
const BINARIES = '/usr/lib/postgresql/15/bin';

const SETTINGS = {
  fsync: 'off',
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
};

/** A PostgreSQL server: a primary, or a streaming standby of one. */
export class PostgresNode {
  private constructor(
    private readonly program: Program,
    private readonly folder: string,
    /** The superuser's connection string, database `postgres`. */
    readonly url: string,
  ) {}

  static async primary(): Promise<PostgresNode> {
    return PostgresNode.start([
      'initdb',
      '--username=postgres',
      '--auth=trust',
      '--encoding=UTF8',
      '--locale=C',
    ]);
  }

  /** A standby of it, with all that it has. */
  async standby(): Promise<PostgresNode> {
    const source = `--dbname=${this.url}`;
    return PostgresNode.start(['pg_basebackup', source, '--write-recovery-conf', '--checkpoint=fast']);
  }

  private static async start([tool = '', ...options]: string[]): Promise<PostgresNode> {
    const user = await unprivilegedUser();
    const folder = await mkdtemp(join(tmpdir(), 'session-alerts-node-'));
    if (user) await chown(folder, user.uid, user.gid);
    const data = join(folder, 'data');
    const making = new Program(tool, join(BINARIES, tool), [`--pgdata=${data}`, '--no-sync', ...options], {
      ...user,
      cwd: folder,
      folder,
    });
    if ((await making.ended) !== 0) throw new Error(`${tool} failed. It wrote:\n${making.output}`);
    const port = await freePort();
    const flags = Object.entries(SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const command = join(BINARIES, 'postgres');
    const program = new Program('PostgreSQL', command, ['-D', data, '-p', `${port}`, ...flags], {
      ...user,
      cwd: folder,
      folder,
    });
    const node = new PostgresNode(program, folder, `postgresql://postgres@127.0.0.1:${port}/postgres`);
    try {
      await program.until(async () => (await node.query('SELECT 1')).length === 1);
    } catch (error) {
      await node.stop();
      throw error;
    }
    return node;
  }

  get pid(): number {
    return this.program.pid ?? NaN;
  }

  /** One statement in a database, on a connection of its own. */
  query<Row extends Record<string, unknown>>(statement: string, database = 'postgres'): Promise<Row[]> {
    return query<Row>(this.urlOf(database), statement);
  }

  urlOf(database: string): string {
    const url = new URL(this.url);
    url.pathname = `/${database}`;
    return url.href;
  }

  /** An empty database, of which all standbys have a copy soon; returns its name. */
  async createDatabase(): Promise<string> {
    const name = `stack_${randomBytes(8).toString('hex')}`;
    await this.query(`CREATE DATABASE ${name}`);
    return name;
  }

  /** Ends it at once, and removes all that was its own. */
  async stop(): Promise<void> {
    await this.program.stop('SIGQUIT');
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** PostgreSQL refuses to run as root. */
async function unprivilegedUser(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  const account = accounts.find(([name]) => name === 'postgres');
  return account && { uid: Number(account[2]), gid: Number(account[3]) };
}
