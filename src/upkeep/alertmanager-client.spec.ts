import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AlertmanagerClient } from './alertmanager-client.js';

describe('An Alertmanager that is asked', () => {
  const { signal } = new AbortController();
  let server: Server;
  let url: string;
  let asked: { path: string | undefined; headers: IncomingHttpHeaders }[];
  let answer: unknown;

  beforeAll(async () => {
    server = createServer(({ url: path, headers }, response) => {
      asked.push({ path, headers });
      response.setHeader('Date', 'Thu, 15 Jan 2026 08:00:00 GMT');
      response.end(JSON.stringify(answer));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/am`;
  });
  beforeEach(() => {
    asked = [];
  });
  afterAll(() => {
    server.close();
    server.closeAllConnections();
  });

  it.each([
    ['nobody', {}, undefined],
    ['the bearer of a token', { bearerToken: 'secret' }, 'Bearer secret'],
    ['a user', { basicAuth: { username: 'jörg', password: 'a:b' } }, 'Basic asO2cmc6YTpi'],
  ])('is asked as %s, for JSON', async (_who, credentials, authorization) => {
    answer = [];
    await new AlertmanagerClient({ url: `${url}//`, ...credentials }).alerts(['a="b"', 'c=~"d"'], signal);
    expect(asked).toEqual([
      {
        path: '/am/api/v2/alerts?filter=a%3D%22b%22&filter=c%3D%7E%22d%22',
        headers: expect.objectContaining({ accept: 'application/json' }) as IncomingHttpHeaders,
      },
    ]);
    expect(asked[0]?.headers.authorization).toBe(authorization);
  });

  it('says since when it runs, by its own clock, and how', async () => {
    const uptime = '2026-01-15T07:59:00Z';
    answer = { uptime, cluster: { status: 'ready' }, config: { original: 'route: {}' } };
    expect(await new AlertmanagerClient({ url }).status(signal)).toEqual({
      startedAt: Date.parse(uptime),
      runningFor: 60_000,
      cluster: 'ready',
      config: 'route: {}',
    });
    for (const config of [undefined, null, {}, { original: 7 }]) {
      answer = { uptime, cluster: null, config };
      const status = await new AlertmanagerClient({ url }).status(signal);
      expect(status).toMatchObject({ cluster: 'undefined', config: '' });
    }
  });

  it.each([[null], [{}], [{ uptime: 'long' }]])('that answers %j says nothing of that', async (status) => {
    answer = status;
    const call = new AlertmanagerClient({ url }).status(signal);
    await expect(call).rejects.toThrow('its status does not say since when it runs');
  });

  it('lists alerts, and what is none among them is left out', async () => {
    answer = [{ fingerprint: 'a' }, null, 7];
    expect(await new AlertmanagerClient({ url }).alerts([], signal)).toEqual([{ fingerprint: 'a' }]);
    answer = {};
    const call = new AlertmanagerClient({ url }).alerts([], signal);
    await expect(call).rejects.toThrow('its list of alerts is no list');
  });

  it('lists groups of alerts for a receiver, or for all', async () => {
    answer = [
      { alerts: [{ fingerprint: 'a' }, null, 'b'] },
      null,
      { alerts: 7 },
      { alerts: [{ fingerprint: 'c' }] },
    ];
    const client = new AlertmanagerClient({ url });
    const listed = [{ fingerprint: 'a' }, { fingerprint: 'c' }];
    expect(await client.groupedAlerts(['a="b"'], 'ours|theirs', signal)).toEqual(listed);
    expect(await client.groupedAlerts([], undefined, signal)).toEqual(listed);
    expect(asked.map(({ path }) => path)).toEqual([
      '/am/api/v2/alerts/groups?filter=a%3D%22b%22&receiver=ours%7Ctheirs',
      '/am/api/v2/alerts/groups',
    ]);
    answer = null;
    await expect(client.groupedAlerts([], undefined, signal)).rejects.toThrow(
      'its list of groups is no list',
    );
  });
});
