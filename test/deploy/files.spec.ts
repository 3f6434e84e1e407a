import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { DEPLOY, deployFiles, load } from './support/files.js';
import { run } from './support/programs.js';

/** Every kind of file that deploy/ has, and the spec that checks all of the kind. */
const KINDS: Record<string, RegExp> = {
  'rules.spec.ts': /^prometheus\/([^/]+\.rules\.yml|prometheus\.yml|tests\/.+\.yml)$/,
  'files.spec.ts': /^(alertmanager\/.+\.yml|grafana\/.+\.yaml|keycloak\/.+\.json)$/,
  'manifests.spec.ts': /^(kubernetes|kube-state-metrics)\/.+\.yaml$/,
  'chart.spec.ts': /^chart\//,
  'helm-values.spec.ts': /^helm\/values-.+\.yaml$/,
  'metrics.spec.ts': /^grafana\/.+\.json$/,
  'compose.spec.ts': /^compose\//,
  '../integration/bridge.spec.ts': /^bridges\/.+\.mjs$/,
  '../stack/renku.spec.ts': /^renku\/.+\.(sql|sh)$/,
  'nobody, as people read it': /\.md$/,
};

it('knows every file of deploy/', () => {
  const unknown = deployFiles().filter((file) => !Object.values(KINDS).some((kind) => kind.test(file)));
  expect(unknown).toEqual([]);
});

it.each(deployFiles(/^alertmanager\/.+\.yml$/))('%s is what Alertmanager can load', (file) => {
  expect(run('amtool', 'check-config', join(DEPLOY, file))).toContain('SUCCESS');
});

it('calls the instance what the guide calls it', () => {
  const { receivers } = load<{ receivers: { name: string; webhook_configs?: unknown[] }[] }>(
    'alertmanager/alertmanager.yml',
  );
  expect(receivers.find(({ name }) => name === 'renku-webhook')?.webhook_configs).toEqual([
    {
      url: 'https://your-renku-instance.com/api/data/webhooks/alertmanager',
      send_resolved: true,
      max_alerts: 0,
      http_config: {
        follow_redirects: false,
        oauth2: {
          client_id: 'alertmanager',
          client_secret_file: '/etc/alertmanager/secrets/oauth2-client-secret',
          token_url: 'https://your-renku-instance.com/auth/realms/Renku/protocol/openid-connect/token',
        },
      },
    },
  ]);
});

it.each([
  ['a session', ['alertname=RenkuSessionHighMemory', 'purpose=renku-session'], 'renku-webhook'],
  ['the watchdog', ['alertname=Watchdog', 'severity=none'], 'renku-webhook'],
  ['the service', ['alertname=SessionAlertsDown', 'severity=critical'], 'default'],
])('routes an alert of %s to whom it is for', (_what, labels, receiver) => {
  const routes = [
    'config',
    'routes',
    'test',
    `--config.file=${join(DEPLOY, 'alertmanager/alertmanager.yml')}`,
  ];
  expect(run('amtool', ...routes, ...labels).trim()).toBe(receiver);
});

describe('Grafana', () => {
  interface Route {
    receiver: string;
    group_by?: string[];
    group_wait?: string;
    group_interval?: string;
    repeat_interval?: string;
  }
  const alertmanager = load<{
    receivers: { name: string; webhook_configs?: { http_config: { oauth2: object } }[] }[];
    route: { routes: (Route & { matchers: string[] })[] };
  }>('alertmanager/alertmanager.yml');
  const contactPoint = readFileSync(join(DEPLOY, 'grafana/contact-point.yaml'), 'utf8');
  const settingsOf = (text: string): unknown =>
    (parse(text) as { contactPoints: { receivers: { settings: unknown }[] }[] }).contactPoints[0]
      ?.receivers[0]?.settings;

  it('posts with the token that Alertmanager posts with', () => {
    const oauth2 = alertmanager.receivers.flatMap(({ webhook_configs = [] }) => webhook_configs)[0]
      ?.http_config.oauth2;
    const { client_id, token_url } = oauth2 as { client_id: string; token_url: string };
    expect(settingsOf(contactPoint)).toEqual({
      url: 'https://your-renku-instance.com/api/data/webhooks/grafana',
      httpMethod: 'POST',
      maxAlerts: 0,
      http_config: {
        oauth2: { client_id, token_url, client_secret: '$__file{/etc/grafana/secrets/oauth2-client-secret}' },
      },
    });
  });

  it('signs as the server reads it, where it is told to', () => {
    const signing = contactPoint.replace(/# (?= *(hmacConfig|secret|header|timestampHeader):)/g, '');
    expect(settingsOf(signing)).toMatchObject({
      hmacConfig: {
        secret: '$__file{/etc/grafana/secrets/webhook-secret}',
        header: 'X-Grafana-Alerting-Signature',
        timestampHeader: 'X-Grafana-Alerting-Timestamp',
      },
    });
  });

  it('sends the same alerts as Alertmanager, as often', () => {
    const { group_by, group_wait, group_interval, repeat_interval } = alertmanager.route.routes[0]!;
    const times = { group_by, group_wait, group_interval, repeat_interval };
    const { policies } = load<{ policies: { orgId: number; routes: Route[] }[] }>(
      'grafana/notification-policy.yaml',
    );
    const point = parse(contactPoint) as { contactPoints: { name: string; orgId: number }[] };
    const [{ name, orgId }] = point.contactPoints as [{ name: string; orgId: number }];
    expect(policies).toMatchObject([
      { orgId, routes: [{ receiver: name, object_matchers: [['purpose', '=', 'renku-session']], ...times }] },
    ]);
  });
});

describe('the realm', () => {
  interface Client {
    clientId: string;
    secret?: string;
    [setting: string]: unknown;
  }
  const realm = load<{
    realm: string;
    roles: { realm: { name: string }[] };
    clients: Client[];
    scopeMappings: unknown;
    users: { username: string; realmRoles?: string[]; credentials?: { value: string }[] }[];
  }>('keycloak/realm-renku.json');
  const alertmanager = realm.clients.find(({ clientId }) => clientId === 'alertmanager');

  it('has a client that can do nothing but post webhooks', () => {
    expect(alertmanager).toMatchObject({
      publicClient: false,
      serviceAccountsEnabled: true,
      standardFlowEnabled: false,
      implicitFlowEnabled: false,
      directAccessGrantsEnabled: false,
      fullScopeAllowed: false,
      redirectUris: [],
      webOrigins: [],
    });
    expect(realm.scopeMappings).toEqual([{ client: 'alertmanager', roles: ['alertmanager-webhook'] }]);
    expect(realm.users).toContainEqual({
      username: 'service-account-alertmanager',
      enabled: true,
      serviceAccountClientId: 'alertmanager',
      realmRoles: ['alertmanager-webhook'],
    });
  });

  it('lets each client’s tokens be for renku', () => {
    for (const client of realm.clients) {
      expect(client['protocolMappers']).toEqual([
        expect.objectContaining({
          protocolMapper: 'oidc-audience-mapper',
          config: expect.objectContaining({
            'included.custom.audience': 'renku',
            'access.token.claim': 'true',
          }) as unknown,
        }),
      ]);
    }
  });

  it('holds no secret: each is asked of the environment', () => {
    const secrets = [
      alertmanager?.secret,
      ...realm.users.flatMap(({ credentials = [] }) => credentials.map(({ value }) => value)),
    ];
    expect(secrets).toHaveLength(3);
    for (const secret of secrets) expect(secret).toMatch(/^\$\{[A-Z_]+\}$/);
  });
});
