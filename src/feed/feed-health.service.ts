import { Inject, Injectable } from '@nestjs/common';
import { AlertsMetrics } from '../metrics/alerts-metrics.service.js';
import { ALERTS_SETTINGS } from '../options/alerts-settings.js';
import type { AlertsSettings } from '../options/alerts-settings.js';
import type { FeedResponse } from './feed.dto.js';
import { FeedRepository } from './feed.repository.js';

/** Whether Prometheus's watchdog alert still comes: what does not fire cannot be told from what cannot reach us. */
@Injectable()
export class FeedHealth {
  constructor(
    @Inject(ALERTS_SETTINGS) private readonly settings: AlertsSettings,
    private readonly repository: FeedRepository,
    metrics: AlertsMetrics,
  ) {
    metrics.addGauge(
      'session_alerts_feed_age_seconds',
      'Seconds since the watchdog alert last came; absent where it never came',
      async () => {
        const { lastSeen, now } = await repository.read();
        return lastSeen ? (now.getTime() - lastSeen.getTime()) / 1000 : undefined;
      },
    );
  }

  /** Notes that the watchdog alert came. */
  record(): Promise<void> {
    return this.repository.record();
  }

  async check(): Promise<FeedResponse> {
    const { lastSeen, now } = await this.repository.read();
    if (!lastSeen) return { status: 'unknown', last_seen: null };
    const isStale = now.getTime() - lastSeen.getTime() > this.settings.feed.staleAfter;
    return { status: isStale ? 'stale' : 'ok', last_seen: lastSeen };
  }
}
