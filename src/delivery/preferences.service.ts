import { createHash, randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { AlertsCaller } from '../auth/alerts-caller.js';
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

/** How users want to be told. */
@Injectable()
export class PreferencesService {
  constructor(
    @Inject(ALERTS_SETTINGS) private readonly settings: AlertsSettings,
    private readonly channels: AlertChannels,
    private readonly interest: Interest,
    private readonly repository: PreferencesRepository,
  ) {}

  async read(caller: AlertsCaller): Promise<Preferences> {
    const kept = await this.repository.read(caller.id);
    return toPreferences(kept, this.offeredTo(caller, kept));
  }

  /**
   * Keeps these instead of what the user has said before.
   * @throws UnprocessableEntityException what cannot be kept
   */
  async write(caller: AlertsCaller, given: Readonly<Preferences>): Promise<Preferences> {
    const before = await this.repository.read(caller.id);
    const offered = this.offeredTo(caller, before);
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

  /** Turns e-mail off, by the key in a mail. */
  async unsubscribe(key: string): Promise<boolean> {
    return this.repository.turnOff('email', key);
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
      return subscriptions.map((subscription) => ({
        target: targetOf(subscription),
        details: { ...subscription },
      }));
    }
    if (!enabled) return [];
    if (name !== 'email') return [{ target: '', details: {} }];
    if (address === undefined) {
      throw unfit(
        'channels.email cannot be turned on: your access token names no e-mail address that is verified. Verify it in your account, and sign in again',
      );
    }
    const known = before.targets.find(({ channel }) => channel === 'email');
    return [{ target: '', details: { address, key: known?.details['key'] ?? randomUUID() } }];
  }

  private checkEndpoint(endpoint: string): void {
    if (isPushService(endpoint, [...PUSH_SERVICES, ...this.settings.delivery.pushServices])) return;
    throw unfit(
      'channels.web_push has a wrong subscription: its endpoint is not that of a push service known here',
    );
  }

  /** An address that was verified once stays, also where a token of another client does not tell it. */
  private offeredTo({ email }: AlertsCaller, kept: KeptPreferences): Record<string, OfferedChannel> {
    const known = kept.targets.find(({ channel }) => channel === 'email')?.details['address'];
    const address = email ?? (typeof known === 'string' ? known : undefined);
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

/** One browser has one endpoint. */
function targetOf({ endpoint }: PushSubscriptionData): string {
  return createHash('sha256').update(endpoint).digest('base64url').slice(0, 32);
}
