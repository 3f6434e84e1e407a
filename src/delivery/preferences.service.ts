import { createHash, randomUUID } from 'node:crypto';
import { Inject, Injectable, Logger } from '@nestjs/common';
import type { AlertsCaller } from '../auth/alerts-caller.js';
import { KnownUsers } from '../alerts/known-users.service.js';
import { messagesOf } from '../http/error-messages.js';
import { OnceAMinute } from '../http/once-a-minute.js';
import { unfit } from '../http/unfit.js';
import { ALERTS_SETTINGS } from '../options/alerts-settings.js';
import type { AlertsSettings } from '../options/alerts-settings.js';
import { AlertChannels } from './alert-channels.service.js';
import { Interest } from './interest.service.js';
import { gravityFrom, keptChannel, keptMutes, keptQuietHours, toPreferences } from './preferences.dto.js';
import type {
  ChannelPreference,
  KeptPreferences,
  OfferedChannel,
  Preferences,
  PushSubscriptionData,
} from './preferences.dto.js';
import { PreferencesRepository } from './preferences.repository.js';
import { isPushService, PUSH_SERVICES } from './push-services.js';
import { readUnsubscribeKey } from './unsubscribe-key.js';

/** How users want to be told. */
@Injectable()
export class PreferencesService {
  private readonly logger = new Logger(PreferencesService.name);
  private readonly lines = new OnceAMinute((line) => {
    this.logger.warn(line);
  });

  constructor(
    @Inject(ALERTS_SETTINGS) private readonly settings: AlertsSettings,
    private readonly channels: AlertChannels,
    private readonly interest: Interest,
    private readonly repository: PreferencesRepository,
    private readonly users: KnownUsers,
  ) {}

  async read(caller: AlertsCaller): Promise<Preferences> {
    const kept = await this.repository.read(caller.id);
    return toPreferences(kept, this.offered(await this.addressToShow(caller, kept)));
  }

  /**
   * Keeps these instead of what the user has said before.
   * @throws UnprocessableEntityException what cannot be kept
   * @throws ServiceUnavailableException where the user is written to cannot be told
   */
  async write(caller: AlertsCaller, given: Readonly<Preferences>): Promise<Preferences> {
    const before = await this.repository.read(caller.id);
    const isEmailOn = given.channels?.['email']?.enabled === true;
    const offered = this.offered(
      isEmailOn ? await this.addressOf(caller, before) : await this.addressToShow(caller, before),
    );
    const channels: KeptPreferences['channels'] = {};
    const targets: KeptPreferences['targets'] = [];
    for (const [name, preference] of Object.entries(given.channels ?? {})) {
      if (!Object.hasOwn(offered, name)) {
        const there = Object.keys(offered).join(', ') || 'none';
        throw unfit(`channels.${name.slice(0, 100)} is no channel of this server, which has ${there}`);
      }
      channels[name] = keptChannel(preference);
      const gravity = gravityFrom(channels[name]);
      for (const target of this.targetsOf(name, preference, offered[name] ?? {}, before)) {
        targets.push({ channel: name, gravity, ...target });
      }
    }
    // Mail that was sent before says by its key how it is turned off, also once it was turned on again.
    const key = keyIn(before);
    if (key !== undefined && !targets.some(({ channel }) => channel === 'email')) {
      targets.push({ channel: 'email', target: '', gravity: null, details: { key } });
    }
    const kept: KeptPreferences = {
      channels,
      targets,
      mutes: keptMutes(given.mutes ?? []),
      quietHours: keptQuietHours(given.quiet_hours),
    };
    await this.repository.write(caller.id, kept, caller.locale);
    await this.interest.learn(caller.id);
    return toPreferences(await this.repository.read(caller.id), offered);
  }

  /** Whether e-mail can be turned off by this key, which a mail has named. */
  async isUnsubscribeKey(key: string): Promise<boolean> {
    const known = readUnsubscribeKey(key);
    return known !== undefined && (await this.repository.hasKey('email', known));
  }

  /**
   * Turns e-mail off by the key in a mail.
   * @returns whether it is somebody's
   */
  async unsubscribe(key: string): Promise<boolean> {
    const known = readUnsubscribeKey(key);
    if (!known || !(await this.repository.hasKey('email', known))) return false;
    await this.repository.turnOff('email', known.userId);
    await this.interest.learn(known.userId);
    return true;
  }

  private targetsOf(
    name: string,
    { enabled, subscriptions = [] }: ChannelPreference,
    { address }: OfferedChannel,
    before: KeptPreferences,
  ): Pick<KeptPreferences['targets'][number], 'target' | 'details'>[] {
    if (name !== 'web_push' && subscriptions.length > 0) throw unfit(`channels.${name} has no subscriptions`);
    if (name === 'web_push') {
      for (const { endpoint } of subscriptions) this.checkEndpoint(endpoint);
      // One browser is one target, however often it is named.
      const byTarget = new Map(subscriptions.map((one) => [targetOf(one), one]));
      return Array.from(byTarget, ([target, subscription]) => ({ target, details: { ...subscription } }));
    }
    if (!enabled) return [];
    if (name !== 'email') return [{ target: '', details: {} }];
    if (address === undefined) {
      throw unfit(
        'channels.email cannot be turned on: your access token names no e-mail address that is verified. Verify it in your account, and sign in again',
      );
    }
    return [{ target: '', details: { address, key: keyIn(before) ?? randomUUID() } }];
  }

  private checkEndpoint(endpoint: string): void {
    if (isPushService(endpoint, [...PUSH_SERVICES, ...this.settings.delivery.pushServices])) return;
    throw unfit(
      'channels.web_push has a wrong subscription: its endpoint is not that of a push service known here',
    );
  }

  /**
   * To which address mail goes once it is on. One that was verified once stays, also where a token of another client does
   * not tell it.
   */
  private async addressOf({ id, email }: AlertsCaller, kept: KeptPreferences): Promise<string | undefined> {
    if (!this.channels.offered.includes('email')) return undefined;
    return email ?? addressIn(kept) ?? (await this.users.emailOf(id));
  }

  /** To which it goes, or would go; nothing while the host's directory cannot tell: all else is shown. */
  private async addressToShow(caller: AlertsCaller, kept: KeptPreferences): Promise<string | undefined> {
    try {
      return addressIn(kept) ?? (await this.addressOf(caller, kept));
    } catch (error) {
      this.lines.say('address', () => `Where a user is written to cannot be told: ${messagesOf(error)}`);
      return undefined;
    }
  }

  private offered(address: string | undefined): Record<string, OfferedChannel> {
    const publicKey = this.settings.delivery.webPush?.publicKey;
    return Object.fromEntries(
      this.channels.offered.map((name): [string, OfferedChannel] => [
        name,
        {
          ...(name === 'email' && address !== undefined && { address }),
          ...(name === 'web_push' && publicKey !== undefined && { public_key: publicKey }),
        },
      ]),
    );
  }
}

function emailIn({ targets }: KeptPreferences): Record<string, unknown> | undefined {
  return targets.find(({ channel }) => channel === 'email')?.details;
}

function addressIn(kept: KeptPreferences): string | undefined {
  const address = emailIn(kept)?.['address'];
  return typeof address === 'string' ? address : undefined;
}

function keyIn(kept: KeptPreferences): string | undefined {
  const key = emailIn(kept)?.['key'];
  return typeof key === 'string' ? key : undefined;
}

/** One browser has one endpoint. */
function targetOf({ endpoint }: PushSubscriptionData): string {
  return createHash('sha256').update(endpoint).digest('base64url').slice(0, 32);
}
