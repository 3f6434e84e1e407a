import { execFileSync } from 'node:child_process';
import { kubectlSecretLine } from './kubectl-secret.js';

/** What a shell makes of a line, where `kubectl` prints its arguments. */
function argumentsOf(line: string, env: NodeJS.ProcessEnv = {}): string[] {
  const script = `kubectl() { printf '%s\\0' "$@"; }\n${line}\n`;
  return execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8', env }).split('\0').slice(0, -1);
}

describe('The line for kubectl', () => {
  it("is the guide's", () => {
    const line = kubectlSecretLine(
      { literal: 'YOUR_CLIENT_SECRET' },
      { namespace: 'monitoring', replace: false },
    );
    expect(line).toBe(`kubectl create secret generic alertmanager-oauth2-secret \\
  --namespace monitoring \\
  --from-literal=oauth2-client-secret='YOUR_CLIENT_SECRET'`);
  });

  it.each(['plain', "it's", '$HOME `id` $(id) "quoted" \\ !', "'", "a'; rm -rf x; '", 'two\nlines', '-x=y'])(
    'carries the secret %j through a shell',
    (secret) => {
      const line = kubectlSecretLine({ literal: secret }, { namespace: 'a b', replace: false });
      expect(argumentsOf(line)).toEqual([
        ...['create', 'secret', 'generic', 'alertmanager-oauth2-secret', '--namespace', 'a b'],
        `--from-literal=oauth2-client-secret=${secret}`,
      ]);
    },
  );

  it.each(['secret', '/run/the secrets/one', "its'file"])('names the file %j', (file) => {
    const line = kubectlSecretLine({ file }, { namespace: 'monitoring', replace: false });
    expect(argumentsOf(line).at(-1)).toBe(`--from-file=oauth2-client-secret=${file}`);
  });

  it('takes the secret from the environment', () => {
    const line = kubectlSecretLine({ variable: 'THE_SECRET' }, { namespace: 'monitoring', replace: false });
    expect(argumentsOf(line, { THE_SECRET: 'a "b" $c' }).at(-1)).toBe(
      '--from-literal=oauth2-client-secret=a "b" $c',
    );
  });

  it('replaces a secret that is there', () => {
    const line = kubectlSecretLine({ literal: 'new' }, { namespace: 'monitoring', replace: true });
    // `apply` says what comes in.
    const script = `kubectl() { echo "$@"; [ "$1" = create ] || cat; }\n${line}\n`;
    expect(execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8', env: {} })).toBe(
      `apply --filename=-
create secret generic alertmanager-oauth2-secret --namespace monitoring --from-literal=oauth2-client-secret=new --dry-run=client --output=yaml
`,
    );
  });
});
