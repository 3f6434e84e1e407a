import { Inject, Injectable, Logger, ServiceUnavailableException } from '@nestjs/common';
import type { OnModuleInit } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { OnceAMinute } from '../http/once-a-minute.js';
import { ALERTS_SETTINGS } from '../options/alerts-settings.js';
import type { AlertsSettings } from '../options/alerts-settings.js';
import type { UserDirectory } from '../options/user-directory.js';

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
}
