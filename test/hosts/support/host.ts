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

/** An application of somebody else's, with the module from the package as it is published. */
export class Host {
  private program: Program | undefined;

  private constructor(
    /** Without a slash at its end. */
    readonly url: string,
    readonly issuer: TestIssuer,
    private readonly folder: string,
    private readonly database: TestDatabase,
    private readonly port: number,
  ) {}

  /** Installs it with its own lock file, then our package beside it, and compiles it. */
  static async install(name: string): Promise<Host> {
    const folder = await mkdtemp(join(tmpdir(), `session-alerts-${name}-`));
    const port = await freePort();
    const host = new Host(
      `http://127.0.0.1:${port}`,
      await startIssuer(),
      folder,
      await createTestDatabase({ migrated: false }),
      port,
    );
    try {
      await cp(join(HOSTS, name), folder, { recursive: true });
      await host.npm('ci', '--no-audit', '--no-fund');
      await host.npm(
        'install',
        '--no-save',
        '--no-package-lock',
        '--no-audit',
        '--no-fund',
        await moduleTarball(),
      );
      await host.npm('run', 'build');
      return host;
    } catch (error) {
      await host.remove();
      throw error;
    }
  }

  /** All that it has written. */
  get output(): string {
    return this.program?.output ?? '';
  }

  async start(): Promise<void> {
    const env = {
      DATABASE_URL: this.database.url,
      OIDC_ISSUER: this.issuer.issuer.url,
      PORT: String(this.port),
      NO_COLOR: '1',
    };
    const program = new Program('The host', process.execPath, [await this.entry()], {
      cwd: this.folder,
      env,
    });
    this.program = program;
    // Without a token: whoever answers 401 is there.
    await program.until(async () => (await fetch(`${this.url}/alerts`)).status === 401);
  }

  /** The file that `npm start` runs. */
  private async entry(): Promise<string> {
    const manifest = await readFile(join(this.folder, 'package.json'), 'utf8');
    const { scripts } = JSON.parse(manifest) as { scripts: { start: string } };
    return scripts.start.replace(/^node /, '');
  }

  /** Asks it to end, as Kubernetes does; returns how it ended. */
  async stop(): Promise<number | NodeJS.Signals | undefined> {
    return this.program?.stop();
  }

  /** Runs a script of npm's in its folder. */
  async npm(...args: string[]): Promise<string> {
    try {
      const { stdout } = await run('npm', args, { cwd: this.folder, maxBuffer: 16 * 1024 * 1024 });
      return stdout;
    } catch (error) {
      const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
      throw new Error(`npm ${args.join(' ')} failed:\n${stdout}${stderr}`, { cause: error });
    }
  }

  async remove(): Promise<void> {
    await this.stop();
    await this.issuer.close();
    await this.database.drop();
    await rm(this.folder, { recursive: true });
  }
}

async function moduleTarball(): Promise<string> {
  const folder = process.env['PACKED'] ?? '';
  const [name] = (await readdir(folder)).filter((file) => file.startsWith('nestjs-session-alerts-'));
  if (name === undefined) throw new Error('The module was not packed');
  return join(folder, name);
}
