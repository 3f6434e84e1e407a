import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { freePort, Program } from '../stack/support/program.js';
import { startTestServer, waitUntil } from '../support/server.js';
import type { TestServer } from '../support/server.js';
import { composeService } from './support/compose.js';
import { DEPLOY, load, read, RULES_FILES } from './support/files.js';

/** The rules look twice a minute, and two of them wait for a minute more. */
const TIMEOUT = 240_000;

interface ShownAlert {
  id: string;
  title: string;
  message: string;
  event_type: string;
  kind: string;
  severity: string;
}

const { users } = load<{ users: { username: string; id?: string }[] }>('keycloak/realm-renku.json');
function idOf(person: string): string {
  return users.find(({ username }) => username === person)?.id ?? '';
}

/**
 * All of docker-compose.yml but the containers, and an issuer in Keycloak's place: the same programs with the same
 * files, in which only addresses, paths and the scrape interval are replaced.
 */
describe('docker-compose.yml', () => {
  const closers: (() => Promise<unknown>)[] = [];
  let server: TestServer;
  let sessionsUrl: string;
  let prometheusUrl: string;

  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'session-alerts-chain-'));
    closers.push(() => rm(folder, { recursive: true }));
    server = await startTestServer();
    closers.push(() => server.close());

    const start = async (
      name: string,
      command: string,
      args: string[],
      url: string,
      env: NodeJS.ProcessEnv = {},
    ): Promise<void> => {
      const program = new Program(name, command, args, { folder, env });
      closers.push(() => program.stop());
      await program.until(async () => (await fetch(url)).ok);
    };
    const [sessionsPort, alertmanagerPort, prometheusPort] = [
      await freePort(),
      await freePort(),
      await freePort(),
    ];
    sessionsUrl = `http://127.0.0.1:${sessionsPort}`;
    prometheusUrl = `http://127.0.0.1:${prometheusPort}`;

    await start(
      'Sessions',
      process.execPath,
      [join(DEPLOY, 'compose/sessions.mjs')],
      `${sessionsUrl}/kubelet`,
      {
        PORT: `${sessionsPort}`,
        HOST: '127.0.0.1',
        SERVER_URL: server.url,
      },
    );

    const given = join(folder, 'given.yml');
    const secretFile = join(folder, 'oauth2-client-secret');
    await writeFile(secretFile, 'secret');
    await writeFile(
      given,
      read('alertmanager/alertmanager.yml').replace(
        '/etc/alertmanager/secrets/oauth2-client-secret',
        secretFile,
      ),
    );
    const [shell = '', flag = '', script = ''] = composeService('alertmanager').entrypoint ?? [];
    await start(
      'Alertmanager',
      shell,
      [
        flag,
        replaceEach(script, {
          '/etc/alertmanager/alertmanager.yml': given,
          '/tmp/alertmanager.yml': join(folder, 'alertmanager.yml'),
          '--storage.path=/alertmanager': `--storage.path=${join(folder, 'alertmanager')}`,
          'http://keycloak:8080': new URL(server.issuer.url).origin,
          'http://server:3000': server.url,
          'exec alertmanager': `exec prometheus-alertmanager --web.listen-address=127.0.0.1:${alertmanagerPort} --cluster.listen-address=`,
        }),
      ],
      `http://127.0.0.1:${alertmanagerPort}/-/ready`,
    );

    for (const file of RULES_FILES) await cp(join(DEPLOY, file), join(folder, basename(file)));
    await writeFile(
      join(folder, 'prometheus.yml'),
      replaceEach(read('prometheus/prometheus.yml'), {
        'alertmanager:9093': `127.0.0.1:${alertmanagerPort}`,
        'sessions:9100': `127.0.0.1:${sessionsPort}`,
        'server:3000': new URL(server.url).host,
        'scrape_interval: 15s': 'scrape_interval: 1s',
      }),
    );
    await start(
      'Prometheus',
      'prometheus',
      [
        `--config.file=${join(folder, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(folder, 'prometheus')}`,
        `--web.listen-address=127.0.0.1:${prometheusPort}`,
      ],
      `${prometheusUrl}/-/ready`,
    );
    // A restart is one more than were known before.
    await waitUntil(async () => (await query('renku_session:restarts:max')).length === 2, TIMEOUT);
  }, TIMEOUT);
  afterAll(async () => {
    for (const close of closers.reverse()) await close();
  }, 60_000);

  it(
    'tells Jane what happens to her session, and nobody else',
    async () => {
      await change('jane-1/oom-kill');
      await change('jane-1', { memory: 0.95, volume: 0.95 });

      await waitUntil(async () => (await oomAlertOf('jane')) !== undefined, TIMEOUT);
      const killed = await oomAlertOf('jane');
      expect(killed).toMatchObject({
        event_type: 'RenkuSessionOOMKilled',
        title: 'Session restarted',
        message: 'This session ran out of memory and has been restarted. What was not saved is lost.',
        kind: 'event',
        severity: 'warning',
      });

      await waitUntil(async () => (await alertsOf('jane')).length === 3, TIMEOUT);
      expect((await alertsOf('jane')).map(({ event_type: type }) => type).sort()).toEqual([
        'RenkuSessionHighDiskUsage',
        'RenkuSessionHighMemory',
        'RenkuSessionOOMKilled',
      ]);
      const disk = (await alertsOf('jane')).find((alert) => alert.title === 'Low disk space');
      expect(disk?.message).toContain('the volume jane-1-data');
      expect(await alertsOf('ruth')).toEqual([]);

      // A second kill is told in the alert that is open.
      await change('jane-1/oom-kill');
      await waitUntil(async () => (await oomAlertOf('jane'))?.message.includes('2 times') === true, TIMEOUT);
      expect((await oomAlertOf('jane'))?.id).toBe(killed?.id);

      // Once Jane has read it, a third one is a new alert, though the rule still fires for the others.
      await dismiss('jane', killed?.id ?? '');
      expect(await oomAlertOf('jane')).toBeUndefined();
      await change('jane-1/oom-kill');
      await waitUntil(async () => (await oomAlertOf('jane')) !== undefined, TIMEOUT);
      expect(await oomAlertOf('jane')).toMatchObject({
        message: expect.stringContaining('3 times') as unknown,
      });
    },
    4 * TIMEOUT,
  );

  it('brings the watchdog, and leaves administrators nothing to mend', async () => {
    await waitUntil(async () => (await ask('jane', '/alerts/feed')).status === 'ok', TIMEOUT);
    expect(await query('ALERTS{alertname=~"SessionAlerts.+", alertstate="firing"}')).toEqual([]);
    expect(await query('up == 0')).toEqual([]);
  });

  async function change(path: string, body: object = {}): Promise<void> {
    const answer = await fetch(`${sessionsUrl}/sessions/${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
    });
    expect(answer.status).toBe(200);
  }

  /** As the page asks: at the sessions' address, which passes it on. */
  async function ask<T = { status: string }>(
    person: string,
    path: string,
    init: RequestInit = {},
  ): Promise<T> {
    const token = await server.issuer.userToken({ sub: idOf(person) });
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const answer = await fetch(`${sessionsUrl}/api/data${path}`, { ...init, headers });
    expect(answer.status).toBe(200);
    return (await answer.json()) as T;
  }

  function alertsOf(person: string): Promise<ShownAlert[]> {
    return ask<ShownAlert[]>(person, '/alerts');
  }

  async function oomAlertOf(person: string): Promise<ShownAlert | undefined> {
    return (await alertsOf(person)).find((alert) => alert.event_type === 'RenkuSessionOOMKilled');
  }

  async function dismiss(person: string, id: string): Promise<void> {
    await ask(person, `/alerts/${id}`, { method: 'PATCH', body: '{"dismissed": true}' });
  }

  /** What Prometheus answers to an expression. */
  async function query(expression: string): Promise<unknown[]> {
    const answer = await fetch(`${prometheusUrl}/api/v1/query?query=${encodeURIComponent(expression)}`);
    const { data } = (await answer.json()) as { data: { result: unknown[] } };
    return data.result;
  }
});

/** @throws Error one of them does not occur */
function replaceEach(text: string, replacements: Record<string, string>): string {
  return Object.entries(replacements).reduce((replaced, [from, to]) => {
    if (!replaced.includes(from)) throw new Error(`There is no ${from} to replace`);
    return replaced.replaceAll(from, () => to);
  }, text);
}
