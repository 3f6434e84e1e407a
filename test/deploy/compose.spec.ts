import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig } from '../../server/src/config.js';
import { load, PROJECT, read } from './support/files.js';
import { composeService, loadCompose } from './support/compose.js';

const { services, configs, volumes } = loadCompose();

it('leaves nothing to the environment that has no default', () => {
  expect(JSON.stringify(services)).not.toContain('${');
});

it('mounts what is there', () => {
  const mounts = Object.values(services).flatMap((service) => service.volumes ?? []);
  const [files, named] = [
    mounts.filter((mount) => mount.startsWith('./')),
    mounts.filter((mount) => !mount.startsWith('./')),
  ];
  expect(files.length).toBeGreaterThanOrEqual(4);
  for (const mount of files) {
    const [path = ''] = mount.split(':');
    expect({ path, isThere: existsSync(join(PROJECT, path)) }).toEqual({ path, isThere: true });
    expect(mount).toMatch(/:ro$/);
  }
  expect(named.map((mount) => mount.split(':')[0]).sort()).toEqual(Object.keys(volumes).sort());
  for (const { source } of Object.values(services).flatMap((service) => service.configs ?? [])) {
    expect(Object.keys(configs)).toContain(source);
  }
});

it('opens no port to other machines', () => {
  const ports = Object.values(services).flatMap((service) => service.ports ?? []);
  expect(ports.length).toBeGreaterThan(0);
  for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
});

it('sets for the server only what it reads, and what it takes', () => {
  const { environment = {} } = composeService('server');
  const asked = new Set<string>();
  readConfig(
    new Proxy(environment, {
      get: (target, name: string) => {
        asked.add(name);
        return target[name];
      },
    }),
  );
  expect(Object.keys(environment).filter((name) => !asked.has(name))).toEqual([]);
});

it('names services by what they are called, and the ports that they listen on', () => {
  const listening: Record<string, string> = Object.fromEntries(
    Object.entries(services).flatMap(([name, { ports = [] }]) =>
      ports.map((port) => [name, port.split(':').at(-1) ?? '']),
    ),
  );
  const { scrape_configs: jobs, alerting } = load<{
    scrape_configs: { static_configs: { targets: string[] }[] }[];
    alerting: { alertmanagers: { static_configs: { targets: string[] }[] }[] };
  }>('prometheus/prometheus.yml');
  const targets = [...jobs, ...alerting.alertmanagers].flatMap(({ static_configs: all }) =>
    all.flatMap((one) => one.targets),
  );
  const urls = [composeService('server'), composeService('sessions')]
    .flatMap(({ environment = {} }) => Object.values(environment))
    .filter((value) => /^http:\/\/(?!localhost)/.test(value))
    .map((value) => new URL(value).host);
  expect(urls.length).toBeGreaterThan(2);
  for (const address of [...targets, ...urls]) {
    const [name = '', port] = address.split(':');
    expect({ name, port: listening[name] }).toEqual({ name, port });
  }
});

it('gives Keycloak every secret that the realm asks the environment for', () => {
  const asked = [...read('keycloak/realm-renku.json').matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name);
  expect(asked.length).toBeGreaterThan(0);
  expect(Object.keys(composeService('keycloak').environment ?? {})).toEqual(expect.arrayContaining(asked));
});

it('gives Alertmanager the secret that Keycloak knows, where its configuration reads it', () => {
  const { configs: [mount] = [] } = composeService('alertmanager');
  expect(read('alertmanager/alertmanager.yml')).toContain(`client_secret_file: ${mount?.target ?? ''}\n`);
  expect(configs[mount?.source ?? '']?.content).toBe(
    composeService('keycloak').environment?.['ALERTMANAGER_CLIENT_SECRET'],
  );
});

it('plays sessions of users that the realm has', () => {
  const { users } = load<{ users: { id?: string }[] }>('keycloak/realm-renku.json');
  const played = readFileSync(join(PROJECT, 'deploy/compose/sessions.mjs'), 'utf8').match(
    /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g,
  );
  expect(played).toEqual(users.flatMap(({ id }) => id ?? []));
});
