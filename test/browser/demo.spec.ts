import type { Locator, Page } from 'playwright-core';
import { openDemoPage } from './support/demo-page.js';
import { setUp } from './support/setting.js';

describe('The demo page', () => {
  const setting = setUp();
  let page: Page;
  let ann: Locator;
  let bob: Locator;

  beforeEach(async () => {
    page = await openDemoPage(setting.browser, setting.backend, { viewport: { width: 1360, height: 900 } });
    ann = page.getByRole('region', { name: 'Ann’s session' });
    bob = page.getByRole('region', { name: 'Bob’s session' });
    for (const session of [ann, bob]) await session.getByRole('button', { name: 'Alerts: none' }).waitFor();
  });
  afterEach(async () => {
    await page.close();
  });

  function press(name: string): Promise<void> {
    return page.getByRole('button', { name, exact: true }).click();
  }

  it('lets something happen to one of two, and end', async () => {
    await press('Memory high');
    await ann.getByRole('heading', { name: 'High memory usage' }).waitFor();
    await ann.getByText('94 %').first().waitFor();
    expect(await bob.getByRole('heading', { name: 'High memory usage' }).count()).toBe(0);
    await press('Resolve Ann: Memory high');
    await ann.getByRole('button', { name: 'Alerts: none' }).waitFor();
  });

  it('holds an alert until both volumes have room again', async () => {
    await page.getByRole('radio', { name: 'Bob' }).check();
    await press('Disk low, two volumes');
    await bob.getByRole('heading', { name: 'Low disk space' }).waitFor();
    await page.getByRole('button', { name: /^Resolve Bob: .*-data$/ }).click();
    await page.getByText('resolved 1').waitFor();
    expect(await bob.getByRole('heading', { name: 'Low disk space' }).count()).toBe(1);
    await page.getByRole('button', { name: /^Resolve Bob: .*-scratch$/ }).click();
    await bob.getByRole('button', { name: 'Alerts: none' }).waitFor();
  });

  it('keeps a kill until it is dismissed', async () => {
    await press('OOM kill');
    await ann.getByRole('heading', { name: 'Session restarted' }).waitFor();
    await press('Resolve all');
    await page.getByText('resolved 1').waitFor();
    await ann.getByRole('button', { name: 'Dismiss: Session restarted' }).click();
    await ann.getByRole('button', { name: 'Alerts: none' }).waitFor();
  });

  it('survives a storm', async () => {
    await press('Storm');
    await ann.getByRole('button', { name: 'Alerts: 24 open' }).waitFor();
    await page.reload();
    await ann.getByRole('button', { name: 'Alerts: 24 open' }).waitFor();
    await press('Resolve all');
    await ann.getByRole('button', { name: 'Alerts: none' }).waitFor();
  });

  it('can be played with the keyboard alone', async () => {
    await page.getByRole('radio', { name: 'Ann' }).focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await bob.getByRole('heading', { name: 'High memory usage' }).waitFor();
  });
});
