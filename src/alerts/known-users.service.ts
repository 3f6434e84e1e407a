import { Inject, Injectable, Logger, ServiceUnavailableException } from '@nestjs/common';
import type { OnModuleInit } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { isEmailAddress } from '../auth/email-address.js';
import { OnceAMinute } from '../http/once-a-minute.js';
import { ALERTS_SETTINGS } from '../options/alerts-settings.js';
import type { AlertsSettings } from '../options/alerts-settings.js';
import type { UserDirectory } from '../options/user-directory.js';

/** How long (ms) the directory may take to say where a user is written to. */
const LONGEST_LOOK_UP = 10_000;

/** Asks the host's directory, if there is one. */
@Injectable()
export class KnownUsers implements OnModuleInit {
  private readonly logger = new Logger(KnownUsers.name);
  private readonly lines = new OnceAMinute((line) => {
    this.logger.warn(line);
  });
  private directory: UserDirectory | undefined;

  constructor(
    @Inject(ALERTS_SETTINGS) private readonly settings: AlertsSettings,
    private readonly moduleRef: ModuleRef,
  ) {}

  async onModuleInit(): Promise<void> {
    const { users } = this.settings;
    if (users) this.directory = await this.moduleRef.create(users.directory);
  }

  /**
   * Those of the ids that the directory does not know.
   * @throws ServiceUnavailableException it cannot tell, and the host wants nothing stored then
   */
  async unknownAmong(userIds: string[]): Promise<ReadonlySet<string>> {
    const asked = new Set(userIds);
    if (!this.directory || asked.size === 0) return new Set();
    try {
      for (const known of await this.directory.existing([...asked])) asked.delete(known);
      return asked;
    } catch (error) {
      if (this.settings.users?.onFailure === 'closed') {
        throw new ServiceUnavailableException('The user directory cannot be asked right now', {
          cause: error,
        });
      }
      this.lines.say(
        'failed',
        (count) => `The user directory failed (${count} times); alerts are stored unasked: ${String(error)}`,
      );
      return new Set();
    }
  }

  /**
   * The user's verified e-mail address, where the directory knows one.
   * @throws ServiceUnavailableException it cannot tell
   */
  async emailOf(userId: string): Promise<string | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`it has not answered for ${LONGEST_LOOK_UP / 1000} s`));
      }, LONGEST_LOOK_UP).unref();
    });
    try {
      const address: unknown = await Promise.race([this.directory?.emailOf?.(userId), tooLate]);
      return isEmailAddress(address) ? address : undefined;
    } catch (cause) {
      throw new ServiceUnavailableException('The user directory cannot be asked right now', { cause });
    } finally {
      clearTimeout(timer);
    }
  }
}
