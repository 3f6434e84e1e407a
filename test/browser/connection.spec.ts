import type { Route } from 'playwright-core';
import type { SessionAlertsElement } from '../../panel/panel.types.js';
import { waitUntil } from '../support/server.js';
import { DISK, MEMORY, setUp } from './support/setting.js';

describe("The panel's connection", () => {
  const setting = setUp();

  it('that is lost is said, and comes back by itself', async () => {
    await setting.backend.fire(MEMORY);
    const session = await setting.open();
    await session.alert('High memory usage').waitFor();

    await setting.backend.stop();
    const notice = session.panel.getByText(/^Alerts may be out of date since \d/);
    await notice.waitFor();
    await session.says(/^Alerts may be out of date since/);
    expect(await session.bell.getAttribute('aria-label')).toMatch(
      /^Alerts: 1 open(, 1 new)?\. Alerts may be out of date since/,
    );
    // It still shows what it knew.
    expect(await session.alert('High memory usage').isVisible()).toBe(true);

    await setting.backend.start();
    await setting.backend.resolve(MEMORY);
    await setting.backend.fire(DISK);
    await session.alert('Low disk space').waitFor({ timeout: 35_000 });
    await session.alert('High memory usage').waitFor({ state: 'detached' });
    await notice.waitFor({ state: 'detached' });

    // And it is a stream again.
    await setting.backend.fire(MEMORY);
    await session.alert('High memory usage').waitFor({ timeout: 1000 });
  });

  it('never says that there are no alerts where it does not know', async () => {
    const session = await setting.open({
      giveToken: () => new Promise(() => undefined),
    });
    await session.bell.click();
    await session.panel.getByText('Looking for alerts…').waitFor();
    expect(await session.panel.getByText('No alerts').count()).toBe(0);

    const refused = await setting.open();
    await refused.bellSays('Alerts: none');
    await refused.bell.click();
    await setting.backend.stop();
    await refused.panel.getByText('It is not known whether there are alerts.').waitFor();
    expect(await refused.panel.getByText('No alerts').count()).toBe(0);
    expect(await refused.bell.getAttribute('aria-label')).toMatch(/^Alerts: not known/);
  });

  it.each([
    ['fails', (route: Route) => route.fulfill({ status: 500 })],
    ['is refused', (route: Route) => route.abort()],
    [
      'is a page',
      (route: Route) => route.fulfill({ contentType: 'text/html', body: '<h1>Please log in</h1>' }),
    ],
    ['is no list', (route: Route) => route.fulfill({ json: { alerts: [] } })],
  ])('that %s from the beginning is said', async (_, answer) => {
    const session = await setting.open({ prepare: (page) => page.route('**/api/data/**', answer) });
    await session.bell.click();
    await session.panel.getByText('It is not known whether there are alerts.').waitFor();
    expect(await session.bell.locator('.badge').textContent()).toBe('?');
  });

  describe.each([
    ['is cut off', (route: Route) => route.abort()],
    [
      'is answered with a page',
      (route: Route) => route.fulfill({ contentType: 'text/html', body: '<p>no</p>' }),
    ],
    ['is held up', () => new Promise<void>(() => undefined)],
  ])('where the stream %s', (_, answer) => {
    it('polls instead', async () => {
      const session = await setting.open({ prepare: (page) => page.route('**/alerts/stream*', answer) });
      await session.bellSays('Alerts: none');
      await setting.backend.fire(MEMORY);
      await session.alert('High memory usage').waitFor({ timeout: 8000 });
      expect(await session.panel.getByText('out of date').count()).toBe(0);
      await session.page.waitForResponse(
        (response) => response.url().endsWith('/alerts?session_name=s-1') && response.status() === 304,
      );
    });
  });

  it('asks for a new token where the first one is over', async () => {
    const asked: boolean[] = [];
    await setting.backend.fire(MEMORY);
    const session = await setting.open({
      giveToken: ({ refresh }) => {
        asked.push(refresh);
        return setting.backend.token('ann', refresh ? 300 : -60);
      },
    });
    await session.alert('High memory usage').waitFor();
    expect(asked).toEqual([false, true]);
  });

  it('asks for a new token where the stream ends with the old one', async () => {
    const asked: boolean[] = [];
    const session = await setting.open({
      giveToken: ({ refresh }) => {
        asked.push(refresh);
        return setting.backend.token('ann', asked.length === 1 ? 2 : 300);
      },
    });
    await session.bellSays('Alerts: none');
    await waitUntil(() => asked.length === 2);
    expect(asked).toEqual([false, true]);
    await setting.backend.fire(MEMORY);
    await session.alert('High memory usage').waitFor({ timeout: 2000 });
  });

  it('uses a token that the page sets, and the next one', async () => {
    await setting.backend.fire(MEMORY, { ...DISK, user: 'bob' });
    const session = await setting.open();
    const tokens = [await setting.backend.token('ann'), await setting.backend.token('bob')];
    await session.alert('High memory usage').waitFor();
    await session.page.evaluate((token) => {
      const panel = document.querySelector<SessionAlertsElement>('session-alerts');
      if (!panel) return;
      panel.getToken = undefined;
      panel.token = token;
    }, tokens[0]);
    await session.alert('High memory usage').waitFor();
    await session.page.evaluate((token) => {
      const panel = document.querySelector<SessionAlertsElement>('session-alerts');
      if (panel) panel.token = token;
    }, tokens[1]);
    await session.alert('Low disk space').waitFor();
    expect(await session.alerts.count()).toBe(1);
  });

  it('never puts a token into an address', async () => {
    const asked: string[] = [];
    const session = await setting.open({
      prepare: (page) => Promise.resolve(page.on('request', (request) => asked.push(request.url()))),
    });
    await session.bellSays('Alerts: none');
    await session.bell.click();
    await session.button('Earlier').click();
    await session.panel.getByText('Nothing ended').waitFor();
    expect(asked).toContainEqual(expect.stringContaining('session_name=s-1'));
    expect(asked.join()).not.toMatch(/token|eyJ/i);
  });

  it('says that alerts do not come through where the feed is stale, and no more when they do', async () => {
    const session = await setting.open();
    await session.bellSays('Alerts: none');
    await session.bell.click();
    await session.panel.getByText('No alerts').waitFor();
    await setting.backend.setFeed('stale');
    await session.panel.getByText(/^Alerts may be out of date since/).waitFor();
    expect(await session.panel.getByText('No alerts').count()).toBe(0);
    await setting.backend.setFeed('unknown');
    await session.panel.getByText('No alerts').waitFor();
    await setting.backend.setFeed('ok');
    expect(await session.panel.getByText('out of date').count()).toBe(0);
  });

  it('rests while the page is hidden, and catches up when it is shown', async () => {
    const session = await setting.open();
    await session.bellSays('Alerts: none');
    expect(await setting.backend.openStreams()).toBe(1);
    await session.setVisible(false);
    await waitUntil(async () => (await setting.backend.openStreams()) === 0);
    await setting.backend.fire(MEMORY);
    await session.setVisible(true);
    await session.alert('High memory usage').waitFor({ timeout: 2000 });
    expect(await setting.backend.openStreams()).toBe(1);
  });

  it('ends with the element, and begins anew with it', async () => {
    const session = await setting.open();
    await session.bellSays('Alerts: none');
    await session.page.evaluate(() => {
      const panel = document.querySelector<SessionAlertsElement>('session-alerts');
      Object.assign(window, { panel });
      panel?.remove();
    });
    await waitUntil(async () => (await setting.backend.openStreams()) === 0);
    await session.page.evaluate(() => {
      document.querySelector('header')?.append((window as unknown as { panel: Node }).panel);
    });
    await setting.backend.fire(MEMORY);
    await session.alert('High memory usage').waitFor();
    expect(await setting.backend.openStreams()).toBe(1);
  });
});
