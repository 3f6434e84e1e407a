import { ConsoleLogger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { ErrorResponseFilter } from '../src/http/error-response.filter.js';
import { levelsDownTo, readConfig } from '../server/src/config.js';
import { runUntilStopped } from '../server/src/process.js';
import { ServerModule } from '../server/src/server.module.js';

/** The standalone server's module, as a host on Express has it. */

const config = readConfig(process.env);
const app = await NestFactory.create<NestExpressApplication>(
  ServerModule.forConfig(config),
  new ExpressAdapter(),
  { logger: new ConsoleLogger({ json: true, logLevels: levelsDownTo(config.logLevel) }) },
);
app.useBodyParser('json', { limit: config.bodyLimit });
app.setGlobalPrefix(config.globalPrefix, { exclude: ['healthz', 'readyz', 'metrics'] });
app.useGlobalFilters(new ErrorResponseFilter());
app.getHttpServer().keepAliveTimeout = 310_000;
runUntilStopped(() => app.close());
await app.listen(config.port, config.host);
