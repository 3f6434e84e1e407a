import { Injectable, Logger } from '@nestjs/common';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { OpenPages } from '../alerts/open-pages.js';
import { DatabaseUnavailableError } from '../database/database-errors.js';
import { messagesOf } from '../http/error-messages.js';
import { OnceAMinute } from '../http/once-a-minute.js';
import { AlertChannels } from './alert-channels.service.js';
import { DeliveryRepository } from './delivery.repository.js';
import { Interest } from './interest.service.js';

/** How long (ms) a replica that says nothing counts as having its pages open, and how often it says so. */
const BELIEVED_FOR = 60_000;
const SAID_EVERY = 20_000;
/** How often (ms) to ask what the others say, and again where there was no answer. */
const ASKED_EVERY = 15_000;
const ASKED_AGAIN = 1_000;
/** How long (ms) changes are collected before they are written. */
const COLLECTED_FOR = 200;
/** A page that is reloaded is not gone. */
const AFTER_CLOSING = 2_000;

/**
 * Which users who want to be told have a page open, here or at another replica: who looks need not be told elsewhere at once.
 * It is kept here, so that a webhook asks the database nothing about it.
 */
@Injectable()
export class PagePresence implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(PagePresence.name);
  private readonly lines = new OnceAMinute((line) => {
    this.logger.warn(line);
  });
  private readonly replica = randomUUID();
  private readonly said = new Set<string>();
  /** Who has one open at another replica, as far as is known. */
  private elsewhere: ReadonlySet<string> = new Set();
  private timer: NodeJS.Timeout | undefined;
  private beat: NodeJS.Timeout | undefined;
  private question: NodeJS.Timeout | undefined;
  private isEnding = false;

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
    void this.ask();
  }

  /** Here just now, or at another replica as of some seconds ago. */
  isOpen(userId: string): boolean {
    return this.pages.has(userId) || this.said.has(userId) || this.elsewhere.has(userId);
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.isEnding = true;
    clearInterval(this.beat);
    clearTimeout(this.question);
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

  private async ask(): Promise<void> {
    let pause = ASKED_EVERY;
    try {
      this.elsewhere = new Set(await this.repository.listPagesElsewhere(this.replica));
    } catch (error) {
      pause = ASKED_AGAIN;
      // Of a database that is away others say enough.
      if (!(error instanceof DatabaseUnavailableError)) {
        this.lines.say(
          'unasked',
          () => `Which pages are open elsewhere cannot be read: ${messagesOf(error)}`,
        );
      }
    }
    if (!this.isEnding) this.question = setTimeout(() => void this.ask(), pause).unref();
  }

  private isOfInterest(userId: string): boolean {
    return this.channels.everybodys !== undefined || this.interest.hasTargets(userId);
  }
}
