import { Controller, Get, Injectable, VERSION_NEUTRAL } from '@nestjs/common';
import { HealthCheck, HealthCheckService, HealthIndicatorService } from '@nestjs/terminus';
import { AlertsHealth } from 'nestjs-session-alerts';
import { Public } from './public.decorator.js';

@Injectable()
export class AlertsIndicator {
  constructor(
    private readonly alerts: AlertsHealth,
    private readonly indicators: HealthIndicatorService,
  ) {}

  async isHealthy(key: string) {
    const { problems, ...parts } = await this.alerts.check();
    const indicator = this.indicators.check(key);
    const isUp = Object.values(parts).every((part) => part === 'ok');
    return isUp ? indicator.up(parts) : indicator.down({ ...parts, problems });
  }
}

@Controller({ path: 'health', version: VERSION_NEUTRAL })
@Public()
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly alertsIndicator: AlertsIndicator,
  ) {}

  @Get()
  @HealthCheck()
  check() {
    return this.health.check([() => this.alertsIndicator.isHealthy('alerts')]);
  }
}
