import { Logger, ServiceUnavailableException } from '@nestjs/common';
import { Registry } from 'prom-client';
import { firing, resolved, webhook } from '../../test/support/alerts.js';
import type { AlertsService } from '../alerts/alerts.service.js';
import type { Observation, Outcome } from '../alerts/observation.js';
import { WritesFullError } from '../alerts/shared-writes.js';
import type { FeedHealth } from '../feed/feed-health.service.js';
import { AlertsMetrics } from '../metrics/alerts-metrics.service.js';
import { alertsSettings } from '../options/alerts-settings.js';
import { AlertMapper } from './alert-mapper.service.js';
import type { AskedAlertmanagers } from './alertmanager/asked-alertmanagers.service.js';
import { ALERTMANAGER } from './senders.js';
import type { Sender } from './senders.js';
import { WebhooksService } from './webhooks.service.js';

const WATCHDOG = { status: 'firing', labels: { alertname: 'Watchdog' } };

describe("What becomes of Alertmanager's webhooks", () => {
  const apply = jest.fn<Promise<Outcome[]>, [Observation[], number, string, string | undefined]>();
  const preview = jest.fn<Promise<Outcome[]>, [Observation[]]>();
  const record = jest.fn<Promise<undefined>, []>();
  let registry: Registry;
  let webhooks: WebhooksService;
  let warnings: unknown[];

  beforeEach(() => {
    warnings = [];
    jest.spyOn(Logger.prototype, 'warn').mockImplementation((line: unknown) => warnings.push(line));
    apply.mockReset();
    preview.mockReset();
    record.mockReset().mockResolvedValue(undefined);
    registry = new Registry();
    const settings = alertsSettings({
      auth: { issuer: 'https://issuer.example' },
      metricsRegistry: registry,
    });
    webhooks = new WebhooksService(
      new AlertMapper(settings),
      { apply, preview } as unknown as AlertsService,
      { record } as unknown as FeedHealth,
      {
        unaskedNameOf: (url: string, { name }: Sender) => `name of ${name} ${url}`,
      } as unknown as AskedAlertmanagers,
      new AlertsMetrics(settings),
    );
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });

  /** Each metric's samples, by their label; those that are 0 because nothing was counted are left out. */
  async function counted(name: string): Promise<Record<string, number>> {
    const all = await registry.getMetricsAsJSON();
    const values = all.find((metric) => metric.name === `session_alerts_${name}`)?.values ?? [];
    return Object.fromEntries(
      values
        .filter(({ value, metricName = '' }: { value: number; metricName?: string }) => {
          return value !== 0 && !/_(sum|bucket)$/.test(metricName);
        })
        .map(({ labels, value }) => [Object.values(labels).join() || 'all', value]),
    );
  }

  const outcomes = (...results: Outcome['result'][]): Outcome[] =>
    results.map((result) => (result === 'ignored' ? { result, reason: 'already_resolved' } : { result }));

  it('are applied in their order, as of their arrival, with the name of who posts', async () => {
    apply.mockResolvedValue(outcomes('opened', 'resolved', 'refreshed', 'ignored'));
    const alerts = [
      firing({ session: 'a' }),
      resolved(firing({ session: 'b' })),
      WATCHDOG,
      firing({ user: '' }),
      firing({ session: 'c' }),
      resolved(firing({ session: 'd' })),
    ];
    expect(await webhooks.receive(webhook(alerts), ALERTMANAGER, 5)).toEqual({
      stored: 3,
      resolved: 1,
      skipped: 2,
      reasons: { no_user: 1, already_resolved: 1 },
    });
    expect(apply.mock.calls).toEqual([
      [
        ['a', 'b', 'c', 'd'].map((sessionName) => expect.objectContaining({ sessionName }) as Observation),
        5,
        'resolved',
        'name of Alertmanager http://alertmanager.example',
      ],
    ]);
    expect(record).toHaveBeenCalledTimes(1);
    expect(await counted('received_total')).toEqual({ all: 6 });
    expect(await counted('stored_total')).toEqual({ opened: 1, refreshed: 2 });
    expect(await counted('skipped_total')).toEqual({ no_user: 1, already_resolved: 1 });
    expect(await counted('webhook_duration_seconds')).toEqual({ ok: 1 });
  });

  it('that open nothing, or refresh nothing, are not counted as if they had', async () => {
    apply.mockResolvedValueOnce(outcomes('opened')).mockResolvedValueOnce([]);
    await webhooks.receive(webhook([firing()]), ALERTMANAGER, 0);
    await webhooks.receive(webhook([]), ALERTMANAGER, 0);
    expect(record).not.toHaveBeenCalled();
    const all = await registry.getMetricsAsJSON();
    const stored = all.find(({ name }) => name === 'session_alerts_stored_total')?.values;
    expect(stored).toEqual([{ labels: { result: 'opened' }, value: 1 }]);
  });

  it('take as long as they take, in seconds', async () => {
    apply.mockResolvedValue([]);
    jest.spyOn(performance, 'now').mockReturnValue(12_000);
    await webhooks.receive(webhook([]), ALERTMANAGER, 2_000);
    const text = await registry.metrics();
    expect(text).toContain('session_alerts_webhook_duration_seconds_sum{outcome="ok"} 10\n');
  });

  it('are refused, too many or failed, and the watchdog is not taken where it cannot be', async () => {
    await expect(webhooks.receive({ alerts: 'none' }, ALERTMANAGER, 0)).rejects.toThrow();
    await expect(webhooks.receive({ alerts: 'none' }, ALERTMANAGER, 0)).rejects.toThrow();
    apply.mockRejectedValueOnce(new WritesFullError());
    await expect(webhooks.receive(webhook([firing()]), ALERTMANAGER, 0)).rejects.toThrow(WritesFullError);
    apply.mockRejectedValueOnce(new ServiceUnavailableException());
    await expect(webhooks.receive(webhook([firing()]), ALERTMANAGER, 0)).rejects.toThrow(
      ServiceUnavailableException,
    );
    apply.mockRejectedValueOnce(new Error('odd'));
    await expect(webhooks.receive(webhook([firing()]), ALERTMANAGER, 0)).rejects.toThrow('odd');
    record.mockRejectedValueOnce(new Error('away'));
    await expect(webhooks.receive(webhook([WATCHDOG]), ALERTMANAGER, 0)).rejects.toThrow('away');
    expect(await counted('webhook_duration_seconds')).toEqual({ refused: 2, overloaded: 1, failed: 3 });
    expect(await counted('received_total')).toEqual({});
  });

  it('are told of in the log where somebody should see to it', async () => {
    apply.mockResolvedValue(outcomes('ignored'));
    const receiver = `"${'r'.repeat(100)}`;
    const body = webhook([firing({ user: '' }), 7, 8, firing()], { receiver, truncatedAlerts: 3 });
    await webhooks.receive(body, ALERTMANAGER, 0);
    const from = `receiver "\\"${'r'.repeat(99)}"`;
    expect(warnings).toEqual([
      `Some alerts can be shown to nobody: 1 no_user, 2 not_an_object; the last of them came from ${from}`,
      `Alertmanager left out 3 alerts, and they are lost: in ${from} set "max_alerts: 0", or give its route "group_by: ['...']"`,
    ]);
    expect(await counted('truncated_total')).toEqual({ all: 3 });
  });

  it.each(['unknown_series', 'already_resolved', 'late_resolve', 'closed_by_hand', 'superseded'] as const)(
    'are not told of where it is as usual: %s',
    async (reason) => {
      apply.mockResolvedValue([{ result: 'ignored', reason }]);
      const body = webhook([firing(), { ...WATCHDOG, status: 'resolved' }]);
      expect(await webhooks.receive(body, ALERTMANAGER, 0)).toMatchObject({
        reasons: { [reason]: 1, watchdog_resolved: 1 },
      });
      expect(warnings).toEqual([]);
    },
  );

  it('are told of where it is not', async () => {
    apply.mockResolvedValue([{ result: 'ignored', reason: 'unknown_user' }]);
    await webhooks.receive(webhook([firing()]), ALERTMANAGER, 0);
    expect(warnings).toEqual([
      'Some alerts can be shown to nobody: 1 unknown_user; the last of them came from receiver "renku-webhook"',
    ]);
  });

  it('let go of what has been mapped, and keep nobody else waiting for longer than some milliseconds', async () => {
    apply.mockResolvedValue(outcomes('opened', 'opened', 'opened'));
    let now = 0;
    jest.spyOn(performance, 'now').mockImplementation(() => (now += 2));
    const body = webhook([firing(), firing({ session: 'b' }), firing({ session: 'c' })]);
    let turns = 0;
    const waiting = setImmediate(() => (turns += 1));
    await webhooks.receive(body, ALERTMANAGER, 0);
    clearImmediate(waiting);
    expect(turns).toBe(1);
    expect(body['alerts']).toEqual([undefined, undefined, undefined]);
  });

  it('that are tried only are told alert by alert, a thousand at the most, and store nothing', async () => {
    const alerts = [
      firing({ severity: 'critical', labels: { alert_kind: 'event' } }),
      firing({ user: '' }),
      resolved(firing()),
      WATCHDOG,
      ...Array.from({ length: 1_000 }, () => firing()),
    ];
    preview.mockResolvedValue([
      { result: 'opened' },
      { result: 'ignored', reason: 'unknown_series' },
      ...outcomes(...Array.from({ length: 1_000 }, () => 'refreshed' as const)),
    ]);
    const answer = await webhooks.dryRun(webhook(alerts), ALERTMANAGER);
    expect(answer).toMatchObject({ dry_run: true, stored: 1_002, resolved: 0, skipped: 2 });
    expect(answer.alerts).toHaveLength(1_000);
    const whom = { user_id: 'jane', session_name: 'jane-1' };
    expect(answer.alerts.slice(0, 5)).toEqual([
      {
        result: 'opened',
        ...whom,
        event_type: 'RenkuSessionHighMemory',
        title: 'High memory usage',
        message: 'Memory usage over 90% of capacity',
        severity: 'critical',
        kind: 'event',
      },
      { result: 'skipped', reason: 'no_user' },
      { result: 'skipped', reason: 'unknown_series', ...whom },
      { result: 'refreshed' },
      expect.objectContaining({ result: 'refreshed', ...whom, severity: 'warning', kind: 'condition' }),
    ]);
    expect(preview.mock.calls[0]?.[0]).toHaveLength(1_002);
    expect([apply.mock.calls, record.mock.calls, await counted('received_total')]).toEqual([[], [], {}]);
  });

  it('fail where an observation has no outcome', async () => {
    apply.mockResolvedValue([]);
    await expect(webhooks.receive(webhook([firing()]), ALERTMANAGER, 0)).rejects.toThrow(
      'An observation has no outcome',
    );
  });
});
