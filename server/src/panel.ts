import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

/**
 * Serves `<session-alerts>` at `/panel/session-alerts.js`, and beside it the modules that it imports, to pages of any
 * origin.
 *
 * @param folder where they were built; what is not there is not served
 */
export function servePanel(app: NestFastifyApplication, folder = panelFolder()): void {
  const files = filesOf(folder).filter((file) => file.endsWith('.js') || file === 'LICENSES.md');
  if (files.length === 0) return;
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
  for (const file of files) fastify.get(`/panel/${file}`, (_request, reply) => reply.sendFile(file));
}

function panelFolder(): string {
  const manifest = createRequire(import.meta.url).resolve('session-alerts-panel/package.json');
  return join(dirname(manifest), 'dist');
}

/** Of a checkout that was not built, none. */
function filesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
