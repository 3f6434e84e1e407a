import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AlertsModule } from '../alerts.module.js';
import { SERVER_CONFIG } from './server-config.token.js';
import type { ServerConfig } from './config.js';
import { DatabaseService, dataSourceOptions } from './database.service.js';
import { HealthController } from './health.controller.js';

/** The host that the standalone server is: nothing but the module, a database and probes. */
@Module({})
export class ServerModule {
  static forConfig(config: ServerConfig): DynamicModule {
    return {
      module: ServerModule,
      imports: [
        TypeOrmModule.forRoot({ ...dataSourceOptions(config), manualInitialization: true }),
        AlertsModule.forRoot({
          auth: {
            issuer: config.issuer,
            audience: config.audience,
            ...(config.jwksUri !== undefined && { jwksUri: config.jwksUri }),
          },
          webhookRole: config.webhookRole,
          adminRole: config.adminRole,
        }),
      ],
      controllers: [HealthController],
      providers: [{ provide: SERVER_CONFIG, useValue: config }, DatabaseService],
    };
  }
}
