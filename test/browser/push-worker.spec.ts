import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { BrowserContext, CDPSession, Page, Worker } from 'playwright-core';
import type { PushPayload } from '../../src/delivery/push-payload.js';
import { waitUntil } from '../support/server.js';
import { openProfile } from './support/browser.js';

/** What is on the screen, as the page's own script reads it. */
interface Shown {
  title: string;
  body: string;
  tag: string;
  silent: boolean | null;
  renotify: boolean;
  icon: string;
  url: string | undefined;
}

/** ms */
const LOST_AFTER = 8_000;

describe('The service worker', () => {
  let code: string;
  let server: Server;
  let origin: string;
  let profile: string;
  let context: BrowserContext;
  let page: Page;
  let tools: CDPSession;
  let worker: Worker;
  let registrationId: string;
  /** The last, and when it was delivered. */
  let pushed = { data: '', at: 0 };

  beforeAll(async () => {
    code = await readFile(join(process.env['PANEL_BUILD'] ?? '', 'push-worker.js'), 'utf8');
    server = createServer((request, response) => {
      const isWorker = request.url?.startsWith('/push-worker.js') === true;
      response
        .writeHead(200, { 'Content-Type': isWorker ? 'text/javascript' : 'text/html' })
        .end(isWorker ? code : '<!doctype html><title>A session</title>');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    profile = await mkdtemp(join(tmpdir(), 'push-worker-'));
    context = await openProfile(profile);
    await context.grantPermissions(['notifications'], { origin });
    page = await context.newPage();
    await page.goto(`${origin}/sessions/s-1#cell-7`);
    tools = await context.newCDPSession(page);
    const registered = new Promise<string>((resolve) => {
      tools.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
        const ours = registrations.find(({ scopeURL }) => scopeURL.startsWith(origin));
        if (ours) resolve(ours.registrationId);
      });
    });
    await tools.send('ServiceWorker.enable');
    const started = context.waitForEvent('serviceworker');
    await page.evaluate(async () => {
      await navigator.serviceWorker.register('/push-worker.js?icon=/bell.png');
      await navigator.serviceWorker.ready;
    });
    [worker, registrationId] = await Promise.all([started, registered]);
  });
  afterAll(async () => {
    await context.close();
    await new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
    await rm(profile, { recursive: true, force: true });
  });
  afterEach(async () => {
    await page.evaluate(async () => {
      const registration = await navigator.serviceWorker.ready;
      for (const notice of await registration.getNotifications()) notice.close();
    });
    await waitUntil(async () => (await notices()).length === 0);
  });

  function push(data: Partial<PushPayload> | string): Promise<unknown> {
    pushed = { data: typeof data === 'string' ? data : JSON.stringify(data), at: performance.now() };
    return tools.send('ServiceWorker.deliverPushMessage', { origin, registrationId, data: pushed.data });
  }

  function notices(): Promise<Shown[]> {
    return page.evaluate(async () => {
      const registration = await navigator.serviceWorker.ready;
      return (await registration.getNotifications()).map((notice) => {
        const { title, body, tag, silent, icon } = notice;
        const { renotify, data } = notice as unknown as { renotify: boolean; data: { url?: string } };
        return { title, body, tag, silent, renotify, icon, url: data.url };
      });
    });
  }

  async function untilShown(title: string): Promise<Shown[]> {
    await waitUntil(async () => {
      // Chromium without a screen now and then loses a push, while the worker is just going to sleep.
      if (performance.now() - pushed.at > LOST_AFTER) await push(pushed.data);
      return (await notices()).some((notice) => notice.title === title);
    });
    return notices();
  }

  /**
   * What a click on the notice does. Chromium without a screen has nothing to click on, and lets a script's own event do
   * nothing: the worker hears of it, and what it asks for is noted.
   */
  function click(): Promise<string[]> {
    return worker.evaluate(async () => {
      const scope = globalThis as unknown as {
        registration: ServiceWorkerRegistration;
        clients: { openWindow: (url: string) => Promise<void> };
        WindowClient: { prototype: { focus: (this: { url: string }) => Promise<void> } };
      };
      const done: string[] = [];
      const work: Promise<unknown>[] = [];
      scope.WindowClient.prototype.focus = function () {
        done.push(`focused ${this.url}`);
        return Promise.resolve();
      };
      scope.clients.openWindow = (url) => {
        done.push(`opened ${url}`);
        return Promise.resolve();
      };
      const [notification] = await scope.registration.getNotifications();
      const event = Object.assign(new Event('notificationclick'), {
        notification,
        waitUntil: (promise: Promise<unknown>) => work.push(promise),
      });
      dispatchEvent(event);
      await Promise.all(work);
      return done;
    });
  }

  const alert = {
    id: '1',
    title: 'Disk nearly full',
    body: 's-1 · At 97 %',
    tag: 'session-alerts x',
    severity: 'critical',
    transition: 'opened',
    alerts: 1,
  } as const;

  it('is a plain script of a few kilobytes, whose names are its own', () => {
    expect(code).toMatch(/^\(\(\)=>\{[^]*\}\)\(\);\s*$/);
    expect(code).not.toMatch(/\b(import|export|require)\b/);
    expect(gzipSync(code).byteLength).toBeLessThan(2_000);
  });

  it('shows what is pushed, and in its place silently that it is over', async () => {
    await push({ ...alert, url: `${origin}/sessions/s-1` });
    expect(await untilShown('Disk nearly full')).toEqual([
      {
        title: 'Disk nearly full',
        body: 's-1 · At 97 %',
        tag: 'session-alerts x',
        silent: false,
        renotify: true,
        icon: `${origin}/bell.png`,
        url: `${origin}/sessions/s-1`,
      },
    ]);
    await push({ ...alert, tag: 'session-alerts y', title: 'Another' });
    expect(await untilShown('Another')).toHaveLength(2);
    await push({ ...alert, title: 'Over: Disk nearly full', transition: 'over' });
    const shown = await untilShown('Over: Disk nearly full');
    expect(shown.map(({ title, silent, renotify }) => [title, silent, renotify]).sort()).toEqual([
      ['Another', false, true],
      ['Over: Disk nearly full', true, false],
    ]);
  });

  it.each([
    '',
    'hello',
    '{',
    'null',
    '7',
    '[]',
    '{"title": 7}',
    '{"title": "", "tag": "x"}',
    '{"title": "x"}',
  ])('says that there is news where it cannot read what: %j', async (data) => {
    await push(data);
    expect(await untilShown('There is news of your sessions')).toHaveLength(1);
    expect(await click()).toEqual([`focused ${origin}/sessions/s-1#cell-7`]);
  });

  it.each(['javascript:alert(1)', 'data:text/html,x', 'https://', 7])('leads nowhere by %j', async (url) => {
    await push({ ...alert, url: url as string });
    const [{ url: kept }] = (await untilShown('Disk nearly full')) as [Shown];
    expect(kept).toBeUndefined();
  });

  it('brings the page to the front that is open there', async () => {
    await push({ ...alert, url: `${origin}/sessions/s-1` });
    await untilShown('Disk nearly full');
    expect(await click()).toEqual([`focused ${origin}/sessions/s-1#cell-7`]);
    expect(await notices()).toEqual([]);
  });

  it.each(['/sessions/s-2', '/sessions/s-1#other', 'https://elsewhere.example/sessions/s-1'])(
    'opens the page where none is open: %s',
    async (path) => {
      const url = new URL(path, origin).href;
      await push({ ...alert, url });
      await untilShown('Disk nearly full');
      expect(await click()).toEqual([`opened ${url}`]);
      expect(await notices()).toEqual([]);
    },
  );
});
