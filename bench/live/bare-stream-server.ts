import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';

/** What Node needs at least to hold a stream: `node:http`, no framework, no tokens, no users, and a heartbeat. */

const HEARTBEAT = 15_000;

const streams = new Set<ServerResponse>();

const server = createServer((request, response) => {
  if (request.url === '/readyz') {
    response.end();
    return;
  }
  response.writeHead(200, {
    'Content-Type': 'text/event-stream; charset=utf-8',
    'Cache-Control': 'no-cache, no-transform',
    Connection: 'close',
  });
  response.write('retry: 2000\n\ndata: []\n\n');
  streams.add(response);
  response.once('close', () => streams.delete(response));
});

setInterval(() => {
  for (const stream of streams) stream.write(':\n\n');
}, HEARTBEAT);

process.once('SIGTERM', () => {
  process.exit();
});
server.listen(Number(process.env['PORT']), process.env['HOST']);
