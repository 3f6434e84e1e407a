import { Logger } from '@nestjs/common';
import { BehaviorSubject, Subject } from 'rxjs';
import type { ChangeListener } from '../database/change-listener.service.js';
import { DatabaseUnavailableError } from '../database/database-errors.js';
import type { DeliveryRepository } from './delivery.repository.js';
import { Interest } from './interest.service.js';

const SECOND = 1_000;
const MAIL = { channel: 'email', target: '', gravity: 0 };
const JANE = { userId: 'jane', hasMutes: false, targets: [MAIL] };

describe('Who wants to be told', () => {
  let preferences: Subject<string>;
  let isListening: BehaviorSubject<boolean>;
  let interest: Interest;
  const listInterested = jest.fn<Promise<unknown[]>, [string?]>();

  beforeEach(() => {
    jest.useFakeTimers();
    jest.spyOn(Logger.prototype, 'warn').mockImplementation();
    listInterested.mockReset().mockResolvedValue([JANE]);
    preferences = new Subject();
    isListening = new BehaviorSubject(false);
    interest = new Interest(
      { listInterested } as unknown as DeliveryRepository,
      { preferences, isListening } as unknown as ChangeListener,
    );
    interest.onModuleInit();
  });
  afterEach(() => {
    interest.beforeApplicationShutdown();
    jest.useRealTimers();
    jest.restoreAllMocks();
  });

  async function hear(is = true): Promise<void> {
    isListening.next(is);
    await jest.advanceTimersByTimeAsync(0);
  }

  it('may be anybody while changes are not heard', async () => {
    expect(interest.targetsOf('ann')).toBeUndefined();
    await hear();
    expect([interest.targetsOf('jane'), interest.targetsOf('ann')]).toEqual([[MAIL], []]);
    expect([interest.hasMutes('jane'), interest.hasMutes('ann')]).toEqual([false, false]);
    await hear(false);
    expect([interest.targetsOf('ann'), interest.hasMutes('ann')]).toEqual([undefined, true]);
  });

  it('is read again where it could not be, as while the tables are being made', async () => {
    listInterested.mockRejectedValueOnce(new DatabaseUnavailableError(undefined));
    await hear();
    expect(interest.targetsOf('ann')).toBeUndefined();
    await jest.advanceTimersByTimeAsync(SECOND);
    expect([interest.targetsOf('jane'), interest.targetsOf('ann')]).toEqual([[MAIL], []]);
  });

  it('is not what was read before changes were missed', async () => {
    let answer: (rows: unknown[]) => void = () => undefined;
    listInterested.mockImplementationOnce(() => new Promise((resolve) => (answer = resolve)));
    await hear();
    await hear(false);
    answer([]);
    await jest.advanceTimersByTimeAsync(0);
    expect(interest.targetsOf('jane')).toBeUndefined();
    await hear();
    expect(interest.targetsOf('jane')).toEqual([MAIL]);
  });

  it('includes who says so while all are being read', async () => {
    let answer: (rows: unknown[]) => void = () => undefined;
    listInterested.mockImplementationOnce(() => new Promise((resolve) => (answer = resolve)));
    await hear();
    preferences.next('jane');
    answer([]);
    await jest.advanceTimersByTimeAsync(0);
    expect(interest.targetsOf('jane')).toEqual([MAIL]);
    expect(listInterested.mock.calls).toEqual([[], ['jane']]);
  });

  it('may be who has just said something, until it is known what', async () => {
    await hear();
    let answer: (rows: unknown[]) => void = () => undefined;
    listInterested.mockImplementationOnce(() => new Promise((resolve) => (answer = resolve)));
    preferences.next('jane');
    await jest.advanceTimersByTimeAsync(0);
    expect([interest.targetsOf('jane'), interest.hasMutes('jane')]).toEqual([undefined, true]);
    answer([]);
    await jest.advanceTimersByTimeAsync(0);
    expect([interest.targetsOf('jane'), interest.hasMutes('jane')]).toEqual([[], false]);
  });
});
