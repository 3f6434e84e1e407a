import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, Program } from './program.js';

/** What one of nginx's ports leads to. */
interface Site {
  /** Addresses of servers, any of which may answer. */
  servers: string[];
  /** Further directives. */
  directives?: string;
}

/** Debian's nginx as a process of its own, which proxies as it does by default, and serves a page at `/session`. */
export class Nginx<Name extends string> {
  private constructor(
    private readonly program: Program,
    private readonly folder: string,
    /** Origins of its sites, without a slash at their end. */
    readonly urls: Readonly<Record<Name, string>>,
  ) {}

  /** @param page HTML of the page */
  static async start<Name extends string>(sites: Record<Name, Site>, page: string): Promise<Nginx<Name>> {
    const folder = await mkdtemp(join(tmpdir(), 'session-alerts-nginx-'));
    // Started as root, its workers are somebody else.
    await chmod(folder, 0o755);
    const urls: Record<string, string> = {};
    let http = '';
    for (const [name, { servers, directives = '' }] of Object.entries<Site>(sites)) {
      const port = await freePort();
      urls[name] = `http://127.0.0.1:${port}`;
      http += `
        upstream ${name} { ${servers.map((url) => `server ${new URL(url).host};`).join(' ')} }
        server {
          listen 127.0.0.1:${port};
          location = /session { default_type text/html; alias ${folder}/session.html; }
          location / { proxy_pass http://${name}; ${directives} }
        }`;
    }
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((kind) => `${kind}_temp_path ${folder}/${kind};`)
      .join(' ');
    const config = join(folder, 'nginx.conf');
    await writeFile(join(folder, 'session.html'), page);
    await writeFile(
      config,
      `daemon off; pid ${folder}/nginx.pid; error_log stderr; events {} http { access_log off; ${temporary} ${http} }\n`,
    );
    const args = ['-e', 'stderr', '-p', folder, '-c', config];
    const program = new Program('nginx', '/usr/sbin/nginx', args, { folder });
    const nginx = new Nginx(program, folder, urls);
    try {
      await program.until(async () => {
        const pages = await Promise.all(Object.values(urls).map((url) => fetch(`${url}/session`)));
        return pages.every(({ ok }) => ok);
      });
    } catch (error) {
      await nginx.stop();
      throw error;
    }
    return nginx;
  }

  async stop(): Promise<void> {
    await this.program.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}
