import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { PROJECT } from './files.js';

export interface ComposeService {
  image?: string;
  build?: string;
  command?: string[];
  entrypoint?: string[];
  environment?: Record<string, string>;
  ports?: string[];
  volumes?: string[];
  configs?: { source: string; target: string }[];
}

export interface Compose {
  services: Record<string, ComposeService>;
  configs: Record<string, { content: string }>;
  volumes: Record<string, null>;
}

/** docker-compose.yml, with the defaults of what the environment may set. */
export function loadCompose(): Compose {
  const text = readFileSync(join(PROJECT, 'docker-compose.yml'), 'utf8');
  return parse(text.replace(/\$\{\w+:-([^}]*)\}/g, '$1')) as Compose;
}

/** A service of docker-compose.yml. */
export function composeService(name: string): ComposeService {
  const service = loadCompose().services[name];
  if (!service) throw new Error(`docker-compose.yml has no service ${name}`);
  return service;
}
