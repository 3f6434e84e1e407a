import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError, UsageError } from './command-error.js';
import { GUIDES_INSTANCE } from './instance-addresses.js';
import type { InstanceAddresses } from './instance-addresses.js';

export const HELM_CHARTS = ['kube-prometheus-stack', 'prometheus'] as const;
export type HelmChart = (typeof HELM_CHARTS)[number];

/** What `config print` can print. */
export const CONFIGURATIONS = [
  'alertmanager',
  'prometheus-rules',
  'kube-state-metrics',
  'helm-values',
] as const;
export type Configuration = (typeof CONFIGURATIONS)[number];

/**
 * One of the administrators' files, as it stands in deploy/; several become the documents of one.
 * @param root the package's folder
 * @throws CommandError it is not there
 */
export function readDeployFile(
  root: string,
  configuration: Configuration,
  chart: HelmChart = 'kube-prometheus-stack',
): string {
  try {
    switch (configuration) {
      case 'alertmanager':
        return read(root, 'alertmanager', 'alertmanager.yml');
      case 'prometheus-rules':
        return read(root, 'prometheus', 'session-alerts.rules.yml');
      case 'helm-values':
        return read(root, 'helm', `values-${chart}.yaml`);
      case 'kube-state-metrics': {
        const files = readdirSync(join(root, 'deploy', configuration)).filter((name) =>
          /\.ya?ml$/.test(name),
        );
        return files
          .sort()
          .map((name) => read(root, configuration, name).replace(/^---\n/, ''))
          .join('---\n');
      }
    }
  } catch (cause) {
    throw new CommandError(`The package has no configuration for ${configuration}: install it again`, {
      cause,
    });
  }
}

/**
 * Puts an instance's addresses where the guide's stand; comments and all else stay.
 * @param addresses asked for only where the text needs them
 * @throws UsageError
 */
export function withAddresses(text: string, addresses: () => InstanceAddresses): string {
  const guidesHost = new URL(GUIDES_INSTANCE).host;
  if (!text.includes(guidesHost)) return text;
  const { instance, apiUrl, issuer } = addresses();
  if (new URL(instance).host === guidesHost) {
    throw new UsageError('Give --instance with the address of your own instance.');
  }
  return text
    .replaceAll(`${GUIDES_INSTANCE}/api/data`, () => apiUrl)
    .replaceAll(`${GUIDES_INSTANCE}/auth/realms/Renku`, () => issuer)
    .replaceAll(GUIDES_INSTANCE, () => instance)
    .replaceAll(guidesHost, () => new URL(instance).host);
}

function read(root: string, ...path: string[]): string {
  return readFileSync(join(root, 'deploy', ...path), 'utf8');
}
