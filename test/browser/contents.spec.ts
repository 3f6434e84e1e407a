import type { Page } from 'playwright-core';
import type { SessionAlertsElement } from '../../panel/panel.types.js';
import { waitUntil } from '../support/server.js';
import { DISK, KILLED, MEMORY, setUp } from './support/setting.js';

describe('What the panel shows', () => {
  const setting = setUp();

  describe('of several sessions', () => {
    it('names each, the gravest first, with a link where the page has one', async () => {
      await setting.backend.fire(MEMORY, { ...MEMORY, session: 's-2' }, { ...KILLED, session: 'a b' });
      const session = await setting.open({ session: '', attributes: 'session-href="/sessions/{session}?x"' });
      await session.alerts.nth(2).waitFor();
      const groups = session.panel.locator('.group');
      expect(await groups.locator('h3').allInnerTexts()).toEqual([
        'Session a b',
        'Session s-2',
        'Session s-1',
      ]);
      expect(await groups.nth(1).locator('.alert').count()).toBe(1);
      expect(await groups.first().getByRole('link').getAttribute('href')).toBe('/sessions/a%20b?x');
    });

    it('has one critical alert among two hundred on top', async () => {
      const many = Array.from({ length: 200 }, (_, index) => ({
        ...MEMORY,
        name: `n-${index}`,
        session: `s-${index % 7}`,
      }));
      await setting.backend.fire({ ...KILLED, session: 's-3' }, ...many);
      const session = await setting.open({ session: '' });
      await session.bellSays('Alerts: 201 open');
      expect(await session.panel.locator('.group h3').first().innerText()).toBe('Session s-3');
      expect(await session.alerts.first().locator('.title').innerText()).toBe('Session restarted');
    });

    it('names the one of a person who has no other', async () => {
      await setting.backend.fire(MEMORY);
      const session = await setting.open({ session: '' });
      await session.panel.getByRole('heading', { name: 'Session s-1' }).waitFor();
    });
  });

  it.each([
    ['critical', 'Critical'],
    ['page', 'Urgent'],
    ['error', 'Error'],
    ['major', 'Major'],
    ['high', 'High'],
    ['warning', 'Warning'],
    ['minor', 'Minor'],
    ['info', 'Info'],
    ['none', 'Notice'],
  ])('has a word, a colour and an icon for the severity %s', async (severity, word) => {
    await setting.backend.fire({ ...MEMORY, severity }, { ...MEMORY, name: 'odd', severity: 'odd' });
    const session = await setting.open();
    const look = (name: string): Promise<unknown[]> =>
      session.alerts
        .filter({ has: session.page.locator('.severity', { hasText: new RegExp(`^${name}$`) }) })
        .evaluate((alert) => [
          getComputedStyle(alert.querySelector('.severity')!).color,
          alert.querySelector('.sign path')?.getAttribute('d'),
        ]);
    await session.alerts.nth(1).waitFor();
    const [colour, strokes] = await look(word);
    const [otherColour, otherStrokes] = await look('odd');
    if (severity === 'none') expect([colour, strokes]).toEqual([otherColour, otherStrokes]);
    else expect([colour === otherColour, strokes === otherStrokes]).toEqual([false, false]);
  });

  it('folds a long message at some twelve lines, and shows all where that is asked for', async () => {
    const message = Array.from({ length: 40 }, (_, index) => `Line ${index + 1}`).join('\n');
    await setting.backend.fire({ ...MEMORY, message }, { ...DISK, message: 'short' });
    const session = await setting.open();
    const long = session.alert('High memory usage').locator('.message');
    await session.button('Show all: High memory usage').waitFor();
    const lines = (): Promise<number> =>
      long.evaluate((box) => Math.round(box.clientHeight / parseFloat(getComputedStyle(box).lineHeight)));
    expect(await lines()).toBe(12);
    expect(await session.panel.getByRole('button', { name: /^Show all/ }).count()).toBe(1);
    await session.button('Show all: High memory usage').click();
    expect(await lines()).toBe(40);
  });

  it('unfolds where the focus goes into it', async () => {
    const message = `${Array.from({ length: 40 }, (_, index) => `Line ${index + 1}`).join('\n')} [more](https://a.example)`;
    await setting.backend.fire({ ...MEMORY, message });
    const session = await setting.open();
    await session.button('Show all: High memory usage').waitFor();
    await session.panel.getByRole('link', { name: 'more' }).focus();
    await session.button('Show all: High memory usage').waitFor({ state: 'detached' });
  });

  it('opens what has ended: its message, what to do and why it ended', async () => {
    await setting.backend.fire(MEMORY);
    await setting.backend.resolve(MEMORY);
    const session = await setting.open();
    await session.bell.click();
    await session.button('Earlier').click();
    const ended = session.panel.locator('.ended');
    const button = ended.getByRole('button', { name: 'High memory usage' });
    expect(await button.getAttribute('aria-expanded')).toBe('false');
    await button.click();
    await ended.locator('.message strong').getByText('94 %').waitFor();
    expect(await ended.getByRole('link', { name: 'What to do' }).getAttribute('href')).toBe(
      'https://runbooks.example/memory',
    );
    expect(await ended.innerText()).toContain('Over');
    await button.click();
    await ended.locator('.message').waitFor({ state: 'detached' });
  });

  it('lets tables scroll rather than break their words', async () => {
    const word = 'very_long_name_of_a_process_that_nobody_breaks';
    await setting.backend.fire({
      ...MEMORY,
      message: `| process | memory | user |\n|---|---|---|\n| ${word} | 12345678 | ${word} |`,
    });
    const session = await setting.open();
    const scrolled = session.panel.locator('.scrolled');
    await scrolled.waitFor();
    const [inside, outside, cell] = await scrolled.evaluate((box) => [
      box.scrollWidth,
      box.clientWidth,
      box.querySelector('td')?.clientHeight ?? 0,
    ]);
    expect(inside).toBeGreaterThan(outside);
    expect(cell).toBeLessThan(40);
    await scrolled.focus();
    await session.page.keyboard.press('ArrowRight');
    await waitUntil(async () => (await scrolled.evaluate((box) => box.scrollLeft)) > 0);
  });

  it('shows no raw Markdown, however long a message is', async () => {
    await setting.backend.fire({ ...MEMORY, message: '- **Volume** `data` is full\n'.repeat(600) });
    const session = await setting.open();
    await session.alerts.first().waitFor();
    expect(await session.alerts.first().innerText()).not.toMatch(/\*\*|`/);
  });

  it('lets each text have its own direction, and none change that of the others', async () => {
    const override = '\u202Eevil\u202C';
    await setting.backend.fire({
      ...MEMORY,
      title: 'ذاكرة عالية 95%',
      message: 'English first\n\nثم العربية',
      severity: `\u202Ehigh`,
    });
    await setting.backend.fire({ ...DISK, title: `\u202E${override}` });
    const session = await setting.open();
    await session.alerts.nth(1).waitFor();
    const directions = await session.alerts.evaluateAll((alerts) =>
      alerts.flatMap((alert) =>
        [...alert.querySelectorAll('.title, .message p, .severity')].map((part) => {
          const { direction, unicodeBidi, display } = getComputedStyle(part);
          return [
            part.className || part.tagName,
            direction,
            unicodeBidi === 'isolate' || display === 'block',
          ];
        }),
      ),
    );
    expect(directions).toContainEqual(['title', 'rtl', true]);
    expect(directions).toContainEqual(['P', 'ltr', true]);
    expect(directions).toContainEqual(['P', 'rtl', true]);
    expect(directions.filter(([, , isIsolated]) => !isIsolated)).toEqual([]);
    // Nor does it where there are no elements.
    const names = await session.panel
      .getByRole('button', { name: /^Dismiss:/ })
      .evaluateAll((buttons) => buttons.map((button) => button.getAttribute('aria-label') ?? ''));
    expect(names.join()).not.toContain('\u202E');
    expect(names).toContainEqual('Dismiss: \u2068ذاكرة عالية 95%\u2069');
  });

  it.each([8, 16, 40])(
    'is read at a root size of %d pixels, and the badge stays in the bell',
    async (size) => {
      await setting.backend.fire(
        ...Array.from({ length: 12 }, (_, index) => ({ ...MEMORY, name: `n-${index}` })),
        {
          ...DISK,
          message: '`code` and\n\n| a |\n|---|\n| b |',
        },
      );
      await setting.backend.fire({ ...KILLED, kind: 'condition' });
      await setting.backend.resolve(KILLED);
      const session = await setting.open();
      await session.page.evaluate((pixels) => {
        document.documentElement.style.fontSize = `${pixels}px`;
      }, size);
      await session.button('Earlier').click();
      await session.panel.locator('.ended').waitFor();
      const small = await session.page.locator('session-alerts').evaluate((host) => {
        const found: string[] = [];
        const walker = document.createTreeWalker(host.shadowRoot!, NodeFilter.SHOW_TEXT);
        for (let text = walker.nextNode(); text; text = walker.nextNode()) {
          const { parentElement } = text;
          if (
            !text.textContent?.trim() ||
            !parentElement?.checkVisibility() ||
            parentElement.tagName === 'STYLE'
          )
            continue;
          if (parseFloat(getComputedStyle(parentElement).fontSize) < 13) found.push(text.textContent);
        }
        return found;
      });
      expect(small).toEqual([]);
      const [bell, badge] = [
        await session.bell.boundingBox(),
        await session.bell.locator('.badge').boundingBox(),
      ];
      expect(badge!.x).toBeGreaterThanOrEqual(bell!.x);
      expect(badge!.y).toBeGreaterThanOrEqual(bell!.y);
      expect(badge!.x + badge!.width).toBeLessThanOrEqual(bell!.x + bell!.width);
      expect(badge!.y + badge!.height).toBeLessThanOrEqual(bell!.y + bell!.height);
    },
  );

  it('keeps a large number in the bell', async () => {
    await setting.backend.fire(
      ...Array.from({ length: 600 }, (_, index) => ({ ...DISK, name: `n-${index}` })),
    );
    const session = await setting.open();
    await session.bellSays('Alerts: 600 open');
    const [bell, badge] = [
      await session.bell.boundingBox(),
      await session.bell.locator('.badge').boundingBox(),
    ];
    expect(badge!.x).toBeGreaterThanOrEqual(bell!.x);
    expect(badge!.x + badge!.width).toBeLessThanOrEqual(bell!.x + bell!.width);
  });

  it.each([-5, 5])('tells times by the server where the clock is wrong by %d hours', async (hours) => {
    await setting.backend.fire(MEMORY);
    await setting.backend.age('ann', 10 * 60_000);
    await setting.backend.fire(DISK);
    await setting.backend.resolve(DISK);
    const session = await setting.open({
      prepare: (page) => page.clock.install({ time: Date.now() + hours * 3600_000 }),
    });
    await session.alert('High memory usage').getByText('10 min ago').waitFor();
    await session.button('Earlier').click();
    await session.panel.locator('.ended').getByText('just now').waitFor();
  });

  it('is in the language of the page, with its forms and its times', async () => {
    await setting.backend.fire(MEMORY, DISK);
    await setting.backend.age('ann', 5 * 60_000);
    for (const [lang, bell, word, time] of [
      ['de-CH', 'Meldungen: 2 offen', 'Warnung', 'vor 5 Min.'],
      ['fr', 'Alertes : 2 en cours', 'Avertissement', 'il y a 5 min'],
      ['it', 'Avvisi: 2 aperti', 'Avvertimento', '5 min fa'],
    ] as const) {
      const session = await setting.open({ attributes: `quiet lang="${lang}"` });
      await waitUntil(async () => (await session.bell.getAttribute('aria-label'))?.startsWith(bell) === true);
      await session.bell.click();
      const panel = session.page.locator('session-alerts .panel');
      await panel.getByText(word, { exact: true }).waitFor();
      expect((await panel.locator('time').first().textContent())?.replace(/\s/g, ' ')).toBe(time);
      await setting.backend.fire({ ...KILLED, kind: 'condition' });
      await session.says(/Session restarted/, 'assertive');
      expect(await session.page.locator('session-alerts [aria-live=assertive]').textContent()).toMatch(
        /^(Neue Meldung: Kritisch|Nouvelle alerte : Critique|Nuovo avviso: Critico): Session restarted$/,
      );
      await setting.backend.resolve(KILLED);
      await session.close();
    }
  });

  it('follows the page to another language', async () => {
    await setting.backend.fire(MEMORY);
    const session = await setting.open();
    await session.bellSays('Alerts: 1 open');
    await session.page.evaluate(() => {
      document.documentElement.lang = 'it';
    });
    await session.bellSays('Avvisi: 1 aperto');
  });

  it('says that it is English where it has not the language of the page', async () => {
    await setting.backend.fire(MEMORY);
    const session = await setting.open({ attributes: 'lang="ja"' });
    await session.bellSays('Alerts: 1 open');
    expect(await session.bell.evaluate((bell) => bell.closest('[lang]')?.getAttribute('lang'))).toBe('en');
    expect(await session.panel.locator('time').textContent()).toBe('just now');
  });

  it('says the same twice where it happens twice', async () => {
    const session = await setting.open();
    await session.bellSays('Alerts: none');
    const said: string[] = [];
    await session.page.exposeFunction('hear', (text: string) => said.push(text));
    await session.page.evaluate(() => {
      const place = document.querySelector('session-alerts')?.shadowRoot?.querySelector('[aria-live=polite]');
      new MutationObserver(() => {
        (window as unknown as { hear(text: string): void }).hear(place?.textContent ?? '');
      }).observe(place!, { childList: true, characterData: true, subtree: true });
    });
    const begin = 'New alert: Warning: High memory usage';
    const spoken = (): string[] => said.map((text) => text.trim()).filter((text) => text === begin);
    await setting.backend.fire(MEMORY);
    await waitUntil(() => spoken().length === 1);
    await setting.backend.fire({ ...MEMORY, name: 'another' });
    await waitUntil(() => spoken().length === 2);
  });

  describe('on demand', () => {
    it('is the number in the title and icon of the tab, whose own come back', async () => {
      const session = await setting.open({ attributes: 'tab-count' });
      await session.bellSays('Alerts: none');
      const title = (): Promise<string> => session.page.title();
      expect(await title()).toBe('A session');
      await setting.backend.fire(MEMORY, DISK);
      await waitUntil(async () => (await title()) === '(2) A session');
      await session.page.evaluate(() => {
        document.title = 'Renamed';
      });
      await waitUntil(async () => (await title()) === '(2) Renamed');
      await waitUntil(
        async () =>
          (await session.page.locator('link[rel=icon]').getAttribute('href'))?.startsWith('data:image/png') ??
          false,
      );
      await session.page.evaluate(() => {
        document.querySelector('session-alerts')?.remove();
      });
      await waitUntil(async () => (await title()) === 'Renamed');
      expect(await session.page.locator('link[rel=icon]').count()).toBe(0);
    });

    it('is a notification while the tab is hidden, once the person has said so in a click', async () => {
      const session = await setting.open({ attributes: 'desktop-notifications' });
      await session.bellSays('Alerts: none');
      await session.page.evaluate(() => {
        const shown: unknown[] = [];
        class Fake extends EventTarget {
          static permission = 'default';
          static requestPermission = () => Promise.resolve((Fake.permission = 'granted'));
          onclick: (() => void) | undefined;
          constructor(title: string, options: object) {
            super();
            shown.push({ title, ...options });
            Object.assign(window, { last: this });
          }
          close = () => undefined;
        }
        Object.assign(window, { Notification: Fake, shown });
      });
      const shown = (): Promise<{ body: string }[]> =>
        session.page.evaluate(() => (window as unknown as { shown: { body: string }[] }).shown);
      await session.bell.click();
      await session.button('Notify me while this tab is hidden').click();
      await session.button('Notify me while this tab is hidden').waitFor({ state: 'detached' });
      await session.button('Close').click();
      await setting.backend.fire(MEMORY);
      await session.says('New alert: Warning: High memory usage');
      expect(await shown()).toEqual([]);

      await session.setVisible(false);
      await session.page.waitForTimeout(11_000);
      expect(await setting.backend.openStreams()).toBe(1);
      await setting.backend.fire(KILLED);
      await waitUntil(async () => (await shown()).length === 1);
      expect(await shown()).toMatchObject([
        { title: 'Alerts', body: 'New alert: Critical: Session restarted', dir: 'auto' },
      ]);
    });

    it('is one notification of the browser for all tabs, and a click on it opens the panel', async () => {
      /** Lets the browser notify, and keeps what has become of it. */
      const keepNotifications = (page: Page): Promise<unknown> =>
        page.addInitScript(() => {
          const heard: string[] = [];
          class Kept extends Notification {
            constructor(title: string, options?: NotificationOptions) {
              super(title, options);
              for (const type of ['show', 'close', 'error']) {
                this.addEventListener(type, () => heard.push(type));
              }
              Object.assign(window, { last: this });
            }
          }
          Object.assign(window, { Notification: Kept, heard });
        });
      const options = { attributes: 'desktop-notifications', prepare: keepNotifications };
      const first = await setting.open({ ...options, permissions: ['notifications'] });
      const tabs = [first, await setting.open({ ...options, context: first.context })];
      const heard = (): Promise<string[]> =>
        Promise.all(
          tabs.map(({ page }) =>
            page.evaluate(() => (window as unknown as { heard: string[] }).heard.join()),
          ),
        );
      for (const tab of tabs) {
        await tab.bellSays('Alerts: none');
        await tab.setVisible(false);
      }

      await setting.backend.fire(KILLED);
      // The later one takes the place of the one before it, long before the browser takes them away by itself.
      await waitUntil(async () => (await heard()).sort().join(' ') === 'show show,close', 10_000);
      const open = tabs[(await heard()).indexOf('show')]!;
      await open.panel.waitFor();
      await open.page.evaluate(() => {
        document.querySelector<SessionAlertsElement>('session-alerts')!.open = false;
      });
      await open.panel.waitFor({ state: 'hidden' });
      await open.page.evaluate(() => {
        (window as unknown as { last: Notification }).last.dispatchEvent(new Event('click'));
      });
      await open.panel.waitFor();
      await waitUntil(async () => (await heard()).join(' ') === 'show,close show,close', 10_000);
    });

    it('is an explanation where the browser does not let the page notify', async () => {
      const session = await setting.open({ attributes: 'desktop-notifications' });
      await session.page.evaluate(() => {
        Object.assign(window, { Notification: Object.assign(() => undefined, { permission: 'denied' }) });
      });
      await session.bell.click();
      await session.panel.getByText('Your browser does not let this page notify you.').waitFor();
    });

    it('is an action beside what to do', async () => {
      const answered = [
        {
          id: 'a',
          title: 'Low disk space',
          action_label: 'Make it larger',
          action_url: 'https://a.example/volumes',
          runbook_url: 'https://runbooks.example/disk',
        },
        { id: 'b', title: 'Odd', action_label: 'Run', action_url: 'javascript:alert(1)' },
        { id: 'c', title: 'Mail', action_label: 'Write', action_url: 'mailto:a@b.example' },
      ];
      const session = await setting.open({
        prepare: async (page) => {
          await page.route('**/alerts/stream*', (route) => route.abort());
          await page.route('**/alerts?*', (route) => route.fulfill({ json: answered }));
        },
      });
      const links = session.panel.getByRole('link');
      await links.nth(1).waitFor();
      expect(
        await links.evaluateAll((all) =>
          all.map((link) => [link.getAttribute('aria-label'), link.getAttribute('href')]),
        ),
      ).toEqual([
        ['Make it larger: Low disk space (opens in a new tab)', 'https://a.example/volumes'],
        ['What to do: Low disk space (opens in a new tab)', 'https://runbooks.example/disk'],
      ]);
    });
  });

  describe('an integrator', () => {
    const problems = [
      ['address', 'a wrong address', 'api="/wrong"', undefined],
      ['token', 'a getToken that throws', '', () => Promise.reject(new Error('not logged in'))],
      ['unauthorized', 'a token that is refused', '', () => Promise.resolve('nonsense')],
    ] as const;

    it.each(problems)('is told once of %s: %s', async (kind, _, attributes, giveToken) => {
      const warned: string[] = [];
      const session = await setting.open({
        attributes,
        ...(giveToken && { giveToken }),
        prepare: async (page) => {
          page.on('console', (message) => {
            if (message.text().includes('session-alerts>')) warned.push(message.text());
          });
          await page.addInitScript(() => {
            const heard: unknown[] = [];
            document.addEventListener('session-alerts-problem', (event) =>
              heard.push((event as CustomEvent<{ kind: string }>).detail.kind),
            );
            Object.assign(window, { heard });
          });
        },
      });
      // A second attribute of that name counts for nothing.
      if (attributes) {
        await session.page.evaluate(() => {
          const panel = document.querySelector<SessionAlertsElement>('session-alerts');
          if (panel) panel.api = '/wrong';
        });
      }
      await waitUntil(() => warned.length > 0);
      await session.page.waitForTimeout(4000);
      expect(warned).toHaveLength(1);
      expect(warned[0]).toMatch(/^<session-alerts>: /);
      expect(await session.page.evaluate(() => (window as unknown as { heard: string[] }).heard)).toEqual([
        kind,
      ]);
    });
  });
});
