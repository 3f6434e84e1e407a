import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { AlertsModule } from 'nestjs-session-alerts';
import { SERVER_CONFIG } from './server-config.token.js';
import type { ServerConfig } from './config.js';
import { DatabaseService, dataSourceOptions, DIRECT, otherDataSources, READ } from './database.service.js';
import { MetricsController } from './metrics.controller.js';
import { HealthController } from './health.controller.js';

/** How often the event loop's lag is looked at (ms): by default it is what an idle server does most. */
const LAG_PRECISION = 50;

/** Beside the module's metrics those of Node and the process. */
function processMetrics(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LAG_PRECISION });
  return registry;
}

/** The host that the standalone server is: nothing but the module, a database and probes. */
@Module({})
export class ServerModule {
  static forConfig(config: ServerConfig): DynamicModule {
    const others = otherDataSources(config);
    return {
      module: ServerModule,
      imports: [
        TypeOrmModule.forRoot({ ...dataSourceOptions(config), manualInitialization: true }),
        ...Array.from(others, ([name, options]) =>
          TypeOrmModule.forRoot({ ...options, name, manualInitialization: true }),
        ),
        AlertsModule.forRoot({
          ...(others.has(DIRECT) && { directDataSource: DIRECT }),
          ...(others.has(READ) && { readDataSource: READ }),
          auth: {
            issuer: config.issuer,
            audience: config.audience,
            algorithms: config.algorithms,
            ...(config.jwksUri !== undefined && { jwksUri: config.jwksUri }),
          },
          webhookRole: config.webhookRole,
          adminRole: config.adminRole,
          upkeep: config.upkeep,
          feed: config.feed,
          live: config.live,
          grafana: config.grafana,
          delivery: config.delivery,
          ...(config.reconcile && { reconcile: config.reconcile }),
          metricsRegistry: processMetrics(),
        }),
      ],
      controllers: [HealthController, MetricsController],
      providers: [{ provide: SERVER_CONFIG, useValue: config }, DatabaseService],
    };
  }
}
