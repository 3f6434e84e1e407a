import type { Browser, Page } from 'playwright-core';
import { launchBrowser } from '../browser/support/browser.js';
import { AlertsApi, firing } from '../support/alerts.js';
import { panelBlocks } from '../support/panel-document.js';
import { startTestServer } from '../support/server.js';
import type { TestServer } from '../support/server.js';
import { PanelHost } from './support/panel-host.js';

interface PanelApp {
  name: string;
  /** Sections of docs/panel.md whose code it holds, some of it in its page. */
  holds: string[];
  /** Whether it draws its page on a server as well. */
  drawsOnServer?: boolean;
  /** The program that does so at each request, and its arguments. */
  server?: [string, ...string[]];
}

const PLAIN = ['Plain HTML', 'With a bundler', 'Events', 'Looks', 'Languages', 'Texts'];
const REACT_19 = 'React 19';
const REACT_18 = 'React 18, Next and other servers that draw React';

const APPS: PanelApp[] = [
  { name: 'panel-vite', holds: PLAIN },
  { name: 'panel-react18', holds: [REACT_18, REACT_19] },
  { name: 'panel-react19', holds: [REACT_19, REACT_18] },
  { name: 'panel-vue', holds: ['Vue'], drawsOnServer: true },
  { name: 'panel-svelte', holds: ['Svelte'], drawsOnServer: true },
  {
    name: 'panel-next',
    holds: [REACT_18, REACT_19],
    drawsOnServer: true,
    server: ['node_modules/next/dist/bin/next', 'start'],
  },
];

const blocks = panelBlocks();

describe('The panel in pages of others', () => {
  let api: TestServer;
  let browser: Browser;

  beforeAll(async () => {
    api = await startTestServer({}, { upkeep: false });
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser.close();
    await api.close();
  });

  it('has each piece of code of its document in one of them', () => {
    const held = APPS.flatMap(({ holds }) => holds);
    expect(blocks.filter(({ section }) => !held.includes(section))).toEqual([]);
    expect(held.filter((section) => !blocks.some((block) => block.section === section))).toEqual([]);
  });

  describe.each(APPS)('$name', ({ name, holds, server, drawsOnServer }) => {
    let host: PanelHost | undefined;

    // Its compiler checks the document's code, and its bundler takes what it imports.
    beforeAll(async () => {
      host = await PanelHost.install(
        name,
        blocks.filter(({ section }) => holds.includes(section)),
      );
      if (server) await host.start(...server);
    });
    afterAll(async () => {
      await host?.remove();
    });

    /** Opens its page, or the one that a server has drawn, as a person whom nobody else is. */
    async function open(user: string, drawn?: string): Promise<{ page: Page; troubles: string[] }> {
      const page = await (await browser.newContext()).newPage();
      const troubles: string[] = [];
      page.on('pageerror', ({ message }) => troubles.push(message));
      page.on('console', (message) => {
        if (['error', 'warning'].includes(message.type())) troubles.push(message.text());
      });
      await page.exposeFunction('giveToken', () => api.issuer.userToken({ sub: user }));
      await host!.putBeside(api, page, drawn);
      await page.goto(`${api.url}/`);
      return { page, troubles };
    }

    async function expectToFollow(user: string, drawn?: string): Promise<void> {
      await new AlertsApi(`${api.url}/api/data`, api.issuer).deliver(
        firing({ user, session: 's-1', title: 'High memory usage' }),
        firing({ user, session: 's-2', title: 'Low disk space' }),
      );
      const { page, troubles } = await open(user, drawn);
      const memory = page.getByRole('heading', { name: 'High memory usage' });
      const disk = page.getByRole('heading', { name: 'Low disk space' });
      await memory.waitFor();
      expect(await disk.count()).toBe(0);
      await page.getByRole('button', { name: 'Other session' }).press('Enter');
      await disk.waitFor();
      expect(await memory.count()).toBe(0);
      expect(troubles).toEqual([]);
      await page.context().close();
    }

    it('shows an alert, and then those of another session', async () => {
      await expectToFollow(name);
    });

    if (drawsOnServer) {
      it('does so in a page that a server has drawn', async () => {
        const drawn = await host!.drawn();
        expect(drawn).toMatch(/<session-alerts api="\/api\/data" session-name="s-1"/);
        await expectToFollow(`${name}-drawn`, drawn);
      });
    }
  });
});
