import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { openDemoPage } from './support/demo-page.js';
import { DISK, KILLED, MEMORY, VOLUMES, setUp } from './support/setting.js';

const FORMATTED = {
  user: 'ann',
  session: 's-1',
  name: 'formatted',
  title: 'Formatted',
  message:
    '**bold** `code` [link](https://a.example)\n\n> quote\n\n1. one\n2. two\n\n```\ncode\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n---\n\nend',
};

/** What axe finds wrong with a page, in short. */
async function violations(page: Page): Promise<string[]> {
  const path = createRequire(__filename).resolve('axe-core/axe.min.js');
  await page.evaluate(await readFile(path, 'utf8'));
  const { violations: found } = await page.evaluate(() =>
    (window as unknown as { axe: { run(options: unknown): Promise<AxeResults> } }).axe.run({
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    }),
  );
  return found.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html}`));
}

describe('The panel', () => {
  const setting = setUp();

  for (const colorScheme of ['light', 'dark'] as const) {
    for (const attributes of ['', 'theme="light"', 'theme="dark"']) {
      it(`has nothing that axe finds wrong, ${colorScheme} ${attributes}`, async () => {
        const session = await setting.open({ colorScheme, attributes, reducedMotion: 'reduce' });
        await session.bellSays('Alerts: none');
        expect(await violations(session.page)).toEqual([]);

        await session.bell.click();
        await session.panel.getByText('No alerts').waitFor();
        expect(await violations(session.page)).toEqual([]);

        await setting.backend.fire({ ...DISK, name: 'x', title: 'Ended' });
        await setting.backend.resolve({ ...DISK, name: 'x' });
        await setting.backend.fire(
          { ...DISK, name: 'y', severity: 'odd', title: 'Odd' },
          FORMATTED,
          DISK,
          MEMORY,
          KILLED,
          ...VOLUMES,
        );
        await setting.backend.setFeed('stale');
        await session.button('Earlier').click();
        await session.panel.locator('.ended').waitFor();
        await session.panel.getByText('out of date').waitFor();
        expect(await violations(session.page)).toEqual([]);

        await session.page.route('**/alerts/*', (route) =>
          route.request().method() === 'PATCH' ? route.abort() : route.fallback(),
        );
        await session.button('Dismiss: High memory usage').click();
        await session.panel.getByText('could not be dismissed').waitFor();
        await session.panel.locator('.content').evaluate((content) => {
          content.scrollTo(0, 0);
        });
        expect(await violations(session.page)).toEqual([]);

        await session.button('Close').click();
        expect(await violations(session.page)).toEqual([]);
      });
    }
  }

  it('can be walked through with the keyboard alone', async () => {
    await setting.backend.fire(DISK, MEMORY, KILLED);
    const session = await setting.open();
    const press = async (...keys: string[]): Promise<string> => {
      for (const key of keys) await session.page.keyboard.press(key);
      return session.focused();
    };
    await session.panel.waitFor();
    // Then it does not open by itself again.
    await session.page.reload();
    await session.bellSays('Alerts: 3 open');

    expect(await press('Tab')).toBe('Alerts: 3 open');
    await press('Enter');
    await session.panel.waitFor();
    await press('Enter');
    await session.panel.waitFor({ state: 'hidden' });
    await press('Space');
    await session.panel.waitFor();

    expect(await press('Tab')).toBe('Close');
    expect(await press('Tab')).toBe('Dismiss: Session restarted');
    expect(await press('Tab')).toBe('What to do');
    expect(await press('Tab')).toBe('Dismiss: High memory usage');
    expect(await press('Tab')).toBe('Dismiss: Low disk space');
    expect(await press('Tab')).toBe('Earlier');
    await press('Space');
    await session.panel.getByText('Nothing ended').waitFor();
    expect(await press('Tab')).toBe('notebook');

    expect(await press('Shift+Tab', 'Shift+Tab', 'Shift+Tab')).toBe('Dismiss: High memory usage');
    await press('Enter');
    await session.alert('High memory usage').waitFor({ state: 'detached' });
    await session.says('Dismissed: High memory usage');
    expect(await session.focused()).toBe('Dismiss: Low disk space');
    await press('Enter');
    await session.alert('Low disk space').waitFor({ state: 'detached' });
    expect(await session.focused()).toBe('Dismiss: Session restarted');
    await press('Enter');
    await session.panel.getByText('No alerts').waitFor();
    expect(await session.focused()).toBe('Close');

    expect(await press('Escape')).toBe('Alerts: none');
    await session.panel.waitFor({ state: 'hidden' });
    expect(await press('Tab')).toBe('notebook');
  });

  it('leaves the focus where it is when it opens by itself, and Escape to the page', async () => {
    const session = await setting.open();
    await session.bellSays('Alerts: none');
    await session.page.locator('#notebook').focus();
    await setting.backend.fire(MEMORY);
    await session.panel.waitFor();
    await session.page.keyboard.type('import numpy');
    expect(await session.page.locator('#notebook').inputValue()).toBe('import numpy');
    await session.page.keyboard.press('Escape');
    expect(await session.panel.isVisible()).toBe(true);
  });

  it('moves the focus on where the alert that has it ends', async () => {
    await setting.backend.fire(DISK, MEMORY);
    const session = await setting.open();
    await session.button('Dismiss: High memory usage').focus();
    await setting.backend.resolve(MEMORY);
    await session.alert('High memory usage').waitFor({ state: 'detached' });
    expect(await session.focused()).toBe('Dismiss: Low disk space');
  });

  it('lets the focus go along with an alert that another one overtakes', async () => {
    await setting.backend.fire(DISK, MEMORY);
    const session = await setting.open();
    await session.button('Dismiss: High memory usage').focus();
    await setting.backend.fire({ ...DISK, severity: 'critical' });
    await session.alert('Low disk space').getByText('Critical').waitFor();
    expect(await session.focused()).toBe('Dismiss: High memory usage');
    await session.page.keyboard.press('Shift+Tab');
    expect(await session.focused()).toBe('What to do');
    await setting.backend.fire({ ...MEMORY, severity: 'critical' });
    await session.alert('High memory usage').getByText('Critical').waitFor();
    expect(await session.focused()).toBe('What to do');
  });

  it('says aloud what begins and ends, and what is critical at once', async () => {
    const session = await setting.open();
    await session.bellSays('Alerts: none');
    await setting.backend.fire(MEMORY);
    await session.says('New alert: Warning: High memory usage');
    await setting.backend.resolve(MEMORY);
    await session.says('Alert ended: Warning: High memory usage');
    await setting.backend.fire(MEMORY, DISK);
    await session.says('2 new alerts: Warning: High memory usage; Info: Low disk space');
    await setting.backend.fire(KILLED);
    await session.says('New alert: Critical: Session restarted', 'assertive');
    await setting.backend.fire({ ...DISK, severity: 'warning' });
    await session.says('Now Warning: Low disk space');
    await setting.backend.fire({ ...MEMORY, severity: 'critical' }, { ...DISK, severity: 'critical' });
    await session.says(
      '2 alerts are graver now: Critical: Low disk space; Critical: High memory usage',
      'assertive',
    );
  });

  it('says nothing of what was seen before', async () => {
    await setting.backend.fire(MEMORY);
    const session = await setting.open();
    await session.says('New alert: Warning: High memory usage');
    await session.page.reload();
    await session.bellSays('Alerts: 1 open');
    expect(await session.page.locator('session-alerts [aria-live]').allTextContents()).toEqual(['', '']);
  });

  it('has targets of 24 pixels and more', async () => {
    await setting.backend.fire(DISK, MEMORY);
    const session = await setting.open();
    await session.panel.waitFor();
    for (const target of await session.page
      .locator('session-alerts button, session-alerts .actions a')
      .all()) {
      const box = await target.boundingBox();
      expect(Math.min(box?.width ?? 0, box?.height ?? 0)).toBeGreaterThanOrEqual(24);
    }
  });

  it('fills a narrow window, and is cut off nowhere', async () => {
    await setting.backend.fire(
      ...Array.from({ length: 12 }, (_, index) => ({ ...MEMORY, name: `n-${index}` })),
    );
    const session = await setting.open({ viewport: { width: 320, height: 480 } });
    await session.panel.waitFor();
    const box = await session.panel.boundingBox();
    expect(box).toMatchObject({ x: 8, width: 304 });
    expect((box?.y ?? 0) + (box?.height ?? 0)).toBeLessThanOrEqual(472);
    expect(await session.page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
  });

  it('does not move where motion is not wanted', async () => {
    await setting.backend.fire(MEMORY);
    const session = await setting.open({ reducedMotion: 'reduce' });
    await session.panel.waitFor();
    const animation = await session.panel.evaluate((panel) => getComputedStyle(panel).animationName);
    expect(animation).toBe('none');
  });

  it('keeps its marks where colours are forced', async () => {
    await setting.backend.fire(MEMORY);
    const session = await setting.open({ forcedColors: 'active' });
    await session.panel.waitFor();
    const border = await session.bell
      .locator('.badge')
      .evaluate((badge) => getComputedStyle(badge).borderTopStyle);
    expect(border).toBe('solid');
  });
});

describe('The demo page', () => {
  const setting = setUp();

  it.each(['light', 'dark'] as const)('has nothing that axe finds wrong, %s', async (colorScheme) => {
    const page = await openDemoPage(setting.browser, setting.backend, {
      colorScheme,
      reducedMotion: 'reduce',
      viewport: { width: 1360, height: 900 },
    });
    await page.getByRole('button', { name: 'Alerts: none' }).nth(1).waitFor();
    expect(await violations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Memory high' }).click();
    await page.getByRole('region', { name: 'Alerts' }).waitFor();
    await page.getByText('Answered 200: stored 1').waitFor();
    expect(await violations(page)).toEqual([]);
    await page.close();
  });
});
