import { PayloadTooLargeException } from '@nestjs/common';
import { unfit } from '../http/unfit.js';
import { isRecord, textOf } from '../http/untyped.js';
import { SENDERS } from './senders.js';
import type { Sender } from './senders.js';

/** More than anybody has; a body of nothing but commas can hold so many millions that memory ends. */
const MOST_ALERTS = 500_000;

/**
 * The body of a webhook. Only the envelope is checked: the alerts are looked at one by one, so that a bad one costs
 * nothing but itself.
 */
export interface WebhookBody {
  alerts: unknown[];
  /** How many alerts the sender left out because its receiver takes no more. */
  truncatedAlerts: number;
  receiver: string;
  /** What the instance that posts is called, such as Alertmanager's `--web.external-url`. */
  externalUrl: string;
}

/** @throws UnprocessableEntityException the body is no webhook of that sender */
export function parseWebhookBody(body: unknown, sender: Sender): WebhookBody {
  if (!isRecord(body)) throw unfit(`the body must be the JSON object of ${sender.name}'s webhook`);
  const { version = null, alerts, truncatedAlerts, receiver, externalURL } = body;
  if (version !== null && version !== sender.version) throw unfit(wrongVersion(version, sender));
  if (!Array.isArray(alerts)) throw unfit('alerts must be an array');
  if (alerts.length > MOST_ALERTS) throw new PayloadTooLargeException();
  return {
    alerts,
    truncatedAlerts: isCount(truncatedAlerts) ? truncatedAlerts : 0,
    receiver: textOf(receiver),
    externalUrl: textOf(externalURL),
  };
}

/** Whose body has come to the wrong address is told the right one. */
function wrongVersion(version: unknown, { name, version: known }: Sender): string {
  const other = SENDERS.find((one) => one.version === version);
  return other
    ? `version is "${other.version}", as in ${other.name}'s webhook: post that to /webhooks/${other.path}`
    : `version must be "${known}": other versions of ${name}'s webhook are not known`;
}

/** What fits no number is no count: metrics refuse it. */
function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}
