import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';
import { DEPLOY } from './files.js';

export const CHART = join(DEPLOY, 'chart', 'session-alerts');

export type Values = Record<string, unknown>;
type Labels = Record<string, string>;

export interface EnvironmentVariable {
  name: string;
  value?: string;
  valueFrom?: { secretKeyRef: { name: string; key: string } };
}

export interface Container {
  image: string;
  command?: string[];
  args?: string[];
  env: EnvironmentVariable[];
  securityContext: unknown;
  lifecycle: { preStop: { exec: { command: string[] } } };
}

export interface PodSpec {
  automountServiceAccountToken: boolean;
  securityContext: unknown;
  terminationGracePeriodSeconds: number;
  containers: [Container];
  volumes?: {
    name: string;
    projected?: { sources: Record<string, { name: string; items: { key: string; path: string }[] }>[] };
  }[];
}

/** An object of Kubernetes's, as far as the tests look into one. */
export interface KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Labels; annotations?: Labels };
  spec: unknown;
  data?: Record<string, string>;
}

/** What Helm says, with the values that it is given. */
export function helm(values: Values, ...args: string[]): { isGood: boolean; output: string; errors: string } {
  const { status, stdout, stderr, error } = spawnSync('helm', [...args, '--values=-'], {
    encoding: 'utf8',
    input: stringify(values),
  });
  if (error) throw error;
  return { isGood: status === 0, output: stdout, errors: stderr };
}

/** The same of its `template`, for the release session-alerts in the namespace renku. */
export function tryToRender(values: Values, chart = CHART): ReturnType<typeof helm> {
  return helm(values, 'template', 'session-alerts', chart, '--namespace=renku');
}

/**
 * The objects that the chart makes of values, hooks and tests too.
 * @throws Error Helm refuses the values
 */
export function render(values: Values, chart?: string): KubernetesObject[] {
  const { isGood, output, errors } = tryToRender(values, chart);
  if (!isGood) throw new Error(errors);
  return parseAllDocuments(output).flatMap((document) => {
    if (document.errors.length > 0) throw new Error(document.errors.join('\n'));
    const object = document.toJS() as KubernetesObject | null;
    return object === null ? [] : [object];
  });
}

/**
 * The one object of a kind, of a name where there are several.
 * @throws Error there is none
 */
export function find(objects: KubernetesObject[], kind: string, name?: string): KubernetesObject {
  const found = objects.find((one) => one.kind === kind && (name ?? one.metadata.name) === one.metadata.name);
  if (!found) throw new Error(`There is no ${kind} ${name ?? ''}`);
  return found;
}

/** Of the Deployment, a Job or a Pod. */
export function podOf({ kind, spec }: KubernetesObject): PodSpec {
  return kind === 'Pod' ? (spec as PodSpec) : (spec as { template: { spec: PodSpec } }).template.spec;
}
