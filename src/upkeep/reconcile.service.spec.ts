import timers from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { Registry } from 'prom-client';
import { firing } from '../../test/support/alerts.js';
import { ListingAlertmanager } from '../../test/support/listing-alertmanager.js';
import { waitUntil } from '../../test/support/server.js';
import type { AlertsService } from '../alerts/alerts.service.js';
import type { Observation, Outcome } from '../alerts/observation.js';
import { AlertsMetrics } from '../metrics/alerts-metrics.service.js';
import { alertsSettings } from '../options/alerts-settings.js';
import { AlertMapper } from '../webhooks/alert-mapper.service.js';
import { ALERTMANAGER } from '../webhooks/senders.js';
import type { AskedAlertmanagers } from '../webhooks/alertmanager/asked-alertmanagers.service.js';
import { ReconcileService } from './reconcile.service.js';
import type { FiringSeries, UpkeepRepository } from './upkeep.repository.js';

const ASKED_AT = 5_000;
const AUTH = { issuer: 'https://issuer.example' };
const mapper = new AlertMapper(alertsSettings({ auth: AUTH }));

/** Where the answer of PostgreSQL or of the rules is not what a test is about. */
type Applied = [observations: Observation[], askedAt: number, reason?: string];

describe('Reconciling', () => {
  const [one, other] = [new ListingAlertmanager(), new ListingAlertmanager()];
  const apply = jest.fn<Promise<Outcome[]>, Applied>();
  const learn = jest.fn<Promise<FiringSeries[]>, [string, FiringSeries[], ReadonlySet<number>]>();
  const refresh = jest.fn(() => Promise.resolve());
  const repository = {
    exclusively: jest.fn<Promise<boolean>, [number, () => Promise<void>]>(),
    listFiringSeries: jest.fn(() => Promise.resolve(ours)),
    countAfterSilence: jest.fn<Promise<number>, [Observation[]]>(),
    takeTurn: jest.fn<Promise<boolean>, [string, number]>(),
    endTurn: jest.fn<Promise<undefined>, [string, { isLast?: boolean }?]>(),
  };
  let urls: string[];
  let ours: FiringSeries[];
  let registry: Registry;
  let reconciling: ReconcileService;
  let said: string[];

  beforeAll(async () => {
    urls = await Promise.all([one, other].map((alertmanager) => alertmanager.start()));
  });
  afterAll(() => Promise.all([one, other].map((alertmanager) => alertmanager.stop())));
  beforeEach(() => {
    for (const alertmanager of [one, other]) alertmanager.reset();
    [ours, said] = [[], []];
    for (const level of ['log', 'warn'] as const) {
      jest
        .spyOn(Logger.prototype, level)
        .mockImplementation((...words: unknown[]) => said.push(`${level}: ${words.join()}`));
    }
    jest.spyOn(performance, 'now').mockReturnValue(ASKED_AT);
    apply
      .mockReset()
      .mockImplementation((observations, _askedAt, reason) =>
        Promise.resolve(observations.map(() => ({ result: reason ? 'resolved' : 'opened' }))),
      );
    learn.mockReset().mockImplementation((_replica, series) => Promise.resolve(series));
    refresh.mockClear();
    repository.exclusively.mockReset().mockImplementation(async (_job, work) => {
      await work();
      return true;
    });
    repository.countAfterSilence.mockReset().mockResolvedValue(0);
    repository.takeTurn.mockReset().mockResolvedValue(true);
    repository.endTurn.mockReset().mockResolvedValue(undefined);
    reconciling = create();
  });
  afterEach(async () => {
    await reconciling.beforeApplicationShutdown();
    jest.restoreAllMocks();
  });

  function create(isSet = true): ReconcileService {
    const reconcile = { alertmanagers: urls.map((url) => ({ url })), interval: 60 };
    registry = new Registry();
    const settings = alertsSettings({
      auth: AUTH,
      upkeep: { expireAfter: 9_000 },
      metricsRegistry: registry,
      ...(isSet && { reconcile }),
    });
    return new ReconcileService(
      settings,
      { apply } as unknown as AlertsService,
      repository as unknown as UpkeepRepository,
      mapper,
      { learn, refresh } as unknown as AskedAlertmanagers,
      new AlertsMetrics(settings),
    );
  }

  function keyOf(session: string): number {
    const mapped = mapper.map(firing({ session }), ALERTMANAGER);
    return 'observation' in mapped ? mapped.observation.seriesKey : NaN;
  }

  /** What fires here of a session, last seen so long ago (ms). */
  function shown(session: string, unseenFor = 0): FiringSeries {
    const seriesKey = keyOf(session);
    return {
      seriesKey,
      seriesFingerprint: 'f',
      fingerprint: 1,
      userId: 'jane',
      sessionName: session,
      unseenFor,
    };
  }

  /** What was applied: the sessions, in what way, and why. */
  function applied(): unknown[] {
    return apply.mock.calls.splice(0).map(([observations, askedAt, reason]) => {
      expect(askedAt).toBe(ASKED_AT);
      return [observations[0]?.status, observations.map(({ sessionName }) => sessionName).join(), reason];
    });
  }

  async function drift(): Promise<Record<string, number>> {
    const all = await registry.getMetricsAsJSON();
    const values = all.find(({ name }) => name === 'session_alerts_reconcile_drift_total')?.values ?? [];
    return Object.fromEntries(values.map(({ labels, value }) => [String(labels['direction']), value]));
  }

  it('does nothing where nobody is asked', async () => {
    const idle = create(false);
    idle.onApplicationBootstrap();
    await idle.run();
    await idle.beforeApplicationShutdown();
    expect(repository.exclusively).not.toHaveBeenCalled();
    expect(repository.endTurn).not.toHaveBeenCalled();
  });

  it('is done by one replica at a time', async () => {
    repository.exclusively.mockResolvedValue(false);
    const { statusCalls } = one;
    await reconciling.run();
    expect(repository.exclusively.mock.calls.map(([job]) => job)).toEqual([2]);
    expect(one.statusCalls).toBe(statusCalls);
  });

  it('opens what is listed twice and not shown, says so, and counts it', async () => {
    one.lists(firing({ session: 'a' }), firing({ session: 'b' }), firing({ session: 'shown' }));
    ours = [shown('shown')];
    await reconciling.run();
    expect([applied(), said]).toEqual([[], []]);
    one.lists(firing({ session: 'a' }), firing({ session: 'b' }), firing({ session: 'young' }));
    other.lists(firing({ session: 'shown' }));
    await reconciling.run();
    expect(applied()).toEqual([['firing', 'a,b', undefined]]);
    expect(said).toEqual(['warn: Opened 2 alerts that Alertmanager lists and no webhook had brought']);
    expect(await drift()).toEqual({ opened: 2 });
  });

  it('tells apart what opens as its silence is over, and what was opened meanwhile', async () => {
    one.lists(firing({ session: 'a' }), firing({ session: 'b' }), firing({ session: 'c' }));
    await reconciling.run();
    apply.mockResolvedValueOnce([{ result: 'opened' }, { result: 'refreshed' }, { result: 'opened' }]);
    repository.countAfterSilence.mockResolvedValueOnce(2);
    await reconciling.run();
    expect(repository.countAfterSilence.mock.calls[0]?.[0].map(({ sessionName }) => sessionName)).toEqual([
      'a',
      'c',
    ]);
    expect(said).toEqual(['log: Opened 2 alerts again whose silence is over']);
    expect(await drift()).toEqual({});
  });

  it('refreshes what fires and would soon expire', async () => {
    one.lists(firing({ session: 'old' }), firing({ session: 'young' }));
    one.alerts.push({ alert: firing({ session: 'silenced' }), withheld: 'silenced' });
    one.alerts.push({ alert: firing({ session: 'muted' }), withheld: 'muted' });
    // A third of `expireAfter`.
    ours = [
      shown('old', 3_000_000),
      shown('young', 2_999_999),
      shown('silenced', 9_000_000),
      shown('muted', 9_000_000),
      shown('gone', 9_000_000),
    ];
    await reconciling.run();
    expect(applied()).toEqual([
      ['firing', 'old,muted', undefined],
      ['resolved', 'gone', 'reconciled'],
      ['resolved', 'silenced', 'silenced'],
    ]);
  });

  it('ends what is gone or silenced, says so, and counts what is gone', async () => {
    one.alerts = [{ alert: firing({ session: 'silenced' }), withheld: 'silenced' }];
    ours = [shown('gone'), shown('silenced'), shown('gone-too')];
    await reconciling.run();
    expect(apply.mock.calls[0]?.[0][0]).toEqual({
      status: 'resolved',
      isNamed: true,
      seriesKey: keyOf('gone'),
      seriesFingerprint: 'f',
      fingerprint: 1,
      userId: 'jane',
      sessionName: 'gone',
    });
    expect(applied()).toEqual([
      ['resolved', 'gone,gone-too', 'reconciled'],
      ['resolved', 'silenced', 'silenced'],
    ]);
    expect(said).toEqual([
      'warn: Ended 2 series that Alertmanager no longer lists: their resolves were lost',
      'log: Ended 1 series that a silence withholds',
    ]);
    expect(await drift()).toEqual({ closed: 2 });
  });

  it('says and counts nothing where somebody else has ended it meanwhile', async () => {
    one.alerts = [{ alert: firing({ session: 'silenced' }), withheld: 'silenced' }];
    ours = [shown('gone'), shown('silenced')];
    apply.mockResolvedValue([{ result: 'ignored', reason: 'already_resolved' }]);
    await reconciling.run();
    expect([apply.mock.calls.length, said, await drift()]).toEqual([2, [], {}]);
  });

  it('ends nothing by a silence of one where another would send it', async () => {
    one.alerts = [{ alert: firing({ session: 'a' }), withheld: 'silenced' }];
    other.lists(firing({ session: 'a' }));
    ours = [shown('a')];
    await reconciling.run();
    expect(applied()).toEqual([]);
  });

  it('ends only what those that are asked can answer for', async () => {
    one.alerts = [{ alert: firing({ session: 'silenced' }), withheld: 'silenced' }];
    ours = [shown('gone'), shown('silenced'), shown('of-another')];
    learn.mockImplementation((_replica, series) =>
      Promise.resolve(series.filter(({ sessionName }) => sessionName === 'gone')),
    );
    await reconciling.run();
    expect(learn.mock.calls).toEqual([
      [expect.stringMatching(/^[\da-f-]{36}$/), ours, new Set([keyOf('silenced')])],
    ]);
    expect(applied()).toEqual([['resolved', 'gone', 'reconciled']]);
  });

  it('ends nothing where one cannot be believed, and says so once, and when it can be again', async () => {
    other.fault = 'error';
    one.lists(firing({ session: 'missed' }));
    ours = [shown('gone')];
    const because = `warn: Nothing is closed on the word of Alertmanager ${urls[1]}: `;
    await reconciling.run();
    await reconciling.run();
    expect(applied()).toEqual([['firing', 'missed', undefined]]);
    expect(learn).not.toHaveBeenCalled();
    expect(said.filter((line) => line.includes('closed'))).toEqual([
      expect.stringContaining(`${because}http`),
    ]);
    other.reset();
    other.cluster = 'settling';
    said = [];
    await reconciling.run();
    other.startedAt = Date.now() - 299_000;
    other.cluster = 'ready';
    await reconciling.run();
    other.startedAt = Date.now() - 301_000;
    await reconciling.run();
    expect(said.filter((line) => !line.includes('Opened'))).toEqual([
      `${because}its cluster is settling`,
      `${because}it has just started`,
      `log: Alertmanager ${urls[1]} can be believed again`,
      'warn: Ended 1 series that Alertmanager no longer lists: their resolves were lost',
    ]);
  });

  it('applies a thousand at a time', async () => {
    ours = Array.from({ length: 1_001 }, (_, number) => shown(`session-${number}`));
    await reconciling.run();
    expect(apply.mock.calls.map(([observations]) => observations.length)).toEqual([1_000, 1]);
    expect(await drift()).toEqual({ closed: 1_001 });
  });

  describe('in turn', () => {
    /** Looks whether it is its turn, some times. */
    async function looks(times: number): Promise<unknown[]> {
      const waits: unknown[] = [];
      let done: () => void;
      const isDone = new Promise<void>((resolve) => (done = resolve));
      jest.spyOn(timers, 'setTimeout').mockImplementation((ms, value, options) => {
        waits.push(ms);
        if (waits.length <= times) return Promise.resolve(value as never);
        done();
        return new Promise((_resolve, reject) => {
          options?.signal?.addEventListener('abort', () => {
            reject(new Error('aborted'));
          });
        });
      });
      jest.spyOn(Math, 'random').mockReturnValue(0.5);
      reconciling.onApplicationBootstrap();
      await isDone;
      return waits;
    }

    it('takes one, twice in an interval at the most, and says when it has ended', async () => {
      ours = [shown('gone')];
      expect(await looks(1)).toEqual([5_000, 30_000]);
      const [[replica, interval] = []] = repository.takeTurn.mock.calls;
      expect(interval).toBe(60_000);
      expect(refresh).toHaveBeenCalledTimes(1);
      expect(applied()).toEqual([['resolved', 'gone', 'reconciled']]);
      expect(repository.endTurn.mock.calls).toEqual([[replica]]);
    });

    it('leaves it to another replica', async () => {
      repository.takeTurn.mockResolvedValue(false);
      await looks(2);
      expect([refresh.mock.calls.length, repository.takeTurn.mock.calls.length]).toEqual([2, 2]);
      await reconciling.beforeApplicationShutdown();
      expect(repository.exclusively).not.toHaveBeenCalled();
      expect(repository.endTurn).not.toHaveBeenCalled();
    });

    it('hands it over when it stops, once, or says that it could not', async () => {
      await looks(1);
      repository.endTurn.mockClear();
      repository.endTurn.mockRejectedValueOnce(new Error('away'));
      await reconciling.beforeApplicationShutdown();
      await reconciling.beforeApplicationShutdown();
      const [[replica] = []] = repository.takeTurn.mock.calls;
      expect(repository.endTurn.mock.calls).toEqual([[replica, { isLast: true }]]);
      expect(said).toEqual(['warn: Reconciling could not be handed over: away']);
    });

    it('fails by its name', async () => {
      repository.takeTurn.mockRejectedValue(new Error('away'));
      await looks(1);
      await waitUntil(() => said.length > 0);
      expect(said).toEqual(['warn: Reconciling failed, and is tried again: away']);
    });
  });
});
