import { ConflictException, ForbiddenException, NotFoundException } from '@nestjs/common';
import type { UnprocessableEntityException } from '@nestjs/common';
import { Registry } from 'prom-client';
import { waitUntil } from '../../test/support/server.js';
import type { AlertsCaller } from '../auth/alerts-caller.js';
import { DatabaseUnavailableError } from '../database/database-errors.js';
import { ALLOW_HASH_JOINS } from '../database/transaction.statements.js';
import { AlertsMetrics } from '../metrics/alerts-metrics.service.js';
import { alertsSettings } from '../options/alerts-settings.js';
import type { OpenedAlert } from './alert-life.js';
import type { AlertRow } from './alerts.dto.js';
import type { AlertsRepository, OpenList } from './alerts.repository.js';
import { AlertsService } from './alerts.service.js';
import type { KnownUsers } from './known-users.service.js';
import { alertFingerprint } from './name-based-id.js';
import type { Observation } from './observation.js';
import type { Applied, Report } from './reports.js';
import { WritesFullError } from './shared-writes.js';

/** By which an alert is asked for; the rows below have names for ids. */
const ID = '01KAMJ2Q2Y9W2V2Q8Z2J3D5X7R';

const NOW = new Date('2026-01-15T08:00:00Z');

function row(id: string, more: Partial<AlertRow> = {}): AlertRow {
  return { id, user_id: 'jane', resolved_date: null, resolved_reason: null, ...more } as AlertRow;
}

function closedRow(id: string, reason = 'manual'): AlertRow {
  return row(id, { resolved_date: NOW, resolved_reason: reason } as Partial<AlertRow>);
}

function observation(userId: string, status: 'firing' | 'resolved' = 'firing'): Observation {
  return { userId, status } as Observation;
}

describe('What can be done with alerts', () => {
  const repository = {
    apply: jest.fn<Promise<Applied>, [Report[], { rows: boolean }, () => void]>(),
    preview: jest.fn(),
    create: jest.fn(),
    find: jest.fn<Promise<AlertRow | undefined>, [string]>(),
    close: jest.fn<Promise<AlertRow | undefined>, [AlertRow, string]>(),
    closeForSession: jest.fn(),
    closeNamed: jest.fn(),
    deleteForUser: jest.fn(),
    listOpen: jest.fn<Promise<OpenList[]>, [string[]]>(),
    listOpenOfSession: jest.fn(),
    listResolved: jest.fn(),
  };
  const unknownAmong = jest.fn<Promise<ReadonlySet<string>>, [string[]]>();
  let registry: Registry;
  let alerts: AlertsService;
  let heard: string[];

  beforeEach(() => {
    for (const mock of [...Object.values(repository), unknownAmong]) mock.mockReset();
    unknownAmong.mockResolvedValue(new Set());
    applies();
    registry = new Registry();
    const settings = alertsSettings({
      auth: { issuer: 'https://issuer.example' },
      metricsRegistry: registry,
    });
    alerts = new AlertsService(
      repository as unknown as AlertsRepository,
      { unknownAmong } as unknown as KnownUsers,
      new AlertsMetrics(settings),
    );
    heard = [];
  });

  /** Lets reports be applied, with these changes. */
  function applies(changes: object = {}, rows: AlertRow[] = []): void {
    repository.apply.mockImplementation((reports) =>
      Promise.resolve({
        outcomes: reports.map(({ observations }) => observations.map(() => ({ result: 'refreshed' }))),
        changes: { now: NOW, opened: [], rewritten: [], closed: [], sightings: [], ...changes },
        rows,
      } as Applied),
    );
  }

  function hear(): void {
    alerts.changes.subscribe({
      next: ({ change, alert }) => heard.push(`${change} ${alert.id}`),
      complete: () => heard.push('complete'),
    });
  }

  async function closings(): Promise<Record<string, number>> {
    const all = await registry.getMetricsAsJSON();
    const values = all.find(({ name }) => name === 'session_alerts_resolved_total')?.values ?? [];
    return Object.fromEntries(values.map(({ labels, value }) => [String(labels['reason']), value]));
  }

  async function failureOf(call: Promise<unknown>): Promise<Error> {
    const error: unknown = await call.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Error);
    return error as Error;
  }

  describe('A report', () => {
    it('is applied as of its arrival, with why it ends what it ends, and who reports', async () => {
      const seen = [observation('jane'), observation('bob', 'resolved')];
      expect(await alerts.apply(seen, 5, 'reconciled', 'http://am.example')).toEqual([
        { result: 'refreshed' },
        { result: 'refreshed' },
      ]);
      expect(repository.apply.mock.calls.map(([reports]) => reports)).toEqual([
        [{ observations: seen, arrivedAt: 5, endingReason: 'reconciled', alertmanager: 'http://am.example' }],
      ]);
      expect(unknownAmong.mock.calls).toEqual([[['jane']]]);
    });

    it('has arrived now, and resolves, where nothing else is said', async () => {
      const before = performance.now();
      await alerts.apply([observation('jane')]);
      const [report] = repository.apply.mock.calls[0]![0];
      expect(report).toMatchObject({ endingReason: 'resolved', alertmanager: undefined });
      expect(report!.arrivedAt).toBeGreaterThanOrEqual(before);
      expect(report!.arrivedAt).toBeLessThanOrEqual(performance.now());
    });

    it('of nothing costs nothing', async () => {
      expect(await alerts.apply([], 0)).toEqual([]);
      expect(repository.apply).not.toHaveBeenCalled();
    });

    it.each([
      [2_000, [2_000]],
      [2_001, [2_000, 1]],
      [4_000, [2_000, 2_000]],
    ])('of %d alerts is applied in parts, in its order', async (count, parts) => {
      const seen = Array.from({ length: count }, (_, number) => observation(`${number}`));
      expect(await alerts.apply(seen, 0)).toHaveLength(count);
      const applied = repository.apply.mock.calls.flatMap(([reports]) => reports);
      expect(applied.map(({ observations }) => observations.length)).toEqual(parts);
      expect(applied.flatMap(({ observations }) => observations)).toEqual(seen);
    });

    it('leaves out what fires for nobody; a resolve can do no harm', async () => {
      unknownAmong.mockResolvedValue(new Set(['ghost']));
      const [jane, gone] = [observation('jane'), observation('ghost', 'resolved')];
      expect(await alerts.apply([observation('ghost'), jane, observation('ghost'), gone], 0)).toEqual([
        { result: 'ignored', reason: 'unknown_user' },
        { result: 'refreshed' },
        { result: 'ignored', reason: 'unknown_user' },
        { result: 'refreshed' },
      ]);
      expect(repository.apply.mock.calls[0]?.[0][0]?.observations).toEqual([jane, gone]);
      repository.apply.mockClear();
      expect(await alerts.apply([observation('ghost')], 0)).toEqual([
        { result: 'ignored', reason: 'unknown_user' },
      ]);
      expect(repository.apply).not.toHaveBeenCalled();
    });

    it('without an outcome for each is a fault', async () => {
      unknownAmong.mockResolvedValue(new Set(['ghost']));
      repository.apply.mockResolvedValue({
        outcomes: [[]],
        changes: { now: NOW, opened: [], rewritten: [], closed: [], sightings: [] },
        rows: [],
      });
      const call = alerts.apply([observation('ghost'), observation('jane')], 0);
      expect((await failureOf(call)).message).toBe('An observation has no outcome');
    });

    /** Lets writes wait until they are let through, one by one. */
    function holdWrites(isDecidedAtOnce: boolean): { letThrough: () => void; users: string[] } {
      const held: { letThrough: () => void; users: string[] } = { letThrough: () => undefined, users: [] };
      const write = repository.apply.getMockImplementation()!;
      repository.apply.mockImplementation((reports, wanted, isDecided) => {
        held.users.push(reports.map(({ observations }) => observations[0]?.userId).join());
        if (isDecidedAtOnce) isDecided();
        return new Promise((resolve) => {
          const before = held.letThrough;
          held.letThrough = () => {
            held.letThrough = before;
            resolve(write(reports, wanted, isDecided));
          };
        });
      });
      return held;
    }

    it('goes on though too many wait, where a part of it has been taken', async () => {
      const held = holdWrites(false);
      const seen = (user: string, count: number) => Array.from({ length: count }, () => observation(user));
      const large = alerts.apply(seen('jane', 4_000), 0);
      await waitUntil(() => held.users.length === 1);
      const others = Array.from({ length: 5 }, () => alerts.apply(seen('bob', 1_980), 0));
      await waitUntil(() => alerts.isFull);
      await expect(alerts.apply(seen('ann', 1), 0)).rejects.toThrow(WritesFullError);
      held.letThrough();
      let isOver = false;
      const all = Promise.all([large, ...others]).finally(() => (isOver = true));
      await waitUntil(() => {
        held.letThrough();
        return isOver;
      });
      expect((await all).map(({ length }) => length)).toEqual([4_000, 1_980, 1_980, 1_980, 1_980, 1_980]);
      expect(alerts.isFull).toBe(false);
    });

    it('waits for what is about the same user, and not for others', async () => {
      const held = holdWrites(true);
      const [first, second] = [1, 2].map((at) => alerts.apply([observation('jane')], at));
      const other = alerts.apply([observation('bob')], 3);
      await waitUntil(() => held.users.length === 2);
      expect(held.users).toEqual(['jane', 'bob']);
      held.letThrough();
      await other;
      held.letThrough();
      await first;
      await waitUntil(() => held.users.length === 3);
      held.letThrough();
      await second;
      expect(held.users).toEqual(['jane', 'bob', 'jane']);
    });

    it.each<[what: string, error: Error, alone: number[]]>([
      ['where it may spoil others', new Error('odd'), [1, 1]],
      ['not where the database is away', new DatabaseUnavailableError(new Error('away')), []],
    ])('of a batch that fails is tried alone, %s', async (_what, error, alone) => {
      repository.apply.mockRejectedValue(error);
      await Promise.all(['ann', 'bob', 'eve'].map((user) => failureOf(alerts.apply([observation(user)], 0))));
      expect(repository.apply.mock.calls.map(([reports]) => reports.length)).toEqual([1, 2, ...alone]);
    });

    it('is told to who listens: what has opened, what has changed, and what has closed', async () => {
      const opened = (id: string, resolvedReason: string | null) =>
        ({ id, userId: 'jane', sessionName: null, series: [], resolvedReason }) as unknown as OpenedAlert;
      const changes = {
        opened: [opened('new', null), opened('brief', 'resolved')],
        closed: [{ reason: 'reconciled' }, { reason: 'resolved' }],
      };
      applies(changes, [row('old'), closedRow('gone')]);
      await alerts.apply([observation('jane')], 0);
      expect(repository.apply.mock.calls[0]?.[1]).toEqual({ rows: false });
      expect(await closings()).toEqual({ reconciled: 1, resolved: 2 });
      hear();
      await alerts.apply([observation('jane')], 0);
      expect(repository.apply.mock.calls[1]?.[1]).toEqual({ rows: true });
      expect(heard).toEqual(['opened new', 'opened brief', 'updated old', 'closed brief', 'closed gone']);
      alerts.onApplicationShutdown();
      expect(heard.at(-1)).toBe('complete');
    });

    it('that is tried only is of now, and leaves out who is not known', async () => {
      unknownAmong.mockResolvedValue(new Set(['ghost']));
      repository.preview.mockResolvedValue([{ result: 'opened' }]);
      expect(await alerts.preview([observation('ghost'), observation('jane')])).toEqual([
        { result: 'ignored', reason: 'unknown_user' },
        { result: 'opened' },
      ]);
      expect(repository.preview.mock.calls).toEqual([
        [
          {
            observations: [observation('jane')],
            arrivedAt: expect.any(Number) as number,
            endingReason: 'resolved',
          },
        ],
      ]);
      expect(repository.apply).not.toHaveBeenCalled();
    });
  });

  describe('An alert opened by hand', () => {
    const request = { user_id: 'jane', event_type: 'note\0', title: 'Title', message: 'Message' };

    it('is stored as it can be, and told', async () => {
      hear();
      repository.create.mockResolvedValue(row('a'));
      const long = { title: 't'.repeat(501), message: 'm'.repeat(20_001), severity: 's'.repeat(256) };
      expect(await alerts.create({ ...request, ...long, session_name: 's\0' })).toEqual(row('a'));
      await alerts.create({ ...request, session_name: null, severity: null });
      await alerts.create(request);
      const eventType = 'note\uFFFD';
      const without = {
        fingerprint: alertFingerprint('jane', null, eventType),
        userId: 'jane',
        sessionName: null,
        eventType,
        title: 'Title',
        message: 'Message',
        severity: null,
      };
      expect(repository.create.mock.calls).toEqual([
        [
          {
            ...without,
            fingerprint: alertFingerprint('jane', 's\uFFFD', eventType),
            sessionName: 's\uFFFD',
            title: `${'t'.repeat(493)}… [cut]`,
            message: `${'m'.repeat(19_993)}… [cut]`,
            severity: `${'s'.repeat(248)}… [cut]`,
          },
        ],
        [without],
        [without],
      ]);
      expect(heard).toEqual(['opened a', 'opened a', 'opened a']);
    });

    it('is there once', async () => {
      hear();
      repository.create.mockResolvedValue(undefined);
      const error = await failureOf(alerts.create(request));
      expect(error).toBeInstanceOf(ConflictException);
      expect([error.message, heard]).toEqual(['The same alert is open already', []]);
    });
  });

  describe('The open alerts', () => {
    const one = row('1', { session_name: 'one' });
    const two = row('2', { session_name: '\uFFFD' });

    it('are read of a user, and of a session from the same list', async () => {
      repository.listOpen.mockResolvedValue([{ alerts: [one, two], total: 2 }]);
      expect(await alerts.listOpen('jane')).toEqual([one, two]);
      expect(await alerts.readOpen('jane')).toEqual({ alerts: [one, two], total: 2 });
      expect(await alerts.listOpen('jane', 'one')).toEqual([one]);
      expect(await alerts.readOpen('jane', '\0')).toEqual({ alerts: [two], total: 1 });
      expect(repository.listOpen.mock.calls).toEqual(Array.from({ length: 4 }, () => [['jane']]));
      expect(repository.listOpenOfSession).not.toHaveBeenCalled();
    });

    it('of a session are asked for where the list is not all', async () => {
      repository.listOpen.mockResolvedValue([{ alerts: [two], total: 2 }]);
      repository.listOpenOfSession.mockResolvedValue({ alerts: [one], total: 1 });
      expect(await alerts.readOpen('jane', 'one')).toEqual({ alerts: [one], total: 1 });
      expect(repository.listOpenOfSession.mock.calls).toEqual([['jane', 'one']]);
    });
  });

  describe('The history', () => {
    beforeEach(() => {
      repository.listResolved.mockResolvedValue([closedRow('a')]);
    });

    it('is read by page', async () => {
      repository.find.mockResolvedValue(closedRow('last'));
      expect(await alerts.listResolved('jane')).toEqual([closedRow('a')]);
      const query = { session_name: '\0', since: '2026-01-15T08:00:00Z', limit: 7, cursor: ID.toLowerCase() };
      await alerts.listResolved('jane', query);
      expect(repository.find.mock.calls).toEqual([[ID]]);
      expect(repository.listResolved.mock.calls).toEqual([
        ['jane', { sessionName: undefined, since: undefined, limit: 50, after: undefined }],
        ['jane', { sessionName: '\uFFFD', since: NOW, limit: 7, after: closedRow('last') }],
      ]);
    });

    it.each([
      ['there is not', undefined],
      ["is somebody else's", { ...closedRow('last'), user_id: 'bob' }],
      ['is open', row('last')],
    ])('has no page after an alert that %s', async (_what, found) => {
      repository.find.mockResolvedValue(found);
      const error = (await failureOf(
        alerts.listResolved('jane', { cursor: ID }),
      )) as UnprocessableEntityException;
      expect(error.getResponse()).toMatchObject({
        detail: 'cursor must be the id of the last alert of the page before',
      });
    });

    it('has no beginning at a leap second', async () => {
      const error = (await failureOf(
        alerts.listResolved('jane', { since: '2016-12-31T23:59:60Z' }),
      )) as UnprocessableEntityException;
      expect(error.getResponse()).toMatchObject({
        detail: expect.stringMatching(/^since must be/) as string,
      });
    });
  });

  describe('An alert is closed', () => {
    const caller = (id: string, isAdmin = false) => ({ id, isAdmin }) as AlertsCaller;

    beforeEach(() => {
      hear();
      repository.find.mockResolvedValue(row('a'));
      repository.close.mockImplementation((alert, reason) => Promise.resolve(closedRow(alert.id, reason)));
    });

    it('by an administrator', async () => {
      expect(await alerts.resolve(ID.toLowerCase(), caller('ada', true))).toEqual(closedRow('a'));
      expect(repository.find.mock.calls).toEqual([[ID]]);
      expect(repository.close.mock.calls).toEqual([[row('a'), 'manual']]);
      expect([heard, await closings()]).toEqual([['closed a'], { manual: 1 }]);
    });

    it('by its user', async () => {
      expect(await alerts.dismiss(ID.toLowerCase(), 'jane')).toEqual(closedRow('a', 'dismissed'));
      expect(repository.find.mock.calls).toEqual([[ID]]);
      expect([heard, await closings()]).toEqual([['closed a'], { dismissed: 1 }]);
    });

    it('once, and stays as it was closed', async () => {
      repository.find.mockResolvedValue(closedRow('a', 'expired'));
      expect(await alerts.dismiss(ID, 'jane')).toEqual(closedRow('a', 'expired'));
      expect(repository.close).not.toHaveBeenCalled();
      // Meanwhile by somebody else; or it is there no more.
      repository.close.mockResolvedValue(undefined);
      repository.find.mockResolvedValueOnce(row('a')).mockResolvedValueOnce(closedRow('a', 'manual'));
      expect(await alerts.dismiss(ID, 'jane')).toEqual(closedRow('a', 'manual'));
      repository.find.mockResolvedValueOnce(row('a')).mockResolvedValueOnce(undefined);
      expect(await alerts.dismiss(ID, 'jane')).toEqual(row('a'));
      expect([heard, await closings()]).toEqual([[], {}]);
    });

    it.each<[string, () => Promise<unknown>]>([
      ['that there is not, by an administrator', () => alerts.resolve(ID, caller('ada', true))],
      ['that there is not, by a user', () => alerts.resolve(ID, caller('jane'))],
      ['that there is not, for oneself', () => alerts.dismiss(ID, 'jane')],
    ])('not one %s', async (_what, call) => {
      repository.find.mockResolvedValue(undefined);
      const error = await failureOf(call());
      expect(error).toBeInstanceOf(NotFoundException);
      expect(error.message).toBe('There is no such alert');
    });

    it("not somebody else's, of which one may not even know", async () => {
      for (const call of [alerts.resolve(ID, caller('bob')), alerts.dismiss(ID, 'bob')]) {
        const error = await failureOf(call);
        expect(error).toBeInstanceOf(NotFoundException);
        expect(error.message).toBe('There is no such alert');
      }
      expect(repository.close).not.toHaveBeenCalled();
    });

    it('not as an administrator does by its user', async () => {
      const error = await failureOf(alerts.resolve(ID, caller('jane')));
      expect(error).toBeInstanceOf(ForbiddenException);
      expect(error.message).toBe('Only an administrator may resolve an alert; you may dismiss it');
    });

    it('with its session', async () => {
      repository.closeForSession.mockResolvedValue([
        closedRow('a', 'session_ended'),
        closedRow('b', 'session_ended'),
      ]);
      expect(await alerts.resolveForSession('s\0', 'jane')).toBe(2);
      expect(repository.closeForSession.mock.calls).toEqual([['s\uFFFD', 'jane']]);
      expect([heard, await closings()]).toEqual([['closed a', 'closed b'], { session_ended: 2 }]);
    });

    it('as upkeep names it', async () => {
      repository.closeNamed.mockResolvedValue([closedRow('a', 'expired')]);
      const naming = (userIds: string[]) => ({ text: 'SELECT id', values: [userIds] });
      expect(await alerts.closeNamed(['jane'], naming, 'expired')).toBe(1);
      expect(repository.closeNamed.mock.calls).toEqual([[['jane'], expect.any(Function), 'expired']]);
      const [[, reads]] = repository.closeNamed.mock.calls as [[unknown, (userIds: string[]) => unknown]];
      expect(reads(['jane'])).toEqual([ALLOW_HASH_JOINS, { text: 'SELECT id', values: [['jane']] }]);
      expect([heard, await closings()]).toEqual([['closed a'], { expired: 1 }]);
    });
  });

  it('A user is erased', async () => {
    repository.deleteForUser.mockResolvedValue(3);
    expect(await alerts.deleteForUser('jane')).toBe(3);
    expect(repository.deleteForUser.mock.calls).toEqual([['jane']]);
  });
});
