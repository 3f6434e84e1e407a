import { Inject, Injectable } from '@nestjs/common';
import type { OnApplicationShutdown, OnModuleInit } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { gravityOf } from '../alerts/gravity.js';
import { TrustedClock } from '../clock/trusted-clock.js';
import { nodemailer } from '../http/optional-packages.cjs';
import { ALERTS_SETTINGS } from '../options/alerts-settings.js';
import type { AlertsSettings } from '../options/alerts-settings.js';
import { wrong } from '../options/option-checks.js';
import type { AlertChannel } from './alert-channel.js';
import { EmailChannel } from './channels/email.channel.js';
import { WebPushChannel } from './channels/web-push.channel.js';
import { WebhookChannel } from './channels/webhook.channel.js';
import type { WantedAt } from './delivery.statements.js';
import { PUSH_SERVICES } from './push-services.js';

/** The name of the channel that everybody's alerts go by. */
export const WEBHOOK = 'webhook';
const NAME = /^[a-z][a-z0-9_]{0,30}$/;

/** The ways to tell people that are set. */
@Injectable()
export class AlertChannels implements OnModuleInit, OnApplicationShutdown {
  private readonly byName = new Map<string, AlertChannel>();

  constructor(
    @Inject(ALERTS_SETTINGS) private readonly settings: AlertsSettings,
    private readonly moduleRef: ModuleRef,
    private readonly clock: TrustedClock,
  ) {}

  async onModuleInit(): Promise<void> {
    const { email, publicUrl = '', webPush, pushServices, webhook, channels } = this.settings.delivery;
    if (email) {
      if (!nodemailer)
        throw wrong(
          'delivery.email needs the package nodemailer, which is not there: npm install nodemailer',
        );
      this.add(new EmailChannel(email, publicUrl, nodemailer));
    }
    if (webPush) {
      this.add(new WebPushChannel({ ...webPush, services: [...PUSH_SERVICES, ...pushServices] }));
    }
    if (webhook) this.add(new WebhookChannel(webhook, () => this.clock.now()));
    for (const channel of channels) {
      this.add(await this.moduleRef.create<AlertChannel>(channel));
    }
  }

  async onApplicationShutdown(): Promise<void> {
    // One that does not close keeps the others from nothing.
    await Promise.allSettled(this.all.map(async (channel) => channel.close?.()));
  }

  /** @throws Error its name is none, or another's */
  add(channel: AlertChannel): void {
    if (!NAME.test(channel.name)) {
      throw wrong(
        `delivery.channels: ${channel.name} is no name of a channel: use lower-case letters, digits and _`,
      );
    }
    if (this.byName.has(channel.name)) throw wrong(`delivery.channels: there are two called ${channel.name}`);
    this.byName.set(channel.name, channel);
  }

  /** Where everybody's alerts go. */
  get everybodys(): WantedAt | undefined {
    const { webhook } = this.settings.delivery;
    return webhook && { channel: WEBHOOK, target: '', gravity: gravityOf(webhook.severity) };
  }

  /** Those that a user may turn on. */
  get offered(): string[] {
    return this.all.map(({ name }) => name).filter((name) => name !== this.everybodys?.channel);
  }

  get all(): AlertChannel[] {
    return [...this.byName.values()];
  }

  get areThere(): boolean {
    return this.byName.size > 0;
  }

  find(name: string): AlertChannel | undefined {
    return this.byName.get(name);
  }
}
