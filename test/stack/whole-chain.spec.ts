import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser } from '../browser/support/browser.js';
import { composeService } from '../deploy/support/compose.js';
import { DEPLOY, read, RULES_FILES } from '../deploy/support/files.js';
import { waitUntil } from '../support/server.js';
import { sessionAlerts } from './support/command-line.js';
import { Keycloak } from './support/keycloak.js';
import { startPostgres } from './support/postgres.js';
import { freePort, Program } from './support/program.js';
import { ServerProcess } from './support/server-process.js';

/** On a busy machine (ms). */
const TIMEOUT = 240_000;

/** What docker-compose.yml takes from its environment. */
const SECRETS = {
  ALERTMANAGER_CLIENT_SECRET: 'alertmanager-secret',
  JANES_PASSWORD: 'jane',
  RUTHS_PASSWORD: 'ruth',
};

interface ShownAlert {
  id: string;
  title: string;
  message: string;
  event_type: string;
  kind: string;
  severity: string;
}

/**
 * All of docker-compose.yml but the containers, and Chromium before it: the same programs with the same files, in
 * which only addresses, paths and intervals are replaced.
 */
describe('The whole chain', () => {
  const closers: (() => Promise<unknown>)[] = [];
  let keycloak: Keycloak;
  let server: ServerProcess;
  let databaseUrl: string;
  let sessionsUrl: string;
  let alertmanagerUrl: string;
  let prometheusUrl: string;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'session-alerts-chain-'));
    closers.push(() => rm(folder, { recursive: true }));
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
    const address = async (): Promise<string> => `http://127.0.0.1:${await freePort()}`;
    [sessionsUrl, alertmanagerUrl, prometheusUrl] = [await address(), await address(), await address()];

    keycloak = await Keycloak.start({ file: join(DEPLOY, 'keycloak/realm-renku.json'), env: SECRETS });
    closers.push(() => keycloak.close());
    const postgres = await startPostgres();
    closers.push(() => postgres.close());
    databaseUrl = await postgres.createDatabase();
    server = await ServerProcess.start({
      DATABASE_URL: databaseUrl,
      OIDC_ISSUER: keycloak.issuer('Renku'),
      ALERTMANAGER_URLS: alertmanagerUrl,
    });
    closers.push(() => server.stop());

    await start(
      'Sessions',
      process.execPath,
      [join(DEPLOY, 'compose/sessions.mjs')],
      `${sessionsUrl}/kubelet`,
      {
        PORT: new URL(sessionsUrl).port,
        HOST: '127.0.0.1',
        SERVER_URL: server.url,
        TOKEN_URL: keycloak.tokenUrl('Renku'),
        ...SECRETS,
      },
    );

    const given = join(folder, 'given.yml');
    const secretFile = join(folder, 'oauth2-client-secret');
    await writeFile(secretFile, SECRETS.ALERTMANAGER_CLIENT_SECRET);
    await writeFile(
      given,
      replaceEach(read('alertmanager/alertmanager.yml'), {
        '/etc/alertmanager/secrets/oauth2-client-secret': secretFile,
      }),
    );
    const [shell = '', flag = '', script = ''] = composeService('alertmanager').entrypoint ?? [];
    const listen = `--web.listen-address=${new URL(alertmanagerUrl).host} --cluster.listen-address=`;
    await start(
      'Alertmanager',
      shell,
      [
        flag,
        replaceEach(script, {
          '/etc/alertmanager/alertmanager.yml': given,
          '/tmp/alertmanager.yml': join(folder, 'alertmanager.yml'),
          '--storage.path=/alertmanager': `--storage.path=${join(folder, 'alertmanager')}`,
          'http://keycloak:8080/auth': keycloak.url,
          'http://server:3000': server.url,
          'exec alertmanager': `exec prometheus-alertmanager ${listen}`,
        }),
      ],
      `${alertmanagerUrl}/-/ready`,
    );

    for (const file of RULES_FILES) await cp(join(DEPLOY, file), join(folder, basename(file)));
    await writeFile(
      join(folder, 'session-alerts.rules.yml'),
      replaceEach(read('prometheus/session-alerts.rules.yml'), {
        'interval: 30s': 'interval: 1s',
        ' for: 1m': ' for: 2s',
        'keep_firing_for: 3m': 'keep_firing_for: 4s',
        'memory_usage:ratio[1m]': 'memory_usage:ratio[2s]',
        'offset 1m': 'offset 2s',
        'restarts:max[2m]': 'restarts:max[3s]',
        'oom_events:max offset 2m': 'oom_events:max offset 4s',
        'oom_events:max[3m] offset 2m': 'oom_events:max[20s] offset 4s',
        'restarts:max[6m]': 'restarts:max[24s]',
      }),
    );
    await writeFile(
      join(folder, 'prometheus.yml'),
      replaceEach(read('prometheus/prometheus.yml'), {
        'alertmanager:9093': new URL(alertmanagerUrl).host,
        'sessions:9100': new URL(sessionsUrl).host,
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
        `--web.listen-address=${new URL(prometheusUrl).host}`,
      ],
      `${prometheusUrl}/-/ready`,
    );
    // A restart is one more than were known before.
    await waitUntil(async () => (await query('renku_session:restarts:max')).length === 3, TIMEOUT);

    browser = await launchBrowser();
    closers.push(() => browser.close());
    page = await browser.newPage();
    await page.goto(sessionsUrl);
    // Opened by hand the panel stays, whatever is pressed in the page.
    await page.getByRole('button', { name: /^Alerts: / }).click({ timeout: TIMEOUT });
  }, 3 * TIMEOUT);
  afterAll(async () => {
    for (const close of closers.reverse()) await close();
  }, TIMEOUT);

  it(
    'tells Jane in her page what happens to her session, and that it is over, and nobody else',
    async () => {
      await press('Run out of memory');
      await shows('Session restarted');
      const killed = await alertOf('jane', 'RenkuSessionOOMKilled');
      expect(killed).toMatchObject({
        event_type: 'RenkuSessionOOMKilled',
        message: 'This session ran out of memory and has been restarted. What was not saved is lost.',
        kind: 'event',
        severity: 'warning',
      });

      await press('Use 95 % of the memory');
      await shows('High memory usage');
      await press('Fill the data volume');
      await shows('Low disk space');
      await waitUntil(
        async () =>
          (await alertOf('jane', 'RenkuSessionHighDiskUsage'))?.message.includes('volume jane-1-data') ===
          true,
      );
      const full = await alertOf('jane', 'RenkuSessionHighDiskUsage');
      await press('Fill the scratch volume');
      await waitUntil(
        async () =>
          (await alertOf('jane', 'RenkuSessionHighDiskUsage'))?.message.includes('volume jane-1-scratch') ===
          true,
        TIMEOUT,
      );
      expect((await alertOf('jane', 'RenkuSessionHighDiskUsage'))?.id).toBe(full?.id);
      expect(await alertsOf('jane')).toHaveLength(3);
      expect(await alertsOf('ruth')).toEqual([]);

      await press('Free the memory');
      await shows('High memory usage', 'detached');
      await press('Empty the volumes');
      await shows('Low disk space', 'detached');
      // What has happened stays until Jane has read it.
      expect((await alertsOf('jane')).map(({ id }) => id)).toEqual([killed?.id]);
    },
    4 * TIMEOUT,
  );

  it(
    'tells of every time that the session runs out of memory',
    async () => {
      const killed = await alertOf('jane', 'RenkuSessionOOMKilled');
      await press('Run out of memory');
      await page.getByText('It has been restarted 2 times').waitFor({ timeout: TIMEOUT });
      expect((await alertOf('jane', 'RenkuSessionOOMKilled'))?.id).toBe(killed?.id);

      await page.getByRole('button', { name: /^Dismiss/ }).click();
      await shows('Session restarted', 'detached');
      await waitUntil(async () => (await alertOf('jane', 'RenkuSessionOOMKilled')) === undefined);
      await press('Run out of memory');
      await shows('Session restarted');
      const another = await alertOf('jane', 'RenkuSessionOOMKilled');
      expect(another?.message).toContain('3 times');
      expect(another?.id).not.toBe(killed?.id);
    },
    4 * TIMEOUT,
  );

  it(
    'tells what else can befall a session, and that it is over',
    async () => {
      await press('Find no image');
      await shows('Session cannot start');
      await press('Find the image');
      await shows('Session cannot start', 'detached');
      await press('Be stopped in ten minutes');
      await shows('Session will be stopped');
      await press('Be kept');
      await shows('Session will be stopped', 'detached');
      await press('Use 95 % of the inodes');
      await shows('Too many files');
      await press('Delete files');
      await shows('Too many files', 'detached');

      await press('Have a program run out of memory');
      await shows('A program was stopped');
      await press('Be evicted');
      await waitUntil(async () => (await alertOf('jane', 'RenkuSessionEvicted')) !== undefined, TIMEOUT);
      expect((await alertOf('jane', 'RenkuSessionEvicted'))?.message).toContain('short of memory or disk');
    },
    6 * TIMEOUT,
  );

  it(
    'tells of a job that is killed, and not in the page of another session',
    async () => {
      await fetch(`${sessionsUrl}/sessions/jane-train/oom-kill`, { method: 'POST' });
      await waitUntil(async () => (await alertOf('jane', 'RenkuSessionJobOOMKilled')) !== undefined, TIMEOUT);
      expect(await alertOf('jane', 'RenkuSessionJobOOMKilled')).toMatchObject({
        title: 'Job ended',
        session_name: 'jane-train',
      });
      expect(await page.getByRole('heading', { name: 'Job ended' }).count()).toBe(0);
      expect(await alertsOf('ruth')).toEqual([]);
    },
    2 * TIMEOUT,
  );

  it('brings the watchdog, and leaves administrators nothing to mend', async () => {
    await waitUntil(async () => (await ask('jane', '/alerts/feed')).status === 'ok', TIMEOUT);
    expect(await query('ALERTS{alertname=~"SessionAlerts.+", alertstate="firing"}')).toEqual([]);
    expect(await query('up == 0')).toEqual([]);
  });

  it('is all right for doctor', async () => {
    const args = [
      'doctor',
      '--json',
      '--api-url',
      `${server.url}/api/data`,
      '--issuer',
      keycloak.issuer('Renku'),
    ];
    const neighbours = ['--alertmanager-url', alertmanagerUrl, '--prometheus-url', prometheusUrl];
    const { status, stdout, stderr } = await sessionAlerts([...args, ...neighbours], {
      DATABASE_URL: databaseUrl,
      ALERTMANAGER_CLIENT_SECRET: SECRETS.ALERTMANAGER_CLIENT_SECRET,
    });
    const findings = JSON.parse(stdout || '[]') as { check: string; status: string; message: string }[];
    expect(findings.filter((finding) => finding.status !== 'ok')).toEqual([]);
    expect(findings.length).toBeGreaterThan(10);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  /** Presses a button of the session page. */
  async function press(name: string): Promise<void> {
    await page.getByRole('button', { name, exact: true }).click();
  }

  /** Waits until the panel, which opens by itself, shows an alert, or shows it no more. */
  async function shows(title: string, state: 'visible' | 'detached' = 'visible'): Promise<void> {
    await page.getByRole('heading', { name: title, exact: true }).waitFor({ state, timeout: TIMEOUT });
  }

  /** As the page asks: at the sessions' address, which passes it on. */
  async function ask<T = { status: string }>(person: 'jane' | 'ruth', path: string): Promise<T> {
    const { access_token: token } = await keycloak.tokens('Renku', {
      client_id: 'session-page',
      username: person,
      password: person,
    });
    const answer = await fetch(`${sessionsUrl}/api/data${path}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(answer.status).toBe(200);
    return (await answer.json()) as T;
  }

  function alertsOf(person: 'jane' | 'ruth'): Promise<ShownAlert[]> {
    return ask<ShownAlert[]>(person, '/alerts');
  }

  async function alertOf(person: 'jane' | 'ruth', type: string): Promise<ShownAlert | undefined> {
    return (await alertsOf(person)).find((alert) => alert.event_type === type);
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
