import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { waitUntil } from '../support/server.js';
import { OFFERED, offerChannels } from './support/preferences.js';
import type { SessionPage, SessionPageOptions } from './support/session-page.js';
import { DISK, KILLED, MEMORY, VOLUMES, setUp } from './support/setting.js';

const FOLDER = join(__dirname, 'trees');

/** What a screen reader is given of the panel, as a text; times of day are left out. */
async function treeOf(session: SessionPage): Promise<string> {
  const tree = await session.page.locator('session-alerts').ariaSnapshot();
  return `${tree.replace(/\d{1,2}:\d\d [AP]M/g, 'TIME')}\n`;
}

/**
 * The accessibility tree of each state, kept in `trees/` for a reader to review. After a change that is meant,
 * `UPDATE_TREES=1` writes them anew.
 */
describe('The accessibility tree of the panel', () => {
  const setting = setUp();

  /** What a page shows does not depend on when the server hears of what was seen: it never does. */
  const open = (options: SessionPageOptions = {}): Promise<SessionPage> =>
    setting.open({
      prepare: (page) => page.route('**/alerts/seen', (route) => route.abort()),
      ...options,
    });

  async function expectTree(name: string, session: SessionPage): Promise<void> {
    const tree = await treeOf(session);
    const file = join(FOLDER, `${name}.yaml`);
    if (process.env['UPDATE_TREES']) {
      await mkdir(FOLDER, { recursive: true });
      await writeFile(file, tree);
    }
    expect(tree).toBe(await readFile(file, 'utf8'));
  }

  it('closed, without alerts', async () => {
    const session = await open();
    await session.bellSays('Alerts: none');
    await expectTree('closed-none', session);
  });

  it('open, without alerts', async () => {
    const session = await open();
    await session.bellSays('Alerts: none');
    await session.bell.click();
    await session.button('Settings').waitFor();
    await session.panel.getByText('No alerts').waitFor();
    await expectTree('open-none', session);
  });

  it('closed, with alerts', async () => {
    await setting.backend.fire(DISK, MEMORY, KILLED);
    const session = await open({ attributes: 'quiet' });
    await session.bellSays('Alerts: 3 open');
    await expectTree('closed-three', session);
  });

  it('open by itself, and saying so', async () => {
    const session = await open();
    await session.bellSays('Alerts: none');
    await setting.backend.fire(DISK, MEMORY, KILLED);
    await session.says(/3 new alerts/, 'assertive');
    await waitUntil(() => session.panel.locator('[part=dismiss-all]').isEnabled());
    await expectTree('open-three', session);
  });

  it('with several series behind an alert', async () => {
    await setting.backend.fire(...VOLUMES);
    const session = await open({ attributes: 'quiet' });
    await session.bell.locator('.badge').waitFor();
    await session.bell.click();
    await session.button('Settings').waitFor();
    await session.alert('Volume nearly full').getByText('Also:').waitFor();
    await expectTree('series', session);
  });

  it('with several sessions', async () => {
    await setting.backend.fire(KILLED, { ...MEMORY, session: 's-2' }, { ...DISK, session: 's-2' });
    const session = await open({
      session: '',
      attributes: 'quiet session-href="/sessions/{session}"',
    });
    await session.bell.locator('.badge').waitFor();
    await session.bell.click();
    await session.button('Settings').waitFor();
    await session.alerts.nth(2).waitFor();
    await waitUntil(() => session.panel.locator('[part=dismiss-all]').first().isEnabled());
    await expectTree('sessions', session);
  });

  it('while an alert can be kept, and after its dismissal has failed', async () => {
    await setting.backend.fire(DISK, MEMORY);
    const session = await open({ attributes: 'quiet' });
    await session.bell.locator('.badge').waitFor();
    await session.bell.click();
    await session.button('Settings').waitFor();
    await waitUntil(() => session.panel.locator('[part=dismiss-all]').isEnabled());
    await session.page.route('**/alerts/*', (route) =>
      route.request().method() === 'PATCH' ? route.abort() : route.fallback(),
    );
    await session.button('Dismiss: High memory usage').click();
    await session.says('Dismissed: High memory usage');
    await expectTree('dismissed', session);
    await session.says(/could not be dismissed/, 'assertive');
    await expectTree('dismissal-failed', session);
  });

  it('with alerts that were seen, and one that is muted, whose mute is being chosen anew', async () => {
    await setting.backend.fire(DISK, MEMORY);
    const session = await setting.open({ attributes: 'quiet' });
    await session.bell.locator('.badge').waitFor();
    await session.bell.click();
    await session.button('Mute: High memory usage').click();
    await session.button('For good').click();
    await session.button('Unmute: High memory usage').waitFor();
    await session.button('Mute: Low disk space').click();
    await session.page.getByRole('button', { name: 'Alerts: 2 open', exact: true }).waitFor();
    await session.button('Dismiss all read (2)').waitFor();
    await session.page.waitForFunction(
      () =>
        document.querySelector('session-alerts')?.shadowRoot?.querySelector('[aria-live=polite]')
          ?.textContent === '',
    );
    await expectTree('muted', session);
  });

  it('with the settings', async () => {
    const session = await open({
      attributes: 'push-worker="/push-worker.js"',
      prepare: (page) =>
        offerChannels(page, {
          offered: OFFERED,
          channels: { email: { enabled: true, severity: 'warning' } },
        }),
    });
    await session.bellSays('Alerts: none');
    await session.bell.click();
    await session.button('Settings').click();
    await session.panel.getByLabel('E-mail', { exact: true }).waitFor();
    await expectTree('settings', session);
  });

  it('with a long message, folded', async () => {
    await setting.backend.fire({ ...MEMORY, message: 'A line\n\n'.repeat(30) });
    const session = await open({ attributes: 'quiet' });
    await session.bell.locator('.badge').waitFor();
    await session.bell.click();
    await session.button('Settings').waitFor();
    await session.button('Show all: High memory usage').waitFor();
    await expectTree('folded', session);
  });

  it('with what was earlier, opened', async () => {
    await setting.backend.fire(MEMORY);
    await setting.backend.resolve(MEMORY);
    const session = await open();
    await session.bell.click();
    await session.button('Settings').waitFor();
    await session.button('Earlier').click();
    await session.button('High memory usage').click();
    await expectTree('earlier', session);
  });

  it('with what may be out of date, and with what is not known', async () => {
    await setting.backend.fire(DISK);
    const session = await open({ attributes: 'quiet' });
    await session.bell.locator('.badge').waitFor();
    await session.bell.click();
    await session.button('Settings').waitFor();
    await session.alerts.first().waitFor();
    await setting.backend.setFeed('stale');
    await session.says(/out of date since/);
    await expectTree('out-of-date', session);

    const refused = await open({
      attributes: 'quiet',
      prepare: (page) => page.route('**/api/data/**', (route) => route.abort()),
    });
    await refused.bell.click();
    await refused.panel.getByText('It is not known').waitFor();
    await expectTree('unknown', refused);
  });
});
