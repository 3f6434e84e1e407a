import { Inject, Injectable, Logger } from '@nestjs/common';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseUnavailableError } from '../database/database-errors.js';
import { messagesOf } from '../http/error-messages.js';
import { OnceAMinute } from '../http/once-a-minute.js';
import { inSpan } from '../http/spans.js';
import { AlertsMetrics } from '../metrics/alerts-metrics.service.js';
import type { Count } from '../metrics/alerts-metrics.service.js';
import { ALERTS_SETTINGS } from '../options/alerts-settings.js';
import type { AlertsSettings } from '../options/alerts-settings.js';
import { MessageRefusedError, RetryLaterError, TargetGoneError } from './alert-channel.js';
import type { AlertChannel, AlertMessage, ToldAlert } from './alert-channel.js';
import { AlertChannels } from './alert-channels.service.js';
import { backOff, decide, needlessness } from './delivery-rules.js';
import { DeliveryRepository } from './delivery.repository.js';
import type { ClaimedMessage, MessageContents } from './delivery.repository.js';
import type { Ending } from './delivery.statements.js';
import { linkTo } from './session-link.js';

/** How often (ms) to look for what is due. */
const EVERY = 1_000;
/** How often (ms) what was told long ago is deleted. */
const TIDY_EVERY = 3_600_000;
/** What becomes due within so many ms goes with the same message, and the next one no sooner. */
export const TOGETHER = 5 * 60_000;
/** How long (ms) an attempt may take, and when another replica may try after one that was never heard of again. */
const LONGEST_ATTEMPT = 30_000;
const LEASE = 45_000;
/** How long (ms) an attempt may still take once the server is told to end. */
const LONGEST_FAREWELL = 5_000;
/** Messages that are being sent at once. */
const MOST_AT_ONCE = 10;
/** After so long (ms) a message is given up. */
const GIVEN_UP_AFTER = 24 * 3_600_000;
const HOUR = 3_600_000;
/** Why what waits for a channel is given up that nobody knows. */
const NOT_SET = 'the channel is not set any more';
/** Of why something failed, as it is kept. */
const LONGEST_REASON = 500;

/** Tells people outside of the page what leaves with the alerts' transactions: any replica what is due. */
@Injectable()
export class DeliveryService implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(DeliveryService.name);
  private readonly lines = new OnceAMinute((line) => {
    this.logger.warn(line);
  });
  private readonly stopping = new AbortController();
  private readonly needless: Count<'reason'>;
  private readonly ended: Count<'channel' | 'result'>;
  private running: Promise<unknown> | undefined;
  private tidiedAt = performance.now();

  constructor(
    @Inject(ALERTS_SETTINGS) private readonly settings: AlertsSettings,
    private readonly repository: DeliveryRepository,
    private readonly channels: AlertChannels,
    metrics: AlertsMetrics,
  ) {
    this.needless = metrics.counter(
      'session_alerts_deliveries_needless_total',
      'What was due to be told outside of the page and was not, as it was seen, had ended or was muted',
      'reason',
    );
    this.ended = metrics.counter(
      'session_alerts_messages_total',
      'Attempts to tell people outside of the page, by channel and how they ended',
      'channel',
      'result',
    );
    metrics.addGauge(
      'session_alerts_delivery_oldest_due_seconds',
      'For how long the longest waiting of what is due has not been told',
      () => (this.channels.areThere ? repository.ageOfOldestDue() : Promise.resolve(0)),
    );
  }

  onApplicationBootstrap(): void {
    const { all } = this.channels;
    if (all.length === 0) return;
    this.running = Promise.all([
      this.repeat(async () => {
        await this.gather();
        await this.tidy();
      }),
      // Each by itself: one that hangs keeps none of the others.
      ...all.map((channel) =>
        this.repeat(async () => {
          while (await this.sendDue(channel));
        }),
      ),
    ]);
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async repeat(work: () => Promise<void>): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      await work().catch((error: unknown) => {
        // Of a database that is away others say enough.
        if (error instanceof DatabaseUnavailableError) return;
        this.lines.say('failed', () => `What is due cannot be told: ${messagesOf(error)}`);
      });
      await sleep(EVERY, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  /** Makes messages of what is due. */
  private async gather(): Promise<void> {
    const now = await this.repository.now();
    if (!(await this.repository.isAnythingDue(now))) return;
    await this.repository.gathering(async () => {
      const due = await this.repository.listDue(now, new Date(now.getTime() + TOGETHER));
      if (due.length === 0) return;
      const users = due.map(({ userId }) => userId);
      const stateOf = await this.repository.listStates(users, new Date(now.getTime() - HOUR));
      const { perHour } = this.settings.delivery;
      const decision = decide(now, due, stateOf, { gather: TOGETHER, perHour });
      for (const { reason } of decision.needless) this.needless.inc({ reason });
      await this.repository.write(decision, now);
    });
  }

  /** Sends by one channel what nobody is sending; whether there may be more. */
  private async sendDue(channel: AlertChannel): Promise<boolean> {
    if (this.stopping.signal.aborted) return false;
    const now = await this.repository.now();
    const claimed = await this.repository.claim(now, {
      channel: channel.name,
      lease: LEASE,
      most: MOST_AT_ONCE,
    });
    if (claimed.length === 0) return false;
    const contents = await this.repository.listContents(claimed);
    await Promise.all(claimed.map((message) => this.send(channel, message, contents.get(message.id))));
    return claimed.length === MOST_AT_ONCE;
  }

  private async send(
    channel: AlertChannel,
    message: ClaimedMessage,
    contents: MessageContents | undefined,
  ): Promise<void> {
    const ending = await this.attempt(channel, message, contents);
    this.ended.inc({ channel: channel.name, result: ending.state });
    await this.repository.end(message, ending, await this.repository.now());
  }

  private async attempt(
    channel: AlertChannel,
    message: ClaimedMessage,
    contents: MessageContents | undefined,
  ): Promise<Ending> {
    const now = await this.repository.now();
    const alerts = contents ? toldOf(contents, now, this.settings.delivery.sessionUrl) : [];
    if (!contents || alerts.length === 0) return { state: 'needless' };
    const { id, userId, target, createdDate, attempts } = message;
    const { details, locale, beganWith } = contents;
    const isEverybodys = this.channels.everybodys?.channel === channel.name;
    if (!details && !isEverybodys)
      return { state: 'given_up', reason: 'its user has turned the channel off' };
    const sent: AlertMessage = {
      ...{ id, userId, target, createdDate, locale, beganWith, alerts },
      details: details ?? {},
    };
    try {
      await inSpan('deliver', (note) => {
        note({ channel: channel.name, alerts: alerts.length });
        return this.withinTime((signal) => channel.send(sent, signal));
      });
      return { state: 'sent', alertIds: alerts.map(({ alert }) => alert.id) };
    } catch (error) {
      const failedAt = await this.repository.now();
      const reason = messagesOf(error).slice(0, LONGEST_REASON);
      const fields = { channel: channel.name, message_id: id, alert_id: alerts[0]?.alert.id };
      if (error instanceof TargetGoneError) {
        await this.repository.forget(message);
        return { state: 'given_up', reason };
      }
      const isTooOld = failedAt.getTime() - createdDate.getTime() > GIVEN_UP_AFTER;
      if (error instanceof MessageRefusedError || isTooOld) {
        this.lines.say(`refused ${channel.name}`, () => ({
          message: `A message by ${channel.name} is given up: ${reason}`,
          fields,
        }));
        return { state: 'given_up', reason };
      }
      this.lines.say(`late ${channel.name}`, () => ({
        message: `A message by ${channel.name} is late: ${reason}`,
        fields,
      }));
      const wait =
        error instanceof RetryLaterError && error.retryAfter !== undefined ? error.retryAfter * 1000 : 0;
      return {
        state: 'waiting',
        reason,
        nextTry: new Date(failedAt.getTime() + Math.max(wait, backOff(attempts))),
      };
    }
  }

  /** A channel that does not end when it is told to is left behind; soon, where we are told to end ourselves. */
  private async withinTime(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const attempt = new AbortController();
    const end = (sentence: string) => () => {
      attempt.abort(new RetryLaterError(sentence));
    };
    const timers = [setTimeout(end(`it has taken more than ${LONGEST_ATTEMPT / 1000} s`), LONGEST_ATTEMPT)];
    const stop = (): void => {
      timers.push(setTimeout(end('the server was told to end meanwhile'), LONGEST_FAREWELL));
    };
    const { signal: stopping } = this.stopping;
    if (stopping.aborted) stop();
    else stopping.addEventListener('abort', stop);
    try {
      await Promise.race([
        work(attempt.signal),
        new Promise((_, reject) => {
          attempt.signal.addEventListener('abort', () => {
            reject(attempt.signal.reason as Error);
          });
        }),
      ]);
    } finally {
      for (const timer of timers) clearTimeout(timer);
      stopping.removeEventListener('abort', stop);
    }
  }

  private async tidy(): Promise<void> {
    if (performance.now() - this.tidiedAt < TIDY_EVERY) return;
    this.tidiedAt = performance.now();
    const now = await this.repository.now();
    await this.repository.deleteTold(new Date(now.getTime() - this.settings.upkeep.retention), now);
    // Another replica may know a channel that this one does not, but not for a day.
    await this.repository.giveUpOthers(
      this.channels.all.map(({ name }) => name),
      new Date(now.getTime() - GIVEN_UP_AFTER),
      NOT_SET,
    );
  }
}

/** What is still of use, the gravest first, then the newest; each alert once. */
function toldOf({ alerts }: MessageContents, now: Date, sessionUrl: string | undefined): ToldAlert[] {
  const byAlert = new Map<string, ToldAlert & { gravity: number }>();
  for (const { transition, alert, gravity } of alerts) {
    const { resolved_date, seen_date, muted_until = null } = alert;
    const isOpen = resolved_date === null;
    const now_ = { isOpen, isSeen: seen_date !== undefined, mutedUntil: muted_until, gravity };
    if (needlessness({ transition, alert: now_ }, now)) continue;
    const told = { transition, alert, gravity, link: linkTo(sessionUrl, alert.session_name) };
    const known = byAlert.get(alert.id);
    if (!known || known.transition === 'opened') byAlert.set(alert.id, told);
  }
  return [...byAlert.values()]
    .sort(
      (one, other) =>
        Number(one.transition === 'over') - Number(other.transition === 'over') ||
        other.gravity - one.gravity ||
        other.alert.creation_date.getTime() - one.alert.creation_date.getTime(),
    )
    .map(({ transition, alert, link }) => ({ transition, alert, link }));
}
