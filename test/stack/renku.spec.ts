import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { execute } from '../support/database.js';
import { RENKUS_ALERTS } from '../support/renku.js';
import { replaceWords, runInBash } from '../support/shell.js';
import { Nginx } from './support/nginx.js';
import { startPostgres } from './support/postgres.js';
import type { StackPostgres } from './support/postgres.js';
import { Stack } from './support/stack.js';
import type { ShownAlert } from './support/stack.js';

const PROJECT = join(import.meta.dirname, '..', '..');
const SCRIPT = join(PROJECT, 'deploy/renku/quota-alerts.sh');

interface Ingress {
  kind: string;
  spec: { rules: { http: { paths: { path: string; pathType: string }[] } }[] };
}

/** The paths that deploy/kubernetes gives this server, as nginx has them. */
function locations(to: string): string {
  const documents = parseAllDocuments(
    readFileSync(join(PROJECT, 'deploy/kubernetes/session-alerts.yaml'), 'utf8'),
  ).map((document) => document.toJS() as Ingress | null);
  const ingress = documents.find((document) => document?.kind === 'Ingress');
  const paths = ingress?.spec.rules.flatMap(({ http }) => http.paths) ?? [];
  return paths
    .map(
      ({ path, pathType }) =>
        `location ${pathType === 'Exact' ? '= ' : ''}${path} { proxy_pass ${to}; proxy_buffering off; }`,
    )
    .join(' ');
}

describe("In the place of Renku's own notifications", () => {
  let postgres: StackPostgres;
  let stack: Stack;
  let renku: Server;
  let nginx: Nginx<'instance'>;
  let renkusDatabase: string;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'session-alerts-renku-'));
    postgres = await startPostgres();
    stack = await Stack.start(postgres);
    // All else of the instance: Renku's data services, which say so, and Keycloak.
    renku = createServer((request, response) => {
      void stack.issuer.handle(request, response).then((handled) => {
        if (!handled) response.end("Renku's");
      });
    });
    await new Promise<void>((resolve) => renku.listen(0, '127.0.0.1', resolve));
    const servers = [`http://127.0.0.1:${(renku.address() as AddressInfo).port}`];
    nginx = await Nginx.start({ instance: { servers, directives: locations(stack.server.url) } }, '');
    renkusDatabase = await postgres.createDatabase();
    await execute(renkusDatabase, RENKUS_ALERTS);
  });
  afterAll(async () => {
    await (nginx as Nginx<'instance'> | undefined)?.stop();
    renku.closeAllConnections();
    renku.close();
    await stack.close();
    await postgres.close();
    rmSync(folder, { recursive: true });
  });

  async function answerOf(method: string, path: string): Promise<string> {
    const response = await fetch(nginx.urls.instance + path, { method });
    return `${response.status} ${(await response.text()) === "Renku's" ? "Renku's" : 'ours'}`;
  }

  async function alertsOf(user: string): Promise<ShownAlert[]> {
    const response = await fetch(`${nginx.urls.instance}/api/data/alerts`, {
      headers: { Authorization: `Bearer ${await stack.issuer.userToken({ sub: user })}` },
    });
    expect(response.status).toBe(200);
    return (await response.json()) as ShownAlert[];
  }

  it('its paths come here, and all else goes where it went', async () => {
    expect(await answerOf('GET', '/api/data/alerts?session_name=a')).toBe('401 ours');
    expect(await answerOf('GET', '/api/data/alerts/stream')).toBe('401 ours');
    expect(await answerOf('PATCH', '/api/data/alerts/01KAMJ2Q2Y9W2V2Q8Z2J3D5X7R')).toBe('401 ours');
    expect(await answerOf('POST', '/api/data/webhooks/alertmanager')).toBe('401 ours');
    expect(await answerOf('POST', '/api/data/webhooks/grafana')).toBe('401 ours');
    for (const path of ['/', '/api/data/sessions', '/api/data/webhooks', '/api/data/webhooks/other']) {
      expect(await answerOf('GET', path)).toBe("200 Renku's");
    }
  });

  it('what was posted there by hand is posted here, by the lines of the page', async () => {
    const lines = [
      ...readFileSync(join(PROJECT, 'docs/renku.md'), 'utf8').matchAll(/^ {2}```bash\n([^]*?)^ {2}```$/gm),
    ];
    const script = replaceWords(lines.map(([, block]) => block).join(''), {
      'postgresql://user@host:5432/renku': renkusDatabase,
      'https://your-renku-instance.com': nginx.urls.instance,
      'by-hand.txt': join(folder, 'by-hand.txt'),
      ADMIN_TOKEN: await stack.issuer.userToken({ sub: 'admin', roles: ['renku-admin'] }),
    });
    await execute(
      renkusDatabase,
      `INSERT INTO notifications.alerts (title, message, event_type, user_id, session_name, resolved_date)
       VALUES ('Notice', E'It is "short" \\\\ \nand on two lines', 'notice', 'joe', NULL, NULL),
              ('Move', 'Soon', 'move', 'joe', 'joe-1', NULL),
              ('Over', 'It was', 'notice', 'joe', 'joe-1', now()),
              ('Memory', 'Short', 'RenkuSessionHighMemory', 'joe', 'joe-1', NULL),
              ('Quota', 'Short', 'session_quota_low', 'joe', 'joe-1', NULL)`,
    );
    const run = await runInBash(script);
    const again = await runInBash(script);
    await execute(renkusDatabase, 'TRUNCATE notifications.alerts');
    expect(run).toMatchObject({ status: 0, stderr: '' });
    expect(await alertsOf('joe')).toMatchObject([
      { title: 'Move', event_type: 'move', session_name: 'joe-1' },
      { title: 'Notice', message: 'It is "short" \\ \nand on two lines', event_type: 'notice' },
    ]);
    expect(again.stdout.match(/"code":409/g)).toHaveLength(2);
  });

  it('its quota alerts come by the bridge, with the rights that the page gives it', async () => {
    const page = readFileSync(join(PROJECT, 'docs/renku.md'), 'utf8');
    const [rights = ''] = /CREATE ROLE [^]*?(?=\n```)/.exec(page) ?? [];
    const role = `quota_${Date.now()}`;
    await execute(
      renkusDatabase,
      rights.replaceAll('session_alerts_quota', role).replace('A_PASSWORD', 'a-password'),
    );
    const url = new URL(renkusDatabase);
    url.username = role;
    url.password = '';
    const secret = join(folder, 'secret');
    writeFileSync(secret, 'secret\n');
    const env = {
      RENKU_DATABASE_URL: url.href,
      PGPASSWORD: 'a-password',
      INSTANCE: nginx.urls.instance,
      CLIENT_SECRET_FILE: secret,
    };
    await execute(
      renkusDatabase,
      `INSERT INTO notifications.alerts (title, message, event_type, user_id, session_name)
       VALUES ('Quota', 'You have used 80 % of it: "it''s" \\ time', 'session_quota_low', 'jane', 'jane-1')`,
    );
    const run = await runInBash(SCRIPT, env);
    expect(run).toEqual({
      status: 0,
      stdout: '{"stored":1,"resolved":0,"skipped":0,"reasons":{}}\n',
      stderr: '',
    });
    expect(await alertsOf('jane')).toMatchObject([
      { event_type: 'session_quota_low', message: 'You have used 80 % of it: "it\'s" \\ time' },
    ]);

    // What the database refuses is said by psql, and not by the server that had nothing to read.
    const closed = await runInBash(SCRIPT, { ...env, PGPASSWORD: 'another' });
    expect(closed).toMatchObject({ status: 2, stdout: '' });
    expect(closed.stderr).toContain('psql: error');
    expect(closed.stderr).not.toContain('curl');

    writeFileSync(secret, 'another');
    const refused = await runInBash(SCRIPT, env);
    expect(refused.status).not.toBe(0);
    expect(refused.stderr).toContain('401');
    expect(refused.stderr).toMatch(/^No token of .*invalid_client/m);
    const noOne = await runInBash(SCRIPT, { ...env, INSTANCE: '' });
    expect(noOne.stderr).toContain('INSTANCE');
  });
});
