import { X509Certificate } from 'node:crypto';
import type {
  DeliveryOptions,
  EmailOptions,
  HostChannel,
  WebhookChannelOptions,
  WebPushOptions,
} from './module-options.js';
import { group, isHttpUrl, list, milliseconds, oneOf, text, wholeNumber, wrong } from './option-checks.js';
import type { Type } from '@nestjs/common';

/** `DeliveryOptions` with their defaults filled in; durations in ms. */
export interface DeliverySettings {
  grace: number;
  /** Alerts that open so soon after another are told with it, where nobody looks. */
  gather: number;
  perHour: number;
  sessionUrl: string | undefined;
  publicUrl: string | undefined;
  email: EmailOptions | undefined;
  webPush: Omit<WebPushOptions, 'services'> | undefined;
  /** Hosts of push services besides those that everybody knows. */
  pushServices: string[];
  webhook: Required<WebhookChannelOptions> | undefined;
  channels: Type<HostChannel>[];
}

const GATHER = 5_000;
const SEVERITIES = ['critical', 'error', 'warning', 'info'] as const;
const SESSION = '{session}';
/** Bytes of the keys of VAPID (RFC 8292): a point of P-256, and a number. */
const PUBLIC_KEY = /^[\w-]{87}$/;
const PRIVATE_KEY = /^[\w-]{43}$/;
const MAILBOX = /^([^<>@\r\n]*<[^\s<>@]+@[^\s<>@]+>|[^\s<>@]+@[^\s<>@]+)$/;
const PUSH_SERVICE = /^(\*\.)?[a-z0-9.-]+(:\d+)?$/i;
const WEBHOOK_SECRET = /^whsec_[A-Za-z0-9+/]{32,}={0,2}$/;

/** @throws Error with a sentence that says what to set */
export function deliverySettings(options: DeliveryOptions | undefined): DeliverySettings {
  const given = group('delivery', options, {
    grace: true,
    perHour: true,
    sessionUrl: true,
    publicUrl: true,
    email: true,
    webPush: true,
    webhook: true,
    channels: true,
  });
  const { sessionUrl, publicUrl, email, webPush, webhook, channels = [] } = given;
  if (
    sessionUrl !== undefined &&
    !(isHttpUrl(sessionUrl.replaceAll(SESSION, 's')) && sessionUrl.includes(SESSION))
  ) {
    throw wrong(
      `delivery.sessionUrl must be the http(s) address of a session's page, with ${SESSION} for its name`,
    );
  }
  if (publicUrl !== undefined && !isHttpUrl(publicUrl)) {
    throw wrong('delivery.publicUrl must be the http(s) address of this API with its prefix');
  }
  if (email && publicUrl === undefined) {
    throw wrong('set delivery.publicUrl to the address of this API: mail says there how it is turned off');
  }
  for (const channel of list('delivery.channels', channels)) {
    if (typeof channel !== 'function') throw wrong('delivery.channels must be classes of yours');
  }
  return {
    grace: milliseconds('delivery.grace', given.grace ?? 120),
    gather: GATHER,
    perHour: wholeNumber('delivery.perHour', given.perHour ?? 20),
    sessionUrl,
    publicUrl: publicUrl?.replace(/\/+$/, ''),
    email: email === undefined ? undefined : emailSettings(email),
    webPush: webPush === undefined ? undefined : webPushSettings(webPush),
    pushServices: webPush === undefined ? [] : pushServices(webPush),
    webhook: webhook === undefined ? undefined : webhookSettings(webhook),
    channels,
  };
}

function emailSettings(options: EmailOptions): EmailOptions {
  const { server, from, ca } = group('delivery.email', options, { server: true, from: true, ca: true });
  if (!isMailServer(server)) {
    throw wrong(
      'delivery.email.server must be an address like smtp://user:password@host:587 or smtps://host:465',
    );
  }
  if (typeof from !== 'string' || !MAILBOX.test(from)) {
    throw wrong(
      'delivery.email.from must be an address like alerts@example.org or Session alerts <alerts@example.org>',
    );
  }
  if (ca !== undefined && !isCertificate(ca)) {
    throw wrong('delivery.email.ca must be a certificate as PEM: -----BEGIN CERTIFICATE-----');
  }
  return { server, from, ...(ca !== undefined && { ca }) };
}

/** Nothing may stand behind the host: what it were to set could turn checks off. */
function isMailServer(value: unknown): value is string {
  if (typeof value !== 'string' || !/^smtps?:\/\/[^/?#]+\/?$/.test(value) || !URL.canParse(value))
    return false;
  const { hostname, username, password } = new URL(value);
  return hostname !== '' && [username, password].every(isDecodable);
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

function isCertificate(value: unknown): boolean {
  try {
    return typeof value === 'string' && Boolean(new X509Certificate(value));
  } catch {
    return false;
  }
}

function webPushSettings(options: WebPushOptions): Omit<WebPushOptions, 'services'> {
  const names = { subject: true, publicKey: true, privateKey: true, services: true } as const;
  const { subject, publicKey, privateKey } = group('delivery.webPush', options, names);
  if (
    typeof subject !== 'string' ||
    !/^(mailto:[^\s@]+@[^\s@]+\.[^\s@]+|https:\/\/\S+\.\S+)$/.test(subject)
  ) {
    throw wrong(
      'delivery.webPush.subject must be an address at which you are reached, mailto:… or https://…',
    );
  }
  if (typeof publicKey !== 'string' || !PUBLIC_KEY.test(publicKey)) {
    throw wrong('delivery.webPush.publicKey must be the public key that `session-alerts push keys` makes');
  }
  // Its value is not repeated.
  if (typeof privateKey !== 'string' || !PRIVATE_KEY.test(privateKey)) {
    throw wrong('delivery.webPush.privateKey must be the private key that `session-alerts push keys` makes');
  }
  return { subject, publicKey, privateKey };
}

function pushServices({ services = [] }: WebPushOptions): string[] {
  for (const service of list('delivery.webPush.services', services)) {
    if (typeof service !== 'string' || !PUSH_SERVICE.test(service)) {
      throw wrong('delivery.webPush.services must be hosts like push.example.org or *.push.example.org');
    }
  }
  return services;
}

function webhookSettings(options: WebhookChannelOptions): Required<WebhookChannelOptions> {
  const names = { url: true, secret: true, severity: true } as const;
  const { url, secret, severity = 'info' } = group('delivery.webhook', options, names);
  if (!isHttpUrl(url) || new URL(url).username !== '' || new URL(url).password !== '') {
    throw wrong('delivery.webhook.url must be an http(s) address without a user and password');
  }
  if (!WEBHOOK_SECRET.test(text('delivery.webhook.secret', secret))) {
    throw wrong('delivery.webhook.secret must be whsec_ and at least 24 bytes as base64');
  }
  return { url, secret: secret ?? '', severity: oneOf('delivery.webhook.severity', SEVERITIES, severity) };
}
