import type { LoggerService } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { ServerConfig } from '../src/config.js';
import { createServer } from '../src/server.js';
import { serveDemoPage } from './demo-page.js';
import type { EmbeddedIssuer } from './embedded-issuer.js';

interface DemoServerOptions {
  logger?: LoggerService | false;
  /** Where the page was built. Default: beside the panel. */
  pageFolder?: string;
}

/** The standalone server with the issuer and the demo's page on its origin, ready to `listen`. */
export async function createDemoServer(
  config: ServerConfig,
  issuer: EmbeddedIssuer,
  { logger, pageFolder }: DemoServerOptions = {},
): Promise<NestFastifyApplication> {
  const app = await createServer(config, logger);
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onRequest', async (request, reply) => {
      if (await issuer.handle(request.raw, reply.raw)) reply.hijack();
    });
  serveDemoPage(app, issuer, pageFolder);
  return app;
}
