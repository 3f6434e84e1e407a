import { Injectable, Logger } from '@nestjs/common';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { OpenPages } from '../alerts/open-pages.js';
import { messagesOf } from '../http/error-messages.js';
import { OnceAMinute } from '../http/once-a-minute.js';
import { AlertChannels } from './alert-channels.service.js';
import { DeliveryRepository } from './delivery.repository.js';
import { Interest } from './interest.service.js';

/** How long (ms) a replica that says nothing counts as having its pages open, and how often it says so. */
const BELIEVED_FOR = 60_000;
const SAID_EVERY = 20_000;
/** How long (ms) changes are collected before they are written. */
const COLLECTED_FOR = 200;
/** A page that is reloaded is not gone. */
const AFTER_CLOSING = 2_000;

/** Tells all replicas which users who want to be told have a page open here: who looks need not be told elsewhere at once. */
@Injectable()
export class PagePresence implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(PagePresence.name);
  private readonly lines = new OnceAMinute((line) => {
    this.logger.warn(line);
  });
  private readonly replica = randomUUID();
  private readonly said = new Set<string>();
  private timer: NodeJS.Timeout | undefined;
  private beat: NodeJS.Timeout | undefined;

  constructor(
    private readonly pages: OpenPages,
    private readonly channels: AlertChannels,
    private readonly interest: Interest,
    private readonly repository: DeliveryRepository,
  ) {}

  onApplicationBootstrap(): void {
    if (!this.channels.areThere) return;
    this.pages.changes.subscribe((userId) => {
      this.writeAfter(this.pages.has(userId) ? COLLECTED_FOR : AFTER_CLOSING);
    });
    this.beat = setInterval(() => void this.write(true), SAID_EVERY).unref();
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.beat);
    clearTimeout(this.timer);
    const gone = [...this.said];
    this.said.clear();
    if (gone.length > 0) await this.repository.forgetPages(this.replica, gone).catch(() => undefined);
  }

  private writeAfter(delay: number): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      void this.write(false);
    }, delay).unref();
  }

  private async write(areAllSaid: boolean): Promise<void> {
    const open = new Set(this.pages.userIds.filter((userId) => this.isOfInterest(userId)));
    const opened = areAllSaid ? [...open] : [...open].filter((userId) => !this.said.has(userId));
    const closed = [...this.said].filter((userId) => !open.has(userId));
    try {
      if (opened.length > 0) {
        const until = new Date((await this.repository.now()).getTime() + BELIEVED_FOR);
        await this.repository.notePages(this.replica, opened, until);
      }
      if (closed.length > 0) await this.repository.forgetPages(this.replica, closed);
      for (const userId of opened) this.said.add(userId);
      for (const userId of closed) this.said.delete(userId);
    } catch (error) {
      this.lines.say('unsaid', () => `Which pages are open cannot be said: ${messagesOf(error)}`);
    }
  }

  private isOfInterest(userId: string): boolean {
    return this.channels.everybodys !== undefined || this.interest.hasTargets(userId);
  }
}
