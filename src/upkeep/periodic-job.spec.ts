import { Logger } from '@nestjs/common';
import { waitUntil } from '../../test/support/server.js';
import { PeriodicJob } from './periodic-job.js';

describe('A periodic job', () => {
  const logger = new Logger('job');
  const said: string[] = [];
  let job: PeriodicJob;

  beforeEach(() => {
    said.length = 0;
    for (const level of ['log', 'warn'] as const) {
      jest.spyOn(logger, level).mockImplementation((...message: unknown[]) => {
        said.push(`${level}: ${message.join(' ')}`);
      });
    }
  });
  afterEach(() => job.stop());

  it('goes on after failures, says once that it fails and once that it works again', async () => {
    let runs = 0;
    job = new PeriodicJob('Upkeep', 1, logger, () => {
      runs += 1;
      return runs <= 3
        ? Promise.reject(new Error('away', { cause: new Error('refused') }))
        : Promise.resolve();
    });
    job.start();
    await waitUntil(() => runs > 5);
    expect(said).toEqual([
      'warn: Upkeep failed, and is tried again: away: refused',
      'log: Upkeep works again',
    ]);
  });

  it('is never done twice at once, and stops when what is under way is done', async () => {
    let underWay = 0;
    let most = 0;
    let runs = 0;
    job = new PeriodicJob('Upkeep', 1, logger, async () => {
      most = Math.max(most, (underWay += 1));
      await new Promise((resolve) => setTimeout(resolve, 5));
      underWay -= 1;
      runs += 1;
    });
    job.start();
    await waitUntil(() => runs > 3);
    await job.stop();
    expect({ most, underWay }).toEqual({ most: 1, underWay: 0 });
  });

  it('tells the work when it shall stop, and does not call that a failure', async () => {
    let hasBegun = false;
    job = new PeriodicJob('Upkeep', 1, logger, (signal) => {
      hasBegun = true;
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          reject(new Error('stopped'));
        });
      });
    });
    job.start();
    await waitUntil(() => hasBegun);
    await job.stop();
    expect(said).toEqual([]);
  });

  it('waits for longer than a timer holds', async () => {
    let runs = 0;
    job = new PeriodicJob('Upkeep', 30 * 86_400_000, logger, () => {
      runs += 1;
      return Promise.resolve();
    });
    job.start();
    await waitUntil(() => runs > 0);
    let ticks = 0;
    const clock = new PeriodicJob('Ticking', 1, logger, () => {
      ticks += 1;
      return Promise.resolve();
    });
    clock.start();
    await waitUntil(() => ticks > 50);
    await clock.stop();
    expect(runs).toBe(1);
  });

  it('stops before its first run', async () => {
    let runs = 0;
    job = new PeriodicJob('Upkeep', 60_000, logger, () => {
      runs += 1;
      return Promise.resolve();
    });
    job.start();
    await job.stop();
    expect(runs).toBe(0);
  });
});
