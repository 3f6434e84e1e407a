/* global setTimeout, URLSearchParams */
// Plays the cluster of docker-compose.yml: two sessions and a job that one can get into trouble, as the kubelet, cAdvisor
// and kube-state-metrics tell of them, and the page of one, with the panel.
//
//   POST /sessions/jane-1 {"memory": 0.95}            the share of its memory that is used; so with the volumes "data"
//                                                     and "scratch", and with "files", the inodes of data
//   POST /sessions/jane-1 {"waits": "ErrImagePull"}   why its container does not start; null: it runs
//   POST /sessions/jane-1 {"stopsIn": 600}            in how many seconds it will be stopped; null: not foreseen
//   POST /sessions/jane-1/oom-kill                    of its container; the job jane-train ends with that
//   POST /sessions/jane-1/program-kill                of a program in it
//   POST /sessions/jane-1/evict                       as where its machine is short of memory
import { readFileSync } from 'node:fs';
import { createServer, request } from 'node:http';

const { PORT = '9100', HOST = '0.0.0.0', SERVER_URL, TOKEN_URL, JANES_PASSWORD } = process.env;
const GIB = 1024 ** 3;
const NAMESPACE = 'renku';

/** The users' ids are those of deploy/keycloak/realm-renku.json. */
const JANE = '5f0c2b3e-6d1a-4c58-9a37-2e4b8f0d7c11';
const RUTH = 'b81e9d54-03f7-4e6c-8c2d-7a95d1f0e622';
const sessions = new Map(
  [
    { name: 'jane-1', user: JANE, ownerKind: 'StatefulSet', pod: 'jane-1-0' },
    { name: 'ruth-1', user: RUTH, ownerKind: 'StatefulSet', pod: 'ruth-1-0' },
    { name: 'jane-train', user: JANE, ownerKind: 'Job', pod: 'jane-train-x7k2p' },
  ].map((session) => [
    session.name,
    {
      ...session,
      ...{ memory: 0.4, data: 0.3, scratch: 0.1, files: 0.2 },
      ...{ restarts: 0, kills: 0, run: 1, ended: false, evicted: false, waits: null, stopsAt: 0 },
    },
  ]),
);

const VOLUMES = ['data', 'scratch'];
const SHARES = ['memory', 'files', ...VOLUMES];

/** What each of Prometheus's jobs reads. */
const METRICS = {
  '/kube-state-metrics': (session) => {
    const { name, user, ownerKind, restarts, ended, evicted, waits, stopsAt } = session;
    const pod = podOf(session);
    const container = { ...pod, container: 'amalthea-session' };
    const owner = { owner_kind: ownerKind, owner_name: name, owner_is_controller: 'true' };
    const resource = { namespace: NAMESPACE, name, safe_username: user };
    const type = ownerKind === 'Job' ? 'NonInteractive' : 'Interactive';
    return [
      sample('kube_customresource_amaltheasession_info', {
        ...resource,
        location: 'local',
        session_type: type,
      }),
      sample('kube_customresource_amaltheasession_will_hibernate_at', resource, stopsAt),
      sample('kube_pod_owner', { ...pod, ...owner }),
      sample('kube_pod_container_status_restarts_total', container, restarts),
      sample('kube_pod_container_status_running', container, ended || waits ? 0 : 1),
      restarts > 0 &&
        sample('kube_pod_container_status_last_terminated_reason', { ...container, reason: 'OOMKilled' }),
      restarts > 0 && sample('kube_pod_container_status_last_terminated_exitcode', container, 137),
      ended && sample('kube_pod_container_status_terminated_reason', { ...container, reason: 'OOMKilled' }),
      waits && sample('kube_pod_container_status_waiting_reason', { ...container, reason: waits }),
      evicted && sample('kube_pod_status_reason', { ...pod, reason: 'Evicted' }),
      ...VOLUMES.flatMap((volume) => [
        sample('kube_persistentvolumeclaim_labels', {
          ...claimOf(name, volume),
          label_app_kubernetes_io_name: 'AmaltheaSession',
          label_app_kubernetes_io_instance: name,
        }),
        sample('kube_persistentvolumeclaim_resource_requests_storage_bytes', claimOf(name, volume), 10 * GIB),
      ]),
    ];
  },
  '/kubelet': ({ name, files, ...used }) => [
    ...VOLUMES.flatMap((volume) => [
      sample('kubelet_volume_stats_available_bytes', claimOf(name, volume), (1 - used[volume]) * 10 * GIB),
      sample('kubelet_volume_stats_capacity_bytes', claimOf(name, volume), 10 * GIB),
    ]),
    sample('kubelet_volume_stats_inodes_free', claimOf(name, 'data'), (1 - files) * 655_360),
    sample('kubelet_volume_stats_inodes', claimOf(name, 'data'), 655_360),
  ],
  '/cadvisor': ({ pod, memory, kills, ended, waits }) => {
    if (ended || waits) return [];
    const container = { namespace: NAMESPACE, pod, container: 'amalthea-session' };
    return [
      sample('container_memory_usage_bytes', container, memory * 4 * GIB),
      sample('container_memory_working_set_bytes', container, memory * 4 * GIB),
      sample('container_memory_total_active_file_bytes', container, 0),
      sample('container_spec_memory_limit_bytes', container, 4 * GIB),
      sample('container_oom_events_total', container, kills),
    ];
  },
};

/** A pod that takes another's place bears its name and is another. */
function podOf({ name, pod, run }) {
  return { namespace: NAMESPACE, pod, uid: `${name}-${run}` };
}

function claimOf(session, volume) {
  return { namespace: NAMESPACE, persistentvolumeclaim: `${session}-${volume}` };
}

function sample(name, labels, value = 1) {
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
  const isJob = session.ownerKind === 'Job';
  if (action === 'oom-kill') {
    if (isJob) session.ended = true;
    else Object.assign(session, { restarts: session.restarts + 1, memory: 0.4, kills: 0 });
  } else if (action === 'program-kill') {
    session.kills += 1;
  } else if (action === 'evict') {
    session.evicted = true;
    // Long enough for a scrape of docker-compose.yml.
    if (!isJob) setTimeout(startAnew, 20_000, session).unref();
  } else {
    for (const what of SHARES) {
      if (typeof body[what] === 'number') session[what] = Math.min(Math.max(body[what], 0), 1);
    }
    if (typeof body.waits === 'string' || body.waits === null) session.waits = body.waits;
    if (typeof body.stopsIn === 'number') session.stopsAt = Math.round(Date.now() / 1000 + body.stopsIn);
    if (body.stopsIn === null) session.stopsAt = 0;
  }
}

/** As a StatefulSet does with a pod that was evicted. */
function startAnew(session) {
  Object.assign(session, { run: session.run + 1, evicted: false, restarts: 0, kills: 0, memory: 0.4 });
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
