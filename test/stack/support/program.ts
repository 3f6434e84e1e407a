import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { waitUntil } from '../../support/server.js';

interface ProgramOptions {
  /** All of its environment but PATH. */
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  uid?: number;
  gid?: number;
  /** A folder of its own, which is removed where jest dies before it. */
  folder?: string;
}

/** How long a program may take to end after it was asked (ms); our server gives itself 25 s. */
const STOP_TIMEOUT = 40_000;

/** A program under test: a process of its own, with all that it writes. */
export class Program {
  /** How it ended: its exit code or the signal. */
  readonly ended: Promise<number | NodeJS.Signals>;
  /** What it has written so far. */
  output = '';
  private readonly child: ChildProcess;

  constructor(
    private readonly name: string,
    command: string,
    args: string[],
    { env, folder = '', ...options }: ProgramOptions = {},
  ) {
    this.child = spawn(command, args, {
      ...options,
      env: { PATH: process.env['PATH'], ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
      });
    }
    this.ended = new Promise((resolve) => {
      this.child.once('error', (error) => {
        this.output += error.message;
        resolve(-1);
      });
      this.child.once('close', (code, signal) => {
        resolve(code ?? signal ?? -1);
      });
    });
    if (this.child.pid !== undefined) endWithJest(this.child.pid, folder, this.ended);
  }

  get isRunning(): boolean {
    return this.child.pid !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Waits (ms) for a condition that only comes true while the program runs. */
  async until(condition: () => Promise<boolean> | boolean, timeout?: number): Promise<void> {
    try {
      await waitUntil(async () => !this.isRunning || (await condition()), timeout);
      if (!this.isRunning) throw new Error('It has ended');
    } catch (cause) {
      throw new Error(`${this.name} did not get there. It wrote:\n${this.output.slice(-4_000)}`, { cause });
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Asks it to end; returns how it ended. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | NodeJS.Signals> {
    this.child.kill(signal);
    const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_TIMEOUT);
    const ending = await this.ended;
    clearTimeout(timer);
    return ending;
  }
}

/** A shell that waits for jest's end, however that comes (kill -9), and ends what would be left. */
function endWithJest(pid: number, folder: string, ended: Promise<unknown>): void {
  const script = 'read -r _ && exit; kill -KILL "$1"; [ -n "$2" ] && rm -rf "$2"';
  const shell = spawn('/bin/sh', ['-c', script, 'stack-caretaker', `${pid}`, folder], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  void ended.then(() => shell.stdin.end('it has ended\n'));
}

/** A port of 127.0.0.1 that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
