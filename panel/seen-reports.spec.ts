import { readAlerts } from './alert.js';
import type { Alert } from './alert.js';
import { UnexpectedAnswerError } from './alerts-api.js';
import { SeenReports } from './seen-reports.js';

function alerts(...ids: string[]): Alert[] {
  return readAlerts(ids.map((id) => ({ id, title: id })));
}

describe('What a person has seen', () => {
  let posted: string[][];
  let answers: Error[];
  let isUnknown: boolean;
  let reports: SeenReports;

  beforeEach(() => {
    jest.useFakeTimers();
    posted = [];
    answers = [];
    isUnknown = false;
    reports = new SeenReports(
      (ids) => {
        posted.push(ids);
        const answer = answers.shift();
        return answer === undefined ? Promise.resolve({}) : Promise.reject(answer);
      },
      () => {
        isUnknown = true;
      },
    );
  });
  afterEach(() => {
    jest.useRealTimers();
    jest.restoreAllMocks();
  });

  const pass = (ms: number) => jest.advanceTimersByTimeAsync(ms);

  it('is reported together, each alert once, and the graver one again', async () => {
    reports.add(alerts('a'));
    reports.add(alerts('a', 'b'));
    await pass(100);
    reports.add(alerts('a', 'b'));
    await pass(5_000);
    expect(posted).toEqual([['a', 'b']]);
    reports.add(readAlerts([{ id: 'a', title: 'a', escalated_date: '2026-11-27T12:00:00Z' }]));
    await pass(5_000);
    expect(posted).toEqual([['a', 'b'], ['a']]);
  });

  it('is reported once a second at most, a hundred at a time', async () => {
    reports.add(alerts(...Array.from({ length: 250 }, (_, index) => `n-${index}`)));
    await pass(900);
    expect(posted.map(({ length }) => length)).toEqual([100]);
    await pass(2_200);
    expect(posted.map(({ length }) => length)).toEqual([100, 100, 50]);
    expect(new Set(posted.flat()).size).toBe(250);
  });

  it('is reported again with the next where that has failed', async () => {
    answers = [new TypeError('cut'), new UnexpectedAnswerError(503)];
    reports.add(alerts('a'));
    await pass(60_000);
    expect(posted).toEqual([['a']]);
    reports.add(alerts('a', 'b'));
    await pass(2_000);
    reports.add(alerts('a', 'b'));
    await pass(2_000);
    expect(posted).toEqual([['a'], ['a', 'b'], ['a', 'b']]);
    expect(isUnknown).toBe(false);
  });

  it.each([404, 405])('is never reported again to a server that answers %s', async (status) => {
    answers = [new UnexpectedAnswerError(status)];
    reports.add(alerts('a'));
    await pass(100);
    expect(isUnknown).toBe(true);
    reports.add(alerts('a', 'b'));
    await pass(5_000);
    expect(posted).toEqual([['a']]);
  });

  it('waits while the browser is offline', async () => {
    const had = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
    Object.defineProperty(globalThis, 'navigator', { configurable: true, value: { onLine: false } });
    reports.add(alerts('a'));
    await pass(5_000);
    expect(posted).toEqual([]);
    if (had) Object.defineProperty(globalThis, 'navigator', had);
    else delete (globalThis as { navigator?: unknown }).navigator;
    reports.add(alerts('a'));
    await pass(100);
    expect(posted).toEqual([['a']]);
  });
});
