import { Logger } from '@nestjs/common';
import { OpenPages } from '../alerts/open-pages.js';
import type { AlertChannels } from './alert-channels.service.js';
import type { DeliveryRepository } from './delivery.repository.js';
import type { Interest } from './interest.service.js';
import { PagePresence } from './page-presence.service.js';

const SECOND = 1_000;

describe('Who has a page open', () => {
  const pages = new OpenPages();
  let elsewhere: Promise<string[]>;
  let presence: PagePresence;
  const warnings: unknown[] = [];

  const repository = {
    now: () => Promise.resolve(new Date()),
    notePages: () => Promise.resolve(),
    forgetPages: () => Promise.resolve(),
    listPagesElsewhere: () => elsewhere,
  };

  beforeEach(() => {
    jest.useFakeTimers();
    warnings.length = 0;
    jest.spyOn(Logger.prototype, 'warn').mockImplementation((line: unknown) => {
      warnings.push(line);
    });
    elsewhere = Promise.resolve([]);
    presence = new PagePresence(
      pages,
      { areThere: true, everybodys: {} } as unknown as AlertChannels,
      {} as Interest,
      repository as unknown as DeliveryRepository,
    );
  });
  afterEach(async () => {
    await presence.beforeApplicationShutdown();
    jest.useRealTimers();
    jest.restoreAllMocks();
  });

  it('is at once who has one here, and is for two seconds who had, as it may be loaded again', async () => {
    presence.onApplicationBootstrap();
    await jest.advanceTimersByTimeAsync(SECOND);
    expect(presence.isOpen('jane')).toBe(false);
    pages.add('jane');
    expect(presence.isOpen('jane')).toBe(true);
    await jest.advanceTimersByTimeAsync(SECOND);
    pages.remove('jane');
    expect(presence.isOpen('jane')).toBe(true);
    await jest.advanceTimersByTimeAsync(3 * SECOND);
    expect(presence.isOpen('jane')).toBe(false);
  });

  it('is asked of the others every fifteen seconds, and stays as it was until they have answered', async () => {
    presence.onApplicationBootstrap();
    await jest.advanceTimersByTimeAsync(SECOND);
    elsewhere = Promise.resolve(['jane']);
    await jest.advanceTimersByTimeAsync(15 * SECOND);
    expect(presence.isOpen('jane')).toBe(true);
    elsewhere = Promise.reject(new Error('permission denied'));
    elsewhere.catch(() => undefined);
    await jest.advanceTimersByTimeAsync(15 * SECOND);
    expect(presence.isOpen('jane')).toBe(true);
    expect(warnings).toEqual([
      expect.stringContaining('Which pages are open elsewhere cannot be read: permission denied'),
    ]);
    elsewhere = Promise.resolve([]);
    await jest.advanceTimersByTimeAsync(SECOND);
    expect(presence.isOpen('jane')).toBe(false);
  });
});
