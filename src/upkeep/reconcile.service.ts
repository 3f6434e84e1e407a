import { randomUUID } from 'node:crypto';
import { Inject, Injectable, Logger } from '@nestjs/common';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import { ALERTS_SETTINGS } from '../options/alerts-settings.js';
import type { AlertsSettings, ReconcileSettings } from '../options/alerts-settings.js';
import type { ResolvedReason } from '../alerts/alert-life.js';
import { AlertsService } from '../alerts/alerts.service.js';
import type { FiringObservation, Observation } from '../alerts/observation.js';
import { messagesOf } from '../http/error-messages.js';
import { withFields } from '../http/log-fields.js';
import { inSpan } from '../http/spans.js';
import type { Note } from '../http/spans.js';
import { AlertsMetrics } from '../metrics/alerts-metrics.service.js';
import { AlertMapper } from '../webhooks/alert-mapper.service.js';
import { AskedAlertmanagers } from '../webhooks/alertmanager/asked-alertmanagers.service.js';
import { AlertmanagerClient } from './alertmanager-client.js';
import { addListOf, emptyListing } from './alertmanager-listing.js';
import type { Listing } from './alertmanager-listing.js';
import { PeriodicJob } from './periodic-job.js';
import { UpkeepRepository } from './upkeep.repository.js';
import type { FiringSeries } from './upkeep.repository.js';

/** Number of the job among those that one replica at a time does. */
const RECONCILE_JOB = 2;
const BATCH = 1000;
/** How often in an interval a replica looks whether it is its turn. */
const LOOKS = 2;

/**
 * Compares our open alerts with Alertmanager's own list and mends both ways what webhooks missed (rule 16). What it
 * finds is applied as if it had been reported when the list was asked for, so a webhook that came later wins.
 */
@Injectable()
export class ReconcileService implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(ReconcileService.name);
  private readonly clients: AlertmanagerClient[];
  private readonly job: PeriodicJob | undefined;
  private readonly distrusted = new Map<string, string>();
  /** What Alertmanager would have sent when it was asked the last time. */
  private sentBefore: ReadonlySet<number> = new Set();
  private readonly replica = randomUUID();
  /** This replica has had a turn. */
  private isAtIt = false;

  constructor(
    @Inject(ALERTS_SETTINGS) private readonly settings: AlertsSettings,
    private readonly alerts: AlertsService,
    private readonly repository: UpkeepRepository,
    private readonly mapper: AlertMapper,
    private readonly alertmanagers: AskedAlertmanagers,
    private readonly metrics: AlertsMetrics,
  ) {
    const { reconcile } = settings;
    this.clients = (reconcile?.alertmanagers ?? []).map((options) => new AlertmanagerClient(options));
    if (reconcile) {
      this.job = new PeriodicJob('Reconciling', reconcile.interval / LOOKS, this.logger, (signal) =>
        this.runInTurn(signal),
      );
    }
  }

  onApplicationBootstrap(): void {
    this.job?.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.job?.stop();
    if (!this.isAtIt) return;
    this.isAtIt = false;
    await this.repository.endTurn(this.replica, { isLast: true }).catch((error: unknown) => {
      // Another replica takes over all the same, when this one is late.
      this.logger.warn(`Reconciling could not be handed over: ${messagesOf(error)}`);
    });
  }

  /** Does so unless another replica has, this interval. */
  private async runInTurn(signal: AbortSignal): Promise<void> {
    const interval = this.settings.reconcile?.interval ?? 0;
    await this.alertmanagers.refresh();
    if (!(await this.repository.takeTurn(this.replica, interval))) return;
    this.isAtIt = true;
    await this.run(signal);
    await this.repository.endTurn(this.replica);
  }

  /** Compares and mends once; nothing where another replica is at it. */
  async run(signal: AbortSignal = new AbortController().signal): Promise<void> {
    const { reconcile } = this.settings;
    if (!reconcile) return;
    await this.repository.exclusively(RECONCILE_JOB, () =>
      inSpan('reconcile', (note) => this.compare(reconcile, signal, note)),
    );
  }

  private async compare(reconcile: ReconcileSettings, signal: AbortSignal, note: Note): Promise<void> {
    const askedAt = performance.now();
    const listing = await this.list(reconcile, signal);
    const { sentBefore } = this;
    this.sentBefore = listing.sent;
    const ours = await this.repository.listFiringSeries();
    await this.refresh(overdue(listing, ours, this.settings.upkeep.expireAfter / 3), askedAt);
    const opened = await this.open(missing(listing, ours, sentBefore), askedAt);
    note({ listed: listing.firing.size, shown: ours.length, is_complete: listing.isComplete, opened });
    if (!listing.isComplete) return;
    const theirs = await this.alertmanagers.learn(this.replica, ours, listing.known);
    const gone = await this.closeGone(
      theirs.filter(({ seriesKey }) => !listing.known.has(seriesKey)),
      askedAt,
    );
    const silenced = await this.closeSilenced(
      theirs.filter(({ seriesKey }) => isWithheldBySilence(listing, seriesKey)),
      askedAt,
    );
    note({ gone, silenced });
  }

  private async list(reconcile: ReconcileSettings, signal: AbortSignal): Promise<Listing> {
    const listing = emptyListing();
    await Promise.all(
      this.clients.map(async (client) => {
        try {
          await addListOf(client, this.mapper, reconcile, listing, signal);
          this.trust(client);
        } catch (error) {
          listing.isComplete = false;
          this.distrust(client, error);
        }
      }),
    );
    return listing;
  }

  private async refresh(observations: FiringObservation[], askedAt: number): Promise<void> {
    for (const batch of batches(observations)) await this.alerts.apply(batch, askedAt);
  }

  /** @returns how many alerts it has opened */
  private async open(observations: FiringObservation[], askedAt: number): Promise<number> {
    let lost = 0;
    let afterSilence = 0;
    for (const batch of batches(observations)) {
      const outcomes = await this.alerts.apply(batch, askedAt);
      const opened = batch.filter((_, index) => outcomes[index]?.result === 'opened');
      const afterTheirs = await this.repository.countAfterSilence(opened);
      afterSilence += afterTheirs;
      lost += opened.length - afterTheirs;
    }
    if (afterSilence > 0) this.logger.log(`Opened ${afterSilence} alerts again whose silence is over`);
    if (lost > 0) {
      this.metrics.drift.inc({ direction: 'opened' }, lost);
      this.logger.warn(`Opened ${lost} alerts that Alertmanager lists and no webhook had brought`);
    }
    return lost + afterSilence;
  }

  private async closeGone(gone: FiringSeries[], askedAt: number): Promise<number> {
    const ended = await this.end(gone, askedAt, 'reconciled');
    if (ended > 0) {
      this.metrics.drift.inc({ direction: 'closed' }, ended);
      this.logger.warn(`Ended ${ended} series that Alertmanager no longer lists: their resolves were lost`);
    }
    return ended;
  }

  private async closeSilenced(silenced: FiringSeries[], askedAt: number): Promise<number> {
    const ended = await this.end(silenced, askedAt, 'silenced');
    if (ended > 0) this.logger.log(`Ended ${ended} series that a silence withholds`);
    return ended;
  }

  /** @returns how many of them this has ended */
  private async end(series: FiringSeries[], askedAt: number, reason: ResolvedReason): Promise<number> {
    let ended = 0;
    for (const batch of batches(series)) {
      const observations: Observation[] = batch.map(({ unseenFor: _unseenFor, ...one }) => ({
        status: 'resolved',
        isNamed: true,
        ...one,
      }));
      const outcomes = await this.alerts.apply(observations, askedAt, reason);
      ended += outcomes.filter((outcome) => outcome.result === 'resolved').length;
    }
    return ended;
  }

  private trust({ url }: AlertmanagerClient): void {
    if (!this.distrusted.delete(url)) return;
    withFields({ alertmanager: url }, () => {
      this.logger.log(`Alertmanager ${url} can be believed again`);
    });
  }

  private distrust({ url }: AlertmanagerClient, error: unknown): void {
    const reason = messagesOf(error);
    if (this.distrusted.get(url) === reason) return;
    this.distrusted.set(url, reason);
    withFields({ alertmanager: url }, () => {
      this.logger.warn(`Nothing is closed on the word of Alertmanager ${url}: ${reason}`);
    });
  }
}

/** What Alertmanager would send, and would have when it was asked before: its webhook has had time enough to come. */
function missing(
  { firing, sent }: Listing,
  ours: FiringSeries[],
  sentBefore: ReadonlySet<number>,
): FiringObservation[] {
  const shown = new Set(ours.map(({ seriesKey }) => seriesKey));
  return [...firing.values()].filter(
    ({ seriesKey }) => !shown.has(seriesKey) && sent.has(seriesKey) && sentBefore.has(seriesKey),
  );
}

/** What is shown and would expire though it fires: also what is withheld since, but for a silence. */
function overdue(listing: Listing, ours: FiringSeries[], refreshAfter: number): FiringObservation[] {
  return ours
    .filter(
      ({ seriesKey, unseenFor }) => unseenFor >= refreshAfter && !isWithheldBySilence(listing, seriesKey),
    )
    .flatMap(({ seriesKey }) => listing.firing.get(seriesKey) ?? []);
}

/** One Alertmanager may have a silence that another has not. */
function isWithheldBySilence({ silenced, sent }: Listing, seriesKey: number): boolean {
  return silenced.has(seriesKey) && !sent.has(seriesKey);
}

function* batches<T>(items: T[]): Generator<T[]> {
  for (let from = 0; from < items.length; from += BATCH) yield items.slice(from, from + BATCH);
}
