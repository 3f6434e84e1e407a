import { Injectable, Logger } from '@nestjs/common';
import { AlertsService } from '../alerts/alerts.service.js';
import type { Observation, Outcome } from '../alerts/observation.js';
import { AlertMapper } from './alert-mapper.service.js';
import type { SkipReason } from './alert-mapper.service.js';
import { parsePayload } from './alertmanager-payload.js';
import type { AlertmanagerPayload } from './alertmanager-payload.js';
import type { DryRunAlert, DryRunSummary, WebhookSummary } from './webhooks.dto.js';

/** What became of one alert of a webhook, and the observation that it gave, if any. */
interface AlertResult {
  outcome: Outcome | { result: 'ignored'; reason: SkipReason };
  observation?: Observation;
}

const LONGEST_REPORT = 1000;

/** Takes Alertmanager's webhooks. */
@Injectable()
export class WebhooksService {
  private readonly logger = new Logger(WebhooksService.name);

  constructor(
    private readonly mapper: AlertMapper,
    private readonly alerts: AlertsService,
  ) {}

  /**
   * Stores a webhook; when it returns, all that can be shown of it is committed.
   * @param arrivedAt when the request arrived (`performance.now()`, ms)
   */
  async receive(body: unknown, arrivedAt: number): Promise<WebhookSummary> {
    const payload = parsePayload(body);
    const results = await this.results(payload, (observations) => this.alerts.apply(observations, arrivedAt));
    const summary = summarize(results);
    this.report(payload, summary);
    return summary;
  }

  /** Says what `receive` would do now; stores nothing. */
  async dryRun(body: unknown): Promise<DryRunSummary> {
    const results = await this.results(parsePayload(body), (observations) =>
      this.alerts.preview(observations),
    );
    return { dry_run: true, ...summarize(results), alerts: results.slice(0, LONGEST_REPORT).map(describe) };
  }

  private async results(
    { alerts }: AlertmanagerPayload,
    apply: (observations: Observation[]) => Promise<Outcome[]>,
  ): Promise<AlertResult[]> {
    const mapped = alerts.map((alert) => this.mapper.map(alert));
    const observations = mapped.flatMap((one) => ('observation' in one ? [one.observation] : []));
    const outcomes = (await apply(observations)).values();
    return mapped.map((one) => {
      if ('skipped' in one) return { outcome: { result: 'ignored', reason: one.skipped } };
      const outcome = outcomes.next();
      if (outcome.done) throw new Error('An observation has no outcome');
      return { outcome: outcome.value, observation: one.observation };
    });
  }

  private report({ receiver, alerts, truncatedAlerts }: AlertmanagerPayload, summary: WebhookSummary): void {
    if (summary.skipped > 0) {
      const reasons = Object.entries(summary.reasons).map(([reason, count]) => `${count} ${reason}`);
      this.logger.warn(
        `${summary.skipped} of ${alerts.length} alerts from receiver ${JSON.stringify(receiver.slice(0, 100))} changed nothing: ${reasons.join(', ')}`,
      );
    }
    if (truncatedAlerts > 0) {
      this.logger.warn(
        `Alertmanager left out ${truncatedAlerts} alerts of this group, and they are lost: in receiver ${JSON.stringify(receiver.slice(0, 100))} set "max_alerts: 0", or give its route "group_by: ['...']"`,
      );
    }
  }
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
