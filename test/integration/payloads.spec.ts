import { startTestServer } from '../support/server.js';
import type { TestServer } from '../support/server.js';

describe('smoke', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.close());
  it('lists', async () => {
    const token = await server.issuer.userToken({ sub: 'x' });
    const r = await fetch(`${server.url}/api/data/alerts`, { headers: { authorization: `Bearer ${token}` } });
    expect(await r.json()).toEqual([]);
  });
});
