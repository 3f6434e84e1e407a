import type { ServerResponse } from 'node:http';
import { DatabaseClock } from './database-clock.js';
import { TrustedClock } from './trusted-clock.js';

const MINUTE = 60_000;
const NOON = Date.parse('2026-11-27T12:00:00Z');

describe('What time it is', () => {
  const setHeader = jest.fn<undefined, [name: string, value: string]>();
  const response = { setHeader } as unknown as ServerResponse;
  let databaseClock: DatabaseClock;
  let clock: TrustedClock;

  beforeEach(() => {
    setHeader.mockReset();
    databaseClock = new DatabaseClock();
    clock = new TrustedClock(databaseClock);
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  /** It is noon, as whoever has no other idea says: each is so many minutes off. */
  function hear({ own, database, issuer }: { own: number; database?: number; issuer?: number }): void {
    jest.useFakeTimers({ now: NOON + own * MINUTE });
    const moment = performance.now();
    if (database !== undefined) databaseClock.learn(moment, moment, (NOON + database * MINUTE) * 1000);
    if (issuer !== undefined) clock.learnIssuers(new Date(NOON + issuer * MINUTE), moment);
  }

  it.each([
    ['all agree', { own: 0, database: 0, issuer: 0 }],
    ['this machine is ahead', { own: 10, database: 0, issuer: 0 }],
    ['this machine is behind', { own: -10, database: 0, issuer: 0 }],
    ['the database is ahead', { own: 0, database: 10, issuer: 0 }],
    ['the database is behind', { own: 0, database: -10, issuer: 0 }],
    ['the issuer is ahead', { own: 0, database: 0, issuer: 10 }],
    ['the issuer is behind', { own: 0, database: 0, issuer: -10 }],
    ['this machine is ahead, and the issuer says nothing', { own: 10, database: 0 }],
    ['nobody else is known', { own: 0 }],
    ['the database is not known', { own: 0, issuer: 10 }],
  ])('is noon where %s, and later a minute later', (_what, clocks) => {
    hear(clocks);
    expect(clock.now()).toBe(NOON);
    jest.advanceTimersByTime(MINUTE);
    expect(clock.now()).toBe(NOON + MINUTE);
  });

  it('is not changed by setting the clock of this machine meanwhile', () => {
    hear({ own: 0, database: 0, issuer: 0 });
    jest.setSystemTime(NOON + 10 * MINUTE);
    expect(clock.now()).toBe(NOON);
  });

  it('is said in an answer as the database has it, where this machine has it otherwise', () => {
    hear({ own: 10, database: 0, issuer: 10 });
    clock.tell(response);
    clock.tell({ raw: response });
    expect(setHeader.mock.calls).toEqual(Array(2).fill(['Date', 'Fri, 27 Nov 2026 12:00:00 GMT']));
  });

  it.each([
    ['they agree', { own: 0, database: 0.01 }],
    ['the database has not said it', { own: 10, issuer: 0 }],
  ])('is left to the HTTP server to say where %s', (_what, clocks) => {
    hear(clocks);
    clock.tell(response);
    expect(setHeader).not.toHaveBeenCalled();
  });
});
