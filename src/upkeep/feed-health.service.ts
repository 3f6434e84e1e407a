import { Inject, Injectable } from '@nestjs/common';
import { ALERTS_SETTINGS } from '../alerts-settings.js';
import type { AlertsSettings } from '../alerts-settings.js';
import type { FeedResponse } from '../alerts/alerts.dto.js';
import { AlertsRepository } from '../alerts/alerts.repository.js';
import { AlertsMetrics } from '../metrics/alerts-metrics.service.js';

/** Whether Prometheus's watchdog alert still comes: what does not fire cannot be told from what cannot reach us. */
@Injectable()
export class FeedHealth {
  constructor(
    @Inject(ALERTS_SETTINGS) private readonly settings: AlertsSettings,
    private readonly repository: AlertsRepository,
    metrics: AlertsMetrics,
  ) {
    metrics.addGauge(
      'session_alerts_feed_age_seconds',
      'Seconds since the watchdog alert last came; absent where it never came',
      async () => {
        const { lastSeen, now } = await repository.readFeed();
        return lastSeen ? (now.getTime() - lastSeen.getTime()) / 1000 : undefined;
      },
    );
  }

  /** Notes that the watchdog alert came. */
  record(): Promise<void> {
    return this.repository.recordFeed();
  }

  async check(): Promise<FeedResponse> {
    const { lastSeen, now } = await this.repository.readFeed();
    if (!lastSeen) return { status: 'unknown', last_seen: null };
    const isStale = now.getTime() - lastSeen.getTime() > this.settings.feed.staleAfter;
    return { status: isStale ? 'stale' : 'ok', last_seen: lastSeen };
  }
}
