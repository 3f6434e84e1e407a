import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import type { Backend } from './backend.js';

/** Opens the demo page. */
export async function openDemoPage(
  browser: Browser,
  backend: Backend,
  options: BrowserContextOptions = {},
): Promise<Page> {
  const page = await browser.newPage(options);
  await page.goto(`${backend.url}/`);
  return page;
}
