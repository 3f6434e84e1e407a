/** Where the secret comes from when the line is run. */
export type SecretSource = { literal: string } | { file: string } | { variable: string };

/**
 * The administrators' guide's line that stores the client's secret in Kubernetes, for a POSIX shell.
 * @param replace there may be one already
 */
export function kubectlSecretLine(
  source: SecretSource,
  { namespace, replace }: { namespace: string; replace: boolean },
): string {
  const lines = [
    'kubectl create secret generic alertmanager-oauth2-secret',
    `  --namespace ${shellWord(namespace)}`,
    `  ${secretOption(source)}`,
  ];
  if (replace) lines.push('  --dry-run=client --output=yaml | kubectl apply --filename=-');
  return lines.join(' \\\n');
}

function secretOption(source: SecretSource): string {
  if ('literal' in source) return `--from-literal=oauth2-client-secret=${quoted(source.literal)}`;
  if ('file' in source) return `--from-file=oauth2-client-secret=${shellWord(source.file)}`;
  return `--from-literal=oauth2-client-secret="$${source.variable}"`;
}

/** A word for a POSIX shell: as it is where that is safe, else in quotes. */
export function shellWord(text: string): string {
  return /^[\w./:@%+,-]+$/.test(text) ? text : quoted(text);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
