import { Module, RequestMethod } from '@nestjs/common';
import type { DynamicModule, MiddlewareConsumer, NestModule } from '@nestjs/common';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import { AlertsHealth } from './health/alerts-health.service.js';
import { ALERTS_SETTINGS, alertsSettings } from './options/alerts-settings.js';
import { AlertsClock } from './database/alerts-clock.js';
import { AlertsController } from './alerts/alerts.controller.js';
import { AlertsRepository } from './alerts/alerts.repository.js';
import { AlertsService } from './alerts/alerts.service.js';
import { OpenAlerts } from './alerts/open-alerts.service.js';
import { KnownUsers } from './alerts/known-users.service.js';
import {
  ALERTS_DATA_SOURCE,
  ConfigurableModuleClass,
  MODULE_OPTIONS_TOKEN,
} from './options/module-options.js';
import type { AlertsModuleExtras, ASYNC_OPTIONS_TYPE, OPTIONS_TYPE } from './options/module-options.js';
import { AccessService } from './auth/access.service.js';
import { AccessTokens } from './auth/access-tokens.service.js';
import { AdminFirstMiddleware, TokenFirstMiddleware } from './auth/token-first.middleware.js';
import { SigningKeys } from './auth/signing-keys.service.js';
import { CountedBodies } from './http/counted-bodies.js';
import { AlertStreamController } from './live/alert-stream.controller.js';
import { ChangeListener } from './live/change-listener.service.js';
import { LiveAlerts } from './live/live-alerts.service.js';
import { AlertsMetrics } from './metrics/alerts-metrics.service.js';
import { AskedAlertmanagers } from './webhooks/alertmanager/asked-alertmanagers.service.js';
import { FeedController } from './feed/feed.controller.js';
import { FeedHealth } from './feed/feed-health.service.js';
import { ReconcileService } from './upkeep/reconcile.service.js';
import { UpkeepService } from './upkeep/upkeep.service.js';
import { alertsEntities } from './migrations/tables.js';
import { UpkeepRepository } from './upkeep/upkeep.repository.js';
import { AskedAlertmanagersRepository } from './webhooks/alertmanager/asked-alertmanagers.repository.js';
import { FeedRepository } from './feed/feed.repository.js';
import { AlertsDatabase } from './database/alerts-database.js';
import { AlertMapper } from './webhooks/alert-mapper.service.js';
import { WebhookArrivalMiddleware } from './webhooks/webhook-arrival.middleware.js';
import { WebhooksController } from './webhooks/webhooks.controller.js';
import { WebhooksService } from './webhooks/webhooks.service.js';

/** Session alerts in a NestJS application: the webhook, the API and what is behind them. */
@Module({
  controllers: [FeedController, AlertStreamController, AlertsController, WebhooksController],
  providers: [
    { provide: ALERTS_SETTINGS, useFactory: alertsSettings, inject: [MODULE_OPTIONS_TOKEN] },
    AccessService,
    AccessTokens,
    AlertMapper,
    AlertsClock,
    AlertsDatabase,
    AlertsHealth,
    AlertsMetrics,
    AlertsRepository,
    AlertsService,
    AskedAlertmanagers,
    AskedAlertmanagersRepository,
    ChangeListener,
    CountedBodies,
    FeedHealth,
    FeedRepository,
    KnownUsers,
    LiveAlerts,
    OpenAlerts,
    ReconcileService,
    SigningKeys,
    UpkeepRepository,
    UpkeepService,
    WebhooksService,
  ],
  exports: [AlertsService, AlertsHealth, AlertsMetrics, FeedHealth],
})
export class AlertsModule extends ConfigurableModuleClass implements NestModule {
  /** Registers the module with options that are known now. */
  static override forRoot(options: typeof OPTIONS_TYPE): DynamicModule {
    return onDataSource(super.forRoot(options), options);
  }

  /** Registers the module with options that come from a factory, a class or another provider. */
  static override forRootAsync(options: typeof ASYNC_OPTIONS_TYPE): DynamicModule {
    return onDataSource(super.forRootAsync(options), options);
  }

  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(TokenFirstMiddleware).forRoutes({ path: 'alerts/:id', method: RequestMethod.PATCH });
    consumer.apply(AdminFirstMiddleware).forRoutes({ path: 'alerts', method: RequestMethod.POST });
    consumer.apply(WebhookArrivalMiddleware).forRoutes(WebhooksController);
  }
}

function onDataSource(module: DynamicModule, { dataSource }: AlertsModuleExtras): DynamicModule {
  return {
    ...module,
    imports: [...(module.imports ?? []), TypeOrmModule.forFeature(alertsEntities, dataSource)],
    providers: [
      ...(module.providers ?? []),
      { provide: ALERTS_DATA_SOURCE, useExisting: getDataSourceToken(dataSource) },
    ],
  };
}
