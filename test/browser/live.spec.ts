import type { Page } from 'playwright-core';
import type { SessionAlertsElement } from '../../panel/panel.types.js';
import { waitUntil } from '../support/server.js';
import type { SessionPage } from './support/session-page.js';
import { DISK, KILLED, MEMORY, VOLUMES, setUp } from './support/setting.js';

function titlesOf(session: SessionPage): Promise<string[]> {
  return session.alerts.locator('h3').allTextContents();
}

function numbered(count: number): (typeof DISK)[] {
  return Array.from({ length: count }, (_, index) => ({
    ...DISK,
    name: `n-${index}`,
    title: `Number ${index}`,
  }));
}

describe('The panel', () => {
  const setting = setUp();

  it('shows an alert within a second, and lets it go', async () => {
    const session = await setting.open();
    await session.bellSays('Alerts: none');

    const fired = Date.now();
    await setting.backend.fire(MEMORY);
    await session.alert('High memory usage').waitFor();
    expect(Date.now() - fired).toBeLessThan(1000);
    await session.bellSays('Alerts: 1 open');

    const resolved = Date.now();
    await setting.backend.resolve(MEMORY);
    await session.alert('High memory usage').waitFor({ state: 'detached' });
    expect(Date.now() - resolved).toBeLessThan(1000);
    await session.bellSays('Alerts: none');
    await session.panel.getByText('No alerts').waitFor();
  });

  it('tells all of an alert: severity in a word, message, since when, what to do', async () => {
    await setting.backend.fire(MEMORY);
    await setting.backend.age('ann', 5 * 60_000);
    const session = await setting.open();
    const alert = session.alert('High memory usage');
    await alert.getByText('Warning', { exact: true }).waitFor();
    expect(await alert.locator('strong').textContent()).toBe('94 %');

    const time = alert.locator('time');
    expect(await time.textContent()).toBe('5 min ago');
    expect(await time.getAttribute('datetime')).toMatch(/^\d{4}-\d\d-\d\dT/);
    expect(await time.getAttribute('title')).toMatch(/\d{4}.*:\d\d:\d\d/);

    const runbook = alert.getByRole('link', { name: 'What to do' });
    expect(await runbook.getAttribute('href')).toBe('https://runbooks.example/memory');
    expect(await runbook.getAttribute('rel')).toBe('noopener noreferrer');
  });

  it.each([
    ['critical', 'Critical'],
    ['Warning', 'Warning'],
    ['info', 'Info'],
    ['page-the-boss', 'page-the-boss'],
    [undefined, 'Notice'],
  ])('calls the severity %p "%s"', async (severity, word) => {
    const { user, session: name } = MEMORY;
    await setting.backend.fire({ user, session: name, name: 'x', ...(severity && { severity }) });
    const session = await setting.open();
    expect(await session.alerts.locator('.severity').textContent()).toBe(word);
  });

  it('follows an alert whose text changes', async () => {
    await setting.backend.fire(MEMORY);
    const session = await setting.open();
    await session.alert('High memory usage').waitFor();
    await setting.backend.fire({ ...MEMORY, title: 'Memory nearly full', message: '99 %' });
    await session.alert('Memory nearly full').getByText('99 %').waitFor();
    expect(await session.alerts.count()).toBe(1);
  });

  it('opens by itself for a new alert, once', async () => {
    const session = await setting.open();
    await session.bellSays('Alerts: none');
    expect(await session.panel.isVisible()).toBe(false);
    await setting.backend.fire(MEMORY);
    await session.panel.waitFor();
    await session.button('Close').click();
    await session.panel.waitFor({ state: 'hidden' });

    // The same alert with other words is no new one.
    await setting.backend.fire({ ...MEMORY, message: '95 %' });
    await session.page.reload();
    await session.bellSays('Alerts: 1 open');
    expect(await session.panel.isVisible()).toBe(false);

    await setting.backend.fire(KILLED);
    await session.alert('Session restarted').waitFor();
  });

  it('opens by itself for an alert that was there before the page', async () => {
    await setting.backend.fire(MEMORY);
    const session = await setting.open();
    await session.panel.waitFor();
  });

  it('opens once more for an alert that becomes graver, and not for one that becomes less grave', async () => {
    await setting.backend.fire(MEMORY);
    const session = await setting.open();
    await session.button('Close').click();
    await session.panel.waitFor({ state: 'hidden' });

    const critical = { ...MEMORY, severity: 'critical', message: 'Memory usage is at 99 %.' };
    const graver = Date.now();
    await setting.backend.fire(critical);
    await session.alert('High memory usage').getByText('Critical').waitFor();
    expect(Date.now() - graver).toBeLessThan(1000);
    await session.button('Close').click();

    await session.page.reload();
    await session.bellSays('Alerts: 1 open');
    expect(await session.panel.isVisible()).toBe(false);

    await setting.backend.resolve(critical);
    await session.bell.locator('.badge.warning').waitFor();
    expect(await session.panel.isVisible()).toBe(false);

    await setting.backend.fire(critical);
    await session.panel.waitFor();
  });

  it('says since when it is as grave as it is', async () => {
    await setting.backend.fire(MEMORY);
    await setting.backend.age('ann', 5 * 60_000);
    const session = await setting.open();
    const alert = session.alert('High memory usage');
    await alert.getByText('5 min ago').waitFor();
    await setting.backend.fire({ ...MEMORY, severity: 'critical' });
    await alert.getByText('Critical').waitFor();
    expect(await alert.locator('time').first().textContent()).toBe('just now');
    await setting.backend.resolve(MEMORY);
    await alert.getByText('Also:').waitFor({ state: 'detached' });
    expect(await alert.locator('time').textContent()).toBe('just now');
  });

  it('opens for an alert that became graver while the page was hidden', async () => {
    await setting.backend.fire(MEMORY);
    const session = await setting.open();
    await session.button('Close').click();
    await session.setVisible(false);
    await waitUntil(async () => (await setting.backend.openStreams()) === 0);
    await setting.backend.fire({ ...MEMORY, severity: 'critical' });
    expect(await session.panel.isVisible()).toBe(false);
    await session.setVisible(true);
    await session.panel.waitFor();
  });

  describe.each([
    ['the stream', () => Promise.resolve()],
    ['polling', (page: Page) => page.route('**/alerts/stream*', (route) => route.abort())],
  ])('by %s', (_, prepare) => {
    it('has the gravest on top, whatever changes', async () => {
      await setting.backend.fire(KILLED);
      await setting.backend.fire(DISK);
      await setting.backend.fire(MEMORY);
      const session = await setting.open({ prepare });
      await session.alerts.nth(2).waitFor();
      expect(await titlesOf(session)).toEqual(['Session restarted', 'High memory usage', 'Low disk space']);

      await setting.backend.fire({ ...DISK, severity: 'critical' });
      await waitUntil(async () => (await titlesOf(session))[0] === 'Low disk space');
      expect(await titlesOf(session)).toEqual(['Low disk space', 'Session restarted', 'High memory usage']);

      await setting.backend.resolve({ ...DISK, severity: 'critical' });
      await waitUntil(async () => (await titlesOf(session))[2] === 'Low disk space');
      expect(await titlesOf(session)).toEqual(['Session restarted', 'High memory usage', 'Low disk space']);
    });

    it('says how many more there are than it lists, and takes none of them for new or ended', async () => {
      const many = numbered(600);
      await setting.backend.fire(...many);
      const session = await setting.open({ prepare });
      await session.bellSays('Alerts: 600 open');
      expect(await session.bell.locator('.badge').textContent()).toBe('600');
      await session.button('Show 470 more').waitFor();
      await session.panel.getByText('and 100 more, less grave or older').waitFor();
      await session.button('Close').click();
      await session.page.evaluate(() => {
        const said: string[] = [];
        for (const place of document
          .querySelector('session-alerts')
          ?.shadowRoot?.querySelectorAll('[aria-live]') ?? []) {
          new MutationObserver(() => said.push(place.textContent)).observe(place, {
            childList: true,
            characterData: true,
            subtree: true,
          });
        }
        Object.assign(window, { said });
      });

      // Ten that were listed end, ten others take their place.
      await setting.backend.resolve(...many.slice(-10));
      await session.bellSays('Alerts: 590 open');
      // A graver one takes the place of another.
      await setting.backend.fire(KILLED);
      await session.bellSays('Alerts: 591 open');
      await session.panel.getByText('and 91 more, less grave or older').waitFor();
      await session.says('New alert: Critical: Session restarted', 'assertive');
      const said = await session.page.evaluate(() => (window as unknown as { said: string[] }).said);
      expect(said.filter(Boolean)).toEqual(['New alert: Critical: Session restarted']);

      await setting.backend.resolve(...many.slice(0, 300));
      await session.bellSays('Alerts: 291 open');
      await session.panel.getByText('less grave or older').waitFor({ state: 'detached' });
    });
  });

  it('closes again where it opened by itself and all is over', async () => {
    const session = await setting.open();
    await session.bellSays('Alerts: none');
    await setting.backend.fire(MEMORY);
    await session.panel.waitFor();
    await setting.backend.resolve(MEMORY);
    await session.panel.waitFor({ state: 'hidden', timeout: 10_000 });
  });

  it('shows the same in two tabs', async () => {
    const first = await setting.open();
    const second = await setting.open({ context: first.context });
    await setting.backend.fire(MEMORY, DISK);
    for (const tab of [first, second]) await tab.alert('High memory usage').waitFor();
    await first.button('Dismiss: High memory usage').click();
    await second.alert('High memory usage').waitFor({ state: 'detached' });
    expect(await second.alert('Low disk space').isVisible()).toBe(true);
  });

  it('shows each user and each session only their own', async () => {
    const ann = await setting.open({ user: 'ann' });
    const bob = await setting.open({ user: 'bob' });
    const other = await setting.open({ user: 'ann', session: 's-2' });
    await setting.backend.fire(MEMORY, { ...DISK, user: 'bob' }, { ...KILLED, session: 's-2' });
    await ann.alert('High memory usage').waitFor();
    await bob.alert('Low disk space').waitFor();
    await other.alert('Session restarted').waitFor();
    for (const session of [ann, bob, other]) expect(await session.alerts.count()).toBe(1);
  });

  it('forgets one session when it is given another', async () => {
    await setting.backend.fire(MEMORY, { ...DISK, session: 's-2' });
    const session = await setting.open();
    await session.alert('High memory usage').waitFor();
    await session.page.evaluate(() => {
      document.querySelector('session-alerts')?.setAttribute('session-name', 's-2');
    });
    await session.alert('Low disk space').waitFor();
    expect(await session.alerts.count()).toBe(1);
    expect(await setting.backend.openStreams()).toBe(1);
  });

  it('shows a storm in portions', async () => {
    const session = await setting.open();
    await session.bellSays('Alerts: none');
    const storm = numbered(140);
    await setting.backend.fire(...storm);
    await session.bellSays('Alerts: 140 open');
    expect(await session.bell.locator('.badge').textContent()).toBe('140');
    expect(await session.alerts.count()).toBe(30);
    await session.button('Show 110 more').click();
    expect(await session.alerts.count()).toBe(60);
    await setting.backend.resolve(...storm);
    await session.bellSays('Alerts: none');
  });

  it('says a number that its badge has no room for in its name', async () => {
    const session = await setting.open({
      prepare: async (page) => {
        await page.route('**/alerts/stream*', (route) => route.abort());
        await page.route('**/alerts?*', (route) =>
          route.fulfill({ json: [{ id: 'a', title: 'A' }], headers: { 'X-Total-Count': '50000' } }),
        );
      },
    });
    await session.bellSays('Alerts: 50,000 open');
    expect(await session.bell.locator('.badge').textContent()).toBe('999+');
    await session.panel.getByText('and 49,999 more').waitFor();
  });

  describe('of several series that fire behind an alert', () => {
    it('says each, the gravest first, and of each only what is its own', async () => {
      const [data, scratch] = VOLUMES;
      await setting.backend.fire(scratch, data, {
        ...scratch,
        volume: 'home',
        title: 'Home is full',
        message: '<b>Home</b> is at 100 %.',
        severity: 'info',
        runbookUrl: 'https://runbooks.example/home',
      });
      const session = await setting.open();
      const alert = session.alert('Volume nearly full');
      await alert.getByText('Volume data is at 97 %.').waitFor();
      const lines = alert.getByRole('list').getByRole('listitem');
      const texts = (await lines.allTextContents()).map((text) => text.replace(/\s+/g, ' ').trim());
      expect(texts).toEqual([
        'Warning · just now Volume scratch is at 91 %.',
        'Home is full Info · just now <b>Home</b> is at 100 %. What to do',
      ]);
      expect(await lines.nth(0).locator('strong').textContent()).toBe('scratch');
      const addresses = await alert
        .getByRole('link')
        .evaluateAll((links) => links.map((link) => link.getAttribute('href')));
      expect(addresses.sort()).toEqual(['https://runbooks.example/disk', 'https://runbooks.example/home']);
      expect(await session.alerts.count()).toBe(1);
      await session.bellSays('Alerts: 1 open');
    });

    it('says the next one when the gravest ends, and at the end that one alone', async () => {
      const [data, scratch] = VOLUMES;
      await setting.backend.fire(data, scratch);
      const session = await setting.open();
      const alert = session.alert('Volume nearly full');
      await alert.getByText('Also:').waitFor();
      await setting.backend.resolve(data);
      await alert.getByText('Volume data').waitFor({ state: 'detached' });
      await alert.getByText('Volume scratch is at 91 %.').waitFor();
      expect(await alert.getByText('Also:').count()).toBe(0);
      expect(await alert.locator('.severity').allTextContents()).toEqual(['Warning']);
    });

    it('says at least what it is called where all of its words are the same', async () => {
      await setting.backend.fire({ ...DISK, volume: 'data' }, { ...DISK, volume: 'scratch' });
      const session = await setting.open();
      const line = session.alert('Low disk space').getByRole('listitem');
      expect((await line.textContent())?.replace(/\s+/g, ' ').trim()).toBe('Low disk space Info · just now');
    });

    it('says twenty, and how many more there are', async () => {
      await setting.backend.fire(
        ...Array.from({ length: 25 }, (_, index) => ({
          ...DISK,
          volume: `v-${index}`,
          message: `Volume ${index}`,
        })),
      );
      const session = await setting.open();
      const alert = session.alert('Low disk space');
      await alert.getByText('and 5 more, less grave or older').waitFor();
      expect(await alert.getByRole('listitem').count()).toBe(19);
    });
  });

  describe('dismissing', () => {
    it('takes the alert away at once, for good', async () => {
      await setting.backend.fire(MEMORY, DISK);
      const session = await setting.open();
      await session.button('Dismiss: High memory usage').click();
      await session.alert('High memory usage').waitFor({ state: 'detached' });
      await session.bellSays('Alerts: 1 open');
      await session.page.reload();
      await session.bellSays('Alerts: 1 open');
    });

    it('is taken back, and said, where it fails', async () => {
      await setting.backend.fire(MEMORY, DISK);
      const session = await setting.open();
      await session.page.route('**/alerts/*', (route) =>
        route.request().method() === 'PATCH' ? route.fulfill({ status: 500 }) : route.fallback(),
      );
      await session.button('Dismiss: High memory usage').click();
      await session.panel.getByText('“High memory usage” could not be dismissed.').waitFor();
      await session.says('“High memory usage” could not be dismissed.', 'assertive');
      expect(await session.alerts.count()).toBe(2);

      await session.page.unroute('**/alerts/*');
      await session.button('Dismiss: High memory usage').click();
      await session.alert('High memory usage').waitFor({ state: 'detached' });
      expect(await session.panel.getByText('could not be dismissed').count()).toBe(0);
    });
  });

  describe('what was earlier', () => {
    it('says what ended in the last day, and why', async () => {
      await setting.backend.fire(DISK);
      await setting.backend.resolve(DISK);
      await setting.backend.age('ann', 25 * 3600_000);
      await setting.backend.fire({ ...KILLED, kind: 'condition' });
      await setting.backend.resolve(KILLED);
      await setting.backend.age('ann', 2 * 3600_000);
      await setting.backend.fire(MEMORY);
      const session = await setting.open();
      await session.button('Dismiss: High memory usage').click();
      await session.button('Earlier').click();
      const ended = session.panel.locator('.ended');
      await ended.nth(1).waitFor();
      const words = (await ended.allTextContents()).map((text) => text.replace(/\s+/g, ' ').trim());
      expect(words).toEqual([
        'High memory usage Dismissed by you · just now',
        'Session restarted Over · 2 hr ago',
      ]);
    });

    it('follows what ends while it is open', async () => {
      await setting.backend.fire(MEMORY);
      const session = await setting.open();
      await session.button('Earlier').click();
      await session.panel.getByText('Nothing ended in the last 24 hours.').waitFor();
      await setting.backend.resolve(MEMORY);
      await session.panel.locator('.ended').getByText('High memory usage').waitFor();
    });

    it('says so where it cannot be had, and tries again', async () => {
      const session = await setting.open();
      await session.page.route('**/alerts?status=resolved*', (route) => route.abort());
      await session.bell.click();
      await session.button('Earlier').click();
      await session.panel.getByText('What ended earlier cannot be shown').waitFor();
      await session.page.unroute('**/alerts?status=resolved*');
      await session.button('Try again').click();
      await session.panel.getByText('Nothing ended in the last 24 hours.').waitFor();
    });
  });

  it('tells the page what changes', async () => {
    const session = await setting.open();
    await session.bellSays('Alerts: none');
    await session.page.evaluate(() => {
      const heard: unknown[] = [];
      for (const type of ['session-alerts-change', 'session-alerts-dismiss'] as const) {
        document.addEventListener(type, (event) =>
          heard.push([type, (event as CustomEvent<unknown>).detail]),
        );
      }
      Object.assign(window, { heard });
    });
    const heard = (): Promise<unknown> =>
      session.page.evaluate(() => (window as unknown as { heard: unknown }).heard);
    await setting.backend.fire(MEMORY);
    await session.button('Dismiss: High memory usage').click();
    await session.bellSays('Alerts: none');
    await session.page.waitForFunction(() => (window as unknown as { heard: unknown[] }).heard.length === 3);
    expect(await heard()).toEqual([
      ['session-alerts-change', { open: 1, state: 'live' }],
      ['session-alerts-change', { open: 0, state: 'live' }],
      [
        'session-alerts-dismiss',
        { alert: expect.objectContaining({ title: 'High memory usage' }) as unknown },
      ],
    ]);
  });

  it('speaks the words and the language that the page gives it', async () => {
    await setting.backend.fire(MEMORY);
    await setting.backend.age('ann', 5 * 60_000);
    const session = await setting.open({ attributes: 'lang="de"' });
    await session.page.evaluate(() => {
      const panel = document.querySelector<SessionAlertsElement>('session-alerts');
      if (panel) {
        panel.texts = {
          heading: 'Meldungen',
          bellOpen: { one: 'Eine Meldung', other: '{count} Meldungen' },
          severities: { warning: 'Warnung' },
        };
      }
    });
    const panel = session.page.getByRole('region', { name: 'Meldungen' });
    await panel.getByText('Warnung', { exact: true }).waitFor();
    expect(await panel.locator('time').textContent()).toBe('vor 5 Min.');
    await session.bellSays('Eine Meldung');
    await setting.backend.fire(DISK);
    await session.bellSays('2 Meldungen');
  });
});
