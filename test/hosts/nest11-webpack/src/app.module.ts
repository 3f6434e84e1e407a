import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AlertsModule, alertsMigrations } from 'nestjs-session-alerts';

@Module({
  imports: [
    TypeOrmModule.forRoot({
      type: 'postgres',
      url: process.env.DATABASE_URL,
      autoLoadEntities: true,
      migrations: alertsMigrations,
      migrationsRun: true,
    }),
    AlertsModule.forRoot({ auth: { issuer: process.env.OIDC_ISSUER ?? '' } }),
  ],
})
export class AppModule {}
