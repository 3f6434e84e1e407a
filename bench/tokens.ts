import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EmbeddedIssuer } from '../server/demo/embedded-issuer.js';

/** Seconds; longer than any run. */
const LIFETIME = 24 * 3600;

/** The issuer that the servers ask for keys, and the tokens that the load is sent with. */
export class Tokens {
  private constructor(
    readonly webhookToken: string,
    private readonly issuer: EmbeddedIssuer,
    private readonly server: Server,
  ) {}

  static async start(): Promise<Tokens> {
    const server = createServer((request, response) => {
      void issuer.handle(request, response).then((handled) => {
        if (!handled) response.writeHead(404).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const issuer = await EmbeddedIssuer.create({ url: `http://127.0.0.1:${port}/auth/realms/Renku` });
    const webhookToken = await issuer.userToken({
      sub: 'alertmanager',
      roles: ['alertmanager-webhook'],
      lifetime: LIFETIME,
    });
    return new Tokens(webhookToken, issuer, server);
  }

  get issuerUrl(): string {
    return this.issuer.url;
  }

  userToken(userId: string, roles: string[] = []): Promise<string> {
    return this.issuer.userToken({ sub: userId, roles, lifetime: LIFETIME });
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}
