import type { LoggerService } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { ServerConfig } from '../src/config.js';
import { createServer } from '../src/server.js';
import { DemoNetwork } from './demo-network.js';
import { serveDemoPage } from './demo-page.js';
import { serveDemoSwitches } from './demo-switches.js';
import type { EmbeddedIssuer } from './embedded-issuer.js';
import type { MailSink } from './mail-sink.js';
import { Watchdog } from './watchdog.js';

interface DemoServerOptions {
  logger?: LoggerService | false;
  /** Where the page was built. Default: beside the panel. */
  pageFolder?: string;
  /** Whose mails the page shows. */
  mail?: MailSink;
}

/** The standalone server with the issuer and the demo's page on its origin, ready to `listen`. */
export interface DemoServer {
  app: NestFastifyApplication;
  /** Does not come before it is started. */
  watchdog: Watchdog;
}

export async function createDemoServer(
  config: ServerConfig,
  issuer: EmbeddedIssuer,
  { logger, pageFolder, mail }: DemoServerOptions = {},
): Promise<DemoServer> {
  const app = await createServer(config, logger);
  const network = new DemoNetwork();
  const watchdog = new Watchdog(app, issuer, config.globalPrefix);
  const server = app.getHttpAdapter().getInstance();
  server.addHook('onRequest', async (request, reply) => {
    if (await issuer.handle(request.raw, reply.raw)) reply.hijack();
    else if (network.handle(request.raw, reply.raw)) reply.hijack();
  });
  server.addHook('preClose', (done: () => void) => {
    watchdog.stop();
    network.become('away');
    done();
  });
  serveDemoPage(app, issuer, { network, watchdog, mail }, pageFolder);
  serveDemoSwitches(app, network, watchdog);
  return { app, watchdog };
}
