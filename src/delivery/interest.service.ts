import { Inject, Injectable, Logger, Optional } from '@nestjs/common';
import type { BeforeApplicationShutdown, OnModuleInit } from '@nestjs/common';
import { ChangeListener } from '../database/change-listener.service.js';
import { DatabaseUnavailableError } from '../database/database-errors.js';
import { messagesOf } from '../http/error-messages.js';
import { OnceAMinute } from '../http/once-a-minute.js';
import { DeliveryRepository } from './delivery.repository.js';
import type { WantedAt } from './delivery.statements.js';

/** After how long (ms) to read again what could not be read. */
const READ_AGAIN = 1_000;

/** What a user has said that concerns alerts before they open. */
interface Said {
  hasMutes: boolean;
  /** Undefined while they are asked for. */
  targets: WantedAt[] | undefined;
}

const UNKNOWN: Said = { hasMutes: true, targets: undefined };

/**
 * Who wants to be told of alerts, and where, and who has muted some: so that nothing is written for all the others, and
 * nothing looked up. While changes elsewhere are not heard, anybody may.
 */
@Injectable()
export class Interest implements OnModuleInit, BeforeApplicationShutdown {
  private readonly logger = new Logger(Interest.name);
  private readonly lines = new OnceAMinute((line) => {
    this.logger.warn(line);
  });
  private said: Map<string, Said> | undefined;
  /** By users, the number of the last question about them that has no answer yet. */
  private readonly asked = new Map<string, number>();
  private questions = 0;
  private silences = 0;
  private loading: Promise<void> | undefined;
  private again: NodeJS.Timeout | undefined;

  constructor(
    private readonly repository: DeliveryRepository,
    @Optional() @Inject(ChangeListener) private readonly listener: ChangeListener | undefined,
  ) {}

  onModuleInit(): void {
    this.listener?.preferences.subscribe((userId) => {
      void this.learn(userId);
    });
    this.listener?.isListening.subscribe((isListening) => {
      this.said = undefined;
      this.silences += 1;
      if (isListening) this.loading = this.load(this.silences);
    });
  }

  beforeApplicationShutdown(): void {
    this.silences += 1;
    clearTimeout(this.again);
  }

  /** Where a user wants to be told; `undefined` where that is not known just now. */
  targetsOf(userId: string): readonly WantedAt[] | undefined {
    if (this.said === undefined) return undefined;
    const said = this.said.get(userId);
    return said ? said.targets : [];
  }

  hasTargets(userId: string): boolean {
    return this.targetsOf(userId)?.length !== 0;
  }

  hasMutes(userId: string): boolean {
    return this.said === undefined || this.said.get(userId)?.hasMutes === true;
  }

  /** What is asked about the user until it is known is answered with yes. */
  async learn(userId: string): Promise<void> {
    const question = ++this.questions;
    this.asked.set(userId, question);
    this.said?.set(userId, UNKNOWN);
    await this.loading;
    try {
      const said = this.said;
      const [found] = said ? await this.repository.listInterested(userId) : [];
      // Who has been asked about since, the later answer counts of.
      if (!said || said !== this.said || this.asked.get(userId) !== question) return;
      if (found) said.set(userId, found);
      else said.delete(userId);
    } catch {
      // It stays a yes, which costs a statement and is never wrong.
    } finally {
      if (this.asked.get(userId) === question) this.asked.delete(userId);
    }
  }

  /** @param silence how often nothing was heard before: what is read then counts until that changes */
  private async load(silence: number): Promise<void> {
    try {
      const said = new Map<string, Said>();
      for (const { userId, ...found } of await this.repository.listInterested()) said.set(userId, found);
      for (const userId of this.asked.keys()) said.set(userId, UNKNOWN);
      if (silence === this.silences) this.said = said;
    } catch (error) {
      // Of a database that is away, or whose tables are still being made, others say enough.
      if (!(error instanceof DatabaseUnavailableError)) {
        this.lines.say('unread', () => `Who wants to be told of alerts cannot be read: ${messagesOf(error)}`);
      }
      this.again = setTimeout(() => {
        if (silence === this.silences) this.loading = this.load(silence);
      }, READ_AGAIN).unref();
    }
  }
}
