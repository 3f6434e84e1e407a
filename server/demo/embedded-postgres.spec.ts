import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startEmbeddedPostgres } from './embedded-postgres.js';

describe('The embedded PostgreSQL', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'embedded-postgres-spec-'));
    // As root the server runs as another user, who must be able to walk in.
    await chmod(folder, 0o755);
  });

  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  async function query(url: string, sql: string): Promise<unknown[]> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(sql)).rows;
    } finally {
      await client.end();
    }
  }

  function isRunning(pid: number): boolean {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  }

  it('starts, answers, stops, and leaves neither a process nor a folder', async () => {
    const postgres = await startEmbeddedPostgres({ folder, settings: { fsync: 'off', work_mem: '7MB' } });
    try {
      expect(await query(postgres.url, "SELECT 1 AS one, upper('é') AS upper")).toEqual([
        { one: 1, upper: 'É' },
      ]);
      expect(
        await query(
          postgres.url,
          `SELECT name, setting FROM pg_settings
           WHERE name IN ('fsync', 'listen_addresses', 'server_encoding', 'unix_socket_directories', 'work_mem')
           ORDER BY name`,
        ),
      ).toEqual([
        { name: 'fsync', setting: 'off' },
        { name: 'listen_addresses', setting: '127.0.0.1' },
        { name: 'server_encoding', setting: 'UTF8' },
        { name: 'unix_socket_directories', setting: '' },
        { name: 'work_mem', setting: '7168' },
      ]);
      const [made] = await readdir(folder);
      expect(made).toMatch(/^session-alerts-/);
      expect(postgres.dataDirectory).toBe(join(folder, made ?? '', 'data'));
      expect(await readdir(join(folder, made ?? ''))).not.toContain('password');
    } finally {
      await Promise.all([postgres.stop(), postgres.stop()]);
    }
    await postgres.stop();

    expect(isRunning(postgres.pid)).toBe(false);
    expect(await readdir(folder)).toEqual([]);
  });

  it('does not let in who has no password', async () => {
    const postgres = await startEmbeddedPostgres({ folder, settings: { fsync: 'off' } });
    try {
      const { port } = postgres;
      await expect(
        query(`postgresql://postgres:postgres@127.0.0.1:${port}/postgres`, 'SELECT 1'),
      ).rejects.toThrow('password authentication failed');
    } finally {
      await postgres.stop();
    }
  });

  it('stops with clients still connected', async () => {
    const postgres = await startEmbeddedPostgres({ folder, settings: { fsync: 'off' } });
    const client = new pg.Client({ connectionString: postgres.url });
    const lost = new Promise((resolve) => client.on('error', resolve));
    await client.connect();
    await postgres.stop();
    await lost;
    expect(isRunning(postgres.pid)).toBe(false);
  });

  it('says what PostgreSQL said where it does not start, and cleans up', async () => {
    const occupant = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => occupant.listen(0, '127.0.0.1', resolve));
    const { port } = occupant.address() as AddressInfo;
    try {
      await expect(startEmbeddedPostgres({ folder, port })).rejects.toThrow('Address already in use');
    } finally {
      await new Promise((resolve) => occupant.close(resolve));
    }
    await expect(startEmbeddedPostgres({ folder, settings: { no_such_setting: '1' } })).rejects.toThrow(
      'unrecognized configuration parameter "no_such_setting"',
    );
    expect(await readdir(folder)).toEqual([]);
  });
});
