import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { EmbeddedIssuer } from './embedded-issuer.js';

const client = { id: 'alertmanager', secret: 'p+ss:w%rd &=', roles: ['alertmanager-webhook'] };

describe('The embedded issuer', () => {
  let server: Server;
  let issuer: EmbeddedIssuer;

  beforeEach(async () => {
    server = createServer((request, response) => {
      void issuer.handle(request, response).then((handled) => {
        if (!handled) response.writeHead(404).end('not the issuer');
      });
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}/auth/realms/Renku`;
    issuer = await EmbeddedIssuer.create({ url, clients: [client] });
  });

  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  function endpoint(name: 'certs' | 'token'): string {
    return `${issuer.url}/protocol/openid-connect/${name}`;
  }

  function requestToken(form: Record<string, string> | string, headers: Record<string, string> = {}) {
    return fetch(endpoint('token'), { method: 'POST', body: new URLSearchParams(form), headers });
  }

  function verify(token: string) {
    return jwtVerify(token, createRemoteJWKSet(new URL(endpoint('certs'))), {
      issuer: issuer.url,
      audience: 'renku',
      algorithms: ['RS256'],
    });
  }

  function basic(id: string, secret: string): Record<string, string> {
    const pair = `${encodeURIComponent(id)}:${encodeURIComponent(secret)}`;
    return { Authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
  }

  async function accessToken(response: Response): Promise<string> {
    return ((await response.json()) as { access_token: string }).access_token;
  }

  it('is found by discovery', async () => {
    const response = await fetch(`${issuer.url}/.well-known/openid-configuration`);
    expect(await response.json()).toMatchObject({
      issuer: issuer.url,
      jwks_uri: endpoint('certs'),
      token_endpoint: endpoint('token'),
    });
    expect(issuer.requests).toEqual({ discovery: 1, certs: 0, token: 0 });
  });

  it('serves its public keys, and nothing of the private ones', async () => {
    const response = await fetch(endpoint('certs'));
    expect(await response.json()).toEqual({
      keys: [
        {
          kid: issuer.currentKid,
          kty: 'RSA',
          alg: 'RS256',
          use: 'sig',
          n: expect.any(String) as string,
          e: 'AQAB',
        },
      ],
    });
  });

  it.each([
    [
      'a Basic header',
      () => requestToken({ grant_type: 'client_credentials' }, basic(client.id, client.secret)),
    ],
    [
      'the form',
      () =>
        requestToken({
          grant_type: 'client_credentials',
          client_id: client.id,
          client_secret: client.secret,
        }),
    ],
  ])('gives a client that authenticates by %s a token that verifies', async (_, request) => {
    const response = await request();

    expect(response.status).toBe(200);
    expect(response.headers.get('cache-control')).toBe('no-store');
    const body = (await response.json()) as Record<string, unknown>;
    expect(body).toMatchObject({ token_type: 'Bearer', expires_in: 300 });
    const { payload } = await verify(body['access_token'] as string);
    expect(payload).toMatchObject({
      aud: ['renku', 'account'],
      typ: 'Bearer',
      azp: 'alertmanager',
      realm_access: { roles: ['alertmanager-webhook'] },
      preferred_username: 'service-account-alertmanager',
    });
  });

  it('keeps the id of a service account', async () => {
    const ask = () => requestToken({ grant_type: 'client_credentials' }, basic(client.id, client.secret));
    const first = decodeJwt(await accessToken(await ask()));
    const second = decodeJwt(await accessToken(await ask()));
    expect(second.sub).toBe(first.sub);
    expect(second.jti).not.toBe(first.jti);
  });

  it.each([
    ['a wrong secret', basic(client.id, 'wrong')],
    ['an unknown client', basic('nobody', client.secret)],
    ['no credentials', {}],
    ['another scheme', { Authorization: 'Bearer abc' }],
    ['a broken percent-encoding', { Authorization: `Basic ${Buffer.from('a:%zz').toString('base64')}` }],
  ])('refuses %s with 401', async (_, headers: Record<string, string>) => {
    const response = await requestToken({ grant_type: 'client_credentials' }, headers);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toMatch(/^Basic /);
    expect(await response.json()).toMatchObject({ error: 'invalid_client' });
  });

  it.each([
    ['unsupported_grant_type', 'grant_type=password'],
    ['invalid_request', 'scope=openid'],
    ['invalid_request', 'grant_type=client_credentials&grant_type=client_credentials'],
    ['invalid_request', `grant_type=client_credentials&client_secret=again`],
  ])('answers %s to %s', async (error, form) => {
    const response = await requestToken(form, basic(client.id, client.secret));
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error });
  });

  it('reads forms only, and short ones', async () => {
    const json = await fetch(endpoint('token'), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{"grant_type":"client_credentials"}',
    });
    expect(json.status).toBe(400);
    const long = await requestToken({ grant_type: 'client_credentials', scope: 'x'.repeat(65 * 1024) });
    expect(long.status).toBe(413);
  });

  it('answers 405 to other methods, and leaves other paths alone', async () => {
    const get = await fetch(endpoint('token'));
    expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST']);
    const head = await fetch(endpoint('certs'), { method: 'HEAD' });
    expect([head.status, head.headers.get('allow')]).toEqual([405, 'GET']);
    expect(await (await fetch(`${issuer.url}/account`)).text()).toBe('not the issuer');
  });

  it("makes users' tokens", async () => {
    const { payload } = await verify(await issuer.userToken({ sub: 'u-1', username: 'ada', roles: ['x'] }));
    expect(payload).toMatchObject({ sub: 'u-1', preferred_username: 'ada', realm_access: { roles: ['x'] } });
    const expired = await issuer.userToken({ sub: 'u-1', lifetime: -60 });
    await expect(verify(expired)).rejects.toMatchObject({ code: 'ERR_JWT_EXPIRED' });
  });

  it('makes bad tokens', async () => {
    const token = await issuer.sign({ aud: 'another', exp: undefined }, { kid: undefined });
    expect(decodeJwt(token)).toMatchObject({ aud: 'another', iss: issuer.url });
    expect(decodeJwt(token)).not.toHaveProperty('exp');
    expect(decodeProtectedHeader(token)).toEqual({ alg: 'RS256', typ: 'JWT' });

    expect(await issuer.sign({}, { alg: 'none' })).toMatch(/\.$/);
    for (const alg of ['HS256', 'RS512', 'PS256']) {
      expect(decodeProtectedHeader(await issuer.sign({}, { alg }))).toMatchObject({ alg });
    }
  });

  it('rotates its keys', async () => {
    const before = await issuer.userToken({ sub: 'u-1' });
    const firstKid = issuer.currentKid;

    await issuer.rotateKeys({ keepOld: true });
    expect(issuer.currentKid).not.toBe(firstKid);
    await expect(verify(before)).resolves.toBeDefined();
    await expect(verify(await issuer.userToken({ sub: 'u-1' }))).resolves.toBeDefined();

    await issuer.rotateKeys();
    await expect(verify(before)).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' });
    await expect(verify(await issuer.userToken({ sub: 'u-1' }))).resolves.toBeDefined();
  });
});
