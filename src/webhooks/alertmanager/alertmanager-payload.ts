import { PayloadTooLargeException } from '@nestjs/common';
import { unfit } from '../../http/unfit.js';
import { isRecord } from '../../http/untyped.js';

/** More than anybody has; a body of nothing but commas can hold so many millions that memory ends. */
const MOST_ALERTS = 500_000;

/**
 * The body of Alertmanager's webhook, version 4. Only the envelope is checked: the alerts are looked at one
 * by one, so that a bad one costs nothing but itself.
 * @see https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
 */
export interface AlertmanagerPayload {
  alerts: unknown[];
  /** How many alerts Alertmanager left out because of `max_alerts`. */
  truncatedAlerts: number;
  receiver: string;
  /** What the Alertmanager that posts is called (`--web.external-url`). */
  externalUrl: string;
}

/** @throws UnprocessableEntityException the body is no webhook */
export function parsePayload(body: unknown): AlertmanagerPayload {
  if (!isRecord(body)) throw unfit("the body must be the JSON object of Alertmanager's webhook");
  const { version = null, alerts, truncatedAlerts, receiver, externalURL } = body;
  if (version !== null && version !== '4') {
    throw unfit('version must be "4": other versions of Alertmanager\'s webhook are not known');
  }
  if (!Array.isArray(alerts)) throw unfit('alerts must be an array');
  if (alerts.length > MOST_ALERTS) throw new PayloadTooLargeException();
  return {
    alerts,
    truncatedAlerts: isCount(truncatedAlerts) ? truncatedAlerts : 0,
    receiver: typeof receiver === 'string' ? receiver : '',
    externalUrl: typeof externalURL === 'string' ? externalURL : '',
  };
}

/** What fits no number is no count: metrics refuse it. */
function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}
