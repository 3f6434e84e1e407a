import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { query } from './postgres.js';
import { freePort, Program } from './program.js';

/** PgBouncer runs as nobody where this process is root, whom it refuses. */
const NOBODY = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

/** Debian's PgBouncer with its defaults, in front of one database. */
export class PgBouncer {
  private constructor(
    private readonly program: Program,
    private readonly folder: string,
    private readonly write: (poolMode: PoolMode) => Promise<void>,
    /** Connection string of the database, by way of it. */
    readonly url: string,
  ) {}

  static async start(databaseUrl: string, poolMode: PoolMode): Promise<PgBouncer> {
    const folder = await mkdtemp(join(tmpdir(), 'session-alerts-pgbouncer-'));
    await chmod(folder, 0o755);
    const port = await freePort();
    const { hostname, port: databasePort, pathname, username, password } = new URL(databaseUrl);
    const config = join(folder, 'pgbouncer.ini');
    const write = (mode: PoolMode): Promise<void> =>
      writeFile(
        config,
        `[databases]
         alerts = host=${hostname} port=${databasePort} dbname=${pathname.slice(1)} user=${username} password=${password}
         [pgbouncer]
         listen_addr = 127.0.0.1
         listen_port = ${port}
         unix_socket_dir =
         auth_type = any
         pool_mode = ${mode}
        `.replaceAll(/^ +/gm, ''),
      );
    await write(poolMode);
    const program = new Program('PgBouncer', '/usr/sbin/pgbouncer', [config], { ...NOBODY, folder });
    const url = `postgresql://jane@127.0.0.1:${port}/alerts`;
    const bouncer = new PgBouncer(program, folder, write, url);
    try {
      await program.until(async () => (await query(url, 'SELECT 1')).length === 1);
    } catch (error) {
      await bouncer.stop();
      throw error;
    }
    return bouncer;
  }

  /** As an administrator changes it: the file, and SIGHUP. */
  async change(poolMode: PoolMode): Promise<void> {
    await this.write(poolMode);
    process.kill(this.program.pid ?? NaN, 'SIGHUP');
  }

  async stop(): Promise<void> {
    // At once; SIGINT would wait for its clients.
    await this.program.stop('SIGTERM');
    await rm(this.folder, { recursive: true, force: true });
  }
}

export type PoolMode = 'session' | 'transaction';
