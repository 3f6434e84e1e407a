import { AlertsApi, ALERTMANAGER, expectError, firing, resolved, webhook } from '../support/alerts.js';
import type { ShownAlert } from '../support/alerts.js';
import { OpenPage } from '../support/event-stream.js';
import { Host } from './support/host.js';

/** Installs a host for these tests. */
export function inHost(name: string, tests: (host: () => Host) => void): void {
  describe(`A host with its own packages: ${name}`, () => {
    let host: Host | undefined;

    beforeAll(async () => {
      host = await Host.install(name);
    });
    afterAll(async () => {
      await host?.remove();
    });

    tests(() => {
      if (!host) throw new Error('It was not installed');
      return host;
    });
  });
}

interface Ways {
  /** The script of npm's that starts it. */
  script?: string;
  /** What stands before our routes. */
  prefix?: string;
}

/** What any host has of the module, whatever it is made of. */
export function itServes(
  host: () => Host,
  { script = 'start', prefix = '' }: Ways = {},
  more?: (api: () => AlertsApi) => void,
): void {
  describe(`by npm run ${script}`, () => {
    let api: AlertsApi;

    beforeAll(async () => {
      api = new AlertsApi(host().origin + prefix, host().issuer.issuer);
      await host().start(script, `${api.url}/alerts`);
    });

    it('stores a webhook of one alert, and shows it to its user alone', async () => {
      expect(await api.deliver(firing())).toMatchObject({ stored: 1, skipped: 0 });
      expect(await api.onlyAlert('jane')).toMatchObject({
        title: 'High memory usage',
        user_id: 'jane',
        session_name: 'jane-1',
      });
      expect(await api.openAlerts('bob')).toEqual([]);
    });

    it('stores one of a thousand, and ends them', async () => {
      const many = Array.from({ length: 1_000 }, (_, index) =>
        firing({ user: 'many', session: `many-${index}`, message: 'x'.repeat(800) }),
      );
      expect(await api.deliver(...many)).toMatchObject({ stored: 1_000 });
      const answer = await api.call<ShownAlert[]>('GET', '/alerts', { as: { sub: 'many' } });
      expect(answer.headers.get('x-total-count')).toBe('1000');
      expect(await api.deliver(...many.map((one) => resolved(one)))).toMatchObject({ resolved: 1_000 });
      expect(await api.openAlerts('many')).toEqual([]);
    });

    it('answers 304 while nothing has changed', async () => {
      const token = await host().issuer.issuer.userToken({ sub: 'jane' });
      const ask = (etag = '') =>
        fetch(`${api.url}/alerts`, {
          headers: { Authorization: `Bearer ${token}`, 'If-None-Match': etag },
        });
      const first = await ask();
      expect(first.status).toBe(200);
      await first.arrayBuffer();
      expect((await ask(first.headers.get('etag') ?? '')).status).toBe(304);
    });

    it('streams changes', async () => {
      const token = await host().issuer.issuer.userToken({ sub: 'ann' });
      const page = await OpenPage.open(api.url, token);
      await page.untilShown([]);
      await api.deliver(firing({ user: 'ann', title: 'Disk nearly full' }));
      await page.untilShown(['Disk nearly full']);
      page.leave();
    });

    it('lets its user dismiss an alert, and nobody else', async () => {
      const { id } = await api.onlyAlert('jane');
      expectError(await api.update(id, { dismissed: true }, { sub: 'bob' }), 404);
      expect(await api.update(id, { dismissed: true }, { sub: 'jane' })).toMatchObject({ status: 200 });
      expect(await api.openAlerts('jane')).toEqual([]);
    });

    it('answers errors with the documented body', async () => {
      expectError(await api.call('GET', '/alerts'), 401);
      expectError(await api.call('GET', '/alerts?bogus=1', { as: { sub: 'jane' } }), 422);
      expectError(await api.call('POST', '/alerts', { as: { sub: 'jane' }, body: {} }), 403);
      // What its own parser refuses it answers itself.
      expect(await api.postWebhook('{ no JSON')).toMatchObject({ status: 400 });
      expectError(
        await api.call('POST', '/webhooks/alertmanager', { as: { sub: 'jane' }, body: webhook([]) }),
        403,
      );
      expect(
        await api.call('POST', '/webhooks/alertmanager', { as: ALERTMANAGER, body: webhook([]) }),
      ).toMatchObject({
        status: 200,
      });
    });

    more?.(() => api);

    it('ends when it is asked to, and has logged no error', async () => {
      // Nest ends itself with the signal that it was sent.
      expect([0, 'SIGTERM']).toContain(await host().stop());
      // Nest's own words, or pino's.
      const trouble = /\bERROR\b|"level":[56]0|UnhandledPromise|at .*node_modules/;
      expect(
        host()
          .output.split('\n')
          .filter((line) => trouble.test(line)),
      ).toEqual([]);
    });
  });
}
