import { HttpException, Inject, Injectable, Logger, ServiceUnavailableException } from '@nestjs/common';
import type { BeforeApplicationShutdown, OnModuleInit } from '@nestjs/common';
import { ALERTS_SETTINGS } from '../options/alerts-settings.js';
import type { AlertsSettings } from '../options/alerts-settings.js';
import { AlertsRepository } from '../alerts/alerts.repository.js';
import type { OpenList } from '../alerts/alerts.repository.js';
import { AlertsService } from '../alerts/alerts.service.js';
import { TrustedClock } from '../clock/trusted-clock.js';
import { AlertsDatabase } from '../database/alerts-database.js';
import { EVERYBODY } from '../database/transaction.statements.js';
import { OpenAlerts } from '../alerts/open-alerts.service.js';
import { OpenPages } from '../alerts/open-pages.js';
import { messagesOf } from '../http/error-messages.js';
import { OnceAMinute } from '../http/once-a-minute.js';
import { AlertsMetrics } from '../metrics/alerts-metrics.service.js';
import { FeedHealth } from '../feed/feed-health.service.js';
import type { AlertStream } from './alert-stream.js';
import { ChangeListener } from '../database/change-listener.service.js';

/** How many users' alerts one query reads. */
const MOST_TOGETHER = 1_000;
const HEARTBEAT = 15_000;
const SWEEP_EVERY = 1_000;
const FEED_EVERY = 10_000;
/** How long (ms) streams go on while changes elsewhere cannot be heard. */
const MOST_DEAF = 5_000;
const NO_ALERTS = '[]';

/** What a page is shown: its list as JSON, and how many alerts there are. */
interface Shown {
  json: string;
  total: number;
}

/**
 * Shows every open page the state of its user whenever that may have changed: here, or on another replica.
 * Only users with an open page cost a query, one query serves many of them, and what changes while it runs
 * goes into the next.
 */
@Injectable()
export class LiveAlerts implements OnModuleInit, BeforeApplicationShutdown {
  private readonly logger = new Logger(LiveAlerts.name);
  private readonly lines = new OnceAMinute((line) => {
    this.logger.warn(line);
  });
  private readonly streams = new Set<AlertStream>();
  private readonly streamsByUser = new Map<string, Set<AlertStream>>();
  private readonly changed = new Set<string>();
  private isRefreshing = false;
  private isListening = false;
  private isStopping = false;
  private deafSince = performance.now();
  private feed: string | undefined;
  private feedStatus: string | undefined;
  private feedCheckedAt = -Infinity;
  private sweeper: NodeJS.Timeout | undefined;

  constructor(
    @Inject(ALERTS_SETTINGS) private readonly settings: AlertsSettings,
    private readonly repository: AlertsRepository,
    private readonly database: AlertsDatabase,
    private readonly alerts: AlertsService,
    private readonly listener: ChangeListener,
    private readonly openAlerts: OpenAlerts,
    private readonly pages: OpenPages,
    private readonly feedHealth: FeedHealth,
    private readonly clock: TrustedClock,
    metrics: AlertsMetrics,
  ) {
    metrics.addGauge('session_alerts_streams', 'Open pages that are sent every change', () =>
      Promise.resolve(this.streams.size),
    );
    metrics.addGauge(
      'session_alerts_hearing',
      'Whether changes by other replicas are heard here: 1, or 0 where pages are not told of them',
      () => Promise.resolve(this.listener.hearing === 'ok' ? 1 : 0),
    );
  }

  onModuleInit(): void {
    this.database.userChanges.subscribe((userIds) => {
      this.refresh(userIds);
    });
    this.listener.notices.subscribe((userIds) => {
      const isForAll = userIds.includes(EVERYBODY);
      if (isForAll) this.openAlerts.forgetAll();
      else this.openAlerts.forget(userIds);
      this.refresh(isForAll ? this.streamsByUser.keys() : userIds);
    });
    this.listener.isListening.subscribe((isListening) => {
      this.hearChanges(isListening);
    });
    this.sweeper = setInterval(() => {
      this.sweep();
    }, SWEEP_EVERY).unref();
  }

  beforeApplicationShutdown(): void {
    this.isStopping = true;
    clearInterval(this.sweeper);
    for (const stream of this.streams) stream.end();
  }

  /**
   * Whether one more page of that user can be served.
   * @throws ServiceUnavailableException, HttpException (429)
   */
  admit(userId: string): void {
    const { streams, streamsPerUser } = this.settings.live;
    // Nothing would end a page that comes now, and it would keep the HTTP server open.
    if (this.isStopping || this.isDeaf())
      throw new ServiceUnavailableException('Changes cannot be followed just now. Try again.');
    if (this.streams.size >= streams)
      throw new ServiceUnavailableException('Too many pages are open. Try again.');
    if ((this.streamsByUser.get(userId)?.size ?? 0) >= streamsPerUser) {
      throw new HttpException('You have too many pages open', 429);
    }
  }

  /** The stream is shown its user's alerts, now and whenever they change, until it is removed. */
  add(stream: AlertStream): void {
    const { userId } = stream.of;
    let streams = this.streamsByUser.get(userId);
    if (!streams) this.streamsByUser.set(userId, (streams = new Set()));
    streams.add(stream);
    this.streams.add(stream);
    this.pages.add(userId);
    if (this.feed !== undefined) stream.showFeed(this.feed);
    this.refresh([userId]);
    this.checkFeed();
  }

  remove(stream: AlertStream): void {
    if (!this.streams.delete(stream)) return;
    this.pages.remove(stream.of.userId);
    const streams = this.streamsByUser.get(stream.of.userId);
    streams?.delete(stream);
    if (streams?.size === 0) this.streamsByUser.delete(stream.of.userId);
  }

  private refresh(userIds: Iterable<string>): void {
    for (const userId of userIds) if (this.streamsByUser.has(userId)) this.changed.add(userId);
    if (!this.isRefreshing && this.changed.size > 0) void this.refreshChanged();
  }

  private async refreshChanged(): Promise<void> {
    this.isRefreshing = true;
    while (this.changed.size > 0) {
      const userIds = [...this.changed].slice(0, MOST_TOGETHER);
      for (const userId of userIds) this.changed.delete(userId);
      try {
        await this.show(userIds, await this.repository.listOpen(userIds));
      } catch (error) {
        // A page that knows it is cut off says so; one that is shown nothing new would look healthy.
        this.lines.say(
          'unread',
          () => `Streams are ended, their alerts cannot be read: ${messagesOf(error)}`,
        );
        for (const userId of userIds) for (const stream of this.streamsByUser.get(userId) ?? []) stream.end();
      }
    }
    this.isRefreshing = false;
  }

  private async show(userIds: string[], lists: OpenList[]): Promise<void> {
    for (const [index, userId] of userIds.entries()) {
      const list = lists[index] ?? { alerts: [], total: 0 };
      const bySession = new Map<string | undefined, Shown>();
      for (const stream of this.streamsByUser.get(userId) ?? []) {
        const { sessionName } = stream.of;
        let shown = bySession.get(sessionName);
        if (!shown) bySession.set(sessionName, (shown = await this.shownOf(list, userId, sessionName)));
        stream.showAlerts(shown.json, shown.total);
      }
    }
  }

  private async shownOf(list: OpenList, userId: string, sessionName: string | undefined): Promise<Shown> {
    const shown = sessionName === undefined ? list : await this.alerts.ofSession(list, userId, sessionName);
    const { alerts, total } = shown;
    return { json: alerts.length === 0 ? NO_ALERTS : JSON.stringify(alerts), total };
  }

  /** What was missed while nothing was heard is made up for by showing everybody everything. */
  private hearChanges(isListening: boolean): void {
    if (this.isListening && !isListening) this.deafSince = performance.now();
    this.isListening = isListening;
    this.openAlerts.trustChanges(isListening);
    if (isListening) this.refresh(this.streamsByUser.keys());
  }

  private isDeaf(): boolean {
    return !this.isListening && performance.now() - this.deafSince > MOST_DEAF;
  }

  private sweep(): void {
    const [now, silentSince] = [this.clock.now() / 1000, performance.now() - HEARTBEAT];
    const isDeaf = this.isDeaf();
    for (const stream of this.streams) {
      if (isDeaf) stream.end();
      else if (stream.of.expiresAt !== undefined && stream.of.expiresAt <= now) stream.end('expired');
      else stream.beatIfSilentSince(silentSince);
      stream.cutIfUnread();
    }
    if (this.streams.size > 0) this.checkFeed();
  }

  private checkFeed(): void {
    if (performance.now() - this.feedCheckedAt < FEED_EVERY) return;
    this.feedCheckedAt = performance.now();
    this.feedHealth.check().then(
      (feed) => {
        this.feed = JSON.stringify(feed);
        if (feed.status === this.feedStatus) return;
        this.feedStatus = feed.status;
        for (const stream of this.streams) stream.showFeed(this.feed);
      },
      // The streams end by themselves where the database stays away.
      () => undefined,
    );
  }
}
