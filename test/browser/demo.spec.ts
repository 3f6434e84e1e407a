import type { Locator, Page } from 'playwright-core';
import { waitUntil } from '../support/server.js';
import { openDemoPage } from './support/demo-page.js';
import { setUp } from './support/setting.js';

describe('The demo page', () => {
  const setting = setUp({ FEED_STALE_AFTER: '2s' });
  let page: Page;
  let ann: Locator;
  let annsOther: Locator;
  let bob: Locator;
  let overview: Locator;

  beforeEach(async () => {
    page = await openDemoPage(setting.browser, setting.backend, { viewport: { width: 1360, height: 900 } });
    ann = page.getByRole('region', { name: 'Ann’s session test-session' });
    annsOther = page.getByRole('region', { name: 'Ann’s session image-labels' });
    bob = page.getByRole('region', { name: 'Bob’s session' });
    overview = page.getByRole('region', { name: 'Ann’s overview' });
    for (const place of [ann, annsOther, bob, overview]) await bellSays(place, 'Alerts: none');
  });
  afterEach(async () => {
    await page.close();
  });

  function press(name: string): Promise<void> {
    return page.getByRole('button', { name, exact: true }).click();
  }

  function choose(name: string): Promise<void> {
    return page.getByRole('radio', { name, exact: true }).check();
  }

  function bellSays(place: Locator, name: string): Promise<void> {
    return place.getByRole('button', { name: new RegExp(`^${name}(, \\d+ new)?$`) }).waitFor();
  }

  function heading(place: Locator, name: string): Locator {
    return place.getByRole('heading', { name, exact: true });
  }

  /** Opens a panel, which a click elsewhere has closed. */
  function openPanel(place: Locator): Promise<void> {
    return place.locator('.bell').click();
  }

  /** Waits until the log says that. */
  function says(text: string): Promise<void> {
    return page.getByRole('log').getByText(text).first().waitFor();
  }

  describe('lets troubles happen:', () => {
    it('to one of two, with an end', async () => {
      await press('Memory high');
      await heading(ann, 'High memory usage').waitFor();
      await ann.getByText('94 %').first().waitFor();
      await says('One webhook: one alert, a warning. Ann is told once. Answered 200: stored 1');
      expect(await heading(bob, 'High memory usage').count()).toBe(0);
      await press('Resolve test-session: Memory high');
      await bellSays(ann, 'Alerts: none');
    });

    it('of two volumes, one of which recovers', async () => {
      await choose('Bob: bobs-session');
      await press('Disk low, two volumes');
      await heading(bob, 'Low disk space').waitFor();
      await says('one alert of two volumes, data and scratch. Bob is told once.');
      await press('Volume data recovers');
      await says('resolved 1');
      await openPanel(bob);
      expect(await heading(bob, 'Low disk space').count()).toBe(1);
      await press('Resolve bobs-session: scratch');
      await bellSays(bob, 'Alerts: none');
    });

    it('a warning that becomes critical, and a warning again', async () => {
      await press('Memory high');
      await ann.getByText('Warning', { exact: true }).waitFor();
      await press('Memory critical');
      await ann.locator('.alert.critical').waitFor();
      await says('A warning becomes critical, and Ann is told once more.');
      await press('Memory back to warning');
      await says('the alert is a warning again');
      await openPanel(ann);
      await ann.locator('.alert.warning').waitFor();
      await heading(ann, 'High memory usage').waitFor();
      await press('Memory back to warning');
      await says('nothing was posted');
    });

    it('a kill that stays until it is dismissed', async () => {
      await press('OOM kill');
      await heading(ann, 'Session restarted').waitFor();
      await ann.getByText('Restarted', { exact: true }).waitFor();
      await press('Resolve test-session: OOM kill');
      await says(
        'An OOM kill has happened; it stays until Ann dismisses it. Answered 200: stored 0, resolved 1',
      );
      await openPanel(ann);
      await ann.getByRole('button', { name: 'Dismiss: Session restarted' }).click();
      await bellSays(ann, 'Alerts: none');
    });

    it('an action, a long message, and words from right to left', async () => {
      await press('With an action');
      await ann.getByRole('link', { name: 'Get a larger volume' }).waitFor();
      await press('Long message');
      await ann.getByRole('button', { name: 'Show all: Why your session is slow' }).waitFor();
      await ann.getByRole('table').waitFor();
      await press('Arabic title');
      const title = ann.locator('.title', { hasText: 'مساحة' });
      expect(await title.evaluate((element) => getComputedStyle(element).direction)).toBe('rtl');
    });

    it('a storm', async () => {
      await press('Storm');
      await bellSays(ann, 'Alerts: 24 open');
      await page.reload();
      await bellSays(ann, 'Alerts: 24 open');
      await press('Resolve all');
      await bellSays(ann, 'Alerts: none');
    });

    it('a critical one among many', async () => {
      await press('A critical one among many');
      await bellSays(ann, 'Alerts: 41 open');
      expect(await ann.locator('.alert .title').first().textContent()).toBe(
        'Your session is stopped in ten minutes',
      );
    });

    it('by the keyboard alone', async () => {
      await page.getByRole('radio', { name: 'Ann: test-session' }).focus();
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      await heading(bob, 'High memory usage').waitFor();
    });
  });

  it('shows the alerts of both of Ann’s sessions in her overview, which leads to them', async () => {
    await press('Memory high');
    await choose('Ann: image-labels');
    await press('OOM kill');
    await bellSays(ann, 'Alerts: 1 open');
    await bellSays(annsOther, 'Alerts: 1 open');
    await overview.getByRole('button', { name: 'Alerts: 2 open' }).click();
    await overview.getByRole('link', { name: 'Session image-labels' }).click();
    expect(new URL(page.url()).hash).toBe('#session-image-labels');
    await waitUntil(async () => {
      const box = await annsOther.boundingBox();
      return box !== null && box.y < 450;
    });
    // Three panels of Ann's and one of Bob's.
    expect(await setting.backend.openStreams()).toBe(2);
  });

  describe('lets faults happen:', () => {
    it('the watchdog stays away, and comes again', async () => {
      await choose('Comes');
      await choose('Stays away');
      await bob.getByText('Panel: 0 open, stale').waitFor();
      await choose('Comes');
      await bob.getByText('Panel: 0 open, live').waitFor();
    });

    it('the server is away, and comes back with what has happened', async () => {
      await choose('Server away');
      await ann.getByText('Panel: 0 open, down').waitFor();
      await press('Memory high');
      await says('stored 1');
      expect(await heading(ann, 'High memory usage').count()).toBe(0);
      await choose('Normal');
      await heading(ann, 'High memory usage').waitFor();
      await ann.getByText('Panel: 1 open, live').waitFor();
    });

    it('streams are blocked, and polling stands in', async () => {
      await choose('Stream blocked');
      await ann.getByText('Panel: 0 open, polling').waitFor();
      await press('Memory high');
      await heading(ann, 'High memory usage').waitFor();
      await choose('Normal');
      await ann.getByText('Panel: 1 open, live').waitFor();
    });

    it('the network is slow', async () => {
      await choose('Slow');
      await says('The network is slow');
      const start = performance.now();
      await press('Memory high');
      await heading(ann, 'High memory usage').waitFor();
      expect(performance.now() - start).toBeGreaterThan(900);
    });

    it('on the panels’ way alone', async () => {
      await choose('Server away');
      await says('The panels do not reach the server');
      const response = await fetch(`${setting.backend.url}/api/data/alerts`, {
        headers: { Authorization: `Bearer ${await setting.backend.token('ann')}` },
      });
      expect(response.status).toBe(200);
    });
  });

  describe('changes how the panels look:', () => {
    it('their language', async () => {
      await press('Memory high');
      await page.getByLabel('Language').selectOption('de');
      await heading(ann, 'Meldungen').waitFor();
      await page.getByLabel('Language').selectOption('rm');
      await heading(ann, 'Alerts').waitFor();
    });

    it('their theme', async () => {
      await choose('Dark');
      const scheme = (): Promise<string[]> =>
        page.evaluate(() =>
          [document.documentElement, document.querySelector('session-alerts')].map((element) =>
            element ? getComputedStyle(element).colorScheme : '',
          ),
        );
      expect(await scheme()).toEqual(['dark', 'dark']);
      await choose('Light');
      expect(await scheme()).toEqual(['light', 'light']);
    });

    it('their direction', async () => {
      await press('Memory high');
      await heading(ann, 'High memory usage').waitFor();
      await choose('Right to left');
      const direction = await ann.locator('.panel').evaluate((panel) => getComputedStyle(panel).direction);
      expect(direction).toBe('rtl');
    });

    it.each([375, 320])('the width of their window, %i px', async (width) => {
      await choose(`${width} px`);
      const frame = page.frameLocator('iframe');
      const framed = frame.getByRole('region', { name: 'Ann’s session test-session' });
      await bellSays(framed, 'Alerts: none');
      await press('Memory high');
      await heading(framed, 'High memory usage').waitFor();
      await framed.getByText('94 %').first().waitFor();
      const inside = await frame
        .locator('html')
        .evaluate((root) => root.ownerDocument.defaultView?.innerWidth);
      expect(inside).toBe(width);
      await choose('Dark');
      // The other window hears of it a moment later.
      const scheme = (): Promise<string> =>
        frame.locator('html').evaluate((root) => getComputedStyle(root).colorScheme);
      await waitUntil(async () => (await scheme()) === 'dark');
    });

    it('what they tell by themselves', async () => {
      await page.getByLabel('Quiet').check();
      await page.getByLabel('Count in the tab').check();
      await page.getByLabel('Notifications').check();
      await press('Memory high');
      await bellSays(ann, 'Alerts: 1 open');
      await waitUntil(async () => (await page.title()) === '(1) Session alerts');
      expect(await heading(ann, 'High memory usage').count()).toBe(0);
      await ann.getByRole('button', { name: 'Alerts: 1 open' }).click();
      await ann.locator('[part=notify], .hint').first().waitFor();
    });
  });

  it('has a dialog that stops a session, which no panel opens in front of', async () => {
    await press('OOM kill');
    await heading(ann, 'Session restarted').waitFor();
    await page.keyboard.press('Escape');
    await press('Stop test-session');
    const dialog = page.getByRole('dialog', { name: 'Stop the session?' });
    await dialog.waitFor();
    await setting.backend.fire({
      user: 'KEYCLOAK_USER_ID',
      session: 'test-session',
      name: 'x',
      title: 'Another',
    });
    await ann.getByText('Panel: 2 open, live').waitFor();
    expect(await heading(ann, 'Another').count()).toBe(0);
    await dialog.getByRole('button', { name: 'Yes, stop it' }).click();
    await says('The session test-session has ended: all its alerts are closed, events as well. Closed 2.');
    await ann.getByText('Panel: 0 open, live').waitFor();
  });

  it('remembers in a reload what fires and what was done', async () => {
    await press('Memory high');
    await says('Ann is told once.');
    await page.reload();
    await says('Ann is told once.');
    await press('Memory high');
    await says('The same once more');
    await press('Resolve test-session: Memory high');
    await bellSays(ann, 'Alerts: none');
  });

  it.each([
    ['wide', { width: 1360, height: 900 }],
    ['narrow', { width: 390, height: 844 }],
  ])('keeps its controls in view and off what has the focus: %s', async (_, viewport) => {
    await page.setViewportSize(viewport);
    const strip = page.getByRole('complementary', { name: 'Controls' });
    for (const place of [ann, bob, annsOther]) {
      const cell = place.getByRole('textbox');
      await cell.focus();
      const [controls, focus] = [await strip.boundingBox(), await cell.boundingBox()];
      if (!controls || !focus) throw new Error('Not in view');
      expect(controls.y).toBe(0);
      expect(focus.x >= controls.x + controls.width || focus.y >= controls.y + controls.height).toBe(true);
      expect(focus.y).toBeLessThan(viewport.height);
    }
  });
});
