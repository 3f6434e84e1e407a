import { createServer as createTcpServer } from 'node:net';
import { makeVapidKeys } from 'nestjs-session-alerts/operations';
import { readConfig } from '../src/config.js';
import type { ServerConfig } from '../src/config.js';
import { explain, runUntilStopped } from '../src/process.js';
import { ADMIN, ANN, BOB, CLIENT } from './demo-people.js';
import { createDemoServer } from './demo-server.js';
import { EmbeddedIssuer } from './embedded-issuer.js';
import { startEmbeddedPostgres } from './embedded-postgres.js';
import { MailSink } from './mail-sink.js';
import { welcome } from './welcome.js';

/** Loopback only: the demo's secret is no secret. */
const HOST = '127.0.0.1';
/** Seconds; the printed tokens should outlive a day of trying things out. */
const TOKEN_LIFETIME = 24 * 3600;

/** Everything in one process and on one origin: database, issuer, server and page. */
async function startDemo(
  env: NodeJS.ProcessEnv,
  started: (stop: () => Promise<void>) => void,
): Promise<void> {
  const { port } = readConfig({
    ...env,
    DATABASE_URL: 'postgresql://embedded',
    OIDC_ISSUER: 'http://embedded',
  });
  await checkIsFree(port);
  const origin = `http://localhost:${port}`;

  const postgres = await startEmbeddedPostgres();
  started(() => postgres.stop());
  const issuer = await EmbeddedIssuer.create({ url: `${origin}/auth/realms/Renku`, clients: [CLIENT] });
  const mail = await MailSink.start();
  started(() => mail.stop());
  const { app, watchdog } = await createDemoServer(
    withWebPush(
      readConfig({
        LOG_LEVEL: 'warn',
        LOG_FORMAT: 'text',
        // Nobody wants to wait for minutes to see it.
        FEED_STALE_AFTER: '10s',
        DELIVERY_GRACE: '20s',
        SMTP_URL: mail.url,
        MAIL_FROM: 'Session alerts <alerts@example.org>',
        PUBLIC_URL: `${origin}/api/data`,
        SESSION_URL: `${origin}/#{session}`,
        ...env,
        GLOBAL_PREFIX: '/api/data',
        DATABASE_URL: postgres.url,
        OIDC_ISSUER: issuer.url,
      }),
    ),
    issuer,
    { mail },
  );
  started(() => app.close());
  await app.listen(port, HOST);
  await untilReady(origin);
  await watchdog.start();

  const tokenOf = (person: typeof ANN): Promise<string> =>
    issuer.userToken({ ...person, lifetime: TOKEN_LIFETIME });
  const [ann, bob, admin] = await Promise.all([tokenOf(ANN), tokenOf(BOB), tokenOf(ADMIN)]);
  process.stdout.write(welcome(origin, { ann, bob, admin }));
}

/** With keys of its own for as long as it runs. */
function withWebPush(config: ServerConfig): ServerConfig {
  const webPush = { subject: 'mailto:alerts@example.org', ...makeVapidKeys() };
  return { ...config, delivery: { ...config.delivery, webPush } };
}

/** Said at once, before anything is started. */
async function checkIsFree(port: number): Promise<void> {
  const probe = createTcpServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', reject).listen(port, HOST, resolve);
  });
  await new Promise((resolve) => probe.close(resolve));
}

async function untilReady(origin: string): Promise<void> {
  const deadline = AbortSignal.timeout(60_000);
  while (!(await fetch(`${origin}/readyz`, { signal: deadline })).ok) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const stops: (() => Promise<void>)[] = [];
async function stopAll(): Promise<void> {
  for (let stop = stops.pop(); stop; stop = stops.pop()) await stop();
}

runUntilStopped(stopAll);
try {
  await startDemo(process.env, (stop) => stops.push(stop));
} catch (error) {
  process.stderr.write(`${explain(error)}\n`);
  await stopAll();
  process.exit(1);
}
