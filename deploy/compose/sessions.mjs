/* global fetch, URLSearchParams */
// Plays the cluster of docker-compose.yml: two sessions that one can get into trouble, as the kubelet and
// kube-state-metrics tell of them, and the page of one, with the panel.
//
//   POST /sessions/jane-1 {"memory": 0.95}    how much of its memory is used; so with the volumes "data" and "scratch"
//   POST /sessions/jane-1/oom-kill
import { readFileSync } from 'node:fs';
import { createServer, request } from 'node:http';

const { PORT = '9100', HOST = '0.0.0.0', SERVER_URL, TOKEN_URL, JANES_PASSWORD } = process.env;
const GIB = 1024 ** 3;
const NAMESPACE = 'renku';

/** The users' ids are those of deploy/keycloak/realm-renku.json. */
const sessions = new Map(
  [
    { name: 'jane-1', user: '5f0c2b3e-6d1a-4c58-9a37-2e4b8f0d7c11' },
    { name: 'ruth-1', user: 'b81e9d54-03f7-4e6c-8c2d-7a95d1f0e622' },
  ].map((session) => [session.name, { ...session, memory: 0.4, data: 0.3, scratch: 0.1, restarts: 0 }]),
);

const VOLUMES = ['data', 'scratch'];

/** What each of Prometheus's jobs reads. */
const METRICS = {
  '/kube-state-metrics': ({ name, user, restarts }) => {
    const container = {
      namespace: NAMESPACE,
      pod: `${name}-0`,
      uid: `uid-of-${name}`,
      container: 'amalthea-session',
    };
    return [
      sample(
        'kube_customresource_amaltheasession_info',
        { namespace: NAMESPACE, name, safe_username: user },
        1,
      ),
      sample('kube_pod_container_status_restarts_total', container, restarts),
      restarts > 0 &&
        sample('kube_pod_container_status_last_terminated_reason', { ...container, reason: 'OOMKilled' }, 1),
      ...VOLUMES.map((volume) =>
        sample(
          'kube_persistentvolumeclaim_labels',
          {
            ...claimOf(name, volume),
            label_app_kubernetes_io_name: 'AmaltheaSession',
            label_app_kubernetes_io_instance: name,
          },
          1,
        ),
      ),
    ];
  },
  '/kubelet': ({ name, ...used }) =>
    VOLUMES.flatMap((volume) => [
      sample('kubelet_volume_stats_available_bytes', claimOf(name, volume), (1 - used[volume]) * 10 * GIB),
      sample('kubelet_volume_stats_capacity_bytes', claimOf(name, volume), 10 * GIB),
    ]),
  '/cadvisor': ({ name, memory }) => {
    const container = { namespace: NAMESPACE, pod: `${name}-0`, container: 'amalthea-session' };
    return [
      sample('container_memory_usage_bytes', container, memory * 4 * GIB),
      sample('container_memory_working_set_bytes', container, memory * 4 * GIB),
      sample('container_spec_memory_limit_bytes', container, 4 * GIB),
    ];
  },
};

function claimOf(session, volume) {
  return { namespace: NAMESPACE, persistentvolumeclaim: `${session}-${volume}` };
}

function sample(name, labels, value) {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}=${JSON.stringify(text)}`);
  return `${name}{${pairs.join(',')}} ${value}\n`;
}

const server = createServer((message, response) => {
  answer(message, response).catch((error) => {
    if (!response.headersSent)
      response.writeHead(error instanceof SyntaxError ? 400 : 502, { 'content-type': 'text/plain' });
    response.end(`${error.message}\n`);
  });
});

async function answer(message, response) {
  const { pathname } = new URL(message.url, 'http://sessions');
  const [, first, name, action] = pathname.split('/');
  if (pathname in METRICS) {
    const samples = [...sessions.values()].flatMap(METRICS[pathname]).filter(Boolean);
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(samples.join(''));
  } else if (message.method === 'POST' && first === 'sessions' && sessions.has(name)) {
    change(sessions.get(name), action, await bodyOf(message));
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(sessions.get(name)));
  } else if (pathname === '/') {
    const page = readFileSync(new URL('session-page.html', import.meta.url));
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(page);
  } else if (pathname === '/token' && TOKEN_URL) {
    const { status, text } = await janesToken();
    response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(text);
  } else if ((first === 'api' || first === 'panel') && SERVER_URL) {
    await forward(message, response);
  } else {
    response.writeHead(404).end();
  }
}

function change(session, action, body) {
  if (action === 'oom-kill') {
    session.restarts += 1;
    session.memory = 0.4;
    return;
  }
  for (const what of ['memory', ...VOLUMES]) {
    if (typeof body[what] === 'number') session[what] = Math.min(Math.max(body[what], 0), 1);
  }
}

async function bodyOf(message) {
  let text = '';
  for await (const chunk of message.setEncoding('utf8')) text += chunk;
  return text === '' ? {} : JSON.parse(text);
}

async function janesToken() {
  const form = {
    grant_type: 'password',
    client_id: 'session-page',
    username: 'jane',
    password: JANES_PASSWORD,
  };
  const answer = await fetch(TOKEN_URL, { method: 'POST', body: new URLSearchParams(form) });
  return { status: answer.status, text: await answer.text() };
}

/** To the server, so that the page has everything on one origin as an instance has. */
function forward(message, response) {
  return new Promise((resolve, reject) => {
    const { method, headers, url } = message;
    const forwarded = request(new URL(url, SERVER_URL), { method, headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response).once('close', resolve);
    });
    forwarded.once('error', reject);
    response.once('close', () => forwarded.destroy());
    message.pipe(forwarded);
  });
}

server.listen(Number(PORT), HOST, () => {
  console.log(`Sessions play at port ${server.address().port}`);
});
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    server.close();
    server.closeAllConnections();
  });
}
