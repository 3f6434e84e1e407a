import timers from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { waitUntil } from '../../test/support/server.js';
import type { AlertsService } from '../alerts/alerts.service.js';
import type { AlertsClock } from '../clock/alerts-clock.js';
import { DatabaseClock } from '../clock/database-clock.js';
import type { Standstill } from '../http/standstill.service.js';
import { alertsSettings } from '../options/alerts-settings.js';
import { OpenAlertsGauge } from './open-alerts-gauge.js';
import type { UpkeepRepository } from './upkeep.repository.js';
import { UpkeepService } from './upkeep.service.js';
import { stillOverdue } from './upkeep.statements.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NOW = Date.parse('2026-01-15T08:00:00Z');

describe('Upkeep', () => {
  const repository = {
    now: jest.fn(() => Promise.resolve(new Date(NOW))),
    countOpen: jest.fn(() => Promise.resolve(3)),
    carryOverSightings: jest.fn<Promise<undefined>, [number]>(),
    findOverdue: jest.fn<Promise<{ id: string; user_id: string }[]>, [unknown, number]>(),
    deleteEnded: jest.fn<Promise<number>, [number, number]>(),
    deleteSightings: jest.fn<Promise<number>, [number, number]>(),
    exclusively: jest.fn<Promise<boolean>, [number, () => Promise<void>]>(),
  };
  const closeNamed = jest.fn<Promise<number>, [string[], (userIds: string[]) => unknown, string]>();
  let clock: AlertsClock;
  let databaseClock: DatabaseClock;
  let standstill: { runningSince: number };
  let upkeep: UpkeepService;
  let said: unknown[];

  beforeEach(() => {
    said = [];
    jest.spyOn(Logger.prototype, 'log').mockImplementation((line: unknown) => said.push(line));
    jest.spyOn(performance, 'now').mockReturnValue(0);
    closeNamed.mockReset();
    repository.carryOverSightings.mockReset().mockResolvedValue(undefined);
    repository.findOverdue.mockReset().mockResolvedValue([]);
    repository.deleteEnded.mockReset().mockResolvedValue(0);
    repository.deleteSightings.mockReset().mockResolvedValue(0);
    repository.exclusively.mockReset().mockImplementation(async (_job, work) => {
      await work();
      return true;
    });
    clock = { ahead: 0 };
    databaseClock = new DatabaseClock();
    standstill = { runningSince: -Infinity };
    upkeep = create();
    upkeep.onApplicationBootstrap();
  });
  afterEach(async () => {
    await upkeep.beforeApplicationShutdown();
    jest.restoreAllMocks();
  });

  function create(expireAfter = 7_200): UpkeepService {
    const options = { expireAfter, eventTtl: 36_000, retention: 864_000 };
    return new UpkeepService(
      alertsSettings({ auth: { issuer: 'https://issuer.example' }, upkeep: options }),
      { closeNamed } as unknown as AlertsService,
      repository as unknown as UpkeepRepository,
      clock,
      databaseClock,
      standstill as unknown as Standstill,
    );
  }

  const overdue = (...ids: string[]) => ids.map((id) => ({ id, user_id: `user of ${id}` }));

  it('tells how many alerts are open', async () => {
    const addGauge = jest.fn<undefined, [name: string, help: string, read: () => Promise<number>]>();
    Reflect.construct(OpenAlertsGauge, [repository, { addGauge }]);
    const [[name, help, read] = []] = addGauge.mock.calls;
    expect([name, help, await read?.()]).toEqual(['session_alerts_open', 'Open alerts', 3]);
  });

  it('closes what is overdue, batch by batch, and says how many', async () => {
    clock.ahead = 10 * MINUTE;
    repository.findOverdue
      .mockResolvedValueOnce(overdue('a', 'b'))
      .mockResolvedValueOnce(overdue('c'))
      .mockResolvedValueOnce(overdue('d'));
    closeNamed.mockResolvedValueOnce(2).mockResolvedValueOnce(1).mockResolvedValueOnce(0);
    await upkeep.run();
    const deadlines = { conditions: new Date(NOW - 2 * HOUR), events: new Date(NOW - 10 * HOUR) };
    expect(repository.carryOverSightings.mock.calls).toEqual([[2 * HOUR]]);
    expect(repository.findOverdue.mock.calls).toEqual(Array.from({ length: 3 }, () => [deadlines, 500]));
    const named = closeNamed.mock.calls.map(([users, naming, reason]) => [users, naming(users), reason]);
    expect(named).toEqual(
      [['a', 'b'], ['c'], ['d']].map((ids) => {
        const users = ids.map((id) => `user of ${id}`);
        return [users, stillOverdue(deadlines, ids, users), 'expired'];
      }),
    );
    expect(said).toEqual(['Closed 3 alerts that nothing has refreshed: their resolves were lost']);
  });

  it('closes nothing in the first ten minutes after a start', async () => {
    clock.ahead = 10 * MINUTE - 1;
    await upkeep.run();
    expect(repository.findOverdue).not.toHaveBeenCalled();
    expect(repository.carryOverSightings).toHaveBeenCalledTimes(1);
    clock.ahead += 1;
    await upkeep.run();
    expect([repository.findOverdue.mock.calls.length, closeNamed.mock.calls, said]).toEqual([1, [], []]);
  });

  it('closes nothing before it has started', async () => {
    clock.ahead = 10 * MINUTE;
    await create().run();
    expect(repository.findOverdue).not.toHaveBeenCalled();
  });

  it('closes nothing for as long as an alert lasts, where that is shorter', async () => {
    const short = create(60);
    short.onApplicationBootstrap();
    clock.ahead = MINUTE - 1;
    await short.run();
    expect(repository.findOverdue).not.toHaveBeenCalled();
    clock.ahead = MINUTE;
    await short.run();
    expect(repository.findOverdue).toHaveBeenCalledTimes(1);
    await short.beforeApplicationShutdown();
  });

  it('closes nothing in the first ten minutes after a failure, which is passed on', async () => {
    clock.ahead = 20 * MINUTE;
    repository.carryOverSightings.mockRejectedValueOnce(new Error('away'));
    await expect(upkeep.run()).rejects.toThrow('away');
    expect(repository.deleteEnded).not.toHaveBeenCalled();
    clock.ahead = 30 * MINUTE - 1;
    await upkeep.run();
    expect(repository.findOverdue).not.toHaveBeenCalled();
    clock.ahead = 30 * MINUTE;
    await upkeep.run();
    expect(repository.findOverdue).toHaveBeenCalledTimes(1);
  });

  it.each<[string, (moment: number) => void]>([
    ['the process has stood still', (moment) => (standstill.runningSince = moment)],
    [
      'its machine has slept',
      (moment) => {
        databaseClock.learn(moment, moment, HOUR * 1000);
        databaseClock.learn(moment, moment, 2 * HOUR * 1000);
      },
    ],
  ])('closes nothing in the first ten minutes after %s', async (_what, happen) => {
    const moment = 20 * MINUTE;
    jest.spyOn(performance, 'now').mockReturnValue(moment);
    happen(moment);
    await upkeep.run();
    jest.spyOn(performance, 'now').mockReturnValue(moment + 10 * MINUTE - 1);
    await upkeep.run();
    expect(repository.findOverdue).not.toHaveBeenCalled();
    jest.spyOn(performance, 'now').mockReturnValue(moment + 10 * MINUTE);
    await upkeep.run();
    expect(repository.findOverdue).toHaveBeenCalledTimes(1);
  });

  it('deletes what is old enough, batch by batch, and says how much', async () => {
    repository.deleteEnded.mockResolvedValueOnce(500).mockResolvedValueOnce(7);
    repository.deleteSightings.mockResolvedValueOnce(9);
    await upkeep.run();
    expect(repository.deleteEnded.mock.calls).toEqual(Array.from({ length: 3 }, () => [240 * HOUR, 500]));
    expect(repository.deleteSightings.mock.calls).toEqual(
      Array.from({ length: 2 }, () => [2 * HOUR + 15 * MINUTE, 10_000]),
    );
    expect(said).toEqual(['Deleted 507 rows of alerts that ended long ago']);
  });

  it('is done by one replica at a time, under one lock', async () => {
    clock.ahead = HOUR;
    repository.exclusively.mockResolvedValue(false);
    await upkeep.run();
    expect(repository.exclusively.mock.calls.map(([job]) => job)).toEqual([1, 1]);
    expect(repository.carryOverSightings).not.toHaveBeenCalled();
    expect(repository.deleteEnded).not.toHaveBeenCalled();
  });

  it('is done again and again until the server stops, and fails by its name', async () => {
    jest.spyOn(timers, 'setTimeout').mockImplementation((_ms, value) => timers.setImmediate(value as never));
    repository.carryOverSightings.mockRejectedValue(new Error('away'));
    const warn = jest.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
    upkeep.onApplicationBootstrap();
    await waitUntil(() => repository.carryOverSightings.mock.calls.length > 2);
    await upkeep.beforeApplicationShutdown();
    expect(warn.mock.calls).toEqual([['Upkeep failed, and is tried again: away']]);
    const { length } = repository.carryOverSightings.mock.calls;
    await timers.setImmediate();
    expect(repository.carryOverSightings).toHaveBeenCalledTimes(length);
  });

  it('begins no batch when the server stops', async () => {
    clock.ahead = HOUR;
    const stopping = new AbortController();
    repository.findOverdue.mockImplementation(() => {
      stopping.abort();
      return Promise.resolve(overdue('a'));
    });
    closeNamed.mockResolvedValue(1);
    await upkeep.run(stopping.signal);
    expect(closeNamed).toHaveBeenCalledTimes(1);
    expect(repository.deleteEnded).not.toHaveBeenCalled();
    expect(repository.deleteSightings).not.toHaveBeenCalled();
  });
});
