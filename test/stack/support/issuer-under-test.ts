import type { ServerResponse } from 'node:http';
import { startIssuer } from '../../support/server.js';

/** Undoes what was done to the issuer. */
export type Mend = () => Promise<void>;

/** An issuer with the client `alertmanager`, ready for our server. */
export interface ChainIssuer {
  /** As it stands in `iss`. */
  readonly url: string;
  readonly clientSecret: string;
  close(): Promise<void>;
}

/** One that things can be made to go wrong with. */
export interface IssuerUnderTest extends ChainIssuer {
  /** The client's service account no longer has the role. */
  takeRoleAway(): Promise<Mend>;
  /** The client's tokens are for another audience. */
  removeAudienceMapper(): Promise<Mend>;
  /** All that it says of the time is so much behind (s). */
  setClockBack(seconds: number): Promise<Mend>;
  /** It cannot be reached. */
  stop(): Promise<Mend>;
}

/** The embedded issuer in Keycloak's place. */
export async function startEmbeddedIssuer(): Promise<IssuerUnderTest> {
  const server = await startIssuer();
  const { issuer } = server;

  /** Gives the client tokens with other claims than it should have. */
  const giveTokens = (claims: () => Record<string, unknown>, date?: () => string): Promise<Mend> => {
    server.answerInstead = (request, response) => {
      if (date) response.setHeader('Date', date());
      if (!request.url?.endsWith('/token')) return false;
      void issuer.sign(claims()).then((token) => {
        answerWithToken(response, token);
      });
      return true;
    };
    return Promise.resolve(() => {
      server.answerInstead = undefined;
      return Promise.resolve();
    });
  };
  const realm_access = { roles: ['alertmanager-webhook'] };

  return {
    url: issuer.url,
    clientSecret: 'secret',
    takeRoleAway: () => giveTokens(() => ({ realm_access: { roles: ['default-roles-renku'] } })),
    removeAudienceMapper: () => giveTokens(() => ({ realm_access, aud: 'account' })),
    setClockBack: (seconds) => {
      const now = (): number => Date.now() - seconds * 1000;
      return giveTokens(
        () => {
          const issuedAt = Math.floor(now() / 1000);
          return { realm_access, iat: issuedAt, exp: issuedAt + 300 };
        },
        () => new Date(now()).toUTCString(),
      );
    },
    async stop() {
      await server.stop();
      return () => server.start();
    },
    close: () => server.close(),
  };
}

function answerWithToken(response: ServerResponse, token: string): void {
  response
    .writeHead(200, { 'Content-Type': 'application/json' })
    .end(JSON.stringify({ access_token: token, expires_in: 300, token_type: 'Bearer' }));
}
