import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { LoadJob, LoadOrder, LoadReply, LoadResults } from './load-jobs.js';

/** The other side of load.ts. */
export class LoadProcess {
  private readonly child: ChildProcess;

  constructor() {
    this.child = fork(fileURLToPath(new URL('load.js', import.meta.url)));
  }

  /** Gets everything ready, so that `go` does nothing but send. */
  async prepare(job: LoadJob): Promise<void> {
    await this.tell({ order: 'prepare', job });
  }

  /** Runs what was prepared. */
  async go<Job extends LoadJob>(): Promise<LoadResults[Job['do']]> {
    return (await this.tell({ order: 'go' })) as LoadResults[Job['do']];
  }

  async run<Job extends LoadJob>(job: Job): Promise<LoadResults[Job['do']]> {
    await this.prepare(job);
    return this.go<Job>();
  }

  /** Ends what runs until it is told to stop. */
  stop(): void {
    this.child.send({ order: 'stop' } satisfies LoadOrder);
  }

  async end(): Promise<void> {
    if (this.child.connected) this.child.disconnect();
    if (this.child.exitCode === null) await once(this.child, 'exit');
  }

  private tell(order: LoadOrder): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const onMessage = (reply: LoadReply): void => {
        this.child.off('exit', onExit);
        if (reply.reply === 'failed') reject(new Error(reply.message));
        else resolve(reply.reply === 'done' ? reply.result : undefined);
      };
      const onExit = (code: number | null, signal: string | null): void => {
        this.child.off('message', onMessage);
        reject(new Error(`The load process has ended (${code ?? signal ?? ''})`));
      };
      this.child.once('message', onMessage).once('exit', onExit);
      this.child.send(order);
    });
  }
}
