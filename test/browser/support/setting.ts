import type { Browser } from 'playwright-core';
import { Backend } from './backend.js';
import { launchBrowser } from './browser.js';
import { SessionPage } from './session-page.js';
import type { SessionPageOptions } from './session-page.js';

/** A browser for a file of tests, and for each test a backend and pages that are closed after it. */
export interface Setting {
  readonly browser: Browser;
  readonly backend: Backend;
  /** Opens a session page on the backend. */
  open(options?: SessionPageOptions): Promise<SessionPage>;
}

export function setUp(settings?: Record<string, string>): Setting {
  let browser: Browser;
  let backend: Backend;
  const pages: SessionPage[] = [];

  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser.close();
  });
  beforeEach(async () => {
    backend = await Backend.create(settings);
  });
  afterEach(async () => {
    for (const page of pages.splice(0)) await page.close();
    await backend.close();
  });

  return {
    get browser() {
      return browser;
    },
    get backend() {
      return backend;
    },
    open: async (options) => {
      const page = await SessionPage.open(browser, backend, options);
      pages.push(page);
      return page;
    },
  };
}

/** Some alerts of Ann's session. */
export const MEMORY = {
  user: 'ann',
  session: 's-1',
  name: 'RenkuSessionHighMemory',
  title: 'High memory usage',
  message: 'Memory usage is at **94 %**.',
  severity: 'warning',
  runbookUrl: 'https://runbooks.example/memory',
};
export const DISK = {
  user: 'ann',
  session: 's-1',
  name: 'RenkuSessionHighDiskUsage',
  title: 'Low disk space',
  message: 'A volume is over 90 % full.',
  severity: 'info',
};
export const KILLED = {
  user: 'ann',
  session: 's-1',
  name: 'RenkuSessionOOMKilled',
  title: 'Session restarted',
  message: 'It ran out of memory.',
  severity: 'critical',
  kind: 'event' as const,
};

/** An alert behind which two volumes fire. */
export const VOLUMES = [
  {
    ...DISK,
    name: 'RenkuSessionVolumeFull',
    volume: 'data',
    title: 'Volume nearly full',
    message: 'Volume **data** is at 97 %.',
    severity: 'critical',
    runbookUrl: 'https://runbooks.example/disk',
  },
  {
    ...DISK,
    name: 'RenkuSessionVolumeFull',
    volume: 'scratch',
    title: 'Volume nearly full',
    message: 'Volume **scratch** is at 91 %.',
    severity: 'warning',
    runbookUrl: 'https://runbooks.example/disk',
  },
] as const;
