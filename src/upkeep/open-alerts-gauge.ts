import { Injectable } from '@nestjs/common';
import { paced } from '../http/paced.js';
import { AlertsMetrics } from '../metrics/alerts-metrics.service.js';
import { UpkeepRepository } from './upkeep.repository.js';

/** Says how many alerts are open, also in a process without jobs: where that is missing, the database cannot be read. */
@Injectable()
export class OpenAlertsGauge {
  constructor(repository: UpkeepRepository, metrics: AlertsMetrics) {
    // Anybody may scrape, and counting takes as long as there are open alerts.
    const countOpen = paced(() => repository.countOpen(), 10);
    metrics.addGauge('session_alerts_open', 'Open alerts', countOpen);
  }
}
