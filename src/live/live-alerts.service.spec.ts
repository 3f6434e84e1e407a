import { Logger } from '@nestjs/common';
import type { HttpException } from '@nestjs/common';
import { BehaviorSubject, Subject } from 'rxjs';
import type { AlertRow } from '../alerts/alerts.dto.js';
import type { AlertsRepository, OpenList } from '../alerts/alerts.repository.js';
import type { AlertsService } from '../alerts/alerts.service.js';
import { OpenPages } from '../alerts/open-pages.js';
import type { OpenAlerts } from '../alerts/open-alerts.service.js';
import { DatabaseClock } from '../clock/database-clock.js';
import { TrustedClock } from '../clock/trusted-clock.js';
import type { AlertsDatabase } from '../database/alerts-database.js';
import { EVERYBODY } from '../database/transaction.statements.js';
import type { FeedResponse } from '../feed/feed.dto.js';
import type { FeedHealth } from '../feed/feed-health.service.js';
import type { AlertsMetrics } from '../metrics/alerts-metrics.service.js';
import { alertsSettings } from '../options/alerts-settings.js';
import type { AlertStream } from './alert-stream.js';
import type { ChangeListener } from '../database/change-listener.service.js';
import { LiveAlerts } from './live-alerts.service.js';

const OK: FeedResponse = { status: 'ok', last_seen: new Date(0) };

describe('Open pages', () => {
  /** A page, and what it was told. */
  class Page {
    readonly said: string[] = [];
    beatsSince: number[] = [];
    looks = 0;
    readonly of: { userId: string; sessionName: string | undefined; expiresAt: number | undefined };

    constructor(
      userId: string,
      { sessionName, expiresAt }: { sessionName?: string; expiresAt?: number } = {},
    ) {
      this.of = { userId, sessionName, expiresAt };
    }
    showAlerts(alerts: string, total: number): void {
      this.said.push(`${total}: ${alerts}`);
    }
    showFeed(feed: string): void {
      this.said.push(feed);
    }
    beatIfSilentSince(time: number): void {
      this.beatsSince.push(time);
    }
    cutIfUnread(): void {
      this.looks += 1;
    }
    end(why?: string): void {
      this.said.push(`end ${why}`);
    }
    /** What it was told since it was last asked. */
    hear(): string[] {
      return this.said.splice(0);
    }
  }

  const listOpen = jest.fn<Promise<OpenList[]>, [string[]]>();
  const ofSession = jest.fn<Promise<OpenList>, [OpenList, string, string]>();
  const check = jest.fn<Promise<FeedResponse>, []>();
  const openAlerts = { forget: jest.fn(), forgetAll: jest.fn(), trustChanges: jest.fn() };
  const addGauge = jest.fn<undefined, [name: string, help: string, read: () => Promise<number>]>();
  let userChanges: Subject<ReadonlySet<string>>;
  let notices: Subject<string[]>;
  let isListening: BehaviorSubject<boolean>;
  let live: LiveAlerts;
  let warnings: unknown[];

  beforeEach(() => {
    jest.useFakeTimers({ now: 1_000_000 });
    warnings = [];
    jest.spyOn(Logger.prototype, 'warn').mockImplementation((line: unknown) => warnings.push(line));
    userChanges = new Subject();
    notices = new Subject();
    isListening = new BehaviorSubject(true);
    listOpen.mockReset().mockImplementation((ids) => Promise.resolve(ids.map(listOf)));
    ofSession
      .mockReset()
      .mockImplementation((_list, userId, session) => Promise.resolve(listOf(`${userId} in ${session}`)));
    check.mockReset().mockResolvedValue(OK);
    for (const mock of [...Object.values(openAlerts), addGauge]) mock.mockReset();
    live = new LiveAlerts(
      alertsSettings({ auth: { issuer: 'https://issuer.example' }, live: { streams: 4, streamsPerUser: 2 } }),
      { listOpen } as unknown as AlertsRepository,
      { userChanges } as unknown as AlertsDatabase,
      { ofSession } as unknown as AlertsService,
      { notices, isListening } as unknown as ChangeListener,
      openAlerts as unknown as OpenAlerts,
      new OpenPages(),
      { check } as unknown as FeedHealth,
      new TrustedClock(new DatabaseClock()),
      { addGauge } as unknown as AlertsMetrics,
    );
    live.onModuleInit();
  });
  afterEach(() => {
    live.beforeApplicationShutdown();
    jest.useRealTimers();
    jest.restoreAllMocks();
  });

  function listOf(what: string): OpenList {
    return { alerts: [{ title: what } as AlertRow], total: 7 };
  }

  function shownOf(what: string): string {
    return `7: [{"title":"${what}"}]`;
  }

  function add(page: Page): Page {
    live.add(page as unknown as AlertStream);
    return page;
  }

  /** Adds it, and passes over what it is told at first. */
  async function addTold(page: Page): Promise<Page> {
    add(page);
    await settle();
    page.hear();
    listOpen.mockClear();
    return page;
  }

  const settle = () => jest.advanceTimersByTimeAsync(0);

  function refusal(userId: string): [status: number, message: string] | undefined {
    try {
      live.admit(userId);
      return undefined;
    } catch (error) {
      const { message } = error as HttpException;
      return [(error as HttpException).getStatus(), message];
    }
  }

  it('are shown their alerts and the feed at once, and counted', async () => {
    const page = add(new Page('jane'));
    await settle();
    const first = page.hear();
    expect(first.toSorted()).toStrictEqual([shownOf('jane'), JSON.stringify(OK)].sort());
    expect(listOpen.mock.calls).toEqual([[['jane']]]);
    // The feed is known now.
    expect(add(new Page('bob')).hear()).toEqual([JSON.stringify(OK)]);
    const [[name, help, read] = []] = addGauge.mock.calls;
    expect([name, help]).toEqual(['session_alerts_streams', 'Open pages that are sent every change']);
    expect(await read!()).toBe(2);
  });

  it('are shown what a session has where they are of one, which is looked for once', async () => {
    const [one, other] = [new Page('jane', { sessionName: 's' }), new Page('jane', { sessionName: 's' })];
    add(one);
    await addTold(other);
    one.hear();
    ofSession.mockClear();
    userChanges.next(new Set(['jane', 'bob']));
    await settle();
    expect([one.hear(), other.hear()]).toEqual([[shownOf('jane in s')], [shownOf('jane in s')]]);
    expect(ofSession.mock.calls).toEqual([[listOf('jane'), 'jane', 's']]);
    expect(listOpen.mock.calls).toEqual([[['jane']]]);
  });

  it('are shown an empty list where there is nothing', async () => {
    const page = await addTold(new Page('jane'));
    listOpen.mockResolvedValue([{ alerts: [], total: 0 }]);
    userChanges.next(new Set(['jane']));
    await settle();
    listOpen.mockResolvedValue([]);
    userChanges.next(new Set(['jane']));
    await settle();
    expect(page.hear()).toEqual(['0: []', '0: []']);
  });

  it('cost no query where nobody has one', async () => {
    const page = await addTold(new Page('jane'));
    userChanges.next(new Set(['bob']));
    live.remove(page as unknown as AlertStream);
    live.remove(page as unknown as AlertStream);
    userChanges.next(new Set(['jane']));
    await settle();
    expect(listOpen).not.toHaveBeenCalled();
  });

  it('are read together, a thousand at the most, and what changes meanwhile goes into the next', async () => {
    const users = Array.from({ length: 1_001 }, (_, number) => `user-${number}`);
    for (const user of users) add(new Page(user));
    await settle();
    listOpen.mockClear();
    userChanges.next(new Set(users));
    userChanges.next(new Set(['user-0', 'user-5']));
    await settle();
    expect(listOpen.mock.calls.map(([ids]) => ids)).toEqual([
      users.slice(0, 1_000),
      ['user-1000', 'user-0', 'user-5'],
    ]);
  });

  it('are read one time after the other, and may leave meanwhile', async () => {
    const [page, leaving] = [await addTold(new Page('jane')), await addTold(new Page('bob'))];
    let answer: (lists: OpenList[]) => void = () => undefined;
    let fail: (error: Error) => void = () => undefined;
    listOpen.mockImplementation(
      () =>
        new Promise((resolve, reject) => {
          [answer, fail] = [resolve, reject];
        }),
    );
    userChanges.next(new Set(['jane', 'bob']));
    userChanges.next(new Set(['jane', 'bob']));
    await settle();
    expect(listOpen.mock.calls).toEqual([[['jane', 'bob']]]);
    live.remove(leaving as unknown as AlertStream);
    answer([listOf('first'), listOf('left')]);
    await settle();
    expect([page.hear(), leaving.hear(), listOpen.mock.calls.length]).toEqual([[shownOf('first')], [], 2]);
    fail(new Error('away'));
    await settle();
    expect([page.hear(), leaving.hear()]).toEqual([['end undefined'], []]);
  });

  it('are told as before when another of their user has gone', async () => {
    const [page, leaving] = [await addTold(new Page('jane')), await addTold(new Page('jane'))];
    page.hear();
    live.remove(leaving as unknown as AlertStream);
    userChanges.next(new Set(['jane']));
    await settle();
    expect([page.hear(), leaving.hear()]).toEqual([[shownOf('jane')], []]);
  });

  it('are ended where their alerts cannot be read, of which the log tells, and are read again later', async () => {
    const [page, other] = [await addTold(new Page('jane')), await addTold(new Page('bob'))];
    listOpen.mockRejectedValueOnce(new Error('away'));
    userChanges.next(new Set(['jane']));
    await settle();
    expect([page.hear(), other.hear()]).toEqual([['end undefined'], []]);
    expect(warnings).toEqual(['Streams are ended, their alerts cannot be read: away']);
    userChanges.next(new Set(['bob']));
    await settle();
    expect(other.hear()).toEqual([shownOf('bob')]);
  });

  it('are told what other replicas change, and so is what polls are answered from', async () => {
    const [page, other] = [await addTold(new Page('jane')), await addTold(new Page('bob'))];
    notices.next(['jane', 'ann']);
    await settle();
    expect([page.hear(), other.hear()]).toEqual([[shownOf('jane')], []]);
    expect(openAlerts.forget.mock.calls).toEqual([[['jane', 'ann']]]);
    expect(openAlerts.forgetAll).not.toHaveBeenCalled();
    notices.next([EVERYBODY]);
    await settle();
    expect([page.hear(), other.hear()]).toEqual([[shownOf('jane')], [shownOf('bob')]]);
    expect([openAlerts.forget.mock.calls.length, openAlerts.forgetAll.mock.calls.length]).toEqual([1, 1]);
  });

  it('are shown everything again when changes are heard again', async () => {
    const page = await addTold(new Page('jane'));
    isListening.next(false);
    await settle();
    expect(page.hear()).toEqual([]);
    isListening.next(true);
    await settle();
    expect(page.hear()).toEqual([shownOf('jane')]);
    expect(openAlerts.trustChanges.mock.calls).toEqual([[true], [false], [true]]);
  });

  it('are ended, and no more are taken, when changes have not been heard for more than 5 s', async () => {
    const page = await addTold(new Page('jane'));
    await jest.advanceTimersByTimeAsync(60_000);
    isListening.next(false);
    await jest.advanceTimersByTimeAsync(3_000);
    isListening.next(false);
    await jest.advanceTimersByTimeAsync(2_000);
    expect([page.hear(), refusal('jane')]).toEqual([[], undefined]);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(page.hear()).toEqual(['end undefined']);
    expect(refusal('jane')).toEqual([503, 'Changes cannot be followed just now. Try again.']);
    isListening.next(true);
    expect(refusal('jane')).toBeUndefined();
  });

  it('are as many as the host allows, and as a user may have', async () => {
    add(new Page('jane'));
    expect(refusal('jane')).toBeUndefined();
    const second = add(new Page('jane'));
    expect(refusal('jane')).toEqual([429, 'You have too many pages open']);
    add(new Page('bob'));
    expect(refusal('ann')).toBeUndefined();
    add(new Page('ann'));
    expect(refusal('eve')).toEqual([503, 'Too many pages are open. Try again.']);
    live.remove(second as unknown as AlertStream);
    expect([refusal('eve'), refusal('jane')]).toEqual([undefined, undefined]);
    await settle();
  });

  it('end when the server stops, which takes no more', async () => {
    const page = await addTold(new Page('jane'));
    live.beforeApplicationShutdown();
    expect(page.hear()).toEqual(['end undefined']);
    expect(refusal('bob')).toEqual([503, 'Changes cannot be followed just now. Try again.']);
    const { looks } = page;
    await jest.advanceTimersByTimeAsync(10_000);
    expect(page.looks).toBe(looks);
  });

  it('are looked at once a second: who is silent for 15 s beats, who does not read is cut off', async () => {
    const page = await addTold(new Page('jane'));
    await jest.advanceTimersByTimeAsync(2_000);
    expect(page.looks).toBe(2);
    expect(page.beatsSince.map((since) => performance.now() - since)).toEqual([16_000, 15_000]);
  });

  it('end when the token expires', async () => {
    const page = await addTold(new Page('jane', { expiresAt: Date.now() / 1000 + 2 }));
    await jest.advanceTimersByTimeAsync(1_000);
    expect([page.hear(), page.beatsSince.length]).toEqual([[], 1]);
    await jest.advanceTimersByTimeAsync(1_000);
    expect([page.hear(), page.beatsSince.length]).toEqual([['end expired'], 1]);
  });

  it('are told of the feed when it changes, which is looked at every ten seconds while there are pages', async () => {
    await jest.advanceTimersByTimeAsync(60_000);
    expect(check).not.toHaveBeenCalled();
    const page = await addTold(new Page('jane'));
    add(new Page('bob'));
    expect(check).toHaveBeenCalledTimes(1);
    await jest.advanceTimersByTimeAsync(9_000);
    expect(check).toHaveBeenCalledTimes(1);
    check.mockResolvedValue({ ...OK, last_seen: new Date(5) });
    await jest.advanceTimersByTimeAsync(1_000);
    expect([check.mock.calls.length, page.hear()]).toEqual([2, []]);
    // Who comes is told the last.
    const young = add(new Page('ann'));
    expect(young.hear()).toEqual([JSON.stringify({ ...OK, last_seen: new Date(5) })]);
    const stale = { status: 'stale' as const, last_seen: new Date(5) };
    check.mockResolvedValue(stale);
    await jest.advanceTimersByTimeAsync(10_000);
    expect(page.hear()).toEqual([JSON.stringify(stale)]);
    check.mockRejectedValue(new Error('away'));
    await jest.advanceTimersByTimeAsync(10_000);
    expect(page.hear()).toEqual([]);
  });
});
