import { ConsoleLogger } from '@nestjs/common';
import type { LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ErrorResponse } from '../http/error-response.dto.js';
import { ErrorResponseFilter } from '../http/error-response.filter.js';
import { serveApiDocs } from './api-docs.js';
import { levelsDownTo } from './config.js';
import type { ServerConfig } from './config.js';
import { servePanel } from './panel.js';
import { ServerModule } from './server.module.js';
import { endConnectionsOnClose } from './stopping.js';

/** Alertmanager uses a connection again after up to 300 s; closing it just then would lose a post (ms). */
const KEEP_ALIVE = 310_000;
const REQUEST_TIMEOUT = 60_000;

/** The standalone server, ready to `listen`. It listens, and answers 503, before database and issuer are up. */
export async function createServer(
  config: ServerConfig,
  logger: LoggerService | false = createLogger(config),
): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter({
    bodyLimit: config.bodyLimit,
    keepAliveTimeout: KEEP_ALIVE,
    requestTimeout: REQUEST_TIMEOUT,
    // What still comes on an open connection while we stop is served, and the connection closed after it.
    return503OnClosing: false,
    // `__proto__` is a legal name of a label; we read labels by name and copy none.
    onProtoPoisoning: 'ignore',
    // Longer than any address that Node takes: an id of any length is only unknown.
    routerOptions: { maxParamLength: 64 * 1024 },
    // What the router cannot even decode (`/alerts/%`) is no address of ours.
    frameworkErrors: (_error: unknown, _request: unknown, reply: FastifyReply) => {
      answerNotFound(reply);
    },
    onConstructorPoisoning: 'ignore',
  });
  const app = await NestFactory.create<NestFastifyApplication>(ServerModule.forConfig(config), adapter, {
    logger,
    abortOnError: false,
  });
  adapter.getInstance().addHook('preParsing', refuseUnknownAddress);
  app.setGlobalPrefix(config.globalPrefix, { exclude: ['healthz', 'readyz', 'metrics'] });
  // Nothing but JSON is ever posted here: what comes as something else is a 415.
  adapter.getInstance().removeContentTypeParser('text/plain');
  app.useGlobalFilters(new ErrorResponseFilter());
  serveApiDocs(app);
  servePanel(app);
  endConnectionsOnClose(app);
  return app;
}

function answerNotFound(reply: FastifyReply): void {
  const body: ErrorResponse = { error: { code: 404, message: 'There is nothing at this address' } };
  void reply.status(404).send(body);
}

/** Before the body is read, which anybody could make large; after all that may know the address past the router. */
function refuseUnknownAddress(
  request: FastifyRequest,
  reply: FastifyReply,
  _body: unknown,
  next: () => void,
): void {
  if (request.is404) answerNotFound(reply);
  else next();
}

function createLogger({ logFormat, logLevel }: ServerConfig): ConsoleLogger {
  return new ConsoleLogger({ json: logFormat === 'json', logLevels: levelsDownTo(logLevel) });
}
