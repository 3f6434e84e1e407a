import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import type { Finding } from '../../cli/src/doctor/check.js';
import { kubectlSecretLine } from '../../cli/src/keycloak/kubectl-secret.js';
import { runCommandLine } from '../../cli/src/program.js';
import { alertsMigrations } from '../../src/index.js';
import { excerptOf, guideBlocks, guideBlocksOf, kindOf } from '../support/administration-guide.js';
import { AlertsApi } from '../support/alerts.js';
import { createTestDatabase } from '../support/database.js';
import { startIssuer, startTestServer } from '../support/server.js';
import type { TestIssuer, TestServer } from '../support/server.js';
import { runInBash } from '../support/shell.js';

const PROJECT = join(import.meta.dirname, '..', '..');
const JANE = '2c1d6a1e-5b0f-4a77-9e0b-6a1f0c9d2b22';
const GUIDES_INSTANCE = 'https://your-renku-instance.com';
/** Nobody listens there. */
const NOWHERE = 'http://127.0.0.1:9';

/** A call of a program, as bash made it of a block's text. */
interface Call {
  program: string;
  args: string[];
  env: Record<string, string>;
}

/** What the blocks set in their programs' environment. */
const VARIABLES = ['KEYCLOAK_ADMIN_PASSWORD', 'ALERTMANAGER_CLIENT_SECRET', 'DATABASE_URL'];

/** Writes down how it was called, in the place of a program. */
const RECORDER = `#!/bin/bash
{
  printf '%s\\0' "\${0##*/}"
  ${VARIABLES.map((name) => `printf '%s\\0' "\${${name}-}"`).join('\n  ')}
  printf '%s\\0' "$@"
  printf '\\0\\n'
} >>"$CALLS"
`;

let folder: string;
let calls: Map<string, Call[]>;

/** Has bash take the blocks apart, in a folder that has this project's deploy/. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'session-alerts-administration-'));
  mkdirSync(join(folder, 'bin'));
  for (const program of ['session-alerts', 'kubectl', 'helm', 'docker']) {
    writeFileSync(join(folder, 'bin', program), RECORDER, { mode: 0o755 });
  }
  calls = new Map();
  for (const [index, { text }] of guideBlocksOf('commands').entries()) {
    const workplace = join(folder, `${index}`);
    mkdirSync(workplace);
    symlinkSync(join(PROJECT, 'deploy'), join(workplace, 'deploy'));
    const record = join(folder, `${index}.calls`);
    const path = `${join(folder, 'bin')}${delimiter}${process.env['PATH'] ?? ''}`;
    const { status, stderr } = await runInBash(`set -e; cd '${workplace}'\n${text}`, {
      PATH: path,
      CALLS: record,
    });
    if (status !== 0) throw new Error(`bash cannot run this:\n${text}\n${stderr}`);
    calls.set(text, readFileSync(record, 'utf8').split('\0\0\n').filter(Boolean).map(readCall));
  }
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function readCall(record: string): Call {
  const [program = '', ...rest] = record.split('\0');
  const env = Object.fromEntries(
    VARIABLES.map((name, index) => [name, rest[index] ?? '']).filter(([, value]) => value !== ''),
  ) as Record<string, string>;
  return { program, args: rest.slice(VARIABLES.length), env };
}

function callsOf(program: string, ...words: string[]): Call[] {
  return [...calls.values()]
    .flat()
    .filter((call) => call.program === program && words.every((word, index) => call.args[index] === word));
}

/** The value of an option, which is there once. */
function option({ args }: Call, name: string): string {
  const at = args.flatMap((arg, index) => (arg === name || arg.startsWith(`${name}=`) ? [index] : []));
  if (at.length !== 1) throw new Error(`${args.join(' ')} has ${name} ${at.length} times`);
  const arg = args[at[0] ?? 0] ?? '';
  return arg === name ? (args[(at[0] ?? 0) + 1] ?? '') : arg.slice(name.length + 1);
}

/** Runs what the guide says, with other words in the place of some of its arguments. */
async function sessionAlerts(
  { args, env }: Call,
  words: Record<string, string[]> = {},
  otherEnv: NodeJS.ProcessEnv = {},
): Promise<{ status: number; stdout: string; stderr: string }> {
  const written = { stdout: '', stderr: '' };
  const writer = (name: keyof typeof written) => ({ write: (text: string) => (written[name] += text) });
  const status = await runCommandLine(
    args.flatMap((arg) => words[arg] ?? [arg]),
    { env: { ...env, ...otherEnv }, stdout: writer('stdout'), stderr: writer('stderr') },
  );
  return { status, ...written };
}

/** Whether all that an excerpt says stands in the file as well, in the same order. */
function isPartOf(excerpt: unknown, whole: unknown): boolean {
  if (Array.isArray(excerpt)) {
    if (!Array.isArray(whole)) return false;
    let next = 0;
    return excerpt.every((item) => {
      const found = whole.findIndex((other, index) => index >= next && isPartOf(item, other));
      next = found + 1;
      return found >= 0;
    });
  }
  if (typeof excerpt === 'object' && excerpt !== null) {
    if (typeof whole !== 'object' || whole === null) return false;
    return Object.entries(excerpt).every(
      ([key, value]) => Object.hasOwn(whole, key) && isPartOf(value, (whole as Record<string, unknown>)[key]),
    );
  }
  return typeof excerpt === 'string' && typeof whole === 'string'
    ? excerpt.trim() === whole.trim()
    : excerpt === whole;
}

describe("The administrators' guide", () => {
  it('has no block that no test tries', () => {
    expect(guideBlocks().filter((block) => kindOf(block) === undefined)).toEqual([]);
    for (const kind of ['excerpt', 'commands', 'checks', 'requests'] as const) {
      expect(guideBlocksOf(kind)).not.toEqual([]);
    }
  });

  it('has no program that no test here looks at', () => {
    const known = [
      ...callsOf('session-alerts', 'keycloak', 'setup'),
      ...callsOf('session-alerts', 'config', 'print'),
      ...callsOf('session-alerts', 'migrate'),
      ...callsOf('session-alerts', 'send-test-alert'),
      ...callsOf('session-alerts', 'doctor'),
      ...['alertmanager-oauth2-secret', 'session-alerts'].flatMap((name) =>
        callsOf('kubectl', 'create', 'secret', 'generic', name),
      ),
      ...['configmap', 'namespace'].flatMap((kind) => callsOf('kubectl', 'create', kind)),
      ...['apply', 'patch', 'rollout'].flatMap((verb) => callsOf('kubectl', verb)),
      ...callsOf('helm', 'repo', 'add'),
      ...callsOf('helm', 'upgrade'),
      ...callsOf('helm', 'install'),
      ...['build', 'push'].flatMap((verb) => callsOf('docker', verb)),
    ];
    expect(new Set(known)).toEqual(new Set([...calls.values()].flat()));
  });

  it.each(guideBlocksOf('excerpt').map(({ section, text }) => [excerptOf(text) ?? '', section, text]))(
    'quotes %s in "%s" as it is',
    (file, _section, text) => {
      const documents = parseAllDocuments(readFileSync(join(PROJECT, file), 'utf8')).map(
        (document) => document.toJS() as unknown,
      );
      const excerpt = parse(text) as object;
      expect(Object.keys(excerpt)).not.toEqual([]);
      expect(documents.filter((document) => isPartOf(excerpt, document))).toHaveLength(1);
    },
  );

  it('names files of deploy/ that are there', () => {
    const text = readFileSync(join(PROJECT, 'docs', 'administration.md'), 'utf8');
    const paths = [...text.matchAll(/deploy\/[\w./-]*\w/g)].map(([path]) => path);
    expect(paths.filter((path) => !existsSync(join(PROJECT, path)))).toEqual([]);
  });
});

describe("The guide's kubectl, helm and docker", () => {
  it('creates each namespace before it is used', () => {
    const created = new Set<string>();
    const used = new Set<string>();
    for (const { program, args } of [...calls.values()].flat()) {
      if (program === 'kubectl' && args[1] === 'namespace') created.add(args[2] ?? '');
      const namespace = args[args.indexOf('--namespace') + 1] ?? '';
      if (args.includes('--namespace')) used.add(namespace);
      expect([...used].filter((name) => !created.has(name))).toEqual([]);
    }
    expect(used).toEqual(created);
  });

  it("stores Alertmanager's secret by the line that keycloak setup prints", () => {
    const printed = kubectlSecretLine(
      { literal: 'YOUR_CLIENT_SECRET' },
      { namespace: 'monitoring', replace: false },
    );
    expect(guideBlocksOf('commands').filter(({ text }) => text.trim() === printed)).toHaveLength(1);
  });

  it("stores the server's secret under the name and key that its Deployment reads", () => {
    const [secret] = callsOf('kubectl', 'create', 'secret', 'generic', 'session-alerts');
    const manifests = readFileSync(join(PROJECT, 'deploy', 'kubernetes', 'session-alerts.yaml'), 'utf8');
    const [key = '', value = ''] = (option(secret!, '--from-literal').match(/^([^=]+)=(.*)$/) ?? []).slice(1);
    expect(manifests).toContain(`secretKeyRef: { name: session-alerts, key: ${key} }`);
    const [migrate] = callsOf('session-alerts', 'migrate');
    expect(migrate?.env['DATABASE_URL']).toBe(value);
  });

  it('gives kube-state-metrics the ConfigMap and the file that the patch mounts', () => {
    const [configMap] = callsOf('kubectl', 'create', 'configmap');
    const file = option(configMap!, '--from-file');
    const patchFile = option(callsOf('kubectl', 'patch')[0]!, '--patch-file');
    const patch = readFileSync(join(PROJECT, patchFile), 'utf8');
    expect(existsSync(join(PROJECT, file))).toBe(true);
    expect(patch).toContain(`name: ${configMap?.args[2] ?? ''}`);
    expect(patch).toContain(`/${file.split('/').at(-1) ?? ''}`);
  });

  it('applies files that are there, and waits for a Deployment that is in one', () => {
    const files = callsOf('kubectl', 'apply').map((call) => option(call, '--filename'));
    expect(files).not.toEqual([]);
    expect(files.filter((file) => !existsSync(join(PROJECT, file)))).toEqual([]);
    const kinds = files.flatMap((file) =>
      parseAllDocuments(readFileSync(join(PROJECT, file), 'utf8')).map((document) => {
        const { kind, metadata } = document.toJS() as { kind: string; metadata: { name: string } };
        return `${kind.toLowerCase()}/${metadata.name}`;
      }),
    );
    for (const { args } of callsOf('kubectl', 'rollout')) expect(kinds).toContain(args.at(-1));
  });

  it('installs the chart that deploy/README.md installs, with the file that is printed for it', () => {
    const [helm] = callsOf('helm', 'upgrade');
    const [repository] = callsOf('helm', 'repo', 'add');
    expect(helm?.args[3]).toMatch(new RegExp(`^${repository?.args[2] ?? ''}/`));
    const block = [...calls].find(([, made]) => made.includes(helm!))?.[0] ?? '';
    expect(readFileSync(join(PROJECT, 'deploy', 'README.md'), 'utf8')).toContain(
      `helm ${helm!.args.slice(0, 4).join(' ')}`,
    );
    expect(block).toContain(`>${option(helm!, '--values')}\n`);
  });

  it('installs our chart with values that it has, and the secret that it asks for', () => {
    const [install] = callsOf('helm', 'install');
    const chart = join(PROJECT, install!.args[2] ?? '');
    const values = parse(readFileSync(join(chart, 'values.yaml'), 'utf8')) as Record<string, unknown>;
    const set = install!.args.flatMap((arg, index) => (arg === '--set' ? [install!.args[index + 1]!] : []));
    expect(set).toContain(`instance=${GUIDES_INSTANCE}`);
    for (const name of set.map((one) => one.replace(/=.*/, ''))) {
      expect(values).toHaveProperty(name.split('.'));
    }
    const [secret] = callsOf('kubectl', 'create', 'secret', 'generic', 'session-alerts');
    expect(values['database']).toMatchObject({
      secret: secret!.args[3],
      keys: { DATABASE_URL: option(secret!, '--from-literal').replace(/=.*/, '') },
    });
  });

  it('builds the image that it pushes, of the name and version that the Deployment takes', () => {
    const [build] = callsOf('docker', 'build');
    const [push] = callsOf('docker', 'push');
    const tag = option(build!, '--tag');
    expect(push?.args).toEqual(['push', tag]);
    const manifests = readFileSync(join(PROJECT, 'deploy', 'kubernetes', 'session-alerts.yaml'), 'utf8');
    expect(manifests).toContain(`image: ${tag.split('/').at(-1) ?? ''}\n`);
  });
});

describe("The guide's session-alerts", () => {
  let issuer: TestIssuer;
  let server: TestServer;

  beforeAll(async () => {
    issuer = await startIssuer();
    server = await startTestServer({}, { issuer });
  });
  afterAll(async () => {
    await server.close();
    await issuer.close();
  });

  /** The test's addresses in the place of the instance's, which has all on one host. */
  function words(): Record<string, string[]> {
    return {
      '--instance': [],
      [GUIDES_INSTANCE]: ['--api-url', `${server.url}/api/data`, '--issuer', issuer.issuer.url],
      KEYCLOAK_USER_ID: [JANE],
    };
  }
  const secret = { ALERTMANAGER_CLIENT_SECRET: 'secret' };

  it('keycloak setup is called as it wants to be, and asks Keycloak', async () => {
    const setups = callsOf('session-alerts', 'keycloak', 'setup');
    expect(setups.map(({ args }) => args.includes('--dry-run'))).toEqual([true, false]);
    for (const call of setups) {
      expect(call.env['KEYCLOAK_ADMIN_PASSWORD']).toBeTruthy();
      const run = await sessionAlerts(call, { [`${GUIDES_INSTANCE}/auth`]: [NOWHERE] });
      // Its exit code says that all is right but for a neighbour that cannot be reached.
      expect(run.status).toBe(3);
      expect(run.stderr).toContain('--url');
    }
  });

  it('config print prints all that it is asked for', async () => {
    const prints = callsOf('session-alerts', 'config', 'print');
    for (const call of prints) {
      const run = await sessionAlerts(call, { [GUIDES_INSTANCE]: ['https://renku.example.org'] });
      expect(run).toMatchObject({ status: 0, stderr: '' });
      expect(parse(run.stdout)).toEqual(expect.any(Object));
      expect(run.stdout).not.toContain('your-renku-instance');
    }
    expect(prints.map(({ args }) => args[2])).toEqual(
      expect.arrayContaining(['helm-values', 'prometheus-rules', 'alertmanager']),
    );
  });

  it('migrate migrates', async () => {
    const database = await createTestDatabase({ migrated: false });
    try {
      const [call] = callsOf('session-alerts', 'migrate');
      const run = await sessionAlerts(call!, {}, { DATABASE_URL: database.url });
      expect(run).toMatchObject({
        status: 0,
        stdout: alertsMigrations.map(({ name }) => `migrated  ${name}\n`).join(''),
      });
    } finally {
      await database.drop();
    }
  });

  it('send-test-alert shows its alert to the user, and takes it away', async () => {
    const jane = new AlertsApi(`${server.url}/api/data`, issuer.issuer);
    const [send, resolve, ...others] = callsOf('session-alerts', 'send-test-alert');
    expect(others).toEqual([]);
    expect(send?.env['ALERTMANAGER_CLIENT_SECRET']).toBeTruthy();

    expect(await sessionAlerts(send!, words(), secret)).toMatchObject({ status: 0 });
    expect(await jane.openAlerts(JANE)).toHaveLength(1);
    expect(await sessionAlerts(resolve!, words(), secret)).toMatchObject({ status: 0 });
    expect(await jane.openAlerts(JANE)).toEqual([]);
  });

  it('doctor finds only what is not here: Alertmanager, Prometheus and the watchdog', async () => {
    const [call] = callsOf('session-alerts', 'doctor');
    const run = await sessionAlerts(
      { ...call!, args: [...call!.args, '--json'] },
      { ...words(), 'http://localhost:9093': [NOWHERE], 'http://localhost:9090': [NOWHERE] },
      secret,
    );
    expect(run.status).toBe(1);
    const findings = JSON.parse(run.stdout) as Finding[];
    expect(findings.filter(({ status }) => status === 'wrong').map(({ check }) => check)).toEqual([
      'alertmanager',
      'prometheus',
    ]);
    expect(findings.find(({ check }) => check === 'webhook')).toMatchObject({ status: 'ok' });
  });
});
