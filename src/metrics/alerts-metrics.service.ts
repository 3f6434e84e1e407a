import { Inject, Injectable } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import type { Metric } from 'prom-client';
import { promClient } from '../http/optional-packages.cjs';
import { ALERTS_SETTINGS } from '../options/alerts-settings.js';
import type { AlertsSettings } from '../options/alerts-settings.js';
import type { MetricsRegistry } from '../options/module-options.js';
import { wrong } from '../options/option-checks.js';

/** How a webhook ended: taken, refused for its body (413, 415, 422), because too much waits (503), or failed (5xx). */
export type WebhookOutcome = 'ok' | 'refused' | 'overloaded' | 'failed';

/** What grows, by the values of its label where it has one. */
export interface Count<Label extends string = never> {
  inc(by?: number): void;
  inc(labels: Record<Label, string>, by?: number): void;
}

/** How long something takes, in seconds. */
export interface Durations<Label extends string> {
  observe(labels: Record<Label, string>, seconds: number): void;
}

/** prom-client's types do not tell it. */
type NamedMetric = Metric & { name: string };

const NOT_COUNTED = { inc: () => undefined, observe: () => undefined };
const NEEDS_PROM_CLIENT = 'needs the package prom-client, which is not there: npm install prom-client';

/**
 * The module's metrics, in the host's registry if it gives one. No label takes more than a few values. Without
 * prom-client nothing is counted.
 */
@Injectable()
export class AlertsMetrics implements OnApplicationShutdown {
  readonly received: Count;
  readonly stored: Count<'result'>;
  readonly resolved: Count<'reason'>;
  readonly skipped: Count<'reason'>;
  readonly truncated: Count;
  readonly retries: Count;
  readonly drift: Count<'direction'>;
  readonly webhookDuration: Durations<'outcome'>;
  private readonly host: MetricsRegistry | undefined;
  private readonly ours: Metric[] = [];

  constructor(@Inject(ALERTS_SETTINGS) { metricsRegistry }: AlertsSettings) {
    if (metricsRegistry && !promClient) throw wrong(`metricsRegistry ${NEEDS_PROM_CLIENT}`);
    this.host = metricsRegistry ?? (promClient && new promClient.Registry());
    this.received = this.counter('session_alerts_received_total', 'Alerts in the webhooks that were taken');
    this.stored = this.counter(
      'session_alerts_stored_total',
      'Firing alerts that were stored, by whether they opened an alert or refreshed one',
      'result',
    );
    this.resolved = this.counter(
      'session_alerts_resolved_total',
      'Alerts that were closed, by reason',
      'reason',
    );
    this.skipped = this.counter(
      'session_alerts_skipped_total',
      'Alerts in webhooks that changed nothing, by reason',
      'reason',
    );
    this.truncated = this.counter(
      'session_alerts_truncated_total',
      'Alerts that Alertmanager left out of its webhooks because of max_alerts',
    );
    this.retries = this.counter(
      'session_alerts_transaction_retries_total',
      'Transactions that were tried again after a deadlock or serialization failure',
    );
    this.drift = this.counter(
      'session_alerts_reconcile_drift_total',
      "Differences from Alertmanager's own list that reconciling mended",
      'direction',
    );
    this.webhookDuration = promClient
      ? this.registered(
          new promClient.Histogram({
            name: 'session_alerts_webhook_duration_seconds',
            help: 'How long webhooks took, from arrival to the answer',
            labelNames: ['outcome'],
            buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
            registers: [],
          }),
        )
      : NOT_COUNTED;
  }

  /**
   * Where the metrics are, for who serves them.
   * @throws Error prom-client is not installed
   */
  get registry(): MetricsRegistry {
    if (!this.host) throw wrong(`AlertsMetrics.registry ${NEEDS_PROM_CLIENT}`);
    return this.host;
  }

  /** Adds a gauge whose value is asked for at every scrape; while that fails it has none. */
  addGauge(name: string, help: string, read: () => Promise<number | undefined>): void {
    if (!promClient) return;
    const gauge = new promClient.Gauge({
      name,
      help,
      registers: [],
      async collect() {
        const value = await read().catch(() => undefined);
        if (value === undefined) this.remove();
        else this.set(value);
      },
    });
    this.registered(gauge);
  }

  /** The next application of the process may be given the same registry. */
  onApplicationShutdown(): void {
    for (const metric of this.ours.splice(0)) {
      const { name } = metric as NamedMetric;
      if (this.registry.getSingleMetric(name) === metric) this.registry.removeSingleMetric(name);
    }
  }

  /** Adds what is counted elsewhere, by these labels. */
  counter<Label extends string = never>(name: string, help: string, ...labelNames: Label[]): Count<Label> {
    if (!promClient) return NOT_COUNTED;
    return this.registered(new promClient.Counter({ name, help, labelNames, registers: [] }));
  }

  private registered<M extends Metric>(metric: M): M {
    const { name } = metric as NamedMetric;
    if (this.registry.getSingleMetric(name)) {
      throw wrong(
        `metricsRegistry has a metric ${name} already, of yours or of another application in this process: give each a registry of its own, or leave metricsRegistry out`,
      );
    }
    this.registry.registerMetric(metric);
    this.ours.push(metric);
    return metric;
  }
}
