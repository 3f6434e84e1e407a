import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page } from 'playwright-core';
import type { Backend } from './backend.js';

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>A session</title>
    <style>
      :root { color-scheme: light dark; }
      body { margin: 0; font: 16px/1.5 system-ui, sans-serif; }
      header { display: flex; justify-content: space-between; align-items: center; padding: 8px 16px; overflow: hidden; }
      h1 { font-size: 1rem; margin: 0; }
      main { padding: 16px; }
    </style>
  </head>
  <body>
    <header><h1>A session</h1><!--panel--></header>
    <main><label>Notebook <textarea id="notebook"></textarea></label></main>
    <script type="module" nonce="test">
      import '/session-alerts.js';
      for (const panel of document.querySelectorAll('session-alerts')) {
        panel.getToken = (options) => window.giveToken(options);
      }
    </script>
  </body>
</html>`;

export interface SessionPageOptions extends BrowserContextOptions {
  user?: string;
  session?: string;
  /** Further attributes of the element. */
  attributes?: string;
  /** Gives the panel's tokens; by default tokens that last. */
  giveToken?: (options: { refresh: boolean }) => Promise<string>;
  /** Another page than ours, which places the element itself. */
  html?: string;
  /** The page's Content-Security-Policy. Its own style then stays away. */
  policy?: string;
  /** Called before the page is loaded. */
  prepare?: (page: Page) => Promise<unknown>;
  /** In another page's context, as another tab of the same browser. */
  context?: BrowserContext;
}

/** A page with the panel in it, seen by a user. */
export class SessionPage {
  readonly bell: Locator;
  readonly panel: Locator;
  readonly alerts: Locator;

  private constructor(
    readonly page: Page,
    readonly context: BrowserContext,
  ) {
    this.bell = page.locator('session-alerts .bell');
    this.panel = page.getByRole('region', { name: 'Alerts' });
    this.alerts = this.panel.locator('.alert');
  }

  static async open(
    browser: Browser,
    backend: Backend,
    {
      user = 'ann',
      session = 's-1',
      attributes = '',
      giveToken,
      html,
      policy,
      prepare,
      context: given,
      ...options
    }: SessionPageOptions = {},
  ): Promise<SessionPage> {
    const context = given ?? (await browser.newContext(options));
    const page = await context.newPage();
    const panel = `<session-alerts api="/api/data" session-name="${session}" ${attributes}></session-alerts>`;
    await page.route(`${backend.url}/session`, (route) =>
      route.fulfill({
        contentType: 'text/html',
        headers: policy === undefined ? {} : { 'Content-Security-Policy': policy },
        body:
          html ??
          (policy === undefined ? PAGE : PAGE.replace(/<style>.*<\/style>/s, '')).replace(
            '<!--panel-->',
            panel,
          ),
      }),
    );
    const build = process.env['PANEL_BUILD'] ?? '';
    const modules = (await readdir(build)).filter((file) => file.endsWith('.js'));
    for (const module of modules) {
      const body = await readFile(join(build, module), 'utf8');
      await page.route(`${backend.url}/${module}`, (route) =>
        route.fulfill({ contentType: 'text/javascript', body }),
      );
    }
    await page.exposeFunction('giveToken', giveToken ?? (() => backend.token(user)));
    await prepare?.(page);
    const opened = new SessionPage(page, context);
    await page.goto(`${backend.url}/session`);
    return opened;
  }

  alert(title: string): Locator {
    return this.alerts.filter({ has: this.page.getByRole('heading', { name: title, exact: true }) });
  }

  button(name: string): Locator {
    return this.panel.getByRole('button', { name, exact: true });
  }

  /** Waits until the bell says that, however many of what is open are new. */
  async bellSays(name: string): Promise<void> {
    await this.bellButton(name).waitFor();
  }

  /** The bell that says how many are open, however many of them are new. */
  bellButton(name: string): Locator {
    return this.page.getByRole('button', { name: new RegExp(`^${name}(, [\\d,]+ new)?$`) });
  }

  /** Waits until a screen reader is told that. */
  async says(text: string | RegExp, urgency: 'polite' | 'assertive' = 'polite'): Promise<void> {
    await this.page
      .locator(`session-alerts [aria-live=${urgency}]`)
      .getByText(text)
      .waitFor({ state: 'attached' });
  }

  /** What has the focus, by its name or text. */
  focused(): Promise<string> {
    return this.page.evaluate(() => {
      let element = document.activeElement;
      while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
      const names = [element?.getAttribute('aria-label'), element?.textContent.trim(), element?.id];
      return names.find(Boolean) ?? '';
    });
  }

  /** Lets the page believe that it is hidden or shown. */
  async setVisible(visible: boolean): Promise<void> {
    await this.page.evaluate(
      (state) => {
        Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => state });
        document.dispatchEvent(new Event('visibilitychange'));
      },
      visible ? 'visible' : 'hidden',
    );
  }

  async close(): Promise<void> {
    await this.context.close();
  }
}
