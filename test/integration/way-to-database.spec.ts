import { randomBytes } from 'node:crypto';
import { chown, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { Connection } from '../../src/database/connection.js';
import { readDatabaseAddress } from '../../src/database/database-address.js';
import { DatabaseUnavailableError } from '../../src/database/database-errors.js';
import { postgresOptions } from '../../src/migrations/postgres-options.js';
import { selfSignedCertificate } from '../support/certificate.js';
import { waitUntil } from '../support/server.js';
import { startPostgres } from '../stack/support/postgres.js';
import type { StackPostgres } from '../stack/support/postgres.js';
import { TurningProxy } from '../stack/support/turning-proxy.js';

let folder: string;
let postgres: StackPostgres;
let url: URL;
const opened: DataSource[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'way-to-database-'));
  postgres = await startPostgres({ fsync: 'off', unix_socket_directories: '/tmp' });
  url = new URL(await postgres.createDatabase());
});
afterEach(async () => {
  for (const dataSource of opened.splice(0)) await dataSource.destroy();
});
afterAll(async () => {
  await postgres.close();
  await rm(folder, { recursive: true });
});

/** A pool at an address that the environment gives. */
async function open(env: NodeJS.ProcessEnv, isWatched = false): Promise<DataSource> {
  const problems: string[] = [];
  const address = readDatabaseAddress(env, 'DATABASE_URL', problems);
  if (!address) throw new Error(problems.join());
  const dataSource = new DataSource({ ...postgresOptions(address, {}, isWatched), poolSize: 2 });
  await dataSource.initialize();
  opened.push(dataSource);
  return dataSource;
}

async function ask(dataSource: DataSource, statement: string): Promise<unknown> {
  const [row] = await dataSource.query<{ answer: unknown }[]>(statement);
  return row?.answer;
}

const WHICH = 'SELECT pg_postmaster_start_time()::text AS answer';
const ENCRYPTED = 'SELECT ssl AS answer FROM pg_stat_ssl WHERE pid = pg_backend_pid()';

it('leads to the first of several nodes that answers and is fit', async () => {
  const DATABASE_URL = `${url.protocol}//${url.username}:${url.password}@127.0.0.1:1,127.0.0.1:${url.port}${url.pathname}`;
  expect(await ask(await open({ DATABASE_URL }), 'SELECT 1 AS answer')).toBe(1);
  expect(
    await ask(
      await open({ DATABASE_URL: `${DATABASE_URL}?target_session_attrs=prefer-standby` }),
      'SELECT 1 AS answer',
    ),
  ).toBe(1);
  await expect(open({ DATABASE_URL: `${DATABASE_URL}?target_session_attrs=standby` })).rejects.toThrow(
    'The database is no standby, which its address asks for by target_session_attrs.',
  );
});

it('does not wait for a node that is silent', async () => {
  const silent = createServer();
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const nodes = `127.0.0.1:${(silent.address() as AddressInfo).port},127.0.0.1:${url.port}`;
  const DATABASE_URL = `${url.protocol}//${url.username}:${url.password}@${nodes}${url.pathname}?connect_timeout=60`;
  const sockets: Socket[] = [];
  silent.on('connection', (socket) => sockets.push(socket));
  try {
    expect(await ask(await open({ DATABASE_URL }), 'SELECT 1 AS answer')).toBe(1);
    expect(sockets).not.toEqual([]);
    expect(sockets.every(({ destroyed }) => !destroyed)).toBe(true);
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => silent.close(resolve));
  }
});

it('leads by a socket, and by variables alone', async () => {
  const password = { PGPASSWORD: url.password };
  const DATABASE_URL = `postgresql://${url.username}@:${url.port}${url.pathname}?host=/tmp`;
  const bySocket = await open({ DATABASE_URL, ...password });
  expect(await ask(bySocket, 'SELECT inet_client_addr() AS answer')).toBeNull();
  const PGDATABASE = url.pathname.slice(1);
  await open({ PGHOST: '/tmp', PGPORT: url.port, PGUSER: url.username, PGDATABASE, ...password });
});

it('takes a password that has been replaced', async () => {
  const role = `role_${randomBytes(6).toString('hex')}`;
  const owner = await open({ DATABASE_URL: url.href });
  await owner.query(`CREATE ROLE ${role} LOGIN PASSWORD 'first'`);
  const DATABASE_PASSWORD_FILE = join(folder, 'password');
  await writeFile(DATABASE_PASSWORD_FILE, 'first\n');
  const DATABASE_URL = `postgresql://${role}@127.0.0.1:${url.port}${url.pathname}`;
  const dataSource = await open({ DATABASE_URL, DATABASE_PASSWORD_FILE });

  await owner.query(`ALTER ROLE ${role} PASSWORD 'second'`);
  await writeFile(DATABASE_PASSWORD_FILE, 'second\n');
  await owner.query('SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = $1', [
    role,
  ]);
  await waitUntil(async () =>
    ask(dataSource, 'SELECT 1 AS answer').then(
      () => true,
      () => false,
    ),
  );
});

describe('A node that refuses a write', () => {
  /** The processes that serve all connections of a pool of two. */
  async function backendsOf(dataSource: DataSource): Promise<unknown[]> {
    const runners = [dataSource.createQueryRunner(), dataSource.createQueryRunner()];
    try {
      return await Promise.all(
        runners.map(async (runner) => {
          const [row] = (await runner.query('SELECT pg_backend_pid() AS backend')) as { backend: unknown }[];
          return row?.backend;
        }),
      );
    } finally {
      for (const runner of runners) await runner.release();
    }
  }

  async function writeInVain(dataSource: DataSource): Promise<void> {
    const runner = dataSource.createQueryRunner();
    try {
      const connection = await Connection.of(runner);
      await connection.query({ text: 'BEGIN READ ONLY' });
      await expect(connection.query({ text: 'CREATE TABLE refused ()' })).rejects.toThrow(
        DatabaseUnavailableError,
      );
    } finally {
      await runner.release();
    }
  }

  it('is left by all connections to it', async () => {
    const dataSource = await open({ DATABASE_URL: url.href });
    const before = await backendsOf(dataSource);
    await writeInVain(dataSource);
    await waitUntil(async () => {
      const after = await backendsOf(dataSource);
      return !after.some((backend) => before.includes(backend));
    });
  });

  it("is left by that connection alone where the pool is an application's", async () => {
    const dataSource = new DataSource({ type: 'postgres', url: url.href, poolSize: 2, logging: false });
    await dataSource.initialize();
    opened.push(dataSource);
    const before = await backendsOf(dataSource);
    await writeInVain(dataSource);
    await waitUntil(async () => {
      const after = await backendsOf(dataSource);
      return after.filter((backend) => before.includes(backend)).length === 1;
    });
  });
});

it('leaves connections that a proxy keeps where it has turned away from', async () => {
  const other = await startPostgres();
  const proxy = await TurningProxy.start(Number(url.port));
  try {
    const otherUrl = new URL(await other.createDatabase());
    const client = await open({ DATABASE_URL: otherUrl.href });
    // It serves the same address.
    await client.query(`ALTER ROLE ${url.username} PASSWORD '${url.password}'`);
    await client.query(`CREATE DATABASE ${url.pathname.slice(1)}`);
    const here = await ask(await open({ DATABASE_URL: url.href }), WHICH);
    const there = await ask(client, WHICH);

    const byProxy = new URL(url);
    byProxy.port = `${proxy.port}`;
    const dataSource = await open({ DATABASE_URL: byProxy.href }, true);
    expect(await ask(dataSource, WHICH)).toBe(here);
    proxy.turnTo(Number(otherUrl.port));
    await waitUntil(async () => (await ask(dataSource, WHICH).catch(() => undefined)) === there);
    for (const one of opened.splice(0)) await one.destroy();
  } finally {
    await proxy.close();
    await other.close();
  }
}, 60_000);

it('is encrypted as sslmode says, by the word of whom it names', async () => {
  const openBy = (parameters: string): Promise<DataSource> =>
    open({ DATABASE_URL: `${url.href}?${parameters}` });
  expect(await ask(await openBy('sslmode=prefer'), ENCRYPTED)).toBe(false);
  await expect(openBy('sslmode=require')).rejects.toThrow('The server does not support SSL connections');

  const { key, cert } = selfSignedCertificate('127.0.0.1');
  const owner = await openBy('sslmode=disable');
  const data = String(await ask(owner, `SELECT current_setting('data_directory') AS answer`));
  const { uid, gid } = await stat(data);
  for (const [name, text] of Object.entries({ 'server.key': key, 'server.crt': cert })) {
    await writeFile(join(data, name), text, { mode: 0o600 });
    await chown(join(data, name), uid, gid);
  }
  await owner.query('ALTER SYSTEM SET ssl = on');
  await owner.query('SELECT pg_reload_conf()');
  await waitUntil(async () => (await ask(await openBy('sslmode=prefer'), ENCRYPTED)) === true);
  expect(await ask(await openBy('sslmode=require'), ENCRYPTED)).toBe(true);
  const sslrootcert = join(folder, 'ca.crt');
  await writeFile(sslrootcert, cert);
  expect(await ask(await openBy(`sslmode=verify-ca&sslrootcert=${sslrootcert}`), ENCRYPTED)).toBe(true);
  expect(await ask(await openBy(`sslmode=verify-full&sslrootcert=${sslrootcert}`), ENCRYPTED)).toBe(true);
  await expect(openBy('sslmode=verify-full')).rejects.toThrow(/self-signed certificate/);
}, 60_000);
