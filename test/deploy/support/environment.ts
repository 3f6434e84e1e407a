import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig } from '../../../server/src/config.js';
import type { PodSpec } from './chart.js';

/** Where pods find their files. */
const FILES = '/etc/session-alerts';

/** What the keys of the Secrets hold that are no files, by the variable that they are for. */
const SECRETS: Record<string, string> = {
  DATABASE_URL: 'postgresql://user:password@127.0.0.1:9/database',
  DATABASE_DIRECT_URL: 'postgresql://user:password@127.0.0.1:9/database',
  DATABASE_READ_URL: 'postgresql://user:password@127.0.0.1:9/database',
  CLUSTER_USER: 'user',
  CLUSTER_PASSWORD: 'password',
  CLUSTER_DATABASE: 'database',
  ALERTMANAGER_CLIENT_SECRET: 'secret',
};

/**
 * The environment of a pod's container as its process finds it.
 * @param folder in the place of the one where its files are
 */
export function environmentOf(pod: PodSpec, folder: string): Record<string, string> {
  mkdirSync(folder, { recursive: true });
  const sources = (pod.volumes ?? []).flatMap(({ projected }) => projected?.sources ?? []);
  for (const { path } of sources.flatMap((source) => Object.values(source)).flatMap(({ items }) => items)) {
    writeFileSync(join(folder, path), `whsec_${'A'.repeat(32)}`);
  }
  const environment: Record<string, string> = {};
  for (const { name, value, valueFrom } of pod.containers[0].env) {
    if (Object.hasOwn(environment, name)) throw new Error(`${name} is set twice`);
    // As Kubernetes does it: what is named has to stand before.
    const text = valueFrom === undefined ? value : SECRETS[name];
    environment[name] = (text ?? '')
      .replace(/\$\((\w+)\)/g, (reference, other: string) => environment[other] ?? reference)
      .replace(FILES, folder);
  }
  return environment;
}

/** The names that the server asks its environment for, where these are set. */
export function namesAsked(environment: Record<string, string>): Set<string> {
  const asked = new Set<string>();
  readConfig(
    new Proxy(environment, {
      get: (target, name: string) => {
        asked.add(name);
        return target[name];
      },
    }),
  );
  return asked;
}
