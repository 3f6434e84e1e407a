import type { Random } from '../../stack/support/random.js';
import { firing, minute, resolved, webhook } from '../../support/alerts.js';
import { grafanaWebhook, signed } from '../../support/grafana.js';
import type { FuzzRequest, RouteName } from './fuzz-request.js';
import { treeOf } from './json-tree.js';
import type { World } from './world.js';

const PREFIX = '/api/data';
const NAMES = ['RenkuSessionHighMemory', 'RenkuSessionHighDiskUsage', 'RenkuSessionOOMKilled', 'Watchdog'];

type Draft = Pick<FuzzRequest, 'method' | 'path'> &
  Partial<Pick<FuzzRequest, 'query' | 'caller'>> & {
    token?: string | undefined;
    body?: unknown;
    headers?: [name: string, value: string][];
  };

/** A request that each route takes. */
const DRAFTS: Record<RouteName, (random: Random, world: World) => Draft> = {
  webhook: (random, world) => ({
    method: 'POST',
    path: `${PREFIX}/webhooks/alertmanager`,
    query: random.oneOf(['', '', '', 'dry_run=true', 'dry_run=false']),
    token: world.tokens.alertmanager,
    body: webhook(Array.from({ length: random.between(1, 5) }, () => anAlert(random, world))),
  }),
  grafana: (random, world) => ({
    method: 'POST',
    path: `${PREFIX}/webhooks/grafana`,
    query: random.oneOf(['', '', '', 'dry_run=true', 'dry_run=false']),
    token: world.tokens.alertmanager,
    // Where there is a token, what is signed or not counts for nothing.
    headers: Object.entries(random.next() < 0.3 ? signed('{}', 'of nobody', 1_768_000_000) : {}),
    body: grafanaWebhook(Array.from({ length: random.between(1, 5) }, () => anAlert(random, world))),
  }),
  list: (random, world) => {
    const user = random.oneOf(world.users);
    return {
      method: 'GET',
      path: `${PREFIX}/alerts`,
      query: random.oneOf(['', `session_name=${random.oneOf(world.sessionsOf(user))}`]),
      ...as(user, world),
    };
  },
  history: (random, world) => {
    const user = random.oneOf(world.users);
    const parts = [
      'status=resolved',
      `session_name=${random.oneOf(world.sessionsOf(user))}`,
      `since=${minute(random.between(0, 100))}`,
      `limit=${random.between(1, 200)}`,
      `cursor=${random.oneOf(world.alerts).id}`,
    ];
    return {
      method: 'GET',
      path: `${PREFIX}/alerts`,
      query: [parts[0], ...random.some(parts.slice(1), random.between(0, 4))].join('&'),
      ...as(user, world),
    };
  },
  stream: (random, world) => {
    const user = random.oneOf(world.users);
    return {
      method: 'GET',
      path: `${PREFIX}/alerts/stream`,
      query: random.oneOf(['', `session_name=${random.oneOf(world.sessionsOf(user))}`]),
      headers: [['Accept', 'text/event-stream']],
      ...as(user, world),
    };
  },
  feed: (random, world) => ({
    method: 'GET',
    path: `${PREFIX}/alerts/feed`,
    ...as(random.oneOf(world.users), world),
  }),
  create: (random, world) => {
    const user = random.oneOf(world.users);
    return {
      method: 'POST',
      path: `${PREFIX}/alerts`,
      token: world.tokens.admin,
      caller: 'admin',
      body: {
        title: 'Maintenance tonight',
        message: 'Sessions will be restarted at 22:00 UTC.',
        event_type: `maintenance-${random.between(0, 20)}`,
        user_id: user,
        session_name: random.oneOf([undefined, null, ...world.sessionsOf(user)]),
        severity: random.oneOf([undefined, null, 'info', 'critical']),
      },
    };
  },
  update: (random, world) => {
    const { id, user } = random.oneOf(world.alerts);
    const isAdmin = random.next() < 0.5;
    return {
      method: 'PATCH',
      path: `${PREFIX}/alerts/${id}`,
      body: isAdmin ? { resolved: true } : { dismissed: true },
      ...(isAdmin ? { token: world.tokens.admin, caller: 'admin' } : as(user, world)),
    };
  },
  seen: (random, world) => ({
    method: 'POST',
    path: `${PREFIX}/alerts/seen`,
    body: { ids: random.some(world.alerts, random.between(0, 3)).map(({ id }) => id) },
    ...as(random.oneOf(world.users), world),
  }),
  preferences: (random, world) => ({
    method: 'GET',
    path: `${PREFIX}/alerts/preferences`,
    ...as(random.oneOf(world.users), world),
  }),
  say: (random, world) => {
    const user = random.oneOf(world.users);
    const mute = {
      event_type: random.oneOf(NAMES),
      session_name: random.oneOf([undefined, ...world.sessionsOf(user)]),
      until: random.oneOf([undefined, '2100-01-01T00:00:00Z']),
    };
    return {
      method: 'PUT',
      path: `${PREFIX}/alerts/preferences`,
      body: {
        channels: random.oneOf([undefined, {}]),
        mutes: random.oneOf([undefined, [mute]]),
        quiet_hours: random.oneOf([
          undefined,
          null,
          { from: '22:00', to: '07:00', time_zone: 'Europe/Zurich', critical_passes: true },
        ]),
      },
      ...as(user, world),
    };
  },
  documents: (random) => ({
    method: 'GET',
    path: `${PREFIX}/${random.oneOf(['docs', 'docs/', 'docs/swagger-ui-init.js', 'docs/swagger-ui.css', 'openapi.json', 'openapi.json'])}`,
  }),
  panel: (random) => ({
    method: 'GET',
    path: `/panel/${random.oneOf(['session-alerts.js', 'element.js', 'LICENSES.md'])}`,
  }),
  probe: (random) => ({ method: 'GET', path: random.oneOf(['/healthz', '/readyz', '/metrics']) }),
  nowhere: (random, world) => ({
    method: random.oneOf(['GET', 'POST', 'PUT', 'DELETE']),
    path: random.oneOf([
      '/',
      '/favicon.ico',
      '/api',
      PREFIX,
      `${PREFIX}/webhooks`,
      `${PREFIX}/webhooks/prometheus`,
      `${PREFIX}/alerts/x/y`,
      `${PREFIX}/alerts/stream/x`,
      '/panel/',
      '/panel/index.html',
      '/panel/../package.json',
      '/alerts',
    ]),
    ...as(random.oneOf(world.users), world),
  }),
};

export const ROUTES = Object.keys(DRAFTS) as RouteName[];

/** A request that its route takes. */
export function validRequest(route: RouteName, random: Random, world: World): FuzzRequest {
  const { method, path, query = '', caller, token, body, headers = [] } = DRAFTS[route](random, world);
  return {
    route,
    caller,
    method,
    path,
    query,
    version: 'HTTP/1.1',
    headers: [
      ['Host', 'localhost'],
      ...headers,
      ...(token === undefined ? [] : [header('Authorization', `Bearer ${token}`)]),
      ...(body === undefined ? [] : [header('Content-Type', 'application/json')]),
    ],
    json: body === undefined ? undefined : treeOf(body),
    body: undefined,
    lengths: undefined,
    prelude: Buffer.alloc(0),
    manner: { how: 'whole' },
    is: { valid: true, addressed: true, http: true },
  };
}

function as(user: string, { tokens }: World): { caller: string; token: string | undefined } {
  return { caller: user, token: tokens.users.get(user) };
}

function header(name: string, value: string): [name: string, value: string] {
  return [name, value];
}

function anAlert(random: Random, world: World): object {
  const user = random.oneOf(world.users);
  const alert = firing({
    user,
    session: random.oneOf(world.sessionsOf(user)),
    name: random.oneOf(NAMES),
    severity: random.oneOf(['warning', 'critical', '']),
    startsAt: minute(random.between(0, 60)),
    labels: random.next() < 0.1 ? { alert_kind: 'event' } : {},
    annotations: {
      ...(random.next() < 0.2 && { runbook_url: 'https://docs.example/memory' }),
      ...(random.next() < 0.2 && { action_label: 'Resize', action_url: 'https://sessions.example/resize' }),
    },
  });
  const shown = random.next() < 0.3 ? { ...alert, fingerprint: undefined } : alert;
  return random.next() < 0.3 ? resolved(shown, minute(random.between(30, 120))) : shown;
}
