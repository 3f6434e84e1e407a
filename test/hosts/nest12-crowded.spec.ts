import { ADMIN, ALERTMANAGER, expectError, firing, webhook } from '../support/alerts.js';
import { waitUntil } from '../support/server.js';
import { inHost, itServes } from './hosts.js';

interface LogLine {
  msg: string;
  context?: string;
  /** Id of the request. */
  request?: string;
  req?: { url: string };
}

inHost('nest12-crowded', (host) => {
  /** Calls what is the host's own. */
  async function call(
    method: string,
    path: string,
    { body, token }: { body?: unknown; token?: string } = {},
  ) {
    const response = await fetch(host().origin + path, {
      method,
      headers: {
        'Content-Type': 'application/json',
        ...(token !== undefined && { Authorization: `Bearer ${token}` }),
      },
      body: body === undefined ? null : JSON.stringify(body),
    });
    return { status: response.status, body: await response.json() };
  }

  /** What it has logged, as pino writes it. */
  function logged(): LogLine[] {
    const lines = host().output.split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as LogLine);
  }

  async function login(): Promise<string> {
    const { body } = await call('POST', '/api/v1/login', { body: { name: 'ada' } });
    return (body as { data: { token: string } }).data.token;
  }

  itServes(host, { prefix: '/api/v1' }, (api) => {
    it('keeps its own guard, answers, pipe, filter, versions and bodies', async () => {
      const token = await login();
      expect(await call('GET', '/api/v1/projects')).toEqual({ status: 401, body: { oops: 401 } });
      expect(await call('GET', '/api/v1/projects?page=2', { token })).toEqual({
        status: 200,
        body: { data: { page: 2, user: { name: 'ada' }, request: expect.any(String) as unknown } },
      });
      expect(await call('GET', '/api/v1/projects?page=11', { token })).toEqual({
        status: 400,
        body: { oops: 400 },
      });
      expect(await call('GET', '/api/v2/projects', { token })).toEqual({ status: 200, body: { data: [] } });
      const rocket = { name: 'rocket' };
      expect(await call('POST', '/api/v1/projects', { token, body: rocket })).toEqual({
        status: 201,
        body: { data: { ...rocket, raw: JSON.stringify(rocket) } },
      });
      expect(await call('POST', '/api/v1/projects', { token, body: { ...rocket, bogus: 1 } })).toEqual({
        status: 400,
        body: { oops: 400 },
      });
    });

    it('and ours take nobody for another', async () => {
      const ofIssuer = await host().issuer.issuer.userToken({ sub: 'ada', roles: ['renku-admin'] });
      expect((await call('GET', '/api/v1/projects', { token: ofIssuer })).status).toBe(401);
      expect((await call('GET', '/api/v1/alerts', { token: await login() })).status).toBe(401);
    });

    it.each([
      ['GET', '/alerts?status=resolved&limit=ten', undefined, 'limit'],
      ['GET', '/alerts/stream?bogus=1', undefined, 'bogus'],
      ['POST', '/alerts?bogus=1', { title: 't', message: 'm', event_type: 'e', user_id: 'jane' }, 'bogus'],
      ['POST', '/webhooks/alertmanager?dry_run=yes', webhook([]), 'dry_run'],
    ])('says what is wrong with a query: %s %s', async (method, path, body, said) => {
      const as = method === 'GET' ? { sub: 'jane' } : path.startsWith('/alerts') ? ADMIN : ALERTMANAGER;
      const { detail } = expectError(await api().call(method, path, { as, body }), 422);
      expect(detail).toContain(said);
      expect(detail).not.toContain('JSON');
    });

    it('asks ours whether they can serve', async () => {
      expect(await call('GET', '/health')).toMatchObject({
        status: 200,
        body: { data: { info: { alerts: { status: 'up', database: 'ok', issuer: 'ok' } } } },
      });
    });

    it('hears what has changed', async () => {
      const token = await login();
      await api().deliver(firing({ user: 'eve', title: 'Heard of' }));
      await waitUntil(async () => {
        const { body } = await call('GET', '/api/v1/projects/alerts', { token });
        return (body as { data: string[] }).data.includes('Heard of');
      });
    });

    it('logs what ours say by its own logger, with the request in which they say it, and no token', async () => {
      await api().deliver(firing({ user: '' }));
      await waitUntil(() => {
        const lines = logged();
        const said = lines.find(({ context }) => context === 'WebhooksService');
        const during = lines.find(
          ({ msg, request }) => msg === 'request completed' && request === said?.request,
        );
        return said?.msg.includes('no_user') === true && during?.req?.url === '/api/v1/webhooks/alertmanager';
      });
      expect(host().output).not.toContain('eyJ');
    });
  });
});
