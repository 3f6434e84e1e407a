import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { PageOrder, PageReply, PageResults } from './page-orders.js';

/** The other side of pages.ts. */
export class PagesProcess {
  private readonly child: ChildProcess;

  constructor() {
    this.child = fork(fileURLToPath(new URL('pages.js', import.meta.url)));
  }

  tell<Order extends PageOrder>(order: Order): Promise<PageResults[Order['order']]> {
    return new Promise((resolve, reject) => {
      const onMessage = (reply: PageReply): void => {
        this.child.off('exit', onExit);
        if ('failure' in reply) reject(new Error(reply.failure));
        else resolve(reply.result as PageResults[Order['order']]);
      };
      const onExit = (): void => {
        this.child.off('message', onMessage);
        reject(new Error('The process with the pages has ended'));
      };
      this.child.once('message', onMessage).once('exit', onExit);
      this.child.send(order);
    });
  }

  async end(): Promise<void> {
    if (this.child.connected) this.child.disconnect();
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'exit');
  }
}
