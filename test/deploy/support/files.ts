import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';

export const PROJECT = join(import.meta.dirname, '..', '..', '..');
export const DEPLOY = join(PROJECT, 'deploy');

/** Paths below deploy/, such as `prometheus/prometheus.yml`, in their order. */
export function deployFiles(pattern = /./): string[] {
  return readdirSync(DEPLOY, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(DEPLOY, join(entry.parentPath, entry.name)))
    .filter((path) => pattern.test(path))
    .sort();
}

export function read(path: string): string {
  return readFileSync(join(DEPLOY, path), 'utf8');
}

/** What a YAML or JSON file of deploy/ says. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- who asks knows the file
export function load<T>(path: string): T {
  return parse(read(path)) as T;
}

/** What each document of a YAML file of deploy/ says. */
export function loadAll<T>(path: string): T[] {
  return parseAllDocuments(read(path)).map((document) => document.toJS() as T);
}

/** A rule of Prometheus's, as it stands in a file. */
export interface Rule {
  record?: string;
  alert?: string;
  expr: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}

export interface RuleGroup {
  name: string;
  interval?: string;
  rules: Rule[];
}

export const RULES_FILES = deployFiles(/^prometheus\/[^/]+\.rules\.yml$/);

export function ruleGroups(path: string): RuleGroup[] {
  return load<{ groups: RuleGroup[] }>(path).groups;
}
