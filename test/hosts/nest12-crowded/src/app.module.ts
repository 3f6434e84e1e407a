import { Module } from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR } from '@nestjs/core';
import { EventEmitterModule } from '@nestjs/event-emitter';
import { TerminusModule } from '@nestjs/terminus';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ClsModule, ClsService } from 'nestjs-cls';
import { LoggerModule } from 'nestjs-pino';
import { AlertsModule, alertsMigrations } from 'nestjs-session-alerts';
import { AccountsModule } from './accounts.module.js';
import { AlertEvents } from './alert-events.js';
import { AnswerErrors, WrapAnswers } from './answers.js';
import { AlertsIndicator, HealthController } from './health.controller.js';
import { ProjectsController } from './projects.controller.js';
import { Public } from './public.decorator.js';
import { SessionsService } from './sessions.service.js';

@Module({
  imports: [
    ClsModule.forRoot({ global: true, middleware: { mount: true, generateId: true } }),
    LoggerModule.forRootAsync({
      inject: [ClsService],
      useFactory: (cls: ClsService) => ({
        pinoHttp: { redact: ['req.headers.authorization'], mixin: () => ({ request: cls.getId() }) },
      }),
    }),
    TypeOrmModule.forRoot({
      type: 'postgres',
      url: process.env.DATABASE_URL,
      autoLoadEntities: true,
      migrations: alertsMigrations,
      migrationsRun: true,
    }),
    EventEmitterModule.forRoot(),
    TerminusModule,
    AccountsModule,
    AlertsModule.forRoot({ auth: { issuer: process.env.OIDC_ISSUER ?? '' }, decorators: [Public()] }),
  ],
  controllers: [ProjectsController, HealthController],
  providers: [
    AlertEvents,
    AlertsIndicator,
    SessionsService,
    { provide: APP_INTERCEPTOR, useClass: WrapAnswers },
    { provide: APP_FILTER, useClass: AnswerErrors },
  ],
})
export class AppModule {}
