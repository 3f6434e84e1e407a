import { Inject, Injectable, Logger } from '@nestjs/common';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import { ALERTS_SETTINGS } from '../alerts-settings.js';
import type { AlertsSettings } from '../alerts-settings.js';
import { AlertsRepository } from '../alerts/alerts.repository.js';
import type { FiringSeries } from '../alerts/alerts.repository.js';
import { AlertsService } from '../alerts/alerts.service.js';
import type { FiringObservation, Observation } from '../alerts/observation.js';
import { messagesOf } from '../error-messages.js';
import { AlertsMetrics } from '../metrics/alerts-metrics.service.js';
import { AlertMapper } from '../webhooks/alert-mapper.service.js';
import { AlertmanagerClient } from './alertmanager-client.js';
import { PeriodicJob } from './periodic-job.js';

/** Number of the job among those that one replica at a time does. */
const RECONCILE_JOB = 2;
const BATCH = 1000;

/** What the Alertmanagers that answered list. */
interface Listing {
  /** Every series that is listed, also where a silence holds it back. */
  known: Set<number>;
  /** Those that Alertmanager notifies about, where they can be shown. */
  active: Map<number, FiringObservation>;
  /** Whether all of them answered and can be believed about what is not listed. */
  isComplete: boolean;
}

/**
 * Compares our open alerts with Alertmanager's own list and mends both ways what webhooks missed. What it finds
 * is applied as if it had been reported when the list was asked for, so a webhook that came later wins.
 */
@Injectable()
export class ReconcileService implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(ReconcileService.name);
  private readonly clients: AlertmanagerClient[];
  private readonly job: PeriodicJob | undefined;
  private readonly distrusted = new Map<string, string>();

  constructor(
    @Inject(ALERTS_SETTINGS) private readonly settings: AlertsSettings,
    private readonly alerts: AlertsService,
    private readonly repository: AlertsRepository,
    private readonly mapper: AlertMapper,
    private readonly metrics: AlertsMetrics,
  ) {
    const { reconcile } = settings;
    this.clients = (reconcile?.alertmanagers ?? []).map((options) => new AlertmanagerClient(options));
    if (reconcile) {
      this.job = new PeriodicJob('Reconciling', reconcile.interval, this.logger, (signal) =>
        this.run(signal),
      );
    }
  }

  onApplicationBootstrap(): void {
    this.job?.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.job?.stop();
  }

  /** Compares and mends once; nothing where another replica is at it. */
  async run(signal: AbortSignal = new AbortController().signal): Promise<void> {
    await this.repository.exclusively(RECONCILE_JOB, async () => {
      const askedAt = performance.now();
      const listing = await this.list(signal);
      const ours = await this.repository.listFiringSeries();
      await this.open(this.missing(listing, ours), askedAt);
      if (!listing.isComplete) return;
      await this.close(
        ours.filter((series) => !listing.known.has(series.seriesKey)),
        askedAt,
      );
    });
  }

  private async list(signal: AbortSignal): Promise<Listing> {
    const listing: Listing = { known: new Set(), active: new Map(), isComplete: true };
    await Promise.all(
      this.clients.map(async (client) => {
        try {
          await this.addAlertsOf(client, listing, signal);
          this.trust(client);
        } catch (error) {
          listing.isComplete = false;
          this.distrust(client, error);
        }
      }),
    );
    return listing;
  }

  private async addAlertsOf(
    client: AlertmanagerClient,
    listing: Listing,
    signal: AbortSignal,
  ): Promise<void> {
    const { filter = [], settleTime = 0 } = this.settings.reconcile ?? {};
    // Before the list and after it: a fresh one in its place cannot pass for a settled one.
    const { startedAt, runningFor, cluster } = await client.status(signal);
    for (const alert of await client.alerts(filter, signal)) {
      const ending = this.mapper.map({ ...alert, status: 'resolved' });
      if ('observation' in ending) listing.known.add(ending.observation.seriesKey);
      if (alert.status?.state !== 'active') continue;
      const mapped = this.mapper.map({ ...alert, status: 'firing' });
      if ('observation' in mapped && mapped.observation.status === 'firing') {
        listing.active.set(mapped.observation.seriesKey, mapped.observation);
      }
    }
    if (runningFor < settleTime) throw new Error('it has just started');
    if (cluster === 'settling') throw new Error('its cluster is settling');
    if ((await client.status(signal)).startedAt !== startedAt) {
      throw new Error('it has restarted meanwhile, or its address leads to several');
    }
  }

  /** What is active there and not firing here, and what would expire here though it fires. */
  private missing(listing: Listing, ours: FiringSeries[]): FiringObservation[] {
    const refreshAfter = this.settings.upkeep.expireAfter / 3;
    const fresh = new Set(
      ours.filter((series) => series.unseenFor < refreshAfter).map((series) => series.seriesKey),
    );
    return [...listing.active.values()].filter((observation) => !fresh.has(observation.seriesKey));
  }

  private async open(observations: FiringObservation[], askedAt: number): Promise<void> {
    let opened = 0;
    for (const batch of batches(observations)) {
      const outcomes = await this.alerts.apply(batch, askedAt);
      opened += outcomes.filter((outcome) => outcome.result === 'opened').length;
    }
    if (opened === 0) return;
    this.metrics.drift.inc({ direction: 'opened' }, opened);
    this.logger.warn(`Opened ${opened} alerts that Alertmanager lists and no webhook had brought`);
  }

  private async close(gone: FiringSeries[], askedAt: number): Promise<void> {
    let ended = 0;
    for (const batch of batches(gone)) {
      const observations: Observation[] = batch.map(({ unseenFor: _unseenFor, ...series }) => ({
        status: 'resolved',
        isNamed: true,
        ...series,
      }));
      const outcomes = await this.alerts.apply(observations, askedAt, 'reconciled');
      ended += outcomes.filter((outcome) => outcome.result === 'resolved').length;
    }
    if (ended === 0) return;
    this.metrics.drift.inc({ direction: 'closed' }, ended);
    this.logger.warn(`Ended ${ended} series that Alertmanager no longer lists: their resolves were lost`);
  }

  private trust(client: AlertmanagerClient): void {
    if (this.distrusted.delete(client.url))
      this.logger.log(`Alertmanager ${client.url} can be believed again`);
  }

  private distrust(client: AlertmanagerClient, error: unknown): void {
    const reason = messagesOf(error);
    if (this.distrusted.get(client.url) === reason) return;
    this.distrusted.set(client.url, reason);
    this.logger.warn(`Nothing is closed on the word of Alertmanager ${client.url}: ${reason}`);
  }
}

function* batches<T>(items: T[]): Generator<T[]> {
  for (let from = 0; from < items.length; from += BATCH) yield items.slice(from, from + BATCH);
}
