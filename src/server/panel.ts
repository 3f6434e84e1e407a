import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

/** What `npm run build:ui` has made. */
export const UI_FOLDER = fileURLToPath(new URL('../../ui/', import.meta.url));

const FILES = ['session-alerts.js', 'session-alerts.js.map', 'LICENSES.md'];

/** Serves `<session-alerts>` at `/panel/session-alerts.js`, to pages of any origin. */
export function servePanel(app: NestFastifyApplication): void {
  if (!existsSync(`${UI_FOLDER}session-alerts.js`)) return;
  const fastify = app.getHttpAdapter().getInstance();
  void fastify.register(fastifyStatic, {
    root: UI_FOLDER,
    serve: false,
    cacheControl: false,
    setHeaders: (reply) => {
      reply.header('Access-Control-Allow-Origin', '*').header('Cache-Control', 'public, no-cache');
    },
  });
  // Each by its name: what is at no other address is a 404 like any.
  for (const file of FILES) fastify.get(`/panel/${file}`, (_request, reply) => reply.sendFile(file));
}
