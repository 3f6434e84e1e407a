import type { NestFastifyApplication } from '@nestjs/platform-fastify';

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Session alerts</title>
    <style>
      body { font: 1.1rem/1.6 system-ui, sans-serif; max-width: 40rem; margin: 4rem auto; padding: 0 1rem; color: #1c2733; background: #fff; }
      a { color: #0b57d0; }
    </style>
  </head>
  <body>
    <main>
      <h1>Session alerts is running</h1>
      <p>The terminal that started it shows tokens and commands to try it with.</p>
      <p><a href="/api/data/docs">The API, described</a></p>
    </main>
  </body>
</html>
`;

/** The page at the demo's address. */
export function serveDemoPage(app: NestFastifyApplication): void {
  app
    .getHttpAdapter()
    .getInstance()
    .get('/', (_request, reply) => reply.type('text/html; charset=utf-8').send(PAGE));
}
