import { join } from 'node:path';
import { freePort, Program } from './program.js';

const MAIN = join(import.meta.dirname, '..', '..', '..', 'server', 'dist', 'src', 'main.js');

/** The standalone server as a process of its own, on one port for all its starts. */
export class ServerProcess {
  /** Without a slash at its end. */
  readonly url: string;
  readonly webhookUrl: string;
  private readonly runs: Program[] = [];

  private constructor(
    port: number,
    private readonly env: NodeJS.ProcessEnv,
  ) {
    this.url = `http://127.0.0.1:${port}`;
    this.webhookUrl = `${this.url}/api/data/webhooks/alertmanager`;
  }

  /** Starts it and waits until it is ready; `env` is what it is told besides its address. */
  static async start(env: NodeJS.ProcessEnv): Promise<ServerProcess> {
    const port = await freePort();
    const server = new ServerProcess(port, { PORT: `${port}`, HOST: '127.0.0.1', ...env });
    await server.startAgain();
    return server;
  }

  get pid(): number | undefined {
    return this.runs.at(-1)?.pid;
  }

  get isRunning(): boolean {
    return this.runs.at(-1)?.isRunning ?? false;
  }

  /** What it wrote last. */
  get lastLines(): string {
    return this.runs.at(-1)?.output.slice(-4_000) ?? '';
  }

  /** The messages that it has logged as warnings, over all its starts. */
  get warnings(): string[] {
    return this.lines
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => JSON.parse(line) as { level: string; message: string })
      .flatMap(({ level, message }) => (level === 'warn' ? [message] : []));
  }

  /** What it has logged as errors, and what Node has written past its log, over all its starts. */
  get errors(): string[] {
    return this.lines.filter((line) => line !== '' && !/^\{"level":"(log|warn|debug)".*\}$/.test(line));
  }

  private get lines(): string[] {
    return this.runs.flatMap(({ output }) => output.split('\n'));
  }

  async startAgain(): Promise<void> {
    const run = new Program('The server', process.execPath, [MAIN], { env: this.env });
    this.runs.push(run);
    try {
      await run.until(async () => (await fetch(`${this.url}/readyz`)).ok);
    } catch (error) {
      await run.stop();
      throw error;
    }
  }

  /** Asks it to end, as Kubernetes does; returns how it ended. */
  async stop(): Promise<number | NodeJS.Signals | undefined> {
    return this.runs.at(-1)?.stop();
  }

  /** Lets it do nothing for a while; returns what lets it go on. */
  pause(): () => void {
    const run = this.runs.at(-1);
    run?.signal('SIGSTOP');
    return () => run?.signal('SIGCONT');
  }

  /** Ends it without a chance to finish anything. */
  async kill(): Promise<void> {
    await this.runs.at(-1)?.stop('SIGKILL');
  }
}
