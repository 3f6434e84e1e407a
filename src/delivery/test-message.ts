import { randomUUID } from 'node:crypto';
import type { ModuleRef } from '@nestjs/core';
import { DatabaseClock } from '../clock/database-clock.js';
import { TrustedClock } from '../clock/trusted-clock.js';
import type { AlertsSettings } from '../options/alerts-settings.js';
import { deliverySettings } from '../options/delivery-settings.js';
import type { DeliveryOptions } from '../options/module-options.js';
import type { AlertMessage } from './alert-channel.js';
import { AlertChannels } from './alert-channels.service.js';
import { linkTo } from './session-link.js';

const SESSION = 'test-session';
const LONGEST = 30_000;

/**
 * Sends a message about an alert that there is not by one of the channels that the options set, past all that is kept.
 * @param details what the channel needs to reach somebody
 * @throws Error the options are wrong, or have no such channel; and what `AlertChannel.send` throws
 */
export async function sendTestMessage(
  options: DeliveryOptions,
  { channel: name, details }: { channel: string; details: Record<string, unknown> },
): Promise<void> {
  const settings = { delivery: deliverySettings({ ...options, channels: [] }) };
  // Of a host's own channels there are none, which alone ask for the host's providers.
  const channels = new AlertChannels(
    settings as AlertsSettings,
    undefined as unknown as ModuleRef,
    new TrustedClock(new DatabaseClock()),
  );
  await channels.onModuleInit();
  const channel = channels.find(name);
  if (!channel) throw new Error(`there is no channel ${name} in these options`);
  try {
    await channel.send(testMessage(details, settings.delivery.sessionUrl), AbortSignal.timeout(LONGEST));
  } finally {
    // One that keeps connections has this.
    const { close } = channel as { close?: () => unknown };
    await close?.call(channel);
  }
}

function testMessage(details: Record<string, unknown>, sessionUrl: string | undefined): AlertMessage {
  const now = new Date();
  return {
    id: randomUUID(),
    userId: 'test',
    target: '',
    details,
    locale: undefined,
    beganWith: undefined,
    createdDate: now,
    alerts: [
      {
        transition: 'opened',
        link: linkTo(sessionUrl, SESSION),
        alert: {
          id: '00000000000000000000000000',
          title: 'Test message',
          message: 'Nothing is wrong: an administrator has tried whether messages arrive.',
          event_type: 'SessionAlertsTest',
          user_id: 'test',
          session_name: SESSION,
          creation_date: now,
          resolved_date: null,
          severity: 'info',
          kind: 'condition',
          updated_date: now,
          runbook_url: null,
          resolved_reason: null,
        },
      },
    ],
  };
}
