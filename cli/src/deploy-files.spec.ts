import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { CommandError, UsageError } from './command-error.js';
import { readDeployFile, withAddresses, withClient } from './deploy-files.js';

const ADDRESSES = {
  instance: 'https://renku.example.org:8443',
  apiUrl: 'http://alerts.svc:3000/data',
  issuer: 'https://login.example.org/realms/people',
};

describe("The administrators' files", () => {
  let root: string;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'deploy-files-'));
  });
  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  function write(path: string, text: string): void {
    const file = join(root, 'deploy', path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  it('are read by part, the first where none is named', () => {
    write('alertmanager/alertmanager.yml', 'of: alertmanager\n');
    write('helm/values-kube-prometheus-stack.yaml', 'of: the stack\n');
    write('helm/values-prometheus.yaml', 'of: the chart\n');
    expect(readDeployFile(root, 'alertmanager')).toBe('of: alertmanager\n');
    expect(readDeployFile(root, 'helm-values')).toBe('of: the stack\n');
    expect(readDeployFile(root, 'helm-values', 'prometheus')).toBe('of: the chart\n');
  });

  it.each(['', 'bogus', 'toString'])('have no part %j', (part) => {
    expect(() => readDeployFile(root, 'helm-values', part)).toThrow(UsageError);
    expect(() => readDeployFile(root, 'helm-values', part)).toThrow(
      /one of kube-prometheus-stack, prometheus\.$/,
    );
  });

  it('are missed with a sentence', () => {
    expect(() => readDeployFile(root, 'alertmanager')).toThrow(CommandError);
    expect(() => readDeployFile(root, 'kube-state-metrics')).toThrow(/install it again/);
  });
});

describe("The guide's addresses", () => {
  it('become those of an instance, and all else stays', () => {
    const text = `# As the guide has it.
url: 'https://your-renku-instance.com/api/data/webhooks/alertmanager'
token_url: https://your-renku-instance.com/auth/realms/Renku/protocol/openid-connect/token
page: https://your-renku-instance.com/sessions/$1
host: your-renku-instance.com
`;
    expect(withAddresses(text, () => ADDRESSES)).toBe(`# As the guide has it.
url: 'http://alerts.svc:3000/data/webhooks/alertmanager'
token_url: https://login.example.org/realms/people/protocol/openid-connect/token
page: https://renku.example.org:8443/sessions/$1
host: renku.example.org:8443
`);
  });

  it('are asked for only where there are any', () => {
    const ask = jest.fn(() => ADDRESSES);
    expect(withAddresses('kind: ClusterRole\n', ask)).toBe('kind: ClusterRole\n');
    expect(ask).not.toHaveBeenCalled();
  });

  it("are nobody's instance", () => {
    const guides = { ...ADDRESSES, instance: 'https://your-renku-instance.com' };
    expect(() => withAddresses('url: https://your-renku-instance.com\n', () => guides)).toThrow(UsageError);
  });
});

describe("The guide's client", () => {
  const text = 'oauth2:\n  client_id: alertmanager\n  other_client_id: alertmanager-2\nname: alertmanager\n';

  it('becomes the one that is there', () => {
    expect(withClient(text, 'alertmanager-webhook')).toBe(
      'oauth2:\n  client_id: alertmanager-webhook\n  other_client_id: alertmanager-2\nname: alertmanager\n',
    );
    expect(withClient(text, 'alertmanager')).toBe(text);
  });

  it.each(['', 'a b', 'a: b', '$&', "'"])('is never %j', (clientId) => {
    expect(() => withClient(text, clientId)).toThrow(UsageError);
  });
});
