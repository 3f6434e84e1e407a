import type { IncomingMessage } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import { AlertsService } from '../../alerts/alerts.service.js';
import { AccessService } from '../../auth/access.service.js';
import { SignatureMismatchException } from '../../auth/auth-errors.js';
import { SignedRequests } from '../../auth/signed-requests.service.js';
import type { Signature } from '../../auth/signed-requests.service.js';
import { TrustedClock } from '../../clock/trusted-clock.js';
import { CountedBodies } from '../../http/counted-bodies.js';
import { AlertsMetrics } from '../../metrics/alerts-metrics.service.js';
import { ALERTS_SETTINGS } from '../../options/alerts-settings.js';
import type { AlertsSettings } from '../../options/alerts-settings.js';
import { WebhookArrivalMiddleware } from '../webhook-arrival.middleware.js';

/** Where its contact point is told to put them. Grafana has a name for the first of them by default. */
const SIGNATURE_HEADER = 'X-Grafana-Alerting-Signature';
const TIMESTAMP_HEADER = 'X-Grafana-Alerting-Timestamp';

/** How far (s) a signature's moment may be from now: later it is a copy of what was posted once. */
const FRESH = 300;

/** Who sends it is known only when all of it has been read (bytes): a thousand alerts and more. */
const LONGEST_SIGNED_BODY = 4 * 1024 * 1024;

/** As for Alertmanager; and what comes without a token may be signed instead, where a secret is set. */
@Injectable()
export class GrafanaArrivalMiddleware extends WebhookArrivalMiddleware {
  constructor(
    @Inject(ALERTS_SETTINGS) settings: AlertsSettings,
    access: AccessService,
    bodies: CountedBodies,
    alerts: AlertsService,
    metrics: AlertsMetrics,
    clock: TrustedClock,
    private readonly signatures: SignedRequests,
  ) {
    super(settings, access, bodies, alerts, metrics, clock);
  }

  protected override async admitSender(request: IncomingMessage): Promise<number> {
    const hex = headerOf(request, SIGNATURE_HEADER);
    if (hex === undefined || request.headers.authorization !== undefined) return super.admitSender(request);
    this.signatures.expect(request, this.signatureOf(request, hex));
    return LONGEST_SIGNED_BODY;
  }

  /**
   * @see https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/#hmac-signature
   * @throws SignatureMismatchException it can be seen before the body comes that it is none
   */
  private signatureOf(request: IncomingMessage, hex: string): Signature {
    const { secret } = this.settings.grafana;
    if (secret === undefined) {
      throw new SignatureMismatchException(
        'there is no secret to check it by: set GRAFANA_WEBHOOK_SECRET_FILE (grafana.secret), or send an access token',
      );
    }
    const timestamp = headerOf(request, TIMESTAMP_HEADER);
    if (timestamp === undefined) {
      throw new SignatureMismatchException(
        `it has no timestamp: in Grafana's contact point set "Timestamp header" to ${TIMESTAMP_HEADER}`,
      );
    }
    const isMoment = /^\d{1,12}$/.test(timestamp);
    if (!isMoment || Math.abs(this.clock.now() / 1000 - Number(timestamp)) > FRESH) {
      throw new SignatureMismatchException(
        `its timestamp must be of the last ${FRESH / 60} minutes, in seconds since 1970; is Grafana's clock right?`,
      );
    }
    if (!/^[0-9a-f]{64}$/i.test(hex)) throw new SignatureMismatchException('it must have 64 hex digits');
    return { secret, prefix: `${timestamp}:`, hex };
  }
}

function headerOf({ headers }: IncomingMessage, name: string): string | undefined {
  const value = headers[name.toLowerCase()];
  return typeof value === 'string' ? value : undefined;
}
