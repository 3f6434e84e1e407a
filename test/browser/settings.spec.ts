import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { waitUntil } from '../support/server.js';
import { OFFERED, offerChannels } from './support/preferences.js';
import type { KeptChannels } from './support/preferences.js';
import type { SessionPage, SessionPageOptions } from './support/session-page.js';
import { DISK, MEMORY, setUp } from './support/setting.js';

const WORKER = 'push-worker="/push-worker.js"';
const ENDPOINT = 'https://fcm.googleapis.com/fcm/send/this-browser';

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

/** In place of a push service, which no test reaches. */
async function standInForPush(page: Page): Promise<void> {
  await page
    .context()
    .route('**/push-worker.js', (route) =>
      route.fulfill({ contentType: 'text/javascript', body: 'addEventListener("push", () => {});' }),
    );
  await page.addInitScript((endpoint) => {
    let own: unknown = null;
    const subscription = {
      endpoint,
      toJSON: () => ({
        endpoint,
        expirationTime: null,
        keys: { p256dh: 'BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA', auth: 'tBHItJI5svbpez7KI4CCXg' },
      }),
      unsubscribe: () => {
        own = null;
        return Promise.resolve(true);
      },
    };
    Object.assign(PushManager.prototype, {
      subscribe: (options: PushSubscriptionOptionsInit) => {
        Object.assign(window, { subscribedBy: options });
        own = subscription;
        return Promise.resolve(own);
      },
      getSubscription: () => Promise.resolve(own),
    });
  }, ENDPOINT);
}

describe('The settings', () => {
  const setting = setUp();
  let kept: KeptChannels;

  beforeEach(() => {
    kept = { offered: { ...OFFERED }, channels: {} };
  });

  async function open(options: SessionPageOptions = {}): Promise<SessionPage> {
    return setting.open({
      ...options,
      prepare: async (page) => {
        await offerChannels(page, kept);
        await options.prepare?.(page);
      },
    });
  }

  /** Opens the panel by hand, and then the settings. */
  async function openSettings(session: SessionPage): Promise<void> {
    await session.page.locator('session-alerts .bell[aria-label]').waitFor();
    if (await session.panel.isVisible()) await session.button('Close').click();
    await session.bell.click();
    await session.page.locator('session-alerts .gear').click();
    await session.page.locator('session-alerts .settings').waitFor();
  }

  const inSettings = (session: SessionPage) => session.page.locator('session-alerts .settings');
  const saved = (session: SessionPage) => inSettings(session).getByText('Saved.', { exact: true }).waitFor();

  /** What the server keeps. */
  async function preferences(): Promise<{ mutes: object[]; quiet_hours: object | null }> {
    const answer = await fetch(`${setting.backend.url}/api/data/alerts/preferences`, {
      headers: { Authorization: `Bearer ${await setting.backend.token('ann')}` },
    });
    return (await answer.json()) as { mutes: object[]; quiet_hours: object | null };
  }

  it('are asked for when the panel is opened by hand, and are not there on an older server', async () => {
    await setting.backend.fire(MEMORY);
    let asked = 0;
    const session = await setting.open({
      prepare: (page) =>
        page.route('**/alerts/preferences', (route) => {
          asked += 1;
          return route.fulfill({ status: 404 });
        }),
    });
    await session.panel.waitFor();
    await session.bellSays('Alerts: 1 open');
    expect(asked).toBe(0);
    await session.button('Close').click();
    await session.bell.click();
    await waitUntil(() => asked === 1);
    await session.panel.waitFor();
    expect(await session.button('Settings').count()).toBe(0);
    expect(await session.panel.locator('[part=mute]').count()).toBe(0);
  });

  it('keep channels, from which severity, and quiet hours', async () => {
    const session = await open({ timezoneId: 'Europe/Zurich' });
    await openSettings(session);
    const view = inSettings(session);
    await view.getByLabel('E-mail', { exact: true }).check();
    await view.getByText(/^\s*It goes to .*ann@example\.org/).waitFor();
    await view.getByLabel('E-mail: from severity').selectOption({ label: 'Critical' });
    await view.getByLabel('Team chat', { exact: true }).check();
    await view.getByLabel('Leave me alone each day').check();
    await view.getByLabel('From', { exact: true }).fill('23:15');
    await view.getByLabel('To', { exact: true }).fill('06:30');
    expect(await view.getByLabel('Time zone').inputValue()).toBe('Europe/Zurich');
    await view.getByLabel('Time zone').selectOption('America/New_York');
    await view.getByLabel('Still tell me of critical alerts').check();
    await view.getByRole('button', { name: 'Save' }).click();
    await saved(session);
    expect(kept.channels).toMatchObject({
      email: { enabled: true, severity: 'critical' },
      team_chat: { enabled: true, severity: 'warning' },
      web_push: { enabled: false, subscriptions: [] },
    });
    expect((await preferences()).quiet_hours).toEqual({
      from: '23:15',
      to: '06:30',
      time_zone: 'America/New_York',
      critical_passes: true,
    });
    // What was saved says so no longer once something else is entered.
    await view.getByLabel('Team chat', { exact: true }).uncheck();
    await view.getByText('Saved.', { exact: true }).waitFor({ state: 'detached' });

    await session.page.reload();
    await openSettings(session);
    expect(await view.getByLabel('E-mail', { exact: true }).isChecked()).toBe(true);
    expect(await view.getByLabel('Team chat', { exact: true }).isChecked()).toBe(true);
    expect(await view.getByLabel('E-mail: from severity').inputValue()).toBe('critical');
    expect(await view.getByLabel('Time zone').inputValue()).toBe('America/New_York');
    await view.getByLabel('Leave me alone each day').uncheck();
    await view.getByRole('button', { name: 'Save' }).click();
    await saved(session);
    expect((await preferences()).quiet_hours).toBeNull();
  });

  it('say why e-mail cannot be turned on, and that there is nothing to turn on', async () => {
    kept.offered = { email: {} };
    const session = await open();
    await openSettings(session);
    const email = inSettings(session).getByLabel('E-mail', { exact: true });
    expect(await email.isDisabled()).toBe(true);
    await inSettings(session)
      .getByText(/Verify your e-mail address/)
      .waitFor();

    kept.offered = {};
    await session.page.reload();
    await openSettings(session);
    await inSettings(session)
      .getByText(/nothing here that could tell you/)
      .waitFor();
    expect(await inSettings(session).getByRole('button', { name: 'Save' }).count()).toBe(0);
  });

  it('keep what was entered where it cannot be saved, and say what to do', async () => {
    const session = await open();
    await openSettings(session);
    const view = inSettings(session);
    await view.getByLabel('Leave me alone each day').check();
    await view.getByLabel('To', { exact: true }).fill('');
    await view.getByRole('button', { name: 'Save' }).click();
    await view.getByRole('alert').getByText('Enter when the quiet hours begin and end.').waitFor();
    expect(await view.getByLabel('To', { exact: true }).evaluate((field) => field.matches(':focus'))).toBe(
      true,
    );
    await view.getByLabel('To', { exact: true }).fill('05:00');

    await session.page.route('**/alerts/preferences', (route) => route.abort());
    await view.getByRole('button', { name: 'Save' }).click();
    await view
      .getByRole('alert')
      .getByText(/please try again/)
      .waitFor();
    // News does not touch it.
    await setting.backend.fire(MEMORY);
    await session.bellSays('Alerts: 1 open');
    expect(await view.getByLabel('To', { exact: true }).inputValue()).toBe('05:00');
    await session.page.unroute('**/alerts/preferences');
    await offerChannels(session.page, kept);
    await view.getByRole('button', { name: 'Save' }).click();
    await saved(session);
    expect((await preferences()).quiet_hours).toMatchObject({ from: '22:00', to: '05:00' });
  });

  it('change only what was changed here', async () => {
    const session = await open();
    await openSettings(session);
    await fetch(`${setting.backend.url}/api/data/alerts/preferences`, {
      method: 'PUT',
      headers: {
        Authorization: `Bearer ${await setting.backend.token('ann')}`,
        'Content-Type': 'application/json',
      },
      body: JSON.stringify({ mutes: [{ event_type: 'elsewhere' }] }),
    });
    kept.channels['web_push'] = {
      enabled: true,
      severity: 'error',
      subscriptions: [{ endpoint: 'https://fcm.googleapis.com/other', keys: {} }],
    };
    await inSettings(session).getByLabel('E-mail', { exact: true }).check();
    await inSettings(session).getByRole('button', { name: 'Save' }).click();
    await saved(session);
    expect((await preferences()).mutes).toEqual([{ event_type: 'elsewhere' }]);
    expect(kept.channels['web_push']).toMatchObject({
      enabled: true,
      subscriptions: [{ endpoint: 'https://fcm.googleapis.com/other' }],
    });
  });

  it('mute an alert, in this session or all, for a time or for good, and unmute it', async () => {
    await setting.backend.fire(MEMORY, DISK);
    const session = await open({ attributes: 'quiet' });
    await session.page.getByRole('button', { name: 'Alerts: 2 open, 2 new' }).waitFor();
    await session.bell.click();
    await session.button('Mute: High memory usage').click();
    const menu = session.panel.getByRole('group', { name: 'Mute alerts of this kind' });
    expect(await menu.getByLabel('In this session').isChecked()).toBe(true);
    await menu.getByRole('button', { name: 'For one hour' }).click();
    await session
      .alert('High memory usage')
      .getByText(/Muted until/)
      .waitFor();
    await session.says('Muted: High memory usage');
    expect(await session.focused()).toBe('Unmute: High memory usage');
    const [mute] = (await preferences()).mutes as { until: string }[];
    expect(mute).toMatchObject({ event_type: MEMORY.name, session_name: 's-1' });
    expect(Math.abs(Date.parse(mute?.until ?? '') - Date.now() - 3_600_000)).toBeLessThan(30_000);

    await session.button('Mute: Low disk space').click();
    await menu.getByLabel('In all my sessions').check();
    await menu.getByRole('button', { name: 'For good' }).click();
    await session.alert('Low disk space').getByText('Muted').waitFor();
    expect((await preferences()).mutes).toContainEqual({ event_type: DISK.name });

    await session.button('Unmute: High memory usage').click();
    await session.says('No longer muted: High memory usage');
    await session.button('Mute: High memory usage').waitFor();

    await session.button('Settings').click();
    await inSettings(session).getByText('In all sessions').waitFor();
    await inSettings(session).getByRole('button', { name: 'Unmute: Low disk space' }).click();
    await inSettings(session).getByText('Nothing is muted.').waitFor();
    expect(await session.focused()).toBe('Muted alerts');
    expect((await preferences()).mutes).toEqual([]);
  });

  it('say where an alert could not be muted', async () => {
    await setting.backend.fire(MEMORY);
    const session = await open({ attributes: 'quiet' });
    await session.bell.locator('.badge').waitFor();
    await session.bell.click();
    await session.button('Mute: High memory usage').click();
    await session.page.route('**/alerts/preferences', (route) => route.fulfill({ status: 503 }));
    await session.button('For good').click();
    await session.says(/could not be saved for/, 'assertive');
    await session.panel.locator('.failure').waitFor();
    await session.page.unroute('**/alerts/preferences');
    await session.button('For good').click();
    await session.alert('High memory usage').getByText('Muted').waitFor();
    await session.panel.locator('.failure').waitFor({ state: 'detached' });
  });

  it('turn web push on in the click that asks, and off again', async () => {
    kept.channels['web_push'] = {
      enabled: true,
      severity: 'error',
      subscriptions: [{ endpoint: 'https://fcm.googleapis.com/other', keys: {} }],
    };
    const session = await open({ attributes: WORKER, prepare: standInForPush });
    await session.context.grantPermissions(['notifications']);
    await openSettings(session);
    const view = inSettings(session);
    await view.getByText('Off in this browser. On in 1 other browser.').waitFor();
    await view.getByRole('button', { name: 'Turn on in this browser' }).click();
    await saved(session);
    await view.getByText('On in this browser. On in 1 other browser.').waitFor();
    expect(kept.channels['web_push'].subscriptions?.map(({ endpoint }) => endpoint)).toEqual([
      'https://fcm.googleapis.com/other',
      ENDPOINT,
    ]);
    expect(kept.channels['web_push']).toMatchObject({ enabled: true, severity: 'error' });
    const by = await session.page.evaluate(
      () => (window as unknown as { subscribedBy: { applicationServerKey: Uint8Array } }).subscribedBy,
    );
    expect(by).toMatchObject({ userVisibleOnly: true });
    // Nothing of the page is that worker's.
    const registered = await session.page.evaluate(async () =>
      (await navigator.serviceWorker.getRegistrations()).map(({ scope }) => new URL(scope).pathname),
    );
    expect(registered).toEqual(['/session-alerts-push/']);

    await view.getByRole('button', { name: 'Turn off in this browser' }).click();
    await view.getByText('Off in this browser. On in 1 other browser.').waitFor();
    expect(kept.channels['web_push'].subscriptions).toHaveLength(1);
  });

  it('ask for permission in that click alone', async () => {
    const session = await open({
      attributes: WORKER,
      prepare: async (page) => {
        await standInForPush(page);
        await page.addInitScript(() => {
          let asked = 0;
          Object.defineProperty(Notification, 'permission', { get: () => 'default' });
          Notification.requestPermission = () => {
            asked += 1;
            Object.assign(window, { asked });
            return Promise.resolve('default');
          };
        });
      },
    });
    await openSettings(session);
    const asked = () => session.page.evaluate(() => (window as unknown as { asked?: number }).asked);
    await inSettings(session).getByLabel('E-mail', { exact: true }).check();
    await inSettings(session).getByRole('button', { name: 'Save' }).click();
    await saved(session);
    expect(await asked()).toBeUndefined();
    await inSettings(session).getByRole('button', { name: 'Turn on in this browser' }).click();
    await inSettings(session)
      .getByRole('alert')
      .getByText(/asked once more/)
      .waitFor();
    expect(await asked()).toBe(1);
    expect(kept.channels['web_push']?.enabled).toBe(false);
  });

  it.each([
    ['the page names no worker', '', () => undefined, /not made for it/],
    [
      'the browser refuses',
      WORKER,
      () => {
        Object.defineProperty(Notification, 'permission', { get: () => 'denied' });
      },
      /does not let this page notify you/,
    ],
    [
      'the browser cannot',
      WORKER,
      () => {
        delete (window as { PushManager?: unknown }).PushManager;
      },
      /This browser cannot do it/,
    ],
    [
      'an iPhone has not installed the page',
      WORKER,
      () => {
        delete (window as { PushManager?: unknown }).PushManager;
        Object.defineProperty(navigator, 'userAgent', { get: () => 'Mozilla/5.0 (iPhone)' });
      },
      /add this page to the Home Screen/,
    ],
    [
      'the page is not secure',
      WORKER,
      () => {
        Object.defineProperty(window, 'isSecureContext', { get: () => false });
      },
      /begins with https/,
    ],
  ])('explain that web push cannot be turned on where %s', async (_what, attributes, change, sentence) => {
    const session = await open({ attributes, prepare: (page) => page.addInitScript(change) });
    await openSettings(session);
    await inSettings(session).getByText(sentence).waitFor();
    expect(await inSettings(session).locator('.push').count()).toBe(0);
  });

  it('say where the browser could not be subscribed', async () => {
    const session = await open({
      attributes: WORKER,
      prepare: (page) => page.route('**/push-worker.js', (route) => route.fulfill({ status: 404 })),
    });
    await session.context.grantPermissions(['notifications']);
    await openSettings(session);
    await inSettings(session).getByRole('button', { name: 'Turn on in this browser' }).click();
    await inSettings(session)
      .getByRole('alert')
      .getByText(/could not be subscribed/)
      .waitFor();
  });

  it('are walked through with the keyboard, and Escape goes back first', async () => {
    const session = await open({ attributes: WORKER });
    const press = async (...keys: string[]): Promise<string> => {
      for (const key of keys) await session.page.keyboard.press(key);
      return session.focused();
    };
    await session.bellSays('Alerts: none');
    await session.bell.focus();
    await press('Enter');
    await session.button('Settings').waitFor();
    expect(await press('Tab')).toBe('Settings');
    await press('Enter');
    await inSettings(session).waitFor();
    await waitUntil(async () => (await session.focused()) === 'Settings');
    expect(await press('Tab')).toMatch(/^(notebook|E-mail|)$/);
    const walked: string[] = [];
    await press('Shift+Tab');
    for (let key = 0; key < 5; key += 1) {
      await press('Tab');
      walked.push(
        await session.page.evaluate(() => {
          const at = document.querySelector('session-alerts')?.shadowRoot?.activeElement;
          return at instanceof HTMLInputElement
            ? (at.labels?.[0]?.textContent.trim() ?? '')
            : (at?.textContent.trim() ?? '');
        }),
      );
    }
    expect(walked).toEqual([
      'E-mail',
      'Turn on in this browser',
      'Team chat',
      'Leave me alone each day',
      'Save',
    ]);

    expect(await press('Escape')).toBe('Settings');
    await inSettings(session).waitFor({ state: 'detached' });
    expect(await session.panel.isVisible()).toBe(true);
    expect(await press('Escape')).toBe('Alerts: none');
    await session.panel.waitFor({ state: 'hidden' });
  });

  it('give way to the alerts where the panel was closed meanwhile', async () => {
    const session = await open();
    await openSettings(session);
    await session.button('Close').click();
    await setting.backend.fire(MEMORY);
    await session.alert('High memory usage').waitFor();
    expect(await inSettings(session).count()).toBe(0);
  });

  it('leave the choice of a mute by Escape, and the focus where it was', async () => {
    await setting.backend.fire(MEMORY);
    const session = await open({ attributes: 'quiet' });
    await session.bell.locator('.badge').waitFor();
    await session.bell.click();
    await session.button('Mute: High memory usage').click();
    await session.page.keyboard.press('Tab');
    await session.page.keyboard.press('Escape');
    expect(await session.focused()).toBe('Mute: High memory usage');
    expect(await session.panel.isVisible()).toBe(true);
  });

  const looks = ['en', 'de', 'fr', 'it'].flatMap((lang) => [
    { attributes: `lang="${lang}"`, colorScheme: 'light' as const },
    { attributes: `lang="${lang}"`, colorScheme: 'dark' as const },
    { attributes: `lang="${lang}"`, forcedColors: 'active' as const },
  ]);

  it.each(looks)('have nothing that axe finds wrong, %j', async (look) => {
    await setting.backend.fire(MEMORY);
    const session = await open({
      ...look,
      attributes: `quiet ${WORKER} ${look.attributes}`,
      prepare: standInForPush,
      reducedMotion: 'reduce',
    });
    const panel = session.page.locator('session-alerts .panel');
    await session.bell.locator('.badge').waitFor();
    expect(await violations(session.page)).toEqual([]);
    await session.bell.click();
    await panel.locator('[part=mute]').click();
    expect(await violations(session.page)).toEqual([]);
    await panel.locator('.mute .button').last().click();
    await panel.locator('.mute').waitFor({ state: 'detached' });
    await panel.locator('.gear').click();
    const view = inSettings(session);
    await view.waitFor();
    for (const box of await view.locator('.choice input').all()) await box.check();
    await view.locator('.muted').waitFor();
    expect(await violations(session.page)).toEqual([]);
    await view.locator('input[type=time]').first().fill('');
    await view.locator('.save').click();
    await view.locator('.failure').waitFor();
    expect(await violations(session.page)).toEqual([]);
  });

  it('have targets of 24 pixels and more, and are cut off nowhere in a narrow window', async () => {
    await setting.backend.fire(MEMORY);
    const session = await open({
      attributes: `quiet ${WORKER}`,
      prepare: standInForPush,
      viewport: { width: 320, height: 480 },
    });
    await openSettings(session);
    for (const box of await inSettings(session).locator('.choice input').all()) await box.check();
    const targets = inSettings(session).locator('button, select, .choice, input[type=time]');
    for (const target of await targets.all()) {
      const box = await target.boundingBox();
      expect(Math.min(box?.width ?? 0, box?.height ?? 0)).toBeGreaterThanOrEqual(24);
    }
    const content = session.page.locator('session-alerts .content');
    expect(await content.evaluate((element) => element.scrollWidth - element.clientWidth)).toBe(0);
  });
});
