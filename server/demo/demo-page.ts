import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ANN, BOB, CLIENT } from './demo-people.js';
import type { EmbeddedIssuer } from './embedded-issuer.js';

/** Ann's is the session of the administrators' guide's test alert. */
const PEOPLE = [
  { ...ANN, name: 'Ann', sessionName: 'test-session' },
  { ...BOB, name: 'Bob', sessionName: 'bobs-session' },
];

/** The page at the demo's address: two people's sessions, and a strip that plays Alertmanager. */
export function serveDemoPage(
  app: NestFastifyApplication,
  issuer: EmbeddedIssuer,
  folder = join(import.meta.dirname, 'page'),
): void {
  app.useStaticAssets({ root: join(folder, 'assets'), prefix: '/demo/assets/', decorateReply: false });
  const server = app.getHttpAdapter().getInstance();
  const page = readFileSync(join(folder, 'index.html'));
  server.get('/', (_request, reply) => reply.type('text/html; charset=utf-8').send(page));
  server.get('/demo/config.json', async (_request, reply) => {
    const people = PEOPLE.map(async ({ name, sub, username, roles, sessionName }) => ({
      name,
      userId: sub,
      sessionName,
      token: await issuer.userToken({ sub, username, roles }),
    }));
    return reply.header('Cache-Control', 'no-store').send({
      api: '/api/data',
      alertmanager: {
        tokenUrl: new URL(`${issuer.url}/protocol/openid-connect/token`).pathname,
        clientId: CLIENT.id,
        clientSecret: CLIENT.secret,
      },
      people: await Promise.all(people),
    });
  });
}
