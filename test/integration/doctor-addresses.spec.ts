import { createServer as createTlsServer } from 'node:https';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { TLSSocket } from 'node:tls';
import { selfSignedCertificate } from '../support/certificate.js';
import { answerJson, doctorsFindings, troubles } from '../support/doctor.js';
import { startIssuer } from '../support/server.js';
import type { TestIssuer } from '../support/server.js';

describe('An address in the other scheme', () => {
  const { key, cert } = selfSignedCertificate('127.0.0.1');
  let plain: Server;
  let secured: Server;
  let polite: Server;

  const addressOf = (program: Server, scheme: string): string =>
    `${scheme}://127.0.0.1:${(program.address() as AddressInfo).port}`;

  beforeAll(async () => {
    // As Node, and most that is written in it, does by itself.
    secured = createTlsServer({ key, cert }, (_request, response) => response.end());
    plain = createServer((socket) => {
      socket.on('error', () => undefined).once('data', () => socket.end('HTTP/1.1 404 Not Found\r\n\r\n'));
    });
    // As nginx does.
    polite = createServer((socket) => {
      socket
        .on('error', () => undefined)
        .once('data', (chunk: Buffer) => {
          if (chunk[0] === 0x16) {
            socket.pause();
            socket.unshift(chunk);
            new TLSSocket(socket, { isServer: true, key, cert }).on('error', () => undefined);
            return;
          }
          const body = '<h1>400 Bad Request</h1>The plain HTTP request was sent to HTTPS port';
          socket.end(`HTTP/1.1 400 Bad Request\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
        });
    });
    for (const program of [plain, secured, polite]) {
      await new Promise<void>((resolve) => program.listen(0, '127.0.0.1', resolve));
    }
  });
  afterAll(async () => {
    for (const program of [plain, secured, polite]) {
      await new Promise((resolve) => program.close(resolve));
    }
  });

  it.each<[what: string, address: () => string, spoken: string, asked: string]>([
    ['https asked of http', () => addressOf(plain, 'https'), 'http', 'https'],
    ['http asked of https', () => addressOf(secured, 'http'), 'https', 'http'],
    ['http asked of https, which says so', () => addressOf(polite, 'http'), 'https', 'http'],
  ])('is named as that, wherever it stands: %s', async (_what, address, spoken, asked) => {
    const url = address();
    const findings = await doctorsFindings([
      ...['--issuer', `${url}/realms/Renku`, '--api-url', `${url}/api/data`],
      ...['--alertmanager-url', url, '--prometheus-url', url],
    ]);
    const named = (setting: string): string =>
      expect.stringMatching(
        `it speaks ${spoken}, not ${asked} >> Write ${spoken}:// in the place of ${asked}:// in ${setting}`,
      ) as string;
    expect(troubles(findings)).toEqual({
      issuer: named('OIDC_ISSUER'),
      server: named('--api-url'),
      alertmanager: named('--alertmanager-url'),
      prometheus: named('--prometheus-url'),
    });
  });
});

describe('A slash at the end of the issuer', () => {
  let issuer: TestIssuer;

  beforeAll(async () => {
    issuer = await startIssuer();
  });
  afterAll(() => issuer.close());
  afterEach(() => {
    issuer.answerInstead = undefined;
  });

  it('that its own name has not is named, on the command line as in the environment', async () => {
    const url = `${issuer.issuer.url}/`;
    const told = await doctorsFindings([], { OIDC_ISSUER: url });
    expect(troubles(told)).toEqual({
      issuer: expect.stringMatching(
        /calls itself so without a slash at the end, .* >> Write the issuer without a slash.*OIDC_ISSUER/,
      ) as string,
    });
    expect(troubles(await doctorsFindings(['--issuer', url]))).toEqual(troubles(told));
  });

  it('that its own name has is missed, and taken where it is written', async () => {
    const { url } = issuer.issuer;
    issuer.answerInstead = (request, response) => {
      if (!request.url?.endsWith('/openid-configuration')) return false;
      answerJson(response, 200, {
        issuer: `${url}/`,
        jwks_uri: `${url}/protocol/openid-connect/certs`,
        token_endpoint: `${url}/protocol/openid-connect/token`,
      });
      return true;
    };
    expect(troubles(await doctorsFindings(['--issuer', url]))['issuer']).toMatch(/ so with a slash /);
    expect(troubles(await doctorsFindings(['--issuer', `${url}/`]))).toEqual({});
    expect(troubles(await doctorsFindings([], { OIDC_ISSUER: `${url}/` }))).toEqual({});
  });
});
