import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import type { Backend } from './backend.js';

/** Opens the demo page as it was built for this run, on a backend that may serve another one or none. */
export async function openDemoPage(
  browser: Browser,
  backend: Backend,
  options: BrowserContextOptions = {},
): Promise<Page> {
  const page = await browser.newPage(options);
  const built = (path: string): Promise<Buffer> =>
    readFile(join(process.env['PANEL_BUILD'] ?? '', 'demo', path));
  await page.route(`${backend.url}/`, async (route) => {
    await route.fulfill({ contentType: 'text/html', body: await built('index.html') });
  });
  await page.route(`${backend.url}/demo/assets/*`, async (route) => {
    const { pathname } = new URL(route.request().url());
    const contentType = pathname.endsWith('.css') ? 'text/css' : 'text/javascript';
    await route.fulfill({ contentType, body: await built(pathname.replace('/demo/', '')) });
  });
  await page.goto(`${backend.url}/`);
  return page;
}
