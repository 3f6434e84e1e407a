import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { json } from 'express';
import type { NextFunction, Request, Response } from 'express';
import { AppModule } from './app.module';

async function bootstrap(): Promise<void> {
  const app = await NestFactory.create<NestExpressApplication>(AppModule);
  const parseWebhook = json({ limit: '32mb' });
  // In a function of its own: Nest adds no parser for other routes where it finds Express's.
  app.use('/webhooks/alertmanager', (request: Request, response: Response, next: NextFunction) => {
    parseWebhook(request, response, next);
  });
  app.enableShutdownHooks();
  await app.listen(process.env.PORT ?? 3000, '127.0.0.1');
}

void bootstrap();
