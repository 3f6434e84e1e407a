import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { freePort, Program } from './program.js';

const VERSION = '26.5.6';
/** Keycloak builds itself anew and boots, on a busy machine (ms). */
const BOOT_TIMEOUT = 300_000;

export const ADMIN = { user: 'admin', password: 'the-administrators-password' };

/** What a client or a user is given for a login. */
export interface TokenAnswer {
  access_token: string;
  id_token: string;
  refresh_token: string;
}

/**
 * A Keycloak as a process of its own, with a database in its own folder and nothing but the realm `master`. The
 * distribution comes from Maven Central by way of Maven, which checks its sum and keeps it for the next run.
 */
export class Keycloak {
  /** With the path that it is served under, and without a slash at its end. */
  readonly url: string;

  private constructor(
    port: number,
    private readonly folder: string,
    private readonly run: Program,
  ) {
    this.url = `http://127.0.0.1:${port}/auth`;
  }

  /**
   * Starts one and waits until it is ready.
   * @param realm file of a realm to import, and the environment that it names
   */
  static async start(realm?: { file: string; env: NodeJS.ProcessEnv }): Promise<Keycloak> {
    const folder = await mkdtemp(join(tmpdir(), 'session-alerts-keycloak-'));
    try {
      await unpackDistribution(folder);
      const home = join(folder, `keycloak-${VERSION}`);
      if (realm) {
        await mkdir(join(home, 'data', 'import'), { recursive: true });
        await cp(realm.file, join(home, 'data', 'import', basename(realm.file)));
      }
      const port = await freePort();
      const run = new Program(
        'Keycloak',
        join(home, 'bin', 'kc.sh'),
        [
          'start-dev',
          '--http-host=127.0.0.1',
          `--http-port=${port}`,
          '--http-relative-path=/auth',
          '--cache=local',
          ...(realm ? ['--import-realm'] : []),
        ],
        {
          env: {
            ...withoutSettings(process.env),
            ...realm?.env,
            KC_BOOTSTRAP_ADMIN_USERNAME: ADMIN.user,
            KC_BOOTSTRAP_ADMIN_PASSWORD: ADMIN.password,
            JAVA_OPTS_KC_HEAP: '-Xms64m -Xmx512m',
          },
          folder,
        },
      );
      const keycloak = new Keycloak(port, folder, run);
      try {
        await run.until(async () => (await fetch(`${keycloak.url}/realms/master`)).ok, BOOT_TIMEOUT);
      } catch (error) {
        await run.stop();
        throw error;
      }
      return keycloak;
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  issuer(realm: string): string {
    return `${this.url}/realms/${realm}`;
  }

  tokenUrl(realm: string): string {
    return `${this.issuer(realm)}/protocol/openid-connect/token`;
  }

  /** Asks for tokens, whatever the answer is. */
  askForTokens(realm: string, form: Record<string, string>): Promise<Response> {
    return fetch(this.tokenUrl(realm), { method: 'POST', body: new URLSearchParams(form) });
  }

  /** The tokens of a client that asks for itself, or of a user who logs in through it. */
  async tokens(realm: string, form: Record<string, string>): Promise<TokenAnswer> {
    const grant = 'username' in form ? 'password' : 'client_credentials';
    const response = await this.askForTokens(realm, { grant_type: grant, scope: 'openid', ...form });
    if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
    return (await response.json()) as TokenAnswer;
  }

  /**
   * One request to the administration, as the administrator.
   * @returns the answer's body; for something new, its id
   * @throws Error it was refused
   */
  async administer<T = string>(method: string, path: string, body?: unknown): Promise<T> {
    const { access_token: token } = await this.tokens('master', {
      client_id: 'admin-cli',
      username: ADMIN.user,
      password: ADMIN.password,
    });
    const response = await fetch(`${this.url}/admin/realms${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    const location = response.headers.get('location');
    return (location === null ? JSON.parse(text || 'null') : location.split('/').pop()) as T;
  }

  /** Everything that Keycloak has written, its log. */
  get log(): string {
    return this.run.output;
  }

  /** Ends it and removes all that was its own. */
  async close(): Promise<void> {
    await this.run.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** The key that signed a token. */
export function keyIdOf(token: string): string {
  const { kid } = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as {
    kid: string;
  };
  return kid;
}

async function unpackDistribution(folder: string): Promise<void> {
  const maven = new Program(
    'Maven',
    'mvn',
    [
      '--batch-mode',
      '--strict-checksums',
      'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:unpack',
      `-Dartifact=org.keycloak:keycloak-quarkus-dist:${VERSION}:tar.gz`,
      `-DoutputDirectory=${folder}`,
      `-DmarkersDirectory=${join(folder, 'markers')}`,
    ],
    // Its own settings, and where they say that packages come from.
    { env: process.env, cwd: folder },
  );
  const ending = await maven.ended;
  if (ending !== 0) {
    throw new Error(
      `Keycloak cannot be fetched (install Debian's maven and default-jre-headless):\n${maven.output.slice(-4_000)}`,
    );
  }
}

/** The environment without what would configure Keycloak. */
function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^(KC_|KEYCLOAK_|QUARKUS_)/.test(name)));
}
