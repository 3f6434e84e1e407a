import { Injectable } from '@nestjs/common';
import { AlertsRepository } from './alerts/alerts.repository.js';
import { SigningKeys } from './auth/signing-keys.service.js';

export type HealthCheck = 'ok' | 'unavailable';

/** Whether the module can serve; for a host's readiness probe. */
@Injectable()
export class AlertsHealth {
  constructor(
    private readonly repository: AlertsRepository,
    private readonly keys: SigningKeys,
  ) {}

  /** Asks the database for its tables, and whether the issuer's keys are known; never throws. */
  async check(): Promise<Record<'database' | 'issuer', HealthCheck>> {
    const database = await this.repository.ping().then(
      (): HealthCheck => 'ok',
      (): HealthCheck => 'unavailable',
    );
    return { database, issuer: this.keys.isReady ? 'ok' : 'unavailable' };
  }
}
