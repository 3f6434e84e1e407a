import { setImmediate } from 'node:timers/promises';
import { HttpException, Injectable, Logger } from '@nestjs/common';
import { AlertsService } from '../alerts/alerts.service.js';
import type { IgnoredReason, Observation, Outcome } from '../alerts/observation.js';
import { WritesFullError } from '../alerts/shared-writes.js';
import type { LogLine } from '../http/log-fields.js';
import { OnceAMinute } from '../http/once-a-minute.js';
import { inSpan } from '../http/spans.js';
import type { Note } from '../http/spans.js';
import { AlertsMetrics } from '../metrics/alerts-metrics.service.js';
import type { WebhookOutcome } from '../metrics/alerts-metrics.service.js';
import { AskedAlertmanagers } from './alertmanager/asked-alertmanagers.service.js';
import { FeedHealth } from '../feed/feed-health.service.js';
import { AlertMapper } from './alert-mapper.service.js';
import type { MappedAlert } from './alert-mapper.service.js';
import type { SkipReason } from './skip-reason.js';
import type { Sender } from './senders.js';
import { parseWebhookBody } from './webhook-body.js';
import type { WebhookBody } from './webhook-body.js';
import type { DryRunAlert, DryRunSummary, WebhookSummary } from './webhooks.dto.js';

/** What became of one alert of a webhook, and the observation that it gave, if any. */
interface AlertResult {
  outcome: Outcome | { result: 'ignored'; reason: SkipReason };
  observation?: Observation;
}

const LONGEST_REPORT = 1000;
/** Of a receiver's name in the log. */
const LONGEST_RECEIVER = 100;
/** How long alerts are mapped at a stretch (ms); an alert takes microseconds, or as much as it has labels. */
const SLICE = 5;

/** Reasons to change nothing that come with every repeat and need nobody's attention. */
const ORDINARY: ReadonlySet<string> = new Set<IgnoredReason | SkipReason>([
  'unknown_series',
  'already_resolved',
  'late_resolve',
  'closed_by_hand',
  'superseded',
  'watchdog_resolved',
]);

/** Takes the webhooks of monitoring systems. */
@Injectable()
export class WebhooksService {
  private readonly logger = new Logger(WebhooksService.name);
  private readonly lines = new OnceAMinute((line) => {
    this.logger.warn(line);
  });

  constructor(
    private readonly mapper: AlertMapper,
    private readonly alerts: AlertsService,
    private readonly feed: FeedHealth,
    private readonly alertmanagers: AskedAlertmanagers,
    private readonly metrics: AlertsMetrics,
  ) {}

  /**
   * Stores a webhook; when it returns, all that can be shown of it is committed.
   * @param sender whose it is
   * @param arrivedAt when the request arrived (`performance.now()`, ms)
   */
  receive(body: unknown, sender: Sender, arrivedAt: number): Promise<WebhookSummary> {
    return inSpan('store', (note) => this.store(body, sender, arrivedAt, note));
  }

  /** Says what `receive` would do now; stores nothing. */
  async dryRun(body: unknown, sender: Sender): Promise<DryRunSummary> {
    const mapped = await this.mapAll(parseWebhookBody(body, sender), sender);
    const results = withOutcomes(mapped, await this.alerts.preview(observationsOf(mapped)));
    return { dry_run: true, ...summarize(results), alerts: results.slice(0, LONGEST_REPORT).map(describe) };
  }

  private async store(body: unknown, sender: Sender, arrivedAt: number, note: Note): Promise<WebhookSummary> {
    try {
      const webhook = parseWebhookBody(body, sender);
      const mapped = await this.mapAll(webhook, sender);
      if (mapped.some((one) => 'watchdog' in one)) await this.feed.record();
      const reporter = this.alertmanagers.unaskedNameOf(webhook.externalUrl, sender);
      const outcomes = await this.alerts.apply(observationsOf(mapped), arrivedAt, 'resolved', reporter);
      const results = withOutcomes(mapped, outcomes);
      const summary = summarize(results);
      const { stored, resolved, skipped } = summary;
      note({ sender: sender.path, alerts: webhook.alerts.length, stored, resolved, skipped });
      this.report(webhook, sender, results, summary);
      this.observeDuration(arrivedAt, 'ok');
      return summary;
    } catch (error) {
      this.observeDuration(arrivedAt, failureOf(error));
      throw error;
    }
  }

  /**
   * In slices: one webhook of thousands of alerts does not keep all other requests waiting. What has been mapped
   * leaves the body, which lives as long as the request does.
   */
  private async mapAll({ alerts }: WebhookBody, sender: Sender): Promise<MappedAlert[]> {
    const mapped: MappedAlert[] = [];
    let until = performance.now() + SLICE;
    for (const [index, alert] of alerts.entries()) {
      if (performance.now() > until) {
        await setImmediate();
        until = performance.now() + SLICE;
      }
      mapped.push(this.mapper.map(alert, sender));
      alerts[index] = undefined;
    }
    return mapped;
  }

  private observeDuration(arrivedAt: number, outcome: WebhookOutcome): void {
    this.metrics.webhookDuration.observe({ outcome }, (performance.now() - arrivedAt) / 1000);
  }

  private report(
    { receiver, alerts, truncatedAlerts }: WebhookBody,
    sender: Sender,
    results: AlertResult[],
    summary: WebhookSummary,
  ): void {
    this.metrics.received.inc(alerts.length);
    this.metrics.truncated.inc(truncatedAlerts);
    for (const [reason, count] of Object.entries(summary.reasons))
      this.metrics.skipped.inc({ reason }, count);
    const opened = results.filter(({ outcome }) => outcome.result === 'opened').length;
    if (opened > 0) this.metrics.stored.inc({ result: 'opened' }, opened);
    const refreshed = summary.stored - opened;
    if (refreshed > 0) this.metrics.stored.inc({ result: 'refreshed' }, refreshed);
    const shownReceiver = receiver.slice(0, LONGEST_RECEIVER);
    const fields = { sender: sender.name, receiver: shownReceiver };
    const from = `receiver ${JSON.stringify(shownReceiver)}`;
    const unusable = Object.entries(summary.reasons).filter(([reason]) => !ORDINARY.has(reason));
    this.lines.sayAll(unusable, (counts) => {
      const reasons = counts.map(([reason, count]) => `${count} ${reason}`).join(', ');
      const message = `Some alerts can be shown to nobody: ${reasons}; the last of them came from ${from}`;
      return { message, fields };
    });
    if (truncatedAlerts > 0) {
      const line = (count: number): LogLine => ({
        message: `${sender.name} left out ${count} alerts, and they are lost: in ${from} ${sender.sendAll}`,
        fields,
      });
      this.lines.say('truncated', line, truncatedAlerts);
    }
  }
}

function failureOf(error: unknown): WebhookOutcome {
  if (error instanceof WritesFullError) return 'overloaded';
  return error instanceof HttpException && error.getStatus() < 500 ? 'refused' : 'failed';
}

function observationsOf(mapped: MappedAlert[]): Observation[] {
  return mapped.flatMap((one) => ('observation' in one ? [one.observation] : []));
}

/** Puts the outcomes of the observations back beside the alerts that they came from. */
function withOutcomes(mapped: MappedAlert[], outcomes: Outcome[]): AlertResult[] {
  let next = 0;
  return mapped.map((one) => {
    if ('skipped' in one) return { outcome: { result: 'ignored', reason: one.skipped } };
    if ('watchdog' in one) return { outcome: { result: 'refreshed' } };
    const outcome = outcomes[next++];
    if (!outcome) throw new Error('An observation has no outcome');
    return { outcome, observation: one.observation };
  });
}

function summarize(results: AlertResult[]): WebhookSummary {
  const summary: WebhookSummary = { stored: 0, resolved: 0, skipped: 0, reasons: {} };
  for (const { outcome } of results) {
    if (outcome.result === 'ignored') {
      summary.skipped += 1;
      summary.reasons[outcome.reason] = (summary.reasons[outcome.reason] ?? 0) + 1;
    } else if (outcome.result === 'resolved') summary.resolved += 1;
    else summary.stored += 1;
  }
  return summary;
}

function describe({ outcome, observation }: AlertResult): DryRunAlert {
  const result = outcome.result === 'ignored' ? { result: 'skipped', reason: outcome.reason } : outcome;
  if (!observation) return result;
  const whom = { user_id: observation.userId, session_name: observation.sessionName };
  if (observation.status === 'resolved') return { ...result, ...whom };
  const { eventType, title, message, severity, kind } = observation;
  return { ...result, ...whom, event_type: eventType, title, message, severity, kind };
}
