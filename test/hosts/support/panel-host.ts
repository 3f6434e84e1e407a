import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import { freePort, Program } from '../../stack/support/program.js';
import { npmIn, tarballOf } from './host.js';
import { scriptOf } from '../../support/panel-document.js';
import type { CodeBlock } from '../../support/panel-document.js';

const run = promisify(execFile);
const HOSTS = join(import.meta.dirname, '..');

/** A page of somebody else's with the panel in it, from the package as it is published. */
export class PanelHost {
  private server: { program: Program; origin: string } | undefined;

  private constructor(readonly folder: string) {}

  /** Installs the panel beside what its own lock file names, puts what a document says in its place, and builds it. */
  static async install(name: string, blocks: CodeBlock[]): Promise<PanelHost> {
    const host = new PanelHost(await mkdtemp(join(tmpdir(), `session-alerts-${name}-`)));
    try {
      await cp(join(HOSTS, name), host.folder, { recursive: true });
      for (const { language, path, code } of blocks) {
        const [file, text] = language === 'html' ? [`${path}.js`, scriptOf(code)] : [path, code];
        await writeFile(join(host.folder, file), text);
      }
      const options = ['--no-save', '--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund'];
      await npmIn(host.folder, 'install', ...options, await tarballOf('session-alerts-panel'));
      await npmIn(host.folder, 'run', 'build');
      return host;
    } catch (error) {
      await host.remove();
      throw error;
    }
  }

  /** Runs a program of its own that draws its pages. */
  async start(entry: string, ...args: string[]): Promise<void> {
    const port = await freePort();
    const origin = `http://127.0.0.1:${port}`;
    const program = new Program('The host', process.execPath, [entry, ...args, '--port', String(port)], {
      cwd: this.folder,
      env: { NEXT_TELEMETRY_DISABLED: '1' },
    });
    this.server = { program, origin };
    await program.until(async () => (await fetch(origin)).ok);
  }

  /** Its page as a server sends it, before any script has run; undefined where it has none. */
  async drawn(): Promise<string | undefined> {
    if (this.server) return (await fetch(this.server.origin)).text();
    const program = join(this.folder, 'dist', 'server', 'server.js');
    if (!existsSync(program)) return undefined;
    const { stdout } = await run(process.execPath, [program]);
    const empty = await readFile(join(this.folder, 'dist', 'index.html'), 'utf8');
    return empty.replace('<div id="app">', `$&${stdout.trim()}`);
  }

  /** Puts what it is made of on the origin of an API, as a proxy would, with another page where one is given. */
  async putBeside(api: { url: string }, page: Page, drawn?: string): Promise<void> {
    await page.route(`${api.url}/**`, async (route) => {
      const { pathname } = new URL(route.request().url());
      if (pathname.startsWith('/api/')) await route.continue();
      else if (pathname === '/' && drawn !== undefined) {
        await route.fulfill({ contentType: 'text/html', body: drawn });
      } else if (this.server) {
        await route.fulfill({ response: await route.fetch({ url: this.server.origin + pathname }) });
      } else {
        await route.fulfill({ path: join(this.folder, 'dist', pathname === '/' ? 'index.html' : pathname) });
      }
    });
  }

  async remove(): Promise<void> {
    await this.server?.program.stop();
    await rm(this.folder, { recursive: true });
  }
}
