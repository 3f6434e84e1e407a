import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Options } from './options.js';
import type { Tokens } from './tokens.js';

/** The servers that are compared, each by its program. */
const PROGRAMS = {
  /** Ours as it ships. */
  fastify: '../server/src/main.js',
  /** Ours, where people can be told outside of the page, and nobody or everybody wants to be. */
  nobody: '../server/src/main.js',
  everybody: '../server/src/main.js',
  /** Ours on Nest's other platform. */
  express: 'express-server.js',
  /** What Node can do at most: the same statements, and no more around them than there must be. */
  bare: 'bare-server.js',
  /** The least that any receiver must do. */
  floor: 'floor-server.js',
  /** What holding a stream costs Node at least. */
  bareStreams: 'live/bare-stream-server.js',
};
export type OwnServer = keyof typeof PROGRAMS;

/** Mail that is due after the run, to a server that nobody asks. */
const WITH_MAIL = {
  SMTP_URL: 'smtp://127.0.0.1:9',
  MAIL_FROM: 'alerts@example.org',
  PUBLIC_URL: 'https://sessions.example.org/api/data',
  DELIVERY_GRACE: '1h',
};
/** What they are told besides. */
const ENVIRONMENTS: Partial<Record<ServerName, NodeJS.ProcessEnv>> = {
  nobody: WITH_MAIL,
  everybody: WITH_MAIL,
};

/** Ours, and that of the revision which ours is measured against. */
export type ServerName = OwnServer | 'against';

/** A server that is built elsewhere. */
export interface OtherServer {
  name: 'against';
  /** How it is called where it does not start. */
  title: string;
  program: string;
}

/** Those whose throughput is compared. */
export function comparedServers({
  quick,
  against,
  pair,
}: Pick<Options, 'quick' | 'against' | 'pair'>): ServerName[] {
  if (against !== undefined) return pair ? ['fastify', 'against'] : ['fastify', 'against', 'bare'];
  return quick ? ['fastify', 'bare'] : ['fastify', 'express', 'bare'];
}

const START_TIMEOUT = 30_000;
const STOP_TIMEOUT = 30_000;

/** A server as a process of its own. */
export class TargetProcess {
  private readonly ended: Promise<unknown>;
  private output = '';

  private constructor(
    readonly name: ServerName,
    readonly url: string,
    private readonly child: ChildProcess,
  ) {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output = (this.output + text).slice(-4_000);
      });
    }
    const kill = () => child.kill('SIGKILL');
    // However this process ends, it leaves nothing behind.
    process.once('exit', kill);
    this.ended = new Promise((resolve) => {
      child.once('close', () => {
        process.off('exit', kill);
        resolve(undefined);
      });
    });
  }

  /** Starts it and waits until it can serve. */
  static async start(
    server: OwnServer | OtherServer,
    databaseUrl: string,
    tokens: Tokens,
  ): Promise<TargetProcess> {
    const { name, title, program } = typeof server === 'string' ? ownServer(server) : server;
    const port = await freePort();
    const child = spawn(process.execPath, [program], {
      env: {
        PATH: process.env['PATH'],
        NODE_ENV: 'production',
        HOST: '127.0.0.1',
        PORT: `${port}`,
        DATABASE_URL: databaseUrl,
        OIDC_ISSUER: tokens.issuerUrl,
        ...ENVIRONMENTS[name],
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const target = new TargetProcess(name, `http://127.0.0.1:${port}`, child);
    try {
      await target.untilReady();
    } catch (cause) {
      await target.stop();
      throw new Error(`The server ${title} did not start. It wrote:\n${target.output}`, { cause });
    }
    return target;
  }

  /** Runs one for as long as the work takes. */
  static async during<T>(
    server: OwnServer | OtherServer,
    databaseUrl: string,
    tokens: Tokens,
    work: (server: TargetProcess) => Promise<T>,
  ): Promise<T> {
    const running = await TargetProcess.start(server, databaseUrl, tokens);
    try {
      return await work(running);
    } finally {
      await running.stop();
    }
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  async stop(): Promise<void> {
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_TIMEOUT);
    await this.ended;
    clearTimeout(timer);
  }

  private async untilReady(): Promise<void> {
    const deadline = Date.now() + START_TIMEOUT;
    for (;;) {
      const status = await fetch(`${this.url}/readyz`).then(
        (response) => response.status,
        () => 0,
      );
      if (status === 200) return;
      if (this.child.exitCode !== null || Date.now() > deadline)
        throw new Error(`Its last answer was ${status}`);
      await sleep(50);
    }
  }
}

function ownServer(name: OwnServer) {
  return { name, title: name, program: fileURLToPath(new URL(PROGRAMS[name], import.meta.url)) };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
