import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { Backend } from './support/backend.js';
import { launchBrowser } from './support/browser.js';
import { openDemoPage } from './support/demo-page.js';
import { OFFERED, offerChannels } from './support/preferences.js';
import { SessionPage } from './support/session-page.js';
import type { SessionPageOptions } from './support/session-page.js';

/** Folder that the pictures go to; without one the file is left out. */
const FOLDER = process.env['SCREENSHOTS'] ?? '';

const ann = { user: 'ann', session: 's-1' };
const wide = { viewport: { width: 900, height: 680 } };
const narrow = { viewport: { width: 375, height: 667 }, deviceScaleFactor: 2 };

describe('Pictures', () => {
  let browser: Browser;
  let backend: Backend;

  beforeAll(async () => {
    await mkdir(FOLDER, { recursive: true });
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser.close();
  });
  beforeEach(async () => {
    backend = await Backend.create();
  });
  afterEach(async () => {
    await backend.close();
  });

  async function fireAll(): Promise<void> {
    await backend.fire({
      ...ann,
      name: 'RenkuSessionLongRunning',
      title: 'Your session has been running for three days',
      message: 'It is stopped after **seven**. See [how to keep your work](https://example.org/keep).',
      severity: 'info',
    });
    await backend.age('ann', 3 * 3600_000);
    await backend.fire({
      ...ann,
      name: 'RenkuSessionOOMKilled',
      title: 'Session restarted',
      message: 'It ran out of memory and was restarted. What was not saved is lost.',
      severity: 'critical',
      kind: 'event',
      runbookUrl: 'https://example.org/oom',
    });
    await backend.age('ann', 12 * 60_000);
    await backend.fire({
      ...ann,
      name: 'RenkuSessionHighMemory',
      title: 'High memory usage',
      message:
        'Memory usage is at **94 %** of 8 GiB.\n\n- close kernels that you do not need\n- `del` large data frames',
      severity: 'warning',
      runbookUrl: 'https://example.org/memory',
    });
  }

  async function fireEarlier(): Promise<void> {
    for (const [name, title] of [
      ['a', 'Low disk space'],
      ['b', 'High CPU usage'],
    ] as const) {
      await backend.fire({ ...ann, name, title, severity: 'warning' });
      await backend.resolve({ ...ann, name });
      await backend.age('ann', 47 * 60_000);
    }
  }

  async function take(
    name: string,
    options: SessionPageOptions,
    prepare: (session: SessionPage) => Promise<void>,
  ): Promise<void> {
    const session = await SessionPage.open(browser, backend, options);
    await prepare(session);
    await session.page.waitForTimeout(400);
    await session.page.screenshot({ path: join(FOLDER, `${name}.png`) });
    await session.close();
  }

  for (const colorScheme of ['light', 'dark'] as const) {
    it(`of the open panel, ${colorScheme}`, async () => {
      await fireAll();
      await take(`open-${colorScheme}`, { ...wide, colorScheme }, async (session) => {
        await session.alerts.nth(2).waitFor();
      });
    });

    it(`of the closed panel, ${colorScheme}`, async () => {
      await fireAll();
      await take(`closed-${colorScheme}`, { ...wide, colorScheme, deviceScaleFactor: 2 }, async (session) => {
        await session.panel.getByRole('button', { name: 'Close' }).click();
      });
    });

    it(`of no alerts, and what was earlier, ${colorScheme}`, async () => {
      await fireEarlier();
      await take(`empty-${colorScheme}`, { ...wide, colorScheme }, async (session) => {
        await session.bell.click();
        await session.panel.getByText('No alerts').waitFor();
      });
      await take(`earlier-${colorScheme}`, { ...wide, colorScheme }, async (session) => {
        await session.bell.click();
        await session.panel.getByRole('button', { name: 'Earlier' }).click();
        await session.panel.getByText('Low disk space').waitFor();
      });
    });

    it(`of alerts that may be out of date, ${colorScheme}`, async () => {
      await fireAll();
      await take(`stale-${colorScheme}`, { ...wide, colorScheme }, async (session) => {
        await backend.setFeed('stale');
        await session.panel.getByText('may be out of date').waitFor();
        await backend.stop();
        await session.panel.getByRole('button', { name: 'Dismiss: High memory usage' }).click();
        await session.panel.getByText('could not be dismissed').waitFor();
      });
    });

    it(`of what is not known, ${colorScheme}`, async () => {
      await take(`unknown-${colorScheme}`, { ...wide, colorScheme }, async (session) => {
        await session.bell.click();
        await session.panel.getByText('No alerts').waitFor();
        await backend.stop();
        await session.panel.getByText('not known').waitFor();
      });
    });
  }

  const volumes = ['data', 'scratch', 'home'].map((volume, index) => ({
    ...ann,
    name: 'RenkuSessionHighDiskUsage',
    volume,
    title: 'Low disk space',
    message: `Volume **${volume}** is at ${97 - index * 3} %.`,
    severity: index === 0 ? 'critical' : 'warning',
    runbookUrl: 'https://example.org/disk',
  }));

  it.each([
    ['light', { ...wide, colorScheme: 'light' }],
    ['dark', { ...wide, colorScheme: 'dark' }],
    ['narrow', narrow],
  ] as const)('of several series that fire behind an alert: %s', async (name, options) => {
    await backend.fire(...volumes.slice(1));
    await backend.age('ann', 25 * 60_000);
    await backend.fire(...volumes.slice(0, 1), {
      ...ann,
      name: 'RenkuSessionHighDiskUsage',
      volume: 'cache',
      title: 'Files run out',
      message: 'Volume **cache** has room for 400 files more.',
      severity: 'info',
      runbookUrl: 'https://example.org/files',
    });
    await take(`series-${name}`, options, async (session) => {
      await session.alert('Low disk space').getByText('Files run out').waitFor();
    });
  });

  it('of more series than are listed', async () => {
    await backend.fire(
      ...Array.from({ length: 25 }, (_, index) => ({ ...volumes[1]!, volume: `v-${index}` })),
    );
    await take('series-many', wide, async (session) => {
      await session.panel.getByText('and 5 more').scrollIntoViewIfNeeded();
    });
  });

  it('of more alerts than are listed', async () => {
    await backend.fire(
      ...Array.from({ length: 1200 }, (_, index) => ({
        ...ann,
        name: `n-${index}`,
        title: `Job ${index + 1} failed`,
        message: '`train.py` ended with code 1.',
        severity: index % 300 === 0 ? 'critical' : 'warning',
      })),
    );
    await take('many-top', wide, async (session) => {
      await session.bellSays('Alerts: 1,200 open');
    });
    await take('many-end', wide, async (session) => {
      const more = session.panel.getByText('and 700 more');
      await more.scrollIntoViewIfNeeded();
    });
    await take('many-all', wide, async (session) => {
      const more = session.panel.getByRole('button', { name: /^Show \d+ more$/ });
      await more.waitFor();
      while (await more.count()) await more.click();
      await session.panel.getByText('and 700 more').scrollIntoViewIfNeeded();
    });
  });

  it('of an alert that becomes graver', async () => {
    await fireAll();
    await take('graver', wide, async (session) => {
      await session.button('Close').click();
      await session.panel.waitFor({ state: 'hidden' });
      await backend.fire({
        ...ann,
        name: 'RenkuSessionLongRunning',
        title: 'Your session is stopped in ten minutes',
        message: 'It has been running for seven days.',
        severity: 'critical',
      });
      await session.panel.waitFor();
    });
  });

  const looks = {
    light: { ...wide, colorScheme: 'light' },
    dark: { ...wide, colorScheme: 'dark' },
    narrow,
  } as const;
  const tongues = { en: 'lang="en"', de: 'lang="de"', rtl: 'dir="rtl" lang="en"' };

  it.each(
    Object.keys(looks).flatMap((look) =>
      Object.keys(tongues).map((tongue): [keyof typeof looks, keyof typeof tongues] => [
        look as keyof typeof looks,
        tongue as keyof typeof tongues,
      ]),
    ),
  )('of several sessions, of a long message, and of what can be undone: %s, %s', async (look, tongue) => {
    await fireAll();
    await backend.fire(
      {
        ...ann,
        session: 'training-2',
        name: 'RenkuSessionProgramKilled',
        title: tongue === 'rtl' ? 'توقف البرنامج' : 'A program was stopped',
        message: `\`train.py\` used more memory than there is.\n\n| process | memory | user |\n|---|---|---|\n| a_very_long_name_of_a_process_that_does_not_end | 12,345,678 kB | jane-doe-7f3a9c |\n\n${'- one more line of what it has to say\n'.repeat(20)}`,
        severity: 'high',
      },
      {
        ...ann,
        session: 'training-2',
        name: 'a',
        title: 'Scratch is cleaned tonight',
        message: 'At 3.',
        severity: 'minor',
      },
    );
    await take(
      `sessions-end-${look}-${tongue}`,
      { ...looks[look], session: '', attributes: `${tongues[tongue]} session-href="/s/{session}"` },
      async (session) => {
        const panel = session.page.locator('session-alerts .panel');
        await panel.locator('.alert').nth(4).waitFor();
        await panel.locator('#earlier').scrollIntoViewIfNeeded();
      },
    );
    await take(
      `sessions-${look}-${tongue}`,
      { ...looks[look], session: '', attributes: `${tongues[tongue]} session-href="/s/{session}"` },
      async (session) => {
        const panel = session.page.locator('session-alerts .panel');
        await panel.locator('.alert').nth(4).waitFor();
        await panel.locator('[part=dismiss]').nth(1).click();
        await panel.locator('[part=undo]').waitFor();
      },
    );
  });

  it('of a storm, and of the focus', async () => {
    await backend.fire(
      ...Array.from({ length: 45 }, (_, index) => ({
        ...ann,
        name: `n-${index}`,
        title: `Job ${index + 1} failed`,
        message: '`train.py` ended with code 1.',
      })),
    );
    await take('storm', wide, async (session) => {
      await session.button('Close').focus();
      await session.page.keyboard.press('Tab');
    });
  });

  it('of a narrow window', async () => {
    await fireAll();
    await take('narrow', narrow, async (session) => {
      await session.alerts.nth(2).waitFor();
    });
  });

  it.each([
    ['settings-light', { ...wide, colorScheme: 'light' }, 'en'],
    ['settings-dark', { ...wide, colorScheme: 'dark' }, 'de'],
    ['settings-forced', { ...wide, forcedColors: 'active' }, 'it'],
    ['settings-narrow', narrow, 'fr'],
  ] as const)('of the settings, of a mute, and of what was seen: %s', async (name, options, lang) => {
    await fireAll();
    const prepare = async (page: Page): Promise<void> => {
      await offerChannels(page, {
        offered: OFFERED,
        channels: { email: { enabled: true, severity: 'error' } },
      });
    };
    const attributes = `quiet push-worker="/push-worker.js" lang="${lang}"`;
    await take(`${name}-mute`, { ...options, attributes, prepare }, async ({ page }) => {
      await page.locator('session-alerts .bell .badge').waitFor();
      await page.locator('session-alerts .bell').click();
      await page.locator('session-alerts [part=mute]').nth(1).click();
      await page.locator('session-alerts .mute').scrollIntoViewIfNeeded();
    });
    await take(name, { ...options, attributes, prepare }, async ({ page }) => {
      await page.locator('session-alerts .bell .badge').waitFor();
      await page.locator('session-alerts .bell').click();
      await page.locator('session-alerts [part=mute]').nth(1).click();
      await page.locator('session-alerts .mute .button').first().click();
      await page.locator('session-alerts .mute').waitFor({ state: 'detached' });
      await page.locator('session-alerts .gear').click();
      await page.locator('session-alerts .settings .choice input').last().check();
    });
    await take(`${name}-end`, { ...options, attributes, prepare }, async ({ page }) => {
      await page.locator('session-alerts .bell').click();
      await page.locator('session-alerts .gear').click();
      await page.locator('session-alerts .save').click();
      await page.locator('session-alerts .settings [role=status]', { hasText: '.' }).waitFor();
      await page.locator('session-alerts .muted').last().scrollIntoViewIfNeeded();
    });
    await take(
      `${name}-seen`,
      { ...options, attributes, prepare, deviceScaleFactor: 2 },
      async ({ page }) => {
        await page.locator('session-alerts .bell').click();
        await page.locator('session-alerts .badge.mark').waitFor();
      },
    );
  });

  it.each([
    ['demo-light', { viewport: { width: 1360, height: 800 }, colorScheme: 'light' }],
    ['demo-dark', { viewport: { width: 1360, height: 800 }, colorScheme: 'dark' }],
    ['demo-narrow', { viewport: { width: 390, height: 844 } }],
  ] as const)('of the demo page: %s', async (name, options) => {
    const page = await openDemoPage(browser, backend, options);
    await page.getByRole('button', { name: 'Memory high' }).click();
    await page.getByRole('button', { name: 'OOM kill' }).click();
    await page.getByRole('radio', { name: 'Bob' }).check();
    await page.getByRole('button', { name: 'Disk low' }).click();
    await page.getByText('Answered 200: stored 2').waitFor();
    await page.waitForTimeout(1200);
    await page.screenshot({ path: join(FOLDER, `${name}.png`) });
    await page.close();
  });
});
