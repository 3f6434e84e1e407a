import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { DemoNetwork } from './demo-network.js';
import { ANN, BOB, CLIENT } from './demo-people.js';
import type { EmbeddedIssuer } from './embedded-issuer.js';
import type { MailSink } from './mail-sink.js';
import type { Watchdog } from './watchdog.js';

const PEOPLE = [
  { ...ANN, name: 'Ann' },
  { ...BOB, name: 'Bob' },
];
/** The first is the session of the administrators' guide's test alert. */
const SESSIONS = [
  { name: 'test-session', userId: ANN.sub },
  { name: 'bobs-session', userId: BOB.sub },
  { name: 'image-labels', userId: ANN.sub },
];

/** The page at the demo's address: two people's sessions, and controls that play Alertmanager and more. */
export function serveDemoPage(
  app: NestFastifyApplication,
  issuer: EmbeddedIssuer,
  { network, watchdog, mail }: { network: DemoNetwork; watchdog: Watchdog; mail: MailSink | undefined },
  folder = join(import.meta.dirname, 'page'),
): void {
  app.useStaticAssets({ root: join(folder, 'assets'), prefix: '/demo/assets/', decorateReply: false });
  const server = app.getHttpAdapter().getInstance();
  const page = readFileSync(join(folder, 'index.html'));
  const run = randomUUID();
  server.get('/', (_request, reply) => {
    // The page shows itself in a frame, as narrow as a telephone.
    const policy = String(reply.getHeader('Content-Security-Policy'));
    return reply
      .header('Content-Security-Policy', policy.replace("frame-ancestors 'none'", "frame-ancestors 'self'"))
      .header('X-Frame-Options', 'SAMEORIGIN')
      .type('text/html; charset=utf-8')
      .send(page);
  });
  server.get('/demo/mails', (_request, reply) =>
    reply.header('Cache-Control', 'no-store').send(mail?.mails ?? []),
  );
  server.get('/demo/config.json', async (_request, reply) => {
    const people = PEOPLE.map(async ({ name, sub, ...person }) => ({
      name,
      userId: sub,
      token: await issuer.userToken({ sub, ...person }),
    }));
    return reply.header('Cache-Control', 'no-store').send({
      run,
      api: '/api/data',
      panelApi: '/demo/api/data',
      alertmanager: {
        tokenUrl: new URL(`${issuer.url}/protocol/openid-connect/token`).pathname,
        clientId: CLIENT.id,
        clientSecret: CLIENT.secret,
      },
      people: await Promise.all(people),
      sessions: SESSIONS,
      network: network.state,
      watchdogComes: watchdog.comes,
    });
  });
}
