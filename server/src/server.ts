import type { IncomingMessage, ServerResponse } from 'node:http';
import { parse } from 'node:querystring';
import type { ParsedUrlQuery } from 'node:querystring';
import type { LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ErrorResponseFilter } from 'nestjs-session-alerts';
import { LONGEST_QUERY, cutIfUnread } from 'nestjs-session-alerts/operations';
import { logAccess } from './access-log.js';
import { serveApiDocs } from './api-docs.js';
import { levelsDownTo } from './config.js';
import type { ServerConfig } from './config.js';
import {
  answerNodesErrors,
  answerNotFound,
  refuseConnection,
  refusesWhatNodeLetsPass,
} from './http-errors.js';
import { noteRequest, serveInTurn } from './in-turn.js';
import { servePanel } from './panel.js';
import { ServerLogger } from './server-logger.js';
import { ServerModule } from './server.module.js';
import { endConnectionsOnClose } from './stopping.js';

/** Alertmanager uses a connection again after up to 300 s; closing it just then would lose a post (ms). */
const KEEP_ALIVE = 310_000;
const REQUEST_TIMEOUT = 60_000;

/** What a page may be mixed with. Swagger's has its styles inside; pages of other origins may take the panel from here. */
const PAGE_HEADERS = {
  'Content-Security-Policy':
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
};

/** What pages of other origins may send, and read of the answers. */
const CORS = {
  methods: ['GET', 'POST', 'PUT', 'PATCH'],
  // Whoever traces pages sends the last two by itself.
  allowedHeaders: ['Authorization', 'Content-Type', 'If-None-Match', 'traceparent', 'tracestate'],
  exposedHeaders: ['ETag', 'X-Total-Count', 'Date', 'Retry-After'],
  credentials: true,
  /** For how long (s) a browser need not ask again: no browser keeps it for longer. */
  maxAge: 7_200,
  // What is no preflight is refused in words of its own, not of the API's.
  strictPreflight: false,
};

/** The standalone server, ready to `listen`. It listens, and answers 503, before database and issuer are up. */
export async function createServer(
  config: ServerConfig,
  logger: LoggerService | false = createLogger(config),
): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter({
    bodyLimit: config.bodyLimit,
    http: { maxHeaderSize: config.headerLimit, requireHostHeader: false },
    clientErrorHandler: (error, socket) => {
      refuseConnection(error, socket, config.headerLimit);
    },
    keepAliveTimeout: KEEP_ALIVE,
    requestTimeout: REQUEST_TIMEOUT,
    // What still comes on an open connection while we stop is served, and the connection closed after it.
    return503OnClosing: false,
    // `__proto__` is a legal name of a label; we read labels by name and copy none.
    onProtoPoisoning: 'ignore',
    // Longer than any address that Node takes: an id of any length is only unknown.
    routerOptions: { maxParamLength: config.headerLimit, querystringParser },
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
  const { corsOrigins } = config;
  if (corsOrigins.length > 0) {
    app.enableCors({
      ...CORS,
      origin: (origin, answer) => {
        answer(null, origin !== undefined && corsOrigins.includes(origin));
      },
    });
  }
  if (config.accessLog) logAccess(app);
  const fastify = adapter.getInstance();
  const api = ['alerts', 'webhooks'].map((room) => `${config.globalPrefix}/${room}`);
  fastify.addHook('onRequest', (request, reply, next) => {
    reply.header('X-Content-Type-Options', 'nosniff');
    if (!api.some((address) => request.raw.url?.startsWith(address))) reply.headers(PAGE_HEADERS);
    if (!refusesWhatNodeLetsPass(request, reply)) serveInTurn(reply.raw, next);
  });
  fastify.addHook('preParsing', refuseUnknownAddress);
  const server = app.getHttpServer();
  answerNodesErrors(server);
  // Before Fastify, which may answer at once.
  server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
    noteRequest(request, response);
    cutIfUnread(response);
  });
  app.setGlobalPrefix(config.globalPrefix, { exclude: ['healthz', 'readyz', 'metrics'] });
  // Nothing but JSON is ever posted here: what comes as something else is a 415.
  fastify.removeContentTypeParser('text/plain');
  app.useGlobalFilters(new ErrorResponseFilter());
  serveApiDocs(app, config.globalPrefix);
  servePanel(app);
  endConnectionsOnClose(app);
  return app;
}

/** What is refused for its length is not parsed before. */
function querystringParser(query: string): ParsedUrlQuery {
  return query.length > LONGEST_QUERY ? {} : parse(query);
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

function createLogger({ logFormat, logLevel }: ServerConfig): LoggerService {
  return new ServerLogger({ json: logFormat === 'json', logLevels: levelsDownTo(logLevel) });
}
