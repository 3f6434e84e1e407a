import type { Page } from 'playwright-core';
import { waitUntil } from '../support/server.js';
import type { SessionPage } from './support/session-page.js';
import { DISK, KILLED, MEMORY, setUp } from './support/setting.js';

/** The ids of each report that a page has sent. */
function reportsOf(page: Page): string[][] {
  const reports: string[][] = [];
  page.on('request', (request) => {
    if (!request.url().endsWith('/alerts/seen')) return;
    reports.push((request.postDataJSON() as { ids: string[] }).ids);
  });
  return reports;
}

const badgeOf = (session: SessionPage) => session.bell.locator('.badge');
const says = (session: SessionPage, name: string) =>
  session.page.getByRole('button', { name, exact: true }).waitFor();

describe('What a person has seen', () => {
  const setting = setUp();

  it('counts in the badge no more, in any tab or device', async () => {
    await setting.backend.fire(DISK, MEMORY);
    const elsewhere = await setting.open({ attributes: 'quiet' });
    await says(elsewhere, 'Alerts: 2 open, 2 new');
    expect(await badgeOf(elsewhere).textContent()).toBe('2');

    let reports: string[][] = [];
    const session = await setting.open({
      prepare: (page) => {
        reports = reportsOf(page);
        return Promise.resolve();
      },
    });
    await session.panel.waitFor();
    await says(session, 'Alerts: 2 open');
    await says(elsewhere, 'Alerts: 2 open');
    expect(reports.map(({ length }) => length)).toEqual([2]);
    // It stays to be seen that something is open.
    expect(await badgeOf(elsewhere).textContent()).toBe('');
    expect(await badgeOf(elsewhere).isVisible()).toBe(true);

    await setting.backend.fire(KILLED);
    await says(elsewhere, 'Alerts: 3 open, 1 new');
    expect(await badgeOf(elsewhere).textContent()).toBe('1');
    await says(elsewhere, 'Alerts: 3 open');
    expect(reports.map(({ length }) => length)).toEqual([2, 1]);
  });

  it('does not open by itself again elsewhere, nor is it said, until it is graver', async () => {
    await setting.backend.fire(MEMORY);
    const session = await setting.open();
    await says(session, 'Alerts: 1 open');
    const elsewhere = await setting.open();
    await says(elsewhere, 'Alerts: 1 open');
    expect(await elsewhere.panel.isVisible()).toBe(false);
    expect(await elsewhere.page.locator('session-alerts [aria-live]').allTextContents()).toEqual(['', '']);

    await session.button('Close').click();
    await setting.backend.fire({ ...MEMORY, severity: 'critical' });
    await elsewhere.panel.waitFor();
    await elsewhere.says('Now critical: High memory usage', 'assertive');
  });

  it('is seen again once it is graver, also where it stays on screen', async () => {
    await setting.backend.fire(MEMORY);
    const session = await setting.open();
    await says(session, 'Alerts: 1 open');
    const elsewhere = await setting.open({ attributes: 'quiet' });
    await says(elsewhere, 'Alerts: 1 open');
    await setting.backend.fire({ ...MEMORY, severity: 'critical' });
    await says(elsewhere, 'Alerts: 1 open, 1 new');
    await says(elsewhere, 'Alerts: 1 open');
  });

  it('is what was on screen for a second while the tab was visible', async () => {
    const session = await setting.open();
    await session.bellSays('Alerts: none');
    const reports = reportsOf(session.page);
    await session.setVisible(false);
    await setting.backend.fire(MEMORY);
    await session.panel.waitFor();
    await session.page.waitForTimeout(2_500);
    expect(reports).toEqual([]);
    await session.setVisible(true);
    await says(session, 'Alerts: 1 open');
    expect(reports).toHaveLength(1);
  });

  it('is what can be seen of a long list', async () => {
    await setting.backend.fire(
      ...Array.from({ length: 12 }, (_, index) => ({ ...MEMORY, name: `n-${index}` })),
    );
    const session = await setting.open({ viewport: { width: 600, height: 480 } });
    await says(session, 'Alerts: 12 open, 12 new');
    await session.page.getByRole('button', { name: /^Alerts: 12 open, \d new$/ }).waitFor();
    await session.alerts.last().scrollIntoViewIfNeeded();
    await session.page.getByRole('button', { name: /^Alerts: 12 open, [1-6] new$/ }).waitFor();
  });

  it('is reported again after it could not be', async () => {
    await setting.backend.fire(MEMORY);
    let refusals = 2;
    const session = await setting.open({
      prepare: (page) =>
        page.route('**/alerts/seen', (route) =>
          refusals-- > 0 ? route.fulfill({ status: 503 }) : route.fallback(),
        ),
    });
    await session.panel.waitFor();
    await waitUntil(() => refusals === 1);
    await setting.backend.fire(DISK);
    await waitUntil(() => refusals <= 0);
    await setting.backend.fire(KILLED);
    await says(session, 'Alerts: 3 open');
  });

  it('is not kept by an older server, whose alerts all count', async () => {
    await setting.backend.fire(MEMORY);
    let reports: string[][] = [];
    const session = await setting.open({
      prepare: (page) => {
        reports = reportsOf(page);
        return page.route('**/alerts/seen', (route) => route.fulfill({ status: 404 }));
      },
    });
    await says(session, 'Alerts: 1 open');
    expect(await badgeOf(session).textContent()).toBe('1');
    await setting.backend.fire(DISK);
    await says(session, 'Alerts: 2 open');
    await waitUntil(async () => (await session.button('Dismiss all read (2)').count()) === 1);
    expect(await badgeOf(session).textContent()).toBe('2');
    expect(reports).toHaveLength(1);
  });
});

describe('What a person has muted', () => {
  const setting = setUp();

  async function mute(mutes: { event_type: string; until?: string }[]): Promise<void> {
    const { url } = setting.backend;
    const answer = await fetch(`${url}/api/data/alerts/preferences`, {
      method: 'PUT',
      headers: {
        Authorization: `Bearer ${await setting.backend.token('ann')}`,
        'Content-Type': 'application/json',
      },
      body: JSON.stringify({ mutes }),
    });
    expect(answer.status).toBe(200);
  }

  it('stays in the list and says so, opens nothing, is not said and does not count', async () => {
    await mute([{ event_type: MEMORY.name }]);
    const session = await setting.open();
    await session.bellSays('Alerts: none');
    await setting.backend.fire(MEMORY);
    await says(session, 'Alerts: 1 open');
    expect(await session.panel.isVisible()).toBe(false);
    expect(await badgeOf(session).textContent()).toBe('');
    await session.bell.click();
    await session.alert('High memory usage').getByText('Muted', { exact: false }).waitFor();
    await session.button('Close').click();

    await setting.backend.fire(DISK);
    await session.says('New alert: Info: Low disk space');
    await says(session, 'Alerts: 2 open, 1 new');
    await setting.backend.resolve(MEMORY);
    await session.alert('High memory usage').waitFor({ state: 'detached' });
    await setting.backend.resolve(DISK);
    await session.says('Alert ended: Info: Low disk space');
  });

  it('says until when', async () => {
    const until = new Date();
    until.setHours(23, 59, 30, 0);
    await mute([{ event_type: MEMORY.name, until: until.toISOString() }]);
    await setting.backend.fire(MEMORY);
    const session = await setting.open();
    await session.bell.click();
    await session
      .alert('High memory usage')
      .getByText(/Muted until 11:59 PM/)
      .waitFor();
  });

  it('counts again once that is over', async () => {
    await mute([{ event_type: MEMORY.name, until: new Date(Date.now() + 3_000).toISOString() }]);
    await setting.backend.fire(MEMORY);
    const session = await setting.open({ attributes: 'quiet' });
    await says(session, 'Alerts: 1 open');
    await says(session, 'Alerts: 1 open, 1 new');
  });

  it('is quiet at once where it is muted elsewhere', async () => {
    await setting.backend.fire(MEMORY);
    const session = await setting.open({ attributes: 'quiet' });
    await says(session, 'Alerts: 1 open, 1 new');
    await mute([{ event_type: MEMORY.name }]);
    await says(session, 'Alerts: 1 open');
    await mute([]);
    await says(session, 'Alerts: 1 open, 1 new');
  });
});
