import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AlertsService } from 'nestjs-session-alerts';
import { NETWORKS } from './demo-network.js';
import type { DemoNetwork } from './demo-network.js';
import type { Watchdog } from './watchdog.js';

/** What the demo's page can do besides posting alerts: faults, and the end of a session. */
export function serveDemoSwitches(
  app: NestFastifyApplication,
  network: DemoNetwork,
  watchdog: Watchdog,
): void {
  const server = app.getHttpAdapter().getInstance();
  server.post<{ Body: { mode?: unknown } }>('/demo/network', (request, reply) => {
    const mode = NETWORKS.find((one) => one === request.body.mode);
    if (mode === undefined) return reply.code(422).send({ expected: NETWORKS });
    network.become(mode);
    return reply.code(204).send();
  });
  server.post<{ Body: { comes?: unknown } }>('/demo/watchdog', async (request, reply) => {
    if (request.body.comes === true) await watchdog.start();
    else watchdog.stop();
    return reply.code(204).send();
  });
  server.post<{ Body: { userId?: unknown; sessionName?: unknown } }>(
    '/demo/session-end',
    async (request, reply) => {
      const { userId, sessionName } = request.body;
      const closed = await app
        .get(AlertsService, { strict: false })
        .resolveForSession(String(sessionName), String(userId));
      return reply.send({ closed });
    },
  );
}
