import { waitUntil } from '../support/server.js';
import { violations } from './support/axe.js';
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

describe('The panel', () => {
  const setting = setUp();

  const colours = [{ colorScheme: 'light' }, { colorScheme: 'dark' }, { forcedColors: 'active' }] as const;
  const looks = [
    ...['en', 'de', 'fr', 'it'].flatMap((lang) =>
      colours.map((colour) => ({ ...colour, attributes: `lang="${lang}"` })),
    ),
    { colorScheme: 'dark', attributes: 'theme="light"' },
    { colorScheme: 'light', attributes: 'theme="dark"' },
    { attributes: 'lang="it" dir="rtl"' },
  ] as const;

  it.each(looks)('has nothing that axe finds wrong, %j', async (look) => {
    const session = await setting.open({ ...look, session: '', reducedMotion: 'reduce' });
    const panel = session.page.locator('session-alerts .panel');
    const wrong = (): Promise<string[]> => violations(session.page);
    await session.page.locator('session-alerts .bell[aria-label]').waitFor();
    await session.bell.click();
    await panel.locator('.empty strong').waitFor();
    expect(await wrong()).toEqual([]);

    await setting.backend.fire({ ...DISK, name: 'x', title: 'Ended' });
    await setting.backend.resolve({ ...DISK, name: 'x' });
    await setting.backend.fire(
      ...['odd', 'page', 'minor', 'none'].map((severity) => ({ ...DISK, name: severity, severity })),
      { ...FORMATTED, message: `${FORMATTED.message}${'\n\nmore'.repeat(20)}` },
      { ...DISK, session: 's-2' },
      MEMORY,
      KILLED,
      ...VOLUMES,
    );
    await setting.backend.setFeed('stale');
    await panel.locator('#earlier').click();
    await panel.locator('.ended button').click();
    await panel.locator('.ended .message').waitFor();
    await panel.locator('.content > .notice').waitFor();
    await panel.locator('[part=show-all]').waitFor();
    await waitUntil(() => panel.locator('[part=dismiss-all]').first().isEnabled());
    expect(await wrong()).toEqual([]);

    await session.page.route('**/alerts/*', (route) =>
      route.request().method() === 'PATCH' ? route.abort() : route.fallback(),
    );
    await panel.locator('.alert', { hasText: 'High memory usage' }).locator('[part=dismiss]').click();
    await panel.locator('[part=undo]').waitFor();
    expect(await wrong()).toEqual([]);
    await panel.locator('.failure').waitFor();
    expect(await wrong()).toEqual([]);

    await panel.locator('.close').click();
    expect(await wrong()).toEqual([]);
  });

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

    expect(await press('Tab')).toMatch(/^Alerts: 3 open/);
    await press('Enter');
    await session.panel.waitFor();
    await press('Enter');
    await session.panel.waitFor({ state: 'hidden' });
    await press('Space');
    await session.panel.waitFor();

    await session.button('Settings').waitFor();
    expect(await press('Tab')).toBe('Settings');
    expect(await press('Tab')).toBe('Close');
    // What dismisses all that was read can be used once something was.
    await waitUntil(() => session.panel.locator('[part=dismiss-all]').isEnabled());
    expect(await press('Tab')).toBe('Dismiss all read (3)');
    expect(await press('Tab')).toBe('Dismiss: Session restarted');
    expect(await press('Tab')).toBe('Mute: Session restarted');
    expect(await press('Tab')).toBe('What to do: High memory usage (opens in a new tab)');
    expect(await press('Tab')).toBe('Dismiss: High memory usage');
    expect(await press('Tab')).toBe('Mute: High memory usage');
    expect(await press('Tab')).toBe('Dismiss: Low disk space');
    expect(await press('Tab')).toBe('Mute: Low disk space');
    expect(await press('Tab')).toBe('Earlier');
    await press('Space');
    await session.panel.getByText('Nothing ended').waitFor();
    expect(await press('Tab')).toBe('notebook');

    expect(await press('Shift+Tab', 'Shift+Tab', 'Shift+Tab', 'Shift+Tab', 'Shift+Tab')).toBe(
      'Dismiss: High memory usage',
    );
    await press('Enter');
    await session.says('Dismissed: High memory usage');
    // The focus is on what keeps it, in its place, and back again.
    expect(await session.focused()).toBe('Undo: High memory usage');
    await press('Enter');
    expect(await session.focused()).toBe('Dismiss: High memory usage');
    await press('Enter');
    await session.alert('High memory usage').waitFor({ state: 'detached' });
    expect(await session.focused()).toBe('Dismiss: Low disk space');
    await press('Enter');
    await session.alert('Low disk space').waitFor({ state: 'detached' });
    expect(await session.focused()).toBe('Dismiss: Session restarted');
    await press('Enter');
    await session.panel.getByText('No alerts').waitFor();
    expect(await session.focused()).toBe('Close');

    // What ended last is first.
    expect(await press('Tab', 'Tab')).toBe('Session restarted');
    await press('Enter');
    await session.panel.getByText('It ran out of memory.').waitFor();
    expect(await press('Escape')).toBe('Alerts: none');
    await session.panel.waitFor({ state: 'hidden' });
    expect(await press('Tab')).toBe('notebook');
  });

  it('can be walked through with the keyboard by session', async () => {
    await setting.backend.fire(KILLED, DISK, { ...MEMORY, session: 's-2' }, { ...DISK, session: 's-2' });
    const session = await setting.open({ session: '', attributes: 'session-href="/sessions/{session}"' });
    await session.panel.waitFor();
    await session.bell.focus();
    await waitUntil(() => session.panel.locator('[part=dismiss-all]').first().isEnabled());
    await session.alerts.last().scrollIntoViewIfNeeded();
    await waitUntil(() => session.panel.locator('[part=dismiss-all]').last().isEnabled());
    const walked: string[] = [];
    for (let key = 0; key < 12; key += 1) {
      await session.page.keyboard.press('Tab');
      walked.push((await session.focused()).replace(/\(\d\)/, '(n)'));
    }
    expect(walked).toEqual([
      'Close',
      'Dismiss all read (n)',
      'Session s-1',
      'Dismiss all read (n): Session s-1',
      'Dismiss: Session restarted',
      'Dismiss: Low disk space',
      'Session s-2',
      'Dismiss all read (n): Session s-2',
      'What to do: High memory usage (opens in a new tab)',
      'Dismiss: High memory usage',
      'Dismiss: Low disk space',
      'Earlier',
    ]);
  });

  it('leaves the focus where it is when it opens by itself', async () => {
    const session = await setting.open();
    await session.bellSays('Alerts: none');
    await session.page.locator('#notebook').focus();
    await setting.backend.fire(MEMORY);
    await session.panel.waitFor();
    await session.page.keyboard.type('import numpy');
    expect(await session.page.locator('#notebook').inputValue()).toBe('import numpy');
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
    expect(await session.focused()).toBe('What to do: High memory usage (opens in a new tab)');
    await setting.backend.fire({ ...MEMORY, severity: 'critical' });
    await session.alert('High memory usage').getByText('Critical').waitFor();
    expect(await session.focused()).toBe('What to do: High memory usage (opens in a new tab)');
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
    await session.says('Now warning: Low disk space');
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
    await page.getByRole('button', { name: 'Alerts: none' }).nth(3).waitFor();
    expect(await violations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Memory high' }).click();
    await page.getByRole('region', { name: 'Alerts' }).waitFor();
    await page.getByText('Answered 200: stored 1').waitFor();
    expect(await violations(page)).toEqual([]);
    await page.getByRole('radio', { name: '320 px' }).check();
    await page.frameLocator('iframe').getByRole('region', { name: 'Ann’s overview' }).waitFor();
    expect(await violations(page)).toEqual([]);
    await page.close();
  });
});
