import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { readConfig } from '../../server/src/config.js';
import { EmbeddedIssuer } from '../../server/demo/embedded-issuer.js';
import { createServer } from '../../server/src/server.js';
import { ReconcileService } from '../../src/upkeep/reconcile.service.js';
import { UpkeepService } from '../../src/upkeep/upkeep.service.js';
import { createTestDatabase, pooledAddress } from './database.js';

/** The standalone server as its environment makes it, on a database and with an issuer of its own. */
export interface TestServer {
  /** Without a slash at its end. */
  readonly url: string;
  /** Address of the webhook. */
  readonly webhookUrl: string;
  readonly databaseUrl: string;
  readonly issuer: EmbeddedIssuer;
  readonly app: NestFastifyApplication;
  /** An access token of Alertmanager's client. */
  alertmanagerToken(): Promise<string>;
  close(): Promise<void>;
}

export interface TestServerOptions {
  /** The issuer that it trusts, which the caller closes. Default: one of its own. */
  issuer?: TestIssuer;
  /** Wait until it can serve. Default: true. */
  untilReady?: boolean;
  /** Whether it logs to standard output, as its environment says. Default: false. */
  logs?: boolean;
  /** Whether upkeep and reconciling run by themselves, first some 5 s after the start. Default: true. */
  upkeep?: boolean;
}

/** Starts a server on a free port; `env` overrides what it is told, its database too. */
export async function startTestServer(
  env: NodeJS.ProcessEnv = {},
  { issuer: givenIssuer, untilReady = true, logs = false, upkeep = true }: TestServerOptions = {},
): Promise<TestServer> {
  const database = env['DATABASE_URL'] === undefined ? await createTestDatabase() : undefined;
  const databaseUrl = env['DATABASE_URL'] ?? database?.url ?? '';
  const issuer = givenIssuer ?? (await startIssuer());
  const config = readConfig({
    PORT: '0',
    HOST: '127.0.0.1',
    OIDC_ISSUER: issuer.issuer.url,
    LOG_LEVEL: 'error',
    ...env,
    ...databaseAddresses(databaseUrl, env),
  });
  const app = await createServer(config, logs ? undefined : false);
  await app.listen(0, '127.0.0.1');
  const url = `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`;
  const close = async (): Promise<void> => {
    await app.close();
    if (!givenIssuer) await issuer.close();
    await database?.drop();
  };
  try {
    if (!upkeep) {
      await app.get(UpkeepService, { strict: false }).beforeApplicationShutdown();
      await app.get(ReconcileService, { strict: false }).beforeApplicationShutdown();
    }
    if (untilReady) await waitUntil(async () => (await fetch(`${url}/readyz`)).ok);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    url,
    webhookUrl: `${url}/api/data/webhooks/alertmanager`,
    databaseUrl,
    issuer: issuer.issuer,
    app,
    alertmanagerToken: () =>
      issuer.issuer.userToken({ sub: 'alertmanager', roles: ['alertmanager-webhook'] }),
    close,
  };
}

/** Where the tests have a pooler (scripts/with-pgbouncer.sh), the server's way leads through it. */
function databaseAddresses(url: string, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const pooled = pooledAddress(url);
  if (pooled === undefined || env['DATABASE_DIRECT_URL'] !== undefined) return { DATABASE_URL: url };
  return { DATABASE_URL: pooled.url, ...(pooled.mode === 'transaction' && { DATABASE_DIRECT_URL: url }) };
}

/** An issuer on a port of its own, which may go away and come back. */
export interface TestIssuer {
  readonly issuer: EmbeddedIssuer;
  /** Answers a request in the issuer's place, where it is set and does not return false. */
  answerInstead: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
  /** Closes the port and every connection to it. */
  stop(): Promise<void>;
  /** Opens the same port again. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/** The embedded issuer on a free port of its own, with the client `alertmanager` whose secret is `secret`. */
export async function startIssuer(): Promise<TestIssuer> {
  const server = createHttpServer();
  const listen = (port: number): Promise<void> =>
    new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => {
        resolve();
      });
      server.closeAllConnections();
    });
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const issuer = await EmbeddedIssuer.create({
    url: `http://127.0.0.1:${port}/auth/realms/Renku`,
    clients: [{ id: 'alertmanager', secret: 'secret', roles: ['alertmanager-webhook'] }],
  });
  const testIssuer: TestIssuer = {
    issuer,
    answerInstead: undefined,
    stop,
    start: () => listen(port),
    close: stop,
  };
  server.on('request', (request, response) => {
    if (testIssuer.answerInstead?.(request, response)) return;
    void issuer.handle(request, response).then((handled) => {
      if (!handled) response.writeHead(404).end();
    });
  });
  return testIssuer;
}

/** Waits for a condition; an attempt that throws counts as "not yet". */
export async function waitUntil(
  condition: () => Promise<boolean> | boolean,
  timeout = 30_000,
): Promise<void> {
  const deadline = Date.now() + timeout;
  let failure: unknown;
  for (;;) {
    try {
      if (await condition()) return;
    } catch (error) {
      failure = error;
    }
    if (Date.now() > deadline) throw new Error(`Waited ${timeout} ms in vain`, { cause: failure });
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
