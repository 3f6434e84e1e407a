import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, Program } from '../stack/support/program.js';
import { createTestDatabase } from '../support/database.js';
import type { TestDatabase } from '../support/database.js';
import { startIssuer } from '../support/server.js';
import type { TestIssuer } from '../support/server.js';

const PROJECT = join(__dirname, '..', '..');
const WEBHOOK = JSON.stringify({ version: '4', alerts: [] });

let database: TestDatabase;
let issuer: TestIssuer;
let server: Program;
let port: number;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'session-alerts-faults-'));
  database = await createTestDatabase();
  issuer = await startIssuer();
});
afterAll(async () => {
  await issuer.close();
  await database.drop();
  await rm(folder, { recursive: true });
});
afterEach(async () => {
  await server.stop('SIGKILL');
});

/** Starts the server as a process of its own, which on a signal does what it should not. */
async function startServerThat(fault: string, env: NodeJS.ProcessEnv = {}): Promise<void> {
  port = await freePort();
  const preload = join(folder, 'fault.mjs');
  await writeFile(preload, `process.on('SIGUSR2', () => { ${fault} });`);
  server = new Program(
    'The server',
    process.execPath,
    [
      `--import=${join(PROJECT, 'test', 'support', 'typescript.mjs')}`,
      `--import=${preload}`,
      join(PROJECT, 'server', 'src', 'main.ts'),
    ],
    {
      cwd: PROJECT,
      env: {
        PORT: `${port}`,
        HOST: '127.0.0.1',
        DATABASE_URL: database.url,
        OIDC_ISSUER: issuer.issuer.url,
        LOG_LEVEL: 'error',
        ...env,
      },
    },
  );
  await server.until(async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).ok, 60_000);
}

/** A webhook of which the server has the head, and not yet all of its body. */
async function startWebhook(): Promise<ClientRequest> {
  const token = await issuer.issuer.userToken({ sub: 'am', roles: ['alertmanager-webhook'] });
  const request = httpRequest(`http://127.0.0.1:${port}/api/data/webhooks/alertmanager`, {
    method: 'POST',
    agent: false,
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'content-length': WEBHOOK.length,
      expect: '100-continue',
    },
  });
  request.flushHeaders();
  await once(request, 'continue');
  request.write(WEBHOOK.slice(0, 10));
  return request;
}

function makeFault(): void {
  process.kill(server.pid!, 'SIGUSR2');
}

const SECRETS =
  'postgresql://jane:hunter2@db/alerts, Authorization: Bearer hunter3, token eyJhbGciOiJ9.aHVudGVyNA.c2ln';

describe('A fault that nobody catches', () => {
  it.each<[what: string, fault: string, said: RegExp]>([
    [
      'an error that is thrown',
      `throw new Error('A library broke: ${SECRETS}')`,
      /A library broke: postgresql/,
    ],
    ['a promise that is rejected', `Promise.reject(new Error('A library broke'))`, /A library broke/],
    [
      'with a cause',
      `throw new Error('It broke', { cause: new Error('for ${SECRETS}') })`,
      /It broke: for post/,
    ],
    ['nothing at all that is thrown', 'throw undefined', /undefined/],
    ['an error that is its own cause', `const e = new Error('It broke'); e.cause = e; throw e`, /It broke/],
    ['what cannot be written down', 'throw Object.create(null)', /cannot be shown/],
  ])(
    'is logged, without secrets, and ends the server when its work is done: %s',
    async (_what, fault, said) => {
      await startServerThat(fault);
      const webhook = await startWebhook();
      const answered = once(webhook, 'response') as Promise<[IncomingMessage]>;
      makeFault();
      await server.until(() => server.output.includes('nobody caught'));
      webhook.end(WEBHOOK.slice(10));
      const [answer] = await answered;
      expect(answer.statusCode).toBe(200);
      answer.resume();
      expect(await server.ended).toBe(1);

      const lines = server.output.split('\n').filter((line) => line.includes('nobody caught'));
      expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
        expect.objectContaining({
          level: 'error',
          context: 'Process',
          message: expect.stringMatching(said) as string,
        }),
      ]);
      expect(server.output).not.toMatch(/hunter|aHVudGVyNA/);
    },
  );

  it('that comes again and again fills no log, and ends the server all the same', async () => {
    await startServerThat(`setInterval(() => { throw new Error('Again') }, 1)`, { LOG_FORMAT: 'text' });
    makeFault();
    expect(await server.ended).toBe(1);
    const count = server.output.split('nobody caught: Again').length - 1;
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThanOrEqual(10);
  });
});

it('Without a fault the server ends well when it is asked to', async () => {
  await startServerThat('');
  expect(await server.stop()).toBe(0);
});
