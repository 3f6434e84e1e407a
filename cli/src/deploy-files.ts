import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError, UsageError } from './command-error.js';
import { GUIDES_INSTANCE } from './instance-addresses.js';
import type { InstanceAddresses } from './instance-addresses.js';

/** What `config print` can print: the files in deploy/ by what they are for and their part in it, the first first. */
export const CONFIGURATIONS = {
  alertmanager: { configuration: 'alertmanager/alertmanager.yml' },
  'prometheus-rules': {
    sessions: 'prometheus/session-alerts.rules.yml',
    service: 'prometheus/session-alerts-service.rules.yml',
    watchdog: 'prometheus/watchdog.rules.yml',
  },
  'kube-state-metrics': {
    'custom-resource-state': 'kube-state-metrics/custom-resource-state.yaml',
    rbac: 'kube-state-metrics/rbac.yaml',
    'deployment-patch': 'kube-state-metrics/deployment-patch.yaml',
  },
  grafana: {
    'contact-point': 'grafana/contact-point.yaml',
    'notification-policy': 'grafana/notification-policy.yaml',
    dashboard: 'grafana/session-alerts.json',
  },
  'helm-values': {
    'kube-prometheus-stack': 'helm/values-kube-prometheus-stack.yaml',
    prometheus: 'helm/values-prometheus.yaml',
  },
} as const;
export type Configuration = keyof typeof CONFIGURATIONS;

/** The parts that a configuration has, the one first that is meant where none is named. */
export function partsOf(configuration: Configuration): string[] {
  return Object.keys(CONFIGURATIONS[configuration]);
}

/**
 * One of the administrators' files, as it stands in deploy/.
 * @param root the package's folder
 * @throws UsageError there is no such part
 * @throws CommandError the package lacks it
 */
export function readDeployFile(root: string, configuration: Configuration, part?: string): string {
  const parts: Record<string, string> = CONFIGURATIONS[configuration];
  const names = Object.keys(parts);
  const name = part ?? names[0] ?? '';
  if (!Object.hasOwn(parts, name)) {
    throw new UsageError(`${configuration} has no part "${name}": give one of ${names.join(', ')}.`);
  }
  try {
    return readFileSync(join(root, 'deploy', ...(parts[name] ?? '').split('/')), 'utf8');
  } catch (cause) {
    throw new CommandError(`The package lacks the configuration for ${configuration}: install it again`, {
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

/**
 * Puts a client's name where the guide's stands.
 * @throws UsageError
 */
export function withClient(text: string, clientId: string): string {
  if (!/^[\w.-]+$/.test(clientId)) {
    throw new UsageError('--client-id must be a name of letters, digits, dots, hyphens and underscores.');
  }
  return text.replaceAll(/\b(client_id:) alertmanager$/gm, (_line, key: string) => `${key} ${clientId}`);
}
