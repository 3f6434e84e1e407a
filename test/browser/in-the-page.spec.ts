import type { Page } from 'playwright-core';
import type { SessionAlertsElement } from '../../panel/panel.types.js';
import { waitUntil } from '../support/server.js';
import type { SessionPage } from './support/session-page.js';
import { DISK, KILLED, MEMORY, setUp } from './support/setting.js';

const PANEL = '<session-alerts api="/api/data" session-name="s-1"></session-alerts>';

/** A page around the panel. */
function pageWith(body: string, style = ''): string {
  return `<!doctype html>
    <html lang="en">
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <title>A session</title>
      <style>body { margin: 0; font: 16px/1.5 system-ui, sans-serif; } ${style}</style>
      <body>${body}
        <script type="module">
          import '/session-alerts.js';
          for (const panel of document.querySelectorAll('session-alerts')) {
            panel.getToken = (options) => window.giveToken(options);
          }
        </script>
      </body>
    </html>`;
}

const HEADER = `<header style="display: flex; justify-content: end; padding: 8px">${PANEL}</header>`;

/** Whether the panel's box and an element's have something in common. */
async function covers(session: SessionPage, selector: string): Promise<boolean> {
  const panel = await session.panel.boundingBox();
  const other = await session.page.locator(selector).boundingBox();
  if (!panel || !other) throw new Error('One of the two is not shown');
  return (
    panel.x < other.x + other.width &&
    other.x < panel.x + panel.width &&
    panel.y < other.y + other.height &&
    other.y < panel.y + panel.height
  );
}

describe('The panel in a page', () => {
  const setting = setUp();

  describe('does not open by itself in front of', () => {
    const DIALOG = `<p>Stop the session?</p>
      <button id="yes" onclick="window.stopped = true">Yes, stop it</button>
      <button id="no" onclick="window.closeIt()">No</button>`;

    it.each([
      [
        "the page's modal dialog",
        `<dialog id="it">${DIALOG}</dialog>`,
        'it.showModal(); window.closeIt = () => it.close()',
      ],
      [
        'one that is made of elements',
        `<div id="it" role="dialog" aria-modal="true" hidden
           style="position: fixed; inset: 0; z-index: 9999; background: white">${DIALOG}</div>`,
        'it.hidden = false; window.closeIt = () => { it.hidden = true }',
      ],
      [
        'one in a shadow tree',
        '<div id="host"></div>',
        `const root = host.attachShadow({ mode: 'open' });
         root.innerHTML = \`<dialog>${DIALOG}</dialog>\`;
         root.firstChild.showModal();
         window.closeIt = () => root.firstChild.close()`,
      ],
      [
        "the page's popover that has the focus",
        `<div id="it" popover style="inset: 0">${DIALOG}</div>`,
        'it.showPopover(); yes.focus(); window.closeIt = () => it.hidePopover()',
      ],
    ])('%s', async (_, html, open) => {
      const session = await setting.open({ html: pageWith(`${HEADER}${html}`) });
      await session.bellSays('Alerts: none');
      await session.page.evaluate(open);
      await setting.backend.fire(KILLED);
      await session.page.waitForFunction(
        () =>
          document.querySelector('session-alerts')?.shadowRoot?.querySelector('.badge')?.textContent === '1',
      );
      await session.page.waitForTimeout(600);
      expect(await session.panel.isVisible()).toBe(false);

      // Whoever clicks where "Dismiss" would be answers the dialog, and nothing else.
      await session.page.getByRole('button', { name: 'No', exact: true }).click();
      await session.panel.waitFor();
      expect(await session.page.evaluate(() => 'stopped' in window)).toBe(false);
    });

    it('a dialog, unless it is in it', async () => {
      const session = await setting.open({
        html: pageWith(`<dialog id="it" style="width: 90%; height: 90%">${PANEL}</dialog>`),
      });
      await session.page.evaluate('it.showModal()');
      await session.bellSays('Alerts: none');
      await setting.backend.fire(MEMORY);
      await session.panel.waitFor();
    });

    it('a dialog for what is over when that closes', async () => {
      const session = await setting.open({ html: pageWith(`${HEADER}<dialog id="it"><p>?</p></dialog>`) });
      await session.bellSays('Alerts: none');
      await session.page.evaluate('it.showModal()');
      await setting.backend.fire(MEMORY);
      const count = (): Promise<number> =>
        session.page.evaluate(
          () => document.querySelector('session-alerts')?.shadowRoot?.querySelectorAll('.badge').length ?? 0,
        );
      await waitUntil(async () => (await count()) === 1);
      await setting.backend.resolve(MEMORY);
      await waitUntil(async () => (await count()) === 0);
      await session.page.evaluate('it.close()');
      await session.page.waitForTimeout(700);
      expect(await session.panel.isVisible()).toBe(false);
    });
  });

  describe('that has opened by itself', () => {
    it('closes with Escape from anywhere, which the page gets as well', async () => {
      const session = await setting.open();
      await session.bellSays('Alerts: none');
      await session.page.locator('#notebook').focus();
      await session.page.evaluate(() => {
        document.addEventListener('keydown', ({ key }) => Object.assign(window, { key }));
      });
      await setting.backend.fire(MEMORY);
      await session.panel.waitFor();
      await session.page.keyboard.press('Escape');
      await session.panel.waitFor({ state: 'hidden' });
      expect(await session.page.evaluate(() => (window as unknown as { key: string }).key)).toBe('Escape');
      expect(await session.focused()).toBe('notebook');
    });

    it('closes with a click outside, also after somebody was in it', async () => {
      const session = await setting.open();
      await session.bellSays('Alerts: none');
      await setting.backend.fire(MEMORY);
      await session.alert('High memory usage').hover();
      await session.page.mouse.click(60, 500);
      await session.panel.waitFor({ state: 'hidden' });
    });

    it('closes with a click into a frame', async () => {
      const session = await setting.open({
        html: pageWith(
          `${HEADER}<iframe srcdoc="<p>Notebook</p>" style="width: 300px; height: 300px"></iframe>`,
        ),
      });
      await session.bellSays('Alerts: none');
      await setting.backend.fire(MEMORY);
      await session.panel.waitFor();
      await session.page.frameLocator('iframe').getByText('Notebook').click();
      await session.panel.waitFor({ state: 'hidden' });
    });

    it('stays where the Escape is of a dialog in front of it', async () => {
      const session = await setting.open({
        html: pageWith(`${HEADER}<dialog id="it"><button>Yes</button></dialog>`),
      });
      await session.bellSays('Alerts: none');
      await setting.backend.fire(MEMORY);
      await session.panel.waitFor();
      await session.page.evaluate('it.showModal()');
      await session.page.keyboard.press('Escape');
      await session.page.waitForFunction('!it.open');
      expect(await session.panel.isVisible()).toBe(true);
    });
  });

  it('that was opened by hand stays where somebody clicks or presses Escape elsewhere', async () => {
    await setting.backend.fire(MEMORY);
    const session = await setting.open();
    await session.button('Close').click();
    await session.bell.click();
    await session.page.locator('#notebook').click();
    await session.page.keyboard.press('Escape');
    await session.page.waitForTimeout(300);
    expect(await session.panel.isVisible()).toBe(true);
  });

  describe.each([1000, 375, 320])('in a window of %d pixels', (width) => {
    it('never covers what has the focus', async () => {
      const fields = Array.from(
        { length: 9 },
        (_, index) =>
          `<p style="margin: 0 8px; height: 66px"><input id="f-${index}" style="width: 95%" /></p>`,
      ).join('');
      const session = await setting.open({
        viewport: { width, height: 667 },
        html: pageWith(`${HEADER}${fields}`),
      });
      await session.bellSays('Alerts: none');
      await session.page.locator('#f-1').focus();
      await setting.backend.fire(MEMORY, KILLED, DISK);
      await session.panel.waitFor();
      for (let field = 1; field < 9; field += 1) {
        expect(await session.focused()).toBe(`f-${field}`);
        expect(await covers(session, `#f-${field}`)).toBe(false);
        // It can be read all the same.
        expect((await session.panel.boundingBox())?.height).toBeGreaterThan(150);
        await session.page.keyboard.press('Tab');
      }
    });

    it('stands at the edge where the bell is scrolled away', async () => {
      const session = await setting.open({
        viewport: { width, height: 667 },
        reducedMotion: 'reduce',
        html: pageWith(`${HEADER}<div style="height: 4000px">Long</div>`),
      });
      await session.bellSays('Alerts: none');
      await session.page.mouse.wheel(0, 3000);
      await session.page.waitForFunction(() => window.scrollY > 2000);
      await setting.backend.fire(MEMORY);
      await session.panel.waitFor();
      const box = await session.panel.boundingBox();
      expect(box?.y).toBe(8);
      expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(width - 8);
    });
  });

  it('waits where the focus leaves no room for it, and opens when that has gone on', async () => {
    const session = await setting.open({
      viewport: { width: 320, height: 170 },
      html: pageWith(`${HEADER}<input id="f" style="width: 300px; height: 60px" />`),
    });
    await session.bellSays('Alerts: none');
    await session.page.locator('#f').focus();
    await setting.backend.fire(MEMORY);
    await session.bellSays('Alerts: 1 open');
    await session.page.waitForTimeout(600);
    expect(await session.panel.isVisible()).toBe(false);
    await session.page.locator('#f').blur();
    await session.panel.waitFor();
  });

  it('is never open over another one', async () => {
    const session = await setting.open({
      html: pageWith(
        `<div style="display: flex; justify-content: end">${PANEL}${PANEL.replace('s-1', 's-2')}</div>`,
      ),
    });
    const bells = session.page.getByRole('button', { name: 'Alerts: none' });
    await bells.nth(1).waitFor();
    await setting.backend.fire(MEMORY, { ...DISK, session: 's-2' });
    const open = (): Promise<number> => session.page.locator('session-alerts[open]').count();
    await session.panel.first().waitFor();
    await session.page.waitForTimeout(600);
    expect(await open()).toBe(1);
    // The other opens when it is closed.
    const [first] = await session.panel.allTextContents();
    await session.button('Close').click();
    await waitUntil(async () => {
      const [now = first] = await session.panel.allTextContents();
      return now !== first;
    });
    expect(await open()).toBe(1);
    // By hand, the one takes the place of the other.
    const closed = session.page.locator('session-alerts:not([open]) .bell');
    await closed.click();
    await session.page.waitForTimeout(300);
    expect(await open()).toBe(1);
  });

  it('opens beside another one where there is room', async () => {
    const session = await setting.open({
      viewport: { width: 1280, height: 720 },
      html: pageWith(
        `<div style="display: flex; justify-content: space-between; padding: 0 420px">${PANEL}${PANEL}</div>`,
      ),
    });
    const bells = session.page.getByRole('button', { name: 'Alerts: none' });
    await bells.first().click();
    await bells.nth(1).click();
    await session.panel.nth(1).waitFor();
    expect(await session.page.locator('session-alerts[open]').count()).toBe(2);
  });

  it('that is quiet tells by its badge alone', async () => {
    const session = await setting.open({ attributes: 'quiet' });
    await session.bellSays('Alerts: none');
    await setting.backend.fire(KILLED);
    await session.bellSays('Alerts: 1 open');
    await session.page.waitForTimeout(600);
    expect(await session.panel.isVisible()).toBe(false);
    expect(await session.page.locator('session-alerts [aria-live]').allTextContents()).toEqual(['', '']);
    await session.bell.click();
    await session.alert('Session restarted').waitFor();
    // From now on it is told what changes in what is open, and nothing else.
    await setting.backend.fire(MEMORY);
    await session.says('New alert: Warning: High memory usage');
  });

  it('does not let a quiet one keep the others from opening', async () => {
    const session = await setting.open({
      html: pageWith(`${PANEL.replace('<session-alerts', '<session-alerts quiet')}${HEADER}`),
    });
    await session.page.getByRole('button', { name: 'Alerts: none' }).nth(1).waitFor();
    await setting.backend.fire(MEMORY);
    await session.page.locator('session-alerts:not([quiet])[open]').waitFor();
    expect(await session.page.locator('session-alerts[quiet][open]').count()).toBe(0);
  });

  describe('shares its connection', () => {
    async function openMany(count: number, attributes: (index: number) => string): Promise<SessionPage> {
      const panels = Array.from(
        { length: count },
        (_, index) => `<session-alerts api="/api/data" ${attributes(index)}></session-alerts>`,
      ).join('');
      return setting.open({
        html: pageWith(panels).replace(
          'panel.getToken = (options) => window.giveToken(options)',
          // Each its own function, as pages that are drawn by a framework have it.
          'panel.getToken = async (options) => window.giveToken(options)',
        ),
      });
    }

    const badges = (page: Page): Promise<string[]> =>
      page.evaluate(() =>
        [...document.querySelectorAll('session-alerts')].map(
          (panel) => panel.shadowRoot?.querySelector('.badge')?.textContent ?? '',
        ),
      );

    it('with all others of the page, whose own requests are answered', async () => {
      const session = await openMany(50, (index) => `session-name="s-${index % 5}"`);
      await waitUntil(
        async () => (await session.page.getByRole('button', { name: 'Alerts: none' }).count()) === 50,
      );
      expect(await setting.backend.openStreams()).toBe(1);
      expect(await session.page.evaluate(async () => (await fetch('/readyz')).status)).toBe(200);

      await setting.backend.fire(MEMORY, { ...DISK, session: 's-3' }, { ...KILLED, session: 's-3' });
      const expected = Array.from({ length: 50 }, (_, index) => ['', '1', '', '2', ''][index % 5]);
      await waitUntil(async () => (await badges(session.page)).join() === expected.join());
      expect(await setting.backend.openStreams()).toBe(1);
    });

    it('and the dismissals', async () => {
      await setting.backend.fire(MEMORY);
      const session = await openMany(2, () => 'session-name="s-1"');
      await session.button('Dismiss: High memory usage').click();
      await waitUntil(async () => (await badges(session.page)).join() === ',');
    });

    it('not with those of other persons', async () => {
      await setting.backend.fire(MEMORY, { ...DISK, user: 'bob' });
      const tokens = [await setting.backend.token('ann'), await setting.backend.token('bob')];
      const session = await setting.open({
        prepare: (page) => page.exposeFunction('tokenOf', (index: number) => tokens[index]),
        html: pageWith('<session-alerts></session-alerts><session-alerts></session-alerts>').replace(
          'panel.getToken =',
          `const index = panel.nextElementSibling?.matches('session-alerts') ? 0 : 1;
           panel.getToken = () => window.tokenOf(index); const unused =`,
        ),
      });
      await waitUntil(async () => (await setting.backend.openStreams()) === 2);
      expect(await titleIn(session.page, 0)).toBe('High memory usage');
      expect(await titleIn(session.page, 1)).toBe('Low disk space');
    });

    it('only with who it still is: another person sees nothing of the first', async () => {
      await setting.backend.fire(MEMORY, { ...DISK, user: 'bob' });
      let user = 'ann';
      const session = await setting.open({
        giveToken: () => setting.backend.token(user),
        html: pageWith(`${PANEL}${PANEL.replace('s-1', 's-2')}`),
      });
      await session.bellSays('Alerts: 1 open');
      user = 'bob';
      await session.page.evaluate(() => {
        for (const panel of document.querySelectorAll('session-alerts')) {
          panel.setAttribute('session-name', '');
        }
      });
      await waitUntil(async () => (await badges(session.page)).join() === '1,1');
      expect(await setting.backend.openStreams()).toBe(1);
      expect(await session.alerts.locator('.title').allTextContents()).not.toContain('High memory usage');
    });

    /** More alerts than are listed, and graver than those of the session beside. */
    const MANY = Array.from({ length: 520 }, (_, index) => ({
      ...DISK,
      name: `n-${index}`,
      session: 's-9',
      severity: 'critical',
    }));

    it('also where a person has more alerts than are listed', async () => {
      await setting.backend.fire(...MANY, MEMORY);
      const session = await openMany(
        3,
        (index) => ['quiet session-name="s-1"', 'quiet session-name="s-9"', 'quiet'][index] ?? '',
      );
      await waitUntil(async () => (await badges(session.page)).join() === '1,520,521');
      await setting.backend.resolve(MEMORY);
      await waitUntil(async () => (await badges(session.page)).join() === ',520,520');
    });

    it('and lets one that only its own session lists stay in its place while its dismissal can be undone', async () => {
      await setting.backend.fire(...MANY, { ...KILLED, severity: 'warning' }, MEMORY, DISK);
      const session = await openMany(2, (index) => (index === 0 ? 'session-name="s-1"' : ''));
      // Badges count what nobody has seen; how many are open the bells' names say.
      const open = (): Promise<string> =>
        session.page
          .locator('session-alerts .bell')
          .evaluateAll((bells) =>
            bells.map((bell) => /[\d,]+(?= open)/.exec(bell.getAttribute('aria-label') ?? '')?.[0]).join(' '),
          );
      await waitUntil(async () => (await open()) === '3 523');
      const own = session.page.locator('session-alerts').first();
      if (await own.locator('.panel').isHidden()) await own.locator('.bell').click();
      await own.locator('.alert').nth(2).waitFor();
      const titles = await own.locator('.alert .title').allTextContents();

      await own.getByRole('button', { name: 'Dismiss: High memory usage' }).click();
      await waitUntil(async () => (await open()).startsWith('2 '));
      // It is asked for again meanwhile.
      await session.page.waitForTimeout(1500);
      expect(await own.locator('.alert .title').allTextContents()).toEqual(titles);
      await own.getByRole('button', { name: 'Undo: High memory usage' }).click();
      await waitUntil(async () => (await open()).startsWith('3 '));

      await own.getByRole('button', { name: 'Dismiss: High memory usage' }).click();
      await own.locator('.alert', { hasText: 'High memory usage' }).waitFor({ state: 'detached' });
      await waitUntil(async () => (await open()) === '2 522');
      expect(await own.locator('[aria-live=polite]').textContent()).toContain('Dismissed: High memory usage');
    });

    async function titleIn(page: Page, index: number): Promise<string> {
      const read = (): Promise<string> =>
        page.evaluate((at) => {
          const panel = document.querySelectorAll<SessionAlertsElement>('session-alerts')[at];
          if (panel) panel.open = true;
          return panel?.shadowRoot?.querySelector('.alert .title')?.textContent ?? '';
        }, index);
      await waitUntil(async () => (await read()) !== '');
      return read();
    }
  });
});
