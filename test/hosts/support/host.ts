import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort, Program } from '../../stack/support/program.js';
import { createTestDatabase } from '../../support/database.js';
import type { TestDatabase } from '../../support/database.js';
import { startIssuer } from '../../support/server.js';
import type { TestIssuer } from '../../support/server.js';

const run = promisify(execFile);
const HOSTS = join(import.meta.dirname, '..');

/** Of its package.json what we read. */
interface Manifest {
  scripts: Record<string, string>;
  /** Where it is not npm: name and version, as Corepack reads it. */
  packageManager?: string;
}

/** An application of somebody else's, with the module from the package as it is published. */
export class Host {
  private program: Program | undefined;
  private database: TestDatabase | undefined;

  private constructor(
    /** Without a slash at its end, and without the prefix of ours. */
    readonly origin: string,
    readonly issuer: TestIssuer,
    private readonly folder: string,
    private readonly port: number,
    private readonly manifest: Manifest,
  ) {}

  /** Installs our package beside what its own lock file names, and compiles it. */
  static async install(name: string): Promise<Host> {
    const folder = await mkdtemp(join(tmpdir(), `session-alerts-${name}-`));
    const port = await freePort();
    const manifest = JSON.parse(await readFile(join(HOSTS, name, 'package.json'), 'utf8')) as Manifest;
    const host = new Host(`http://127.0.0.1:${port}`, await startIssuer(), folder, port, manifest);
    try {
      await cp(join(HOSTS, name), folder, { recursive: true });
      await host.add(await tarballOf('nestjs-session-alerts'));
      await host.npm('run', 'build');
      return host;
    } catch (error) {
      await host.remove();
      throw error;
    }
  }

  /** All that it has written since it was started. */
  get output(): string {
    return this.program?.output ?? '';
  }

  /** Runs what its script says, on a database of its own, until `ready` (an address of ours) answers 401. */
  async start(script: string, ready: string): Promise<void> {
    this.database = await createTestDatabase({ migrated: false });
    const env = {
      DATABASE_URL: this.database.url,
      OIDC_ISSUER: this.issuer.issuer.url,
      PORT: String(this.port),
      NO_COLOR: '1',
    };
    // A signal to npm would not be one to the application.
    const entry = this.manifest.scripts[script]?.replace(/^node /, '') ?? '';
    const program = new Program('The host', process.execPath, [entry], { cwd: this.folder, env });
    this.program = program;
    await program.until(async () => (await fetch(ready)).status === 401);
  }

  /** Asks it to end, as Kubernetes does; returns how it ended. */
  async stop(): Promise<number | NodeJS.Signals | undefined> {
    const ending = await this.program?.stop();
    await this.database?.drop();
    this.database = undefined;
    return ending;
  }

  /** Runs a script of npm's in its folder. */
  npm(...args: string[]): Promise<string> {
    return npmIn(this.folder, ...args);
  }

  /** With the package manager that it has. What npm has in its cache it need not ask the registry about. */
  private async add(tarball: string): Promise<void> {
    const { packageManager } = this.manifest;
    if (packageManager === undefined) {
      await this.npm('install', '--no-save', '--prefer-offline', '--no-audit', '--no-fund', tarball);
    } else {
      const [name = ''] = packageManager.split('@');
      await this.npm('exec', '--yes', `--package=${packageManager}`, '--', name, 'add', tarball);
    }
  }

  /** Leaves it what it has built. */
  async removePackages(): Promise<void> {
    await rm(join(this.folder, 'node_modules'), { recursive: true });
  }

  async remove(): Promise<void> {
    await this.stop();
    await this.issuer.close();
    await rm(this.folder, { recursive: true });
  }
}

/** Runs npm in a folder, outside of any test's environment; throws with all that it says where it fails. */
export async function npmIn(folder: string, ...args: string[]): Promise<string> {
  const env: NodeJS.ProcessEnv = { ...process.env, NEXT_TELEMETRY_DISABLED: '1' };
  delete env['NODE_ENV'];
  try {
    const { stdout } = await run('npm', args, { cwd: folder, env, maxBuffer: 16 * 1024 * 1024 });
    return stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`npm ${args.join(' ')} failed:\n${stdout}${stderr}`, { cause: error });
  }
}

/** Of one of our packages, as it was packed for this run. */
export async function tarballOf(name: string): Promise<string> {
  const folder = process.env['PACKED'] ?? '';
  const file = (await readdir(folder)).find((one) => one.startsWith(`${name}-`));
  if (file === undefined) throw new Error(`${name} was not packed`);
  return join(folder, file);
}
