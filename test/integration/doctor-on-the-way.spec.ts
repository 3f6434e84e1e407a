import { request as forward } from 'node:http';
import type { RequestListener } from 'node:http';
import type { Finding } from '../../cli/src/doctor/check.js';
import { execute } from '../support/database.js';
import { answerJson, doctorsFindings, runDoctor, troubles, withProgram } from '../support/doctor.js';
import { startIssuer, startTestServer } from '../support/server.js';
import type { TestIssuer, TestServer } from '../support/server.js';

/** As the issuer gives them. */
const ID = '4e1c7a5e-0000-4000-8000-00000000a11c';

let issuer: TestIssuer;
let server: TestServer;

beforeAll(async () => {
  issuer = await startIssuer();
  server = await startTestServer({ BODY_LIMIT_MB: '1' }, { issuer, upkeep: false });
  const response = await fetch(server.webhookUrl, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${await server.alertmanagerToken()}`,
    },
    body: JSON.stringify({ alerts: [{ status: 'firing', labels: { alertname: 'Watchdog' } }] }),
  });
  expect(response.status).toBe(200);
});
afterAll(async () => {
  await server.close();
  await issuer.close();
});

/** All that is right, save what a test makes wrong. */
function examine(url = server.url, ...more: string[]): Promise<Finding[]> {
  return doctorsFindings(['--api-url', `${url}/api/data`, ...more], environment());
}

function environment(): NodeJS.ProcessEnv {
  return {
    DATABASE_URL: server.databaseUrl,
    OIDC_ISSUER: issuer.issuer.url,
    ALERTMANAGER_CLIENT_SECRET: 'secret',
  };
}

/** What an Alertmanager lists; its labels are all that is looked at, and how much it weighs. */
interface Listed {
  labels: Record<string, string>;
  annotations?: Record<string, string>;
}

const WATCHDOG: Listed = { labels: { alertname: 'Watchdog', severity: 'none' } };

function sessionAlert(user: string): Listed {
  const labels = { alertname: 'RenkuSessionHighMemory', purpose: 'renku-session', statefulset: 'session' };
  return { labels: { ...labels, safe_username: user } };
}

/** An Alertmanager set up for us that holds these, all in one group. */
function alertmanager(alerts: Listed[], startedAt = new Date(0)): RequestListener {
  const tokenUrl = `${issuer.issuer.url}/protocol/openid-connect/token`;
  const original = `
receivers:
  - name: ours (all)
    webhook_configs:
      - url: <secret>
        send_resolved: true
        http_config:
          follow_redirects: false
          oauth2: { client_id: alertmanager, client_secret_file: /secret, token_url: '${tokenUrl}' }
route:
  receiver: ours (all)
  repeat_interval: 2m
  group_interval: 1m
  group_wait: 1s
`;
  const held = alerts.map((alert) => ({ ...alert, status: { state: 'active' } }));
  return ({ url = '' }, response) => {
    const { pathname, searchParams } = new URL(url, 'http://alertmanager');
    if (pathname === '/api/v2/status') {
      answerJson(response, 200, { uptime: startedAt.toISOString(), config: { original } });
    } else if (pathname === '/api/v2/alerts/groups') {
      const isAsked = new RegExp(`^(?:${searchParams.get('receiver') ?? ''})$`).test('ours (all)');
      answerJson(response, 200, isAsked ? [{ alerts: held }, { alerts: [] }] : []);
    } else if (pathname === '/api/v2/alerts') {
      const [, name = '', value = ''] = /^(\w+)="(.*)"$/.exec(searchParams.get('filter') ?? '') ?? [];
      answerJson(
        response,
        200,
        held.filter(({ labels }) => labels[name] === value),
      );
    } else response.writeHead(404).end();
  };
}

describe('A proxy before the server', () => {
  /** One that passes on what comes, as it comes, or answers in the server's place. */
  function withProxy<T>(
    answer: RequestListener | undefined,
    use: (url: string) => Promise<T>,
    headers: Record<string, string | undefined> = {},
  ): Promise<T> {
    return withProgram((request, response) => {
      if (request.method === 'POST' && answer) answer(request, response);
      if (response.headersSent) return;
      const kept = Object.entries({ ...request.headers, ...headers }).filter(([, value]) => value);
      const onward = forward(
        `${server.url}${request.url ?? ''}`,
        { method: request.method, headers: Object.fromEntries(kept) },
        (answered) => {
          response.writeHead(answered.statusCode ?? 500, answered.headers);
          answered.pipe(response);
        },
      );
      request.pipe(onward).on('error', () => response.destroy());
    }, use);
  }

  /** Refuses bodies of more bytes. */
  const limit =
    (bytes: number): RequestListener =>
    (request, response) => {
      if (Number(request.headers['content-length']) <= bytes) return;
      request.resume();
      response.writeHead(413, { 'content-type': 'text/html' }).end('<h1>413 Request Entity Too Large</h1>');
    };

  /** An Alertmanager whose group weighs about so much. */
  const withGroup = <T>(bytes: number, use: (url: string) => Promise<T>): Promise<T> => {
    const alert = sessionAlert(ID);
    return withProgram(
      alertmanager([WATCHDOG, { ...alert, annotations: { description: 'x'.repeat(bytes) } }]),
      use,
    );
  };

  it('is no trouble where it passes all on', async () => {
    await withProxy(undefined, async (url) => {
      const findings = await examine(url);
      expect(troubles(findings)).toEqual({});
      expect(findings.at(-1)).toEqual({
        check: 'webhook.size',
        status: 'ok',
        message: 'A post of 1 MiB is taken; how large the groups in Alertmanager are is not known',
      });
    });
  });

  it('that takes Authorization away is told from a token that is refused', async () => {
    await withProxy(
      undefined,
      async (url) => {
        expect(troubles(await examine(url))).toEqual({
          webhook: expect.stringMatching(
            /no token came, though one was sent.*proxy_set_header Authorization/,
          ) as string,
        });
        const run = await runDoctor(['--api-url', `${url}/api/data`], environment());
        expect(run).toMatchObject({ exitCode: 1, stderr: 'One thing is wrong.' });
        expect(run.stdout).not.toContain('eyJ');
      },
      { authorization: undefined },
    );
  });

  it.each<[what: string, group: number | undefined, status: Finding['status']]>([
    ['where no group is known is warned of', undefined, 'warning'],
    ['that lets the largest group pass is warned of', 50_000, 'warning'],
    ['that cuts the largest group off is wrong', 250_000, 'wrong'],
  ])('with a limit below 1 MiB %s', async (_what, group, status) => {
    const look = (alertmanagerUrl?: string): Promise<Finding[]> =>
      withProxy(limit(200_000), (url) =>
        examine(url, ...(alertmanagerUrl === undefined ? [] : ['--alertmanager-url', alertmanagerUrl])),
      );
    const findings = await (group === undefined ? look() : withGroup(group, look));
    expect(troubles(findings)).toEqual({
      'webhook.size': expect.stringMatching(
        /^A post of 1 MiB is refused, with 413 from a proxy.*>> .*client_max_body_size/,
      ) as string,
    });
    expect(findings).toContainEqual(expect.objectContaining({ check: 'webhook.size', status }));
  });

  it('is not blamed for what the server refuses itself', async () => {
    await withGroup(2_000_000, async (alertmanagerUrl) => {
      expect(troubles(await examine(server.url, '--alertmanager-url', alertmanagerUrl))).toEqual({
        'webhook.size': expect.stringMatching(
          /^A post of 1\.9 MiB is refused, with the server's own 413.*\(alerts: 2\).*lost >> Set BODY_LIMIT_MB/,
        ) as string,
      });
    });
  });

  it('that cuts large posts off without a word is named', async () => {
    await withProxy(
      (request) => {
        if (Number(request.headers['content-length']) > 200_000) request.destroy();
      },
      async (url) => {
        expect(troubles(await examine(url))['webhook.size']).toMatch(/refused, without an answer/);
      },
    );
  });
});

/** A Prometheus that knows all that it should, fires these, and sends to these Alertmanagers. */
function prometheus(
  fires: Listed[],
  { sendsTo = [] as string[], users = [ID] }: { sendsTo?: string[]; users?: string[] } = {},
): RequestListener {
  const rule = (alert: Listed): object => ({
    name: alert.labels['alertname'],
    state: 'firing',
    health: 'ok',
    labels: { purpose: alert.labels['purpose'] },
    annotations: { title: 'Title', description: 'Description' },
    alerts: [{ state: 'firing', labels: alert.labels }],
  });
  const idle = { name: 'Idle', health: 'ok', labels: { purpose: 'renku-session' } };
  const rules = [
    { ...idle, annotations: { title: 'Title', description: 'Description' }, alerts: [] },
    ...fires.map(rule),
  ];
  return ({ url = '' }, response) => {
    const { pathname, searchParams } = new URL(url, 'http://prometheus');
    const query = searchParams.get('query') ?? '';
    const answer = (data: object): void => {
      answerJson(response, 200, { status: 'success', data });
    };
    if (pathname.endsWith('/rules')) answer({ groups: [{ rules }] });
    else if (pathname.endsWith('/alertmanagers')) {
      answer({ activeAlertmanagers: sendsTo.map((one) => ({ url: `${one}/api/v2/alerts` })) });
    } else if (query.startsWith('count by')) {
      answer({ result: users.map((user) => ({ metric: { safe_username: user } })) });
    } else answer({ result: query.includes('exported') ? [] : [{ value: [0, '1'] }] });
  };
}

describe('Where Prometheus sends its alerts', () => {
  const firing = [WATCHDOG, sessionAlert(ID)];

  /** Looks with one Alertmanager that holds these, where Prometheus sends to what is said of it. */
  async function look(
    held: Listed[],
    sendsTo: (ours: string) => string[],
    fires: Listed[] = firing,
  ): Promise<Finding[]> {
    return withProgram(alertmanager(held), (ours) =>
      withProgram(prometheus(fires, { sendsTo: sendsTo(ours) }), (prometheusUrl) =>
        examine(server.url, '--alertmanager-url', ours, '--prometheus-url', prometheusUrl),
      ),
    );
  }

  it('is the Alertmanager that is asked, by whatever name', async () => {
    const findings = await look(firing, (ours) => [ours]);
    expect(troubles(findings)).toEqual({});
    expect(findings).toContainEqual({
      check: 'prometheus.delivery',
      status: 'ok',
      message: 'What Prometheus fires for us is in Alertmanager: 2',
    });
    expect(troubles(await look(firing, (ours) => [ours.replace('127.0.0.1', 'localhost')]))).toEqual({});
    expect(troubles(await look(firing, () => ['http://alertmanager.invalid:9093']))).toEqual({});
  });

  it('may be another one too, which is warned of', async () => {
    await withProgram(alertmanager(firing, new Date(1)), async (stranger) => {
      const findings = await look(firing, (ours) => [ours, stranger]);
      expect(troubles(findings)).toEqual({
        'prometheus.alertmanagers': expect.stringMatching(
          new RegExp(`sends alerts to ${stranger}, as far as .*ALERTMANAGER_URLS`),
        ) as string,
      });
    });
    const unreached = await look(firing, (ours) => [ours, 'http://alertmanager.invalid:9093']);
    expect(troubles(unreached)).toEqual({
      'prometheus.alertmanagers': expect.stringMatching(/to 2 Alertmanagers .*and doctor knows 1/) as string,
    });
  });

  it('is another one where nothing that fires is in ours, which is wrong', async () => {
    const findings = await look([], () => ['http://alertmanager.invalid:9093']);
    expect(troubles(findings)).toEqual({
      'prometheus.delivery': expect.stringMatching(
        /^Of the alerts that Prometheus fires for us \(2\), http:\S+ lacks 2; it sends to http:\S+ >> Name this Alertmanager/,
      ) as string,
    });
    expect(findings.find(({ check }) => check === 'prometheus.delivery')?.status).toBe('wrong');
  });

  it('is warned of where some of it is missing', async () => {
    const findings = await look([WATCHDOG], (ours) => [ours]);
    expect(findings.find(({ check }) => check === 'prometheus.delivery')).toMatchObject({
      status: 'warning',
      message: expect.stringMatching(/lacks 1; /) as string,
    });
  });
});

describe('Whom sessions and alerts name', () => {
  /** Looks at what an Alertmanager holds for these, while sessions of those run. */
  const look = (users: string[], sessions: string[] = []): Promise<Finding[]> =>
    withProgram(alertmanager([WATCHDOG, ...users.map(sessionAlert)]), (ours) =>
      withProgram(prometheus([WATCHDOG], { sendsTo: [ours], users: sessions }), (prometheusUrl) =>
        examine(server.url, '--alertmanager-url', ours, '--prometheus-url', prometheusUrl),
      ),
    );
  const warned = (message: string): object => ({ users: expect.stringContaining(message) as string });

  it('are ids of the issuer, or Keycloak has them from another store', async () => {
    const findings = await look([ID], [`f:${ID}:ann.smith`, '<nil>']);
    expect(troubles(findings)).toEqual({});
    expect(findings).toContainEqual(
      expect.objectContaining({
        check: 'users',
        status: 'ok',
        message: expect.stringMatching(/: 2$/) as string,
      }),
    );
  });

  it('are warned of where they look like logins, of alerts or of sessions', async () => {
    expect(troubles(await look([ID, 'ann.smith']))).toEqual(
      warned('Of 2 users whom sessions and alerts name in safe_username, 1 do not look like ids'),
    );
    expect(troubles(await look([], ['joe', 'ann.smith']))).toEqual(
      warned('which are UUIDs: "joe", "ann.smith"'),
    );
  });

  it('are ids, whatever they look like, of those who have called', async () => {
    await execute(
      server.databaseUrl,
      `INSERT INTO session_alerts.open_pages (until, replica, user_id)
       VALUES (now() + interval '1 hour', gen_random_uuid(), 'ann.smith')`,
    );
    try {
      expect(troubles(await look(['ann.smith']))).toEqual({});
    } finally {
      await execute(server.databaseUrl, 'DELETE FROM session_alerts.open_pages');
    }
  });
});
