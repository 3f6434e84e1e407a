import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

const FILES = ['session-alerts.js', 'LICENSES.md'];

/** Serves `<session-alerts>` at `/panel/session-alerts.js`, to pages of any origin. */
export function servePanel(app: NestFastifyApplication): void {
  const folder = panelFolder();
  if (folder === undefined) return;
  const fastify = app.getHttpAdapter().getInstance();
  void fastify.register(fastifyStatic, {
    root: folder,
    serve: false,
    cacheControl: false,
    setHeaders: (reply) => {
      reply.header('Access-Control-Allow-Origin', '*').header('Cache-Control', 'public, no-cache');
    },
  });
  // Each by its name: what is at no other address is a 404 like any.
  for (const file of FILES) fastify.get(`/panel/${file}`, (_request, reply) => reply.sendFile(file));
}

/** Where the panel's package has what it was built into; undefined in a checkout where it was not. */
function panelFolder(): string | undefined {
  try {
    return dirname(createRequire(import.meta.url).resolve('session-alerts-panel'));
  } catch {
    return undefined;
  }
}
