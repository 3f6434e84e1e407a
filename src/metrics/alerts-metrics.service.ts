import { Inject, Injectable } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Metric } from 'prom-client';
import { ALERTS_SETTINGS } from '../options/alerts-settings.js';
import type { AlertsSettings } from '../options/alerts-settings.js';
import { wrong } from '../options/option-checks.js';

/** How a webhook ended: taken, refused for its body (413, 415, 422), because too much waits (503), or failed (5xx). */
export type WebhookOutcome = 'ok' | 'refused' | 'overloaded' | 'failed';

/** What is put here is in the host's registry as well, until it is withdrawn. */
class RegistryInHost extends Registry {
  constructor(private readonly host: Registry) {
    super();
  }

  override registerMetric<T extends string>(metric: Metric<T>): void {
    const { name } = metric as Metric<T> & { name: string };
    if (this.host.getSingleMetric(name)) {
      throw wrong(
        `metricsRegistry has a metric ${name} already, of yours or of another application in this process: give each a registry of its own, or leave metricsRegistry out`,
      );
    }
    this.host.registerMetric(metric);
    super.registerMetric(metric);
  }

  withdraw(): void {
    for (const metric of this.getMetricsAsArray()) {
      const there: unknown = this.host.getSingleMetric(metric.name);
      if (there === metric) this.host.removeSingleMetric(metric.name);
    }
    this.clear();
  }
}

/** The module's metrics, in the host's registry if it gives one. No label takes more than a few values. */
@Injectable()
export class AlertsMetrics implements OnApplicationShutdown {
  readonly registry: Registry;
  private readonly ours: RegistryInHost;
  readonly received: Counter;
  readonly stored: Counter<'result'>;
  readonly resolved: Counter<'reason'>;
  readonly skipped: Counter<'reason'>;
  readonly truncated: Counter;
  readonly retries: Counter;
  readonly drift: Counter<'direction'>;
  readonly webhookDuration: Histogram<'outcome'>;

  constructor(@Inject(ALERTS_SETTINGS) settings: AlertsSettings) {
    this.registry = settings.metricsRegistry ?? new Registry();
    this.ours = new RegistryInHost(this.registry);
    const registers = [this.ours];
    this.received = new Counter({
      name: 'session_alerts_received_total',
      help: 'Alerts in the webhooks that were taken',
      registers,
    });
    this.stored = new Counter({
      name: 'session_alerts_stored_total',
      help: 'Firing alerts that were stored, by whether they opened an alert or refreshed one',
      labelNames: ['result'],
      registers,
    });
    this.resolved = new Counter({
      name: 'session_alerts_resolved_total',
      help: 'Alerts that were closed, by reason',
      labelNames: ['reason'],
      registers,
    });
    this.skipped = new Counter({
      name: 'session_alerts_skipped_total',
      help: 'Alerts in webhooks that changed nothing, by reason',
      labelNames: ['reason'],
      registers,
    });
    this.truncated = new Counter({
      name: 'session_alerts_truncated_total',
      help: 'Alerts that Alertmanager left out of its webhooks because of max_alerts',
      registers,
    });
    this.retries = new Counter({
      name: 'session_alerts_transaction_retries_total',
      help: 'Transactions that were tried again after a deadlock or serialization failure',
      registers,
    });
    this.drift = new Counter({
      name: 'session_alerts_reconcile_drift_total',
      help: "Differences from Alertmanager's own list that reconciling mended",
      labelNames: ['direction'],
      registers,
    });
    this.webhookDuration = new Histogram({
      name: 'session_alerts_webhook_duration_seconds',
      help: 'How long webhooks took, from arrival to the answer',
      labelNames: ['outcome'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    });
  }

  /** Adds a gauge whose value is asked for at every scrape; while that fails it has none. */
  addGauge(name: string, help: string, read: () => Promise<number | undefined>): void {
    new Gauge({
      name,
      help,
      registers: [this.ours],
      async collect() {
        const value = await read().catch(() => undefined);
        if (value === undefined) this.remove();
        else this.set(value);
      },
    });
  }

  /** The next application of the process may be given the same registry. */
  onApplicationShutdown(): void {
    this.ours.withdraw();
  }
}
