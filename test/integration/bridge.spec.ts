import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AlertsClock } from '../../src/clock/alerts-clock.js';
import { AlertsApi, firing } from '../support/alerts.js';
import { execute } from '../support/database.js';
import { startTestServer, waitUntil } from '../support/server.js';
import type { TestServer } from '../support/server.js';

const BRIDGE = join(import.meta.dirname, '..', '..', 'deploy', 'bridges', 'ntfy.mjs');
const SECRET = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;

describe('The bridge that deploy/ has as an example', () => {
  let ntfy: Server;
  let read: string[];
  let answers: number[];
  let bridge: ChildProcess;
  let bridgeUrl: string;
  let folder: string;

  beforeAll(async () => {
    ntfy = createServer((request, response) => {
      let text = '';
      request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      request.on('end', () => {
        read.push(`${request.url ?? ''} ${text}`);
        response.writeHead(answers.shift() ?? 200).end();
      });
    });
    await new Promise<void>((resolve) => ntfy.listen(0, '127.0.0.1', resolve));
    bridge = spawn(process.execPath, [BRIDGE], {
      env: {
        NTFY_URL: `http://127.0.0.1:${(ntfy.address() as AddressInfo).port}/our-alerts`,
        WEBHOOK_SECRET: SECRET,
        PORT: '0',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(bridge.stdout!, 'data')) as [Buffer];
    bridgeUrl = `http://127.0.0.1:${/\d+/.exec(line.toString())?.[0] ?? ''}/`;
    folder = await mkdtemp(join(tmpdir(), 'bridge-'));
  });
  afterAll(async () => {
    const ended = once(bridge, 'exit');
    bridge.kill();
    await ended;
    await new Promise((resolve) => {
      ntfy.close(resolve);
      ntfy.closeAllConnections();
    });
    await rm(folder, { recursive: true });
  });
  beforeEach(() => {
    read = [];
    answers = [];
  });

  async function withServer(secret: string, use: (server: TestServer) => Promise<void>): Promise<void> {
    await writeFile(join(folder, 'secret'), secret);
    const server = await startTestServer({
      DELIVERY_WEBHOOK_URL: bridgeUrl,
      DELIVERY_WEBHOOK_SECRET_FILE: join(folder, 'secret'),
      SESSION_URL: 'https://sessions.example/s/{session}',
    });
    try {
      const api = new AlertsApi(`${server.url}/api/data`, server.issuer);
      await api.deliver(firing({ title: 'Disk nearly full' }), firing({ session: 'jane-2' }));
      server.app.get(AlertsClock, { strict: false }).ahead = 6_000;
      await use(server);
    } finally {
      await server.close();
    }
  }

  function messages(server: TestServer): Promise<Record<string, unknown>[]> {
    return execute(server.databaseUrl, `SELECT state, reason FROM session_alerts.messages`);
  }

  it('posts what the server tells of, and hands back where that is not taken', async () => {
    answers = [503];
    await withServer(SECRET, async (server) => {
      await waitUntil(async () => (await messages(server))[0]?.['reason'] === 'the receiver answered 503');
      expect(read).toHaveLength(1);
      server.app.get(AlertsClock, { strict: false }).ahead = 60_000;
      await waitUntil(async () => (await messages(server))[0]?.['state'] === 'sent');
    });
    const [path = '', ...lines] = read[1]!.split(/ |\n/);
    expect(path).toBe('/our-alerts');
    expect(lines.join(' ')).toContain('Disk nearly full (jane-1) https://sessions.example/s/jane-1');
    expect(lines.join(' ')).toContain('High memory usage (jane-2) https://sessions.example/s/jane-2');
  });

  it('takes nothing that another has signed', async () => {
    await withServer(`whsec_${Buffer.alloc(24, 8).toString('base64')}`, async (server) => {
      await waitUntil(async () => (await messages(server))[0]?.['reason'] === 'the receiver answered 401');
    });
    for (const signature of ['', 'v1,', 'v1,AAAA', 'v2,AAAA']) {
      const headers = { 'webhook-id': 'x', 'webhook-timestamp': '1', 'webhook-signature': signature };
      expect((await fetch(bridgeUrl, { method: 'POST', headers, body: '{}' })).status).toBe(401);
    }
    expect((await fetch(bridgeUrl)).status).toBe(401);
    expect(read).toEqual([]);
  });
});
