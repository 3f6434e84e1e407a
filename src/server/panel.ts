import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

/** What `npm run build:ui` has made. */
export const UI_FOLDER = fileURLToPath(new URL('../../ui/', import.meta.url));

const FILES = ['/session-alerts.js', '/session-alerts.js.map', '/LICENSES.md'];

/** Serves `<session-alerts>` at `/panel/session-alerts.js`, to pages of any origin. */
export function servePanel(app: NestFastifyApplication): void {
  if (!existsSync(`${UI_FOLDER}session-alerts.js`)) return;
  void app
    .getHttpAdapter()
    .getInstance()
    .register(fastifyStatic, {
      root: UI_FOLDER,
      prefix: '/panel/',
      decorateReply: false,
      index: false,
      cacheControl: false,
      allowedPath: (path) => FILES.includes(path),
      setHeaders: (reply) => {
        reply.header('Access-Control-Allow-Origin', '*').header('Cache-Control', 'public, no-cache');
      },
    });
}
