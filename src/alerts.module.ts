import { Inject, Module } from '@nestjs/common';
import type { DynamicModule, MiddlewareConsumer, NestModule, Provider, Type } from '@nestjs/common';
import { HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import { AlertsHealth } from './health/alerts-health.service.js';
import { ALERTS_SETTINGS, alertsSettings } from './options/alerts-settings.js';
import type { AlertsSettings } from './options/alerts-settings.js';
import { AlertsClock } from './clock/alerts-clock.js';
import { DatabaseClock } from './clock/database-clock.js';
import { TrustedClock } from './clock/trusted-clock.js';
import { Standstill } from './http/standstill.service.js';
import { AlertChangesController } from './alerts/alert-changes.controller.js';
import { AlertsController } from './alerts/alerts.controller.js';
import { Departures } from './alerts/departures.js';
import { OpenPages } from './alerts/open-pages.js';
import { AlertsRepository } from './alerts/alerts.repository.js';
import { AlertsService } from './alerts/alerts.service.js';
import { OpenAlerts } from './alerts/open-alerts.service.js';
import { KnownUsers } from './alerts/known-users.service.js';
import {
  ALERTS_DATA_SOURCE,
  ALERTS_DIRECT_DATA_SOURCE,
  ALERTS_READ_DATA_SOURCE,
  ConfigurableModuleClass,
  MODULE_OPTIONS_TOKEN,
} from './options/module-options.js';
import type { AlertsModuleAsyncOptions, AlertsModuleRootOptions } from './options/module-options.js';
import {
  PACKAGE,
  postgresDataSource,
  refuseBareModule,
  refuseOtherDatabase,
  refuseSecondModule,
} from './options/host-checks.js';
import { registrationOf, registrationOfFactory } from './options/registration.js';
import type { Registration } from './options/registration.js';
import type { DataSource } from 'typeorm';
import { AccessService } from './auth/access.service.js';
import { AccessTokens } from './auth/access-tokens.service.js';
import { SignedRequests } from './auth/signed-requests.service.js';
import { AlertsStrategy } from './auth/alerts.strategy.js';
import { TokenFirstMiddleware, UserFirstMiddleware } from './auth/token-first.middleware.js';
import { SigningKeys } from './auth/signing-keys.service.js';
import { CountedBodies } from './http/counted-bodies.js';
import { decorated } from './http/decorated.js';
import { AlertStreamController } from './live/alert-stream.controller.js';
import { ChangeListener } from './database/change-listener.service.js';
import { LiveAlerts } from './live/live-alerts.service.js';
import { AlertsMetrics } from './metrics/alerts-metrics.service.js';
import { AskedAlertmanagers } from './webhooks/alertmanager/asked-alertmanagers.service.js';
import { AlertChannels } from './delivery/alert-channels.service.js';
import { DeliveryRepository } from './delivery/delivery.repository.js';
import { DeliveryService } from './delivery/delivery.service.js';
import { Interest } from './delivery/interest.service.js';
import { Outbox } from './delivery/outbox.service.js';
import { PagePresence } from './delivery/page-presence.service.js';
import { PreferencesController } from './delivery/preferences.controller.js';
import { PreferencesRepository } from './delivery/preferences.repository.js';
import { PreferencesService } from './delivery/preferences.service.js';
import { UnsubscribeController } from './delivery/unsubscribe.controller.js';
import { UnsubscribeMiddleware } from './delivery/unsubscribe.middleware.js';
import { FeedController } from './feed/feed.controller.js';
import { FeedHealth } from './feed/feed-health.service.js';
import { OpenAlertsGauge } from './upkeep/open-alerts-gauge.js';
import { ReconcileService } from './upkeep/reconcile.service.js';
import { UpkeepService } from './upkeep/upkeep.service.js';
import { migrateAtBoot } from './migrations/migrate-at-boot.js';
import { alertsEntities } from './migrations/tables.js';
import { UpkeepRepository } from './upkeep/upkeep.repository.js';
import { AskedAlertmanagersRepository } from './webhooks/alertmanager/asked-alertmanagers.repository.js';
import { FeedRepository } from './feed/feed.repository.js';
import { AlertsDatabase } from './database/alerts-database.js';
import { ReadDatabase } from './database/read-database.service.js';
import { AlertMapper } from './webhooks/alert-mapper.service.js';
import { WebhookArrivalMiddleware } from './webhooks/webhook-arrival.middleware.js';
import { GrafanaArrivalMiddleware } from './webhooks/grafana/grafana-arrival.middleware.js';
import { GrafanaWebhooksController } from './webhooks/grafana/grafana-webhooks.controller.js';
import { WebhooksController } from './webhooks/webhooks.controller.js';
import { WebhooksService } from './webhooks/webhooks.service.js';

/** What hosts may inject. */
const EXPORTED = [AlertsService, AlertsHealth, AlertsMetrics, FeedHealth];

const ALWAYS: Provider[] = [
  { provide: ALERTS_SETTINGS, useFactory: alertsSettings, inject: [MODULE_OPTIONS_TOKEN] },
  {
    provide: AlertsStrategy,
    useFactory: ({ auth }: AlertsSettings, tokens: AccessTokens, host: HttpAdapterHost) =>
      'guard' in auth ? undefined : new AlertsStrategy(tokens, host),
    inject: [ALERTS_SETTINGS, AccessTokens, HttpAdapterHost],
  },
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
  CountedBodies,
  DatabaseClock,
  AlertChannels,
  DeliveryRepository,
  { provide: Departures, useClass: Outbox },
  FeedHealth,
  FeedRepository,
  Interest,
  KnownUsers,
  OpenAlerts,
  OpenAlertsGauge,
  OpenPages,
  PagePresence,
  PreferencesRepository,
  PreferencesService,
  ReadDatabase,
  SignedRequests,
  SigningKeys,
  Standstill,
  TrustedClock,
  UpkeepRepository,
];
const OF_WEBHOOKS = [WebhooksService];
const OF_LIVE = [ChangeListener, LiveAlerts];
const OF_UPKEEP = [DeliveryService, ReconcileService, UpkeepService];

/** What the module asks of its registration: controllers, with the host's decorators, and the DataSource's name. */
interface Registered {
  alertChanges: Type<object>;
  preferences: Type<object>;
  unsubscribe: Type<object>;
  webhooks: { alertmanager: Type<object>; grafana: Type<object> } | undefined;
  dataSource: string | undefined;
  readDataSource: string | undefined;
}
const REGISTERED = Symbol('ALERTS_REGISTERED');

/** Session alerts in a NestJS application: the webhook, the API and what is behind them. */
@Module({
  // The bare class has no options; those of a registration take their places.
  providers: [REGISTERED, ...EXPORTED].map((provide) => ({ provide, useFactory: refuseBareModule })),
  exports: EXPORTED,
})
export class AlertsModule extends ConfigurableModuleClass implements NestModule {
  static readonly [PACKAGE] = true;

  constructor(
    @Inject(REGISTERED) private readonly registered: Registered,
    modules: ModulesContainer,
  ) {
    super();
    refuseSecondModule(modules, AlertsModule);
    refuseOtherDatabase(modules, registered.dataSource);
    if (registered.readDataSource !== undefined) refuseOtherDatabase(modules, registered.readDataSource);
  }

  /** Registers the module with options that are known now. */
  static override forRoot(given: AlertsModuleRootOptions): DynamicModule {
    const { registration, options } = registrationOf(given);
    return registered(super.forRoot(options), registration);
  }

  /** Registers the module with options that come from a factory, a class or another provider. */
  static override forRootAsync(given: AlertsModuleAsyncOptions): DynamicModule {
    const registration = registrationOfFactory(given);
    return registered(super.forRootAsync(given), registration);
  }

  configure(consumer: MiddlewareConsumer): void {
    const { alertChanges, preferences, unsubscribe, webhooks } = this.registered;
    consumer.apply(TokenFirstMiddleware).forRoutes(alertChanges);
    consumer.apply(UserFirstMiddleware).forRoutes(preferences);
    consumer.apply(UnsubscribeMiddleware).forRoutes(unsubscribe);
    if (!webhooks) return;
    consumer.apply(WebhookArrivalMiddleware).forRoutes(webhooks.alertmanager);
    consumer.apply(GrafanaArrivalMiddleware).forRoutes(webhooks.grafana);
  }
}

function registered(module: DynamicModule, registration: Registration): DynamicModule {
  const { dataSource, directDataSource, readDataSource, isGlobal, live, upkeep } = registration;
  const { alertChanges, preferences, unsubscribe, webhooks, others } = controllersOf(registration);
  const shape: Registered = {
    ...{ alertChanges, preferences, unsubscribe, webhooks },
    ...{ dataSource, readDataSource },
  };
  // For `autoLoadEntities`; the repositories that it makes nobody needs.
  TypeOrmModule.forFeature(alertsEntities, dataSource);
  return {
    ...module,
    global: isGlobal,
    controllers: [...others, preferences, unsubscribe, alertChanges, ...Object.values(webhooks ?? {})],
    providers: [
      ...(module.providers ?? []),
      ...ALWAYS,
      ...(webhooks ? OF_WEBHOOKS : []),
      ...(live ? OF_LIVE : []),
      ...(upkeep ? OF_UPKEEP : []),
      { provide: REGISTERED, useValue: shape },
      {
        provide: ALERTS_DATA_SOURCE,
        useFactory: async (found: DataSource | undefined, { migrate }: AlertsSettings) => {
          const ours = await postgresDataSource(found, dataSource);
          if (migrate ?? ours.options.synchronize) await migrateAtBoot(ours);
          return ours;
        },
        inject: [{ token: getDataSourceToken(dataSource), optional: true }, ALERTS_SETTINGS],
      },
      directDataSource === undefined
        ? { provide: ALERTS_DIRECT_DATA_SOURCE, useExisting: ALERTS_DATA_SOURCE }
        : {
            provide: ALERTS_DIRECT_DATA_SOURCE,
            useFactory: (found: DataSource | undefined) =>
              postgresDataSource(found, directDataSource, 'directDataSource'),
            inject: [{ token: getDataSourceToken(directDataSource), optional: true }],
          },
      readDataSource === undefined
        ? { provide: ALERTS_READ_DATA_SOURCE, useValue: undefined }
        : {
            provide: ALERTS_READ_DATA_SOURCE,
            useFactory: (found: DataSource | undefined) =>
              postgresDataSource(found, readDataSource, 'readDataSource'),
            inject: [{ token: getDataSourceToken(readDataSource), optional: true }],
          },
    ],
  };
}

function controllersOf({ decorators, webhooks, live }: Registration) {
  const ours = (controller: Type<object>) => decorated(controller, decorators);
  return {
    alertChanges: ours(AlertChangesController),
    preferences: ours(PreferencesController),
    unsubscribe: ours(UnsubscribeController),
    webhooks: webhooks
      ? { alertmanager: ours(WebhooksController), grafana: ours(GrafanaWebhooksController) }
      : undefined,
    others: [FeedController, ...(live ? [AlertStreamController] : []), AlertsController].map(ours),
  };
}
