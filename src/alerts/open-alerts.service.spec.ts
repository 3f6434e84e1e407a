import { Subject } from 'rxjs';
import type { AlertsDatabase } from '../database/alerts-database.js';
import type { AlertRow } from './alerts.dto.js';
import type { OpenList } from './alerts.repository.js';
import type { AlertsService } from './alerts.service.js';
import { OpenAlerts } from './open-alerts.service.js';

/** How long (UTF-16 code units) the JSON of a kept list may be, and that of all. */
const LONGEST = 16 * 1024;
const ALL = 32 * 1024 * 1024;

describe('What polls are answered from', () => {
  const readOpen = jest.fn<Promise<OpenList>, [string, string | undefined]>();
  let userChanges: Subject<ReadonlySet<string>>;
  let open: OpenAlerts;

  beforeEach(() => {
    jest.useFakeTimers();
    readOpen.mockReset().mockImplementation(() => Promise.resolve(listOf(2)));
    userChanges = new Subject();
    open = new OpenAlerts(
      { readOpen } as unknown as AlertsService,
      { userChanges } as unknown as AlertsDatabase,
    );
    open.trustChanges(true);
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  /** A list whose JSON is so long. */
  function listOf(length: number): OpenList {
    if (length === 2) return { alerts: [], total: 0 };
    const title = 'x'.repeat(length - '[{"title":""}]'.length);
    return { alerts: [{ title } as AlertRow], total: 1 };
  }

  /** Whether the database was asked for what a user is answered. */
  async function isRead(userId = 'jane', session?: string, known?: string): Promise<boolean> {
    readOpen.mockClear();
    await open.list(userId, session, known);
    return readOpen.mock.calls.length > 0;
  }

  it('is nothing before changes are heard, and when they are heard no more', async () => {
    const deaf = new OpenAlerts(
      { readOpen } as unknown as AlertsService,
      { userChanges } as unknown as AlertsDatabase,
    );
    await deaf.list('jane', undefined, undefined);
    await deaf.list('jane', undefined, undefined);
    expect(readOpen).toHaveBeenCalledTimes(2);
    expect([await isRead(), await isRead()]).toEqual([true, false]);
    open.trustChanges(false);
    expect([await isRead(), await isRead()]).toEqual([true, true]);
    open.trustChanges(true);
    expect([await isRead(), await isRead()]).toEqual([true, false]);
  });

  it('is what was read less than ten seconds ago, unless it has changed', async () => {
    expect(await isRead()).toBe(true);
    jest.advanceTimersByTime(9_999);
    expect(await isRead()).toBe(false);
    jest.advanceTimersByTime(1);
    expect([await isRead(), await isRead('bob')]).toEqual([true, true]);
    userChanges.next(new Set(['jane']));
    expect([await isRead(), await isRead('bob')]).toEqual([true, false]);
    open.forgetAll();
    expect([await isRead(), await isRead('bob')]).toEqual([true, true]);
  });

  it('is as short as 16 KiB; of what is longer its tag is known', async () => {
    readOpen.mockResolvedValue(listOf(LONGEST));
    expect([await isRead(), await isRead()]).toEqual([true, false]);
    readOpen.mockResolvedValue(listOf(LONGEST + 1));
    const { etag } = await open.list('bob', undefined, undefined);
    expect([await isRead('bob'), await isRead('bob', undefined, etag)]).toEqual([true, false]);
  });

  it('is of 20 sessions of a user', async () => {
    for (let session = 0; session < 20; session += 1) await isRead('jane', `${session}`);
    expect([await isRead('jane', '0'), await isRead('jane', '19')]).toEqual([false, false]);
    expect(await isRead('jane', 'another')).toBe(true);
    expect([await isRead('jane', 'another'), await isRead('jane', '0')]).toEqual([false, true]);
  });

  it('is of 10,000 users, of whom the oldest go', async () => {
    for (let user = 0; user < 10_000; user += 1) await isRead(`${user}`);
    expect([await isRead('0'), await isRead('0', 'session')]).toEqual([false, true]);
    await isRead('another');
    expect([await isRead('1'), await isRead('another'), await isRead('0')]).toEqual([false, false, true]);
  });

  it('is 32 MiB in all, and then nothing', async () => {
    readOpen.mockResolvedValue(listOf(LONGEST));
    const most = ALL / LONGEST;
    for (let user = 0; user < most; user += 1) await isRead(`${user}`);
    expect(await isRead('0')).toBe(false);
    await isRead('another');
    expect([await isRead('another'), await isRead('0')]).toEqual([false, true]);
    for (let user = 1; user < most - 1; user += 1) await isRead(`again ${user}`);
    expect(await isRead('0')).toBe(false);
  });
});
