import { prepareLists, preparePosts } from './closed-loop.js';
import type { LoadJob, LoadOrder, LoadReply } from './load-jobs.js';
import { prepareOverload, prepareWatch } from './open-loop.js';
import { prepareSalvos } from './salvos.js';

/**
 * The process that makes the load: it prepares a job, so that nothing but requests falls into what is measured,
 * and runs it when it is told to.
 */

type Run = (stopped: AbortSignal) => Promise<unknown>;

let run: Run | undefined;
let stopping = new AbortController();

async function prepare(job: LoadJob): Promise<Run> {
  switch (job.do) {
    case 'post':
      return preparePosts(job);
    case 'list':
      return prepareLists(job);
    case 'overload':
      return prepareOverload(job);
    case 'watch':
      return prepareWatch(job);
    case 'hostile':
      return prepareSalvos(job);
  }
}

async function obey(order: LoadOrder): Promise<LoadReply | undefined> {
  try {
    switch (order.order) {
      case 'prepare':
        stopping = new AbortController();
        run = await prepare(order.job);
        return { reply: 'prepared' };
      case 'go':
        return { reply: 'done', result: await run?.(stopping.signal) };
      case 'stop':
        stopping.abort();
        return undefined;
    }
  } catch (error) {
    return {
      reply: 'failed',
      message: error instanceof Error ? (error.stack ?? error.message) : String(error),
    };
  }
}

process.on('message', (order: LoadOrder) => {
  void obey(order).then((reply) => {
    if (reply && process.connected) process.send?.(reply);
  });
});
process.on('disconnect', () => process.exit());
// A terminal's Ctrl-C is for the one who started us.
process.on('SIGINT', () => undefined);
