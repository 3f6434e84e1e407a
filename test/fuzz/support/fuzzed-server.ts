import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { EmbeddedIssuer } from '../../../server/demo/embedded-issuer.js';
import { memoryOf } from '../../../bench/proc.js';
import { AlertsApi } from '../../support/alerts.js';
import { startIssuer, waitUntil } from '../../support/server.js';
import type { TestIssuer } from '../../support/server.js';
import { startPostgres } from '../../stack/support/postgres.js';
import type { StackPostgres } from '../../stack/support/postgres.js';
import { ServerProcess } from '../../stack/support/server-process.js';

/** The most memory that the server may ever have (bytes). */
export const MOST_MEMORY = 500e6;

/** Of the key that forged tokens are signed with, which the issuer publishes beside its own. */
const FORGERS_KEY = 'forged';

/** Of a connection in /proc/net/tcp: established, and closed by the other side alone. */
const OPEN_STATES = ['01', '08'];

/** The built server as a process of its own, on a PostgreSQL and with an issuer that are its alone. */
export class FuzzedServer {
  /** The API as honest people use it. */
  readonly api: AlertsApi;
  private readonly startedAs: number | undefined;

  private constructor(
    private readonly process: ServerProcess,
    private readonly postgres: StackPostgres,
    private readonly issuerServer: TestIssuer,
    private readonly forge: Forge,
  ) {
    this.api = new AlertsApi(`${process.url}/api/data`, issuerServer.issuer);
    this.startedAs = process.pid;
  }

  static async start(): Promise<FuzzedServer> {
    const postgres = await startPostgres();
    const issuerServer = await startIssuer();
    try {
      const forge = new Forge(issuerServer.issuer);
      issuerServer.answerInstead = (request, response) => {
        if (!request.url?.endsWith('/certs')) return false;
        response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(forge.keySet()));
        return true;
      };
      const process = await ServerProcess.start({
        DATABASE_URL: await postgres.createDatabase(),
        OIDC_ISSUER: issuerServer.issuer.url,
        NODE_ENV: 'production',
      });
      return new FuzzedServer(process, postgres, issuerServer, forge);
    } catch (error) {
      await issuerServer.close();
      await postgres.close();
      throw error;
    }
  }

  get issuer(): EmbeddedIssuer {
    return this.issuerServer.issuer;
  }

  get port(): number {
    return Number(new URL(this.process.url).port);
  }

  get pid(): number {
    return this.process.pid ?? 0;
  }

  /** Whether it still is the process that was started. */
  isTheSame(): boolean {
    return this.process.isRunning && this.process.pid === this.startedAs;
  }

  /** What it wrote last. */
  get lastLines(): string {
    return this.process.lastLines;
  }

  /** What it has logged as errors, and what Node has written past its log. */
  get errors(): string[] {
    return this.process.errors;
  }

  /** The most memory that it has had (bytes). */
  get mostMemory(): number {
    return memoryOf(this.pid)?.most ?? NaN;
  }

  /** A token that verifies, whatever its payload is. */
  forgeToken(payload: string): string {
    return this.forge.token(payload);
  }

  /** Connections that it has not closed. */
  openConnections(): number {
    return this.connections('local').length;
  }

  /** Connections that it has not closed though its client has. */
  abandonedConnections(): number {
    const held = new Set(this.connections('remote'));
    return this.connections('local').filter((client) => !held.has(client)).length;
  }

  /** The clients' ports of the open connections to its port, as Linux knows them on that side. */
  private connections(side: 'local' | 'remote'): string[] {
    const port = this.port.toString(16).toUpperCase().padStart(4, '0');
    const rows = readFileSync('/proc/net/tcp', 'utf8').matchAll(/^ *\d+: \w+:(\w+) \w+:(\w+) (\w\w) /gm);
    return [...rows].flatMap(([, local = '', remote = '', state = '']) => {
      const [own, others] = side === 'local' ? [local, remote] : [remote, local];
      return own === port && OPEN_STATES.includes(state) ? [others] : [];
    });
  }

  /** Streams that it says are open. */
  async openStreams(): Promise<number> {
    const response = await fetch(`${this.process.url}/metrics`);
    return Number(/^session_alerts_streams (\d+)$/m.exec(await response.text())?.[1]);
  }

  /** Waits until nothing is kept for clients that have left. */
  async untilQuiet(): Promise<void> {
    await waitUntil(
      async () => (await this.openStreams()) === 0 && this.abandonedConnections() === 0,
      60_000,
    );
  }

  async close(): Promise<void> {
    await this.process.stop();
    await this.issuerServer.close();
    await this.postgres.close();
  }
}

/** Signs what no issuer would. */
class Forge {
  private readonly keys = generateKeyPairSync('rsa', { modulusLength: 2048 });

  constructor(private readonly issuer: EmbeddedIssuer) {}

  /** The issuer's keys, and the forger's. */
  keySet(): { keys: object[] } {
    const own = this.keys.publicKey.export({ format: 'jwk' });
    const issuers = createPublicKey(this.issuer.publicKeyPem).export({ format: 'jwk' });
    const use = { use: 'sig', alg: 'RS256' };
    return {
      keys: [
        { ...issuers, ...use, kid: this.issuer.currentKid },
        { ...own, ...use, kid: FORGERS_KEY },
      ],
    };
  }

  token(payload: string): string {
    const header = JSON.stringify({ alg: 'RS256', typ: 'JWT', kid: FORGERS_KEY });
    const content = [header, payload].map((part) => Buffer.from(part).toString('base64url')).join('.');
    return `${content}.${sign('sha256', Buffer.from(content), this.keys.privateKey).toString('base64url')}`;
  }
}
