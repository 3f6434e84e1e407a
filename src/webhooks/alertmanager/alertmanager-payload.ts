import { IsArray, IsIn, IsOptional, validateSync } from 'class-validator';
import { PayloadTooLargeException } from '@nestjs/common';
import { doesNotFit, unfit } from '../../http/unfit.js';

/** More than anybody has; a body of nothing but commas can hold so many millions that memory ends. */
const MOST_ALERTS = 500_000;

/**
 * The body of Alertmanager's webhook, version 4. Only the envelope is checked: the alerts are looked at one
 * by one, so that a bad one costs nothing but itself.
 * @see https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
 */
export class AlertmanagerPayload {
  @IsOptional()
  @IsIn(['4'], { message: 'version must be "4": other versions of Alertmanager\'s webhook are not known' })
  version?: unknown;

  @IsArray({ message: 'alerts must be an array' })
  alerts!: unknown[];

  /** How many alerts Alertmanager left out because of `max_alerts`. */
  truncatedAlerts = 0;

  receiver = '';

  /** What the Alertmanager that posts is called (`--web.external-url`). */
  externalUrl = '';
}

/** @throws UnprocessableEntityException the body is no webhook */
export function parsePayload(body: unknown): AlertmanagerPayload {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw unfit("the body must be the JSON object of Alertmanager's webhook");
  }
  const { version, alerts, truncatedAlerts, receiver, externalURL } = body as Record<string, unknown>;
  const payload = new AlertmanagerPayload();
  payload.version = version;
  payload.alerts = alerts as unknown[];
  if (isCount(truncatedAlerts)) payload.truncatedAlerts = truncatedAlerts;
  if (typeof receiver === 'string') payload.receiver = receiver;
  if (typeof externalURL === 'string') payload.externalUrl = externalURL;
  // With one alert a webhook, class-validator would be a twentieth of all that it costs.
  const isPlainlyFit = version === '4' && Array.isArray(alerts);
  const errors = isPlainlyFit ? [] : validateSync(payload);
  if (errors.length > 0) throw doesNotFit(errors);
  if (payload.alerts.length > MOST_ALERTS) throw new PayloadTooLargeException();
  return payload;
}

/** What fits no number is no count: metrics refuse it. */
function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}
