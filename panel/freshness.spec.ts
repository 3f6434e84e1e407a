import type { AlertsState } from './alerts-client.js';
import { freshnessOf } from './freshness.js';

const known: AlertsState = {
  alerts: [],
  total: 0,
  leaving: new Set(),
  session: '',
  connection: 'live',
  trueUntil: undefined,
  feed: { status: 'ok', last_seen: '2026-11-22T05:00:00Z' },
  keepsSeen: true,
};
const seen = Date.parse('2026-11-22T05:00:00Z');

describe('What is shown', () => {
  it.each(['connecting', 'live', 'polling'] as const)('is up to date where it is %s', (connection) => {
    const state = { ...known, connection };
    expect(freshnessOf(state)).toEqual({ state: connection, outOfDate: false, since: undefined });
  });

  it('is up to date where nobody set up a feed', () => {
    const state: AlertsState = { ...known, feed: { status: 'unknown', last_seen: null } };
    expect(freshnessOf(state)).toMatchObject({ outOfDate: false });
  });

  it('is out of date since the connection is down', () => {
    const state: AlertsState = { ...known, connection: 'down', trueUntil: 5 };
    expect(freshnessOf(state)).toEqual({ state: 'down', outOfDate: true, since: 5 });
  });

  it('is out of date since the feed was seen', () => {
    const feed = { status: 'stale', last_seen: '2026-11-22T05:00:00Z' } as const;
    expect(freshnessOf({ ...known, feed })).toEqual({ state: 'stale', outOfDate: true, since: seen });
    expect(freshnessOf({ ...known, feed, connection: 'down', trueUntil: seen + 1 })).toMatchObject({
      since: seen,
    });
    expect(freshnessOf({ ...known, feed, connection: 'down', trueUntil: seen - 1 })).toMatchObject({
      since: seen - 1,
    });
  });

  it('may be out of date since nobody knows when', () => {
    const state: AlertsState = { ...known, feed: { status: 'stale', last_seen: null } };
    expect(freshnessOf(state)).toEqual({ state: 'stale', outOfDate: true, since: undefined });
  });

  it('is nothing that could be out of date before it is known', () => {
    const state: AlertsState = { ...known, alerts: undefined, connection: 'down' };
    expect(freshnessOf(state)).toMatchObject({ outOfDate: false });
  });
});
