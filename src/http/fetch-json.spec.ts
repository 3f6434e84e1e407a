import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fetchJson } from './fetch-json.js';

describe('JSON of a neighbour', () => {
  let neighbour: Server;
  let stranger: Server;
  let strangerAsked: number;
  /** Where each path of the neighbour leads. */
  let redirects: Record<string, string>;

  beforeEach(async () => {
    redirects = {};
    strangerAsked = 0;
    neighbour = createServer(({ url = '' }, response) => {
      const location = redirects[url];
      if (location === undefined) response.end('{"from":"neighbour"}');
      else response.writeHead(302, { location }).end();
    });
    stranger = createServer((_request, response) => {
      strangerAsked += 1;
      response.end('{"from":"stranger"}');
    });
    for (const server of [neighbour, stranger]) {
      await once(server.listen(0, '127.0.0.1'), 'listening');
    }
  });
  afterEach(() => {
    for (const server of [neighbour, stranger]) {
      server.close();
      server.closeAllConnections();
    }
  });

  function addressOf(server: Server): string {
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  async function ask(path: string): Promise<unknown> {
    const limits = { timeout: 10_000, longest: 1000, signal: new AbortController().signal };
    return (await fetchJson(addressOf(neighbour) + path, limits)).body;
  }

  it('is fetched where its own host redirects to', async () => {
    redirects = { '/old': '/older', '/older': `${addressOf(neighbour)}/new` };
    expect(await ask('/old')).toEqual({ from: 'neighbour' });
  });

  it('is not fetched from another host that it redirects to', async () => {
    redirects = { '/away': addressOf(stranger) };
    await expect(ask('/away')).rejects.toThrow(/redirects to another host/);
    redirects = { '/away': '/elsewhere', '/elsewhere': addressOf(stranger) };
    await expect(ask('/away')).rejects.toThrow(/redirects to another host/);
    expect(strangerAsked).toBe(0);
  });

  it.each(['http://', 'javascript:1', 'https://other.example/'])(
    'is not fetched where it redirects to %s',
    async (location) => {
      redirects = { '/away': location };
      await expect(ask('/away')).rejects.toThrow(/redirects to/);
    },
  );

  it('is not looked for in a circle', async () => {
    redirects = { '/round': '/round' };
    await expect(ask('/round')).rejects.toThrow(/more than 3 times/);
  });
});
