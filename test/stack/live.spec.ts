import type { Browser, Page } from 'playwright-core';
import { launchBrowser } from '../browser/support/browser.js';
import { AlertsApi, firing, resolved, webhook } from '../support/alerts.js';
import { waitUntil } from '../support/server.js';
import { Nginx } from './support/nginx.js';
import { startPostgres } from './support/postgres.js';
import type { StackPostgres } from './support/postgres.js';
import { ServerProcess } from './support/server-process.js';
import { Stack } from './support/stack.js';

const SESSION_PAGE = `<!doctype html>
<html lang="en">
  <title>A session</title>
  <session-alerts api="/api/data" session-name="s-1"></session-alerts>
  <script type="module">
    import '/panel/session-alerts.js';
    document.querySelector('session-alerts').getToken = () => window.giveToken();
  </script>
</html>`;

/** How long the panel may take to come back: the longest wait between two of its attempts, and slack (ms). */
const RECOVERY = 45_000;

let postgres: StackPostgres;
let browser: Browser;
let stack: Stack;
let one: ServerProcess;
let other: ServerProcess;
let databaseUrlOfOther: string;
let nginx: Nginx<'one' | 'other' | 'both' | 'holding'>;
/** Each posts through nginx to one server. */
let apiOfOne: AlertsApi;
let apiOfOther: AlertsApi;

beforeAll(async () => {
  postgres = await startPostgres();
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
  await postgres.close();
});
beforeEach(async () => {
  stack = await Stack.start(postgres);
  one = stack.server;
  databaseUrlOfOther = await postgres.createUser(stack.databaseUrl);
  other = await ServerProcess.start({ DATABASE_URL: databaseUrlOfOther, OIDC_ISSUER: stack.issuer.url });
  stack.onClose(() => other.stop());
  nginx = await Nginx.start(
    {
      one: { servers: [one.url] },
      other: { servers: [other.url] },
      both: { servers: [one.url, other.url] },
      holding: {
        servers: [other.url],
        // More than a page is sent here, so that nothing of it comes through.
        directives:
          'proxy_ignore_headers X-Accel-Buffering; proxy_buffer_size 256k; proxy_buffers 4 256k; proxy_busy_buffers_size 512k;',
      },
    },
    SESSION_PAGE,
  );
  stack.onClose(() => nginx.stop());
  apiOfOne = new AlertsApi(`${nginx.urls.one}/api/data`, stack.issuer);
  apiOfOther = new AlertsApi(`${nginx.urls.other}/api/data`, stack.issuer);
});
afterEach(() => stack.close());

/** Opens Ann's session page at one of nginx's ports; what the page asks for goes to `asked`. */
async function open(url: string, asked: string[] = []): Promise<Page> {
  const page = await browser.newPage();
  stack.onClose(() => page.close());
  page.on('request', (request) => asked.push(new URL(request.url()).pathname));
  await page.exposeFunction('giveToken', () => stack.issuer.userToken({ sub: 'ann', lifetime: 3600 }));
  await page.goto(`${url}/session`);
  await bellSays(page, /^Alerts: /);
  return page;
}

async function bellSays(page: Page, name: RegExp, timeout = RECOVERY): Promise<void> {
  await page.getByRole('button', { name }).waitFor({ timeout });
}

/** Waits until the page shows an alert, or shows it no more. */
async function shows(page: Page, title: string, state: 'visible' | 'detached' = 'visible'): Promise<void> {
  await page.getByRole('heading', { name: title, exact: true }).waitFor({ state, timeout: RECOVERY });
}

function annsAlert(title: string): ReturnType<typeof firing> {
  return firing({ user: 'ann', session: 's-1', name: title, title, startsAt: new Date().toISOString() });
}

/** Posts as Alertmanager does: again until it is taken. */
async function post(api: AlertsApi, ...alerts: unknown[]): Promise<void> {
  await waitUntil(async () => (await api.postWebhook(webhook(alerts))).status === 200);
}

async function streamsOf({ url }: ServerProcess): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Number(/^session_alerts_streams (\d+)$/m.exec(metrics)?.[1]);
}

/** Posts to one server, and expects the other one's page to show it within a second. */
async function expectLive(page: Page, api: AlertsApi, title: string): Promise<void> {
  const posted = performance.now();
  await api.deliver(annsAlert(title));
  await shows(page, title);
  expect(performance.now() - posted).toBeLessThan(1_000);
}

describe('Two servers on one database, behind nginx', () => {
  it('an alert posted to one shows at once in a page of the other', async () => {
    const [askedByOne, askedByOther, askedWhereHeld]: string[][] = [[], [], []];
    const pageOfOne = await open(nginx.urls.one, askedByOne);
    const pageOfOther = await open(nginx.urls.other, askedByOther);
    await waitUntil(async () => (await streamsOf(one)) === 1 && (await streamsOf(other)) === 1);
    await expectLive(pageOfOther, apiOfOne, 'Posted to one');
    await expectLive(pageOfOne, apiOfOther, 'Posted to the other');
    await expectLive(pageOfOther, apiOfOther, 'Posted to its own');
    for (const page of [pageOfOne, pageOfOther]) await bellSays(page, /^Alerts: 3 open(, \d new)?$/);

    const ending = annsAlert('Ends');
    await apiOfOne.deliver(ending);
    await shows(pageOfOther, 'Ends');
    await apiOfOne.deliver(resolved(ending, new Date().toISOString()));
    await shows(pageOfOther, 'Ends', 'detached');

    // An nginx that does not heed our X-Accel-Buffering holds the stream back, and the panel has to poll.
    const pageWhereHeld = await open(nginx.urls.holding, askedWhereHeld);
    // What one has seen in another page opens by hand alone.
    const bell = pageWhereHeld.getByRole('button', { name: /^Alerts: 3 open/ });
    await waitUntil(async () => {
      if ((await bell.getAttribute('aria-expanded')) !== 'true') await bell.click();
      return pageWhereHeld.getByRole('heading', { name: 'Posted to one', exact: true }).isVisible();
    }, RECOVERY);
    expect(askedWhereHeld).toContain('/api/data/alerts');
    for (const asked of [askedByOne, askedByOther]) {
      expect(asked).toContain('/api/data/alerts/stream');
      expect(asked).not.toContain('/api/data/alerts');
    }
  });

  it('PostgreSQL restarts under open pages: they say so, come back by themselves, and have missed nothing', async () => {
    const pages = [await open(nginx.urls.one), await open(nginx.urls.other)];
    const before = annsAlert('Before');
    await apiOfOne.deliver(before);
    for (const page of pages) await shows(page, 'Before');

    await postgres.shutDown();
    for (const page of pages)
      await bellSays(page, /^Alerts: 1 open(, 1 new)?\. Alerts may be out of date since/);
    await postgres.startAgain();
    await post(apiOfOne, resolved(before, new Date().toISOString()), annsAlert('After'));
    for (const page of pages) {
      await shows(page, 'After');
      await shows(page, 'Before', 'detached');
      await bellSays(page, /^Alerts: 1 open(, 1 new)?$/);
    }
    // By polling, where the stream was refused while the server itself came back.
    await apiOfOne.deliver(annsAlert('Later'));
    for (const page of pages) await shows(page, 'Later');
  });

  it('what one of them stores while the other is cut off from PostgreSQL shows there afterwards', async () => {
    const pageOfOther = await open(nginx.urls.other);
    await apiOfOne.deliver(annsAlert('Before'));
    await shows(pageOfOther, 'Before');

    const letIn = await postgres.lockOut(databaseUrlOfOther);
    await apiOfOne.deliver(annsAlert('Meanwhile'));
    await letIn();
    await shows(pageOfOther, 'Meanwhile');
  });

  it('one of them is killed: its page goes on with the other', async () => {
    const page = await open(nginx.urls.both);
    await waitUntil(async () => (await streamsOf(one)) + (await streamsOf(other)) === 1);
    const [serving, left] = (await streamsOf(one)) === 1 ? [one, other] : [other, one];
    await serving.kill();
    await waitUntil(async () => (await streamsOf(left)) === 1, RECOVERY);
    await expectLive(
      page,
      new AlertsApi(`${nginx.urls.both}/api/data`, stack.issuer),
      'Posted to who is left',
    );
    await bellSays(page, /^Alerts: 1 open(, 1 new)?$/);
  });
});
