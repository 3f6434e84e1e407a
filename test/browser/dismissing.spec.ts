import type { Route } from 'playwright-core';
import { waitUntil } from '../support/server.js';
import type { SessionPage } from './support/session-page.js';
import { DISK, KILLED, MEMORY, setUp } from './support/setting.js';

/** Notes what the page dismisses; an answer stands in for the API's. */
async function follow(session: SessionPage, answer?: (route: Route) => Promise<void>): Promise<string[]> {
  const dismissed: string[] = [];
  await session.page.route('**/alerts/*', (route) => {
    if (route.request().method() !== 'PATCH') return route.fallback();
    dismissed.push(route.request().url().slice(-26));
    return answer ? answer(route) : route.fallback();
  });
  return dismissed;
}

/** Where an alert's button is. */
async function centre(session: SessionPage, button: string): Promise<{ x: number; y: number }> {
  const box = await session.button(button).boundingBox();
  if (!box) throw new Error(`${button} is not shown`);
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}

describe('Dismissing', () => {
  const setting = setUp();

  it('leaves the alert in its place for five seconds, in which it can be undone', async () => {
    await setting.backend.fire(MEMORY, DISK);
    const session = await setting.open({ reducedMotion: 'reduce' });
    const dismissed = await follow(session);
    const before = await session.alert('Low disk space').boundingBox();
    await session.button('Dismiss: High memory usage').click();
    await session.alert('High memory usage').getByText('Dismissed').waitFor();
    await session.bellSays('Alerts: 1 open');
    // Nothing has moved.
    expect(await session.alert('Low disk space').boundingBox()).toEqual(before);

    await session.button('Undo: High memory usage').click();
    await session.button('Dismiss: High memory usage').waitFor();
    await session.bellSays('Alerts: 2 open');
    await session.page.waitForTimeout(5500);
    expect(dismissed).toEqual([]);
    expect(await session.alerts.count()).toBe(2);
  });

  it.each([
    ['closed', (session: SessionPage) => session.page.close()],
    ['left', (session: SessionPage) => session.page.goto('about:blank')],
    ['hidden', (session: SessionPage) => session.setVisible(false)],
  ])('is sent at once where the page is %s', async (_, leave) => {
    await setting.backend.fire(MEMORY);
    const session = await setting.open();
    await session.button('Dismiss: High memory usage').click();
    await session.bellSays('Alerts: none');
    await leave(session);
    const left = Date.now();
    const other = await setting.open();
    await other.bellSays('Alerts: none');
    expect(Date.now() - left).toBeLessThan(4500);
  });

  it('that fails brings the alert back where it was, with the notice in view', async () => {
    const many = Array.from({ length: 20 }, (_, index) => ({
      ...MEMORY,
      name: `n-${index}`,
      title: `No ${index}`,
    }));
    await setting.backend.fire(...many);
    const session = await setting.open();
    await follow(session, (route) => route.fulfill({ status: 500 }));
    await session.alerts.nth(19).waitFor();
    const titles = await session.alerts.locator('h3').allTextContents();
    await session.button('Dismiss: No 3').click();
    await session.panel.locator('.content').evaluate((content) => {
      content.scrollTo(0, 0);
    });
    const notice = session.alert('No 3').getByText('“No 3” could not be dismissed.');
    await notice.waitFor();
    await session.says('“No 3” could not be dismissed.', 'assertive');
    expect(await session.alerts.locator('h3').allTextContents()).toEqual(titles);
    await waitUntil(async () => {
      const [inside, panel] = [await notice.boundingBox(), await session.panel.boundingBox()];
      return inside !== null && panel !== null && inside.y >= panel.y && inside.y < panel.y + panel.height;
    });
  });

  it('is given up where the alert becomes graver meanwhile, which is told', async () => {
    await setting.backend.fire(MEMORY);
    const session = await setting.open();
    const dismissed = await follow(session);
    await session.button('Dismiss: High memory usage').click();
    await setting.backend.fire({ ...MEMORY, severity: 'critical' });
    await session.says('Now critical: High memory usage', 'assertive');
    await session.button('Dismiss: High memory usage').waitFor();
    await session.page.waitForTimeout(5500);
    expect(dismissed).toEqual([]);
  });

  it('with a double click dismisses one alert, and does not undo it', async () => {
    await setting.backend.fire(MEMORY, DISK, KILLED);
    const session = await setting.open();
    const dismissed = await follow(session);
    await session.button('Dismiss: High memory usage').dblclick();
    await session.alert('High memory usage').waitFor({ state: 'detached', timeout: 10_000 });
    expect(dismissed).toHaveLength(1);
    expect(await session.alerts.count()).toBe(2);
  });

  it('is not what a click does below which the list has moved', async () => {
    await setting.backend.fire(DISK);
    const session = await setting.open();
    const dismissed = await follow(session);
    const at = await centre(session, 'Dismiss: Low disk space');
    await session.page.mouse.move(at.x, at.y);
    await setting.backend.fire(MEMORY, { ...KILLED, message: 'x' });
    await session.alert('Session restarted').waitFor();
    await session.page.mouse.down();
    await session.page.mouse.up();
    expect(await session.panel.getByText('Dismissed').count()).toBe(0);
    await session.page.waitForTimeout(500);
    expect(dismissed).toEqual([]);
    // A moment later it is a click like any other.
    const settled = await centre(session, 'Dismiss: Session restarted');
    await session.page.mouse.click(settled.x, settled.y);
    await session.button('Undo: Session restarted').waitFor();
  });

  it('is not what a click does below which the panel has opened', async () => {
    const session = await setting.open();
    await session.bellSays('Alerts: none');
    const box = await session.bell.boundingBox();
    // About where "Dismiss" will be.
    await session.page.mouse.move((box?.x ?? 0) - 250, (box?.y ?? 0) + 200);
    await setting.backend.fire(MEMORY);
    await session.panel.waitFor();
    const at = await centre(session, 'Dismiss: High memory usage');
    await session.button('Close').click();
    await session.page.mouse.move(at.x, at.y);
    await setting.backend.fire({ ...MEMORY, severity: 'critical' });
    await session.panel.waitFor();
    await session.page.mouse.down();
    await session.page.mouse.up();
    expect(await session.panel.getByText('Dismissed').count()).toBe(0);
  });

  describe('all', () => {
    it('dismisses what was read, and nothing else; and can be undone', async () => {
      const many = Array.from({ length: 20 }, (_, index) => ({
        ...MEMORY,
        name: `n-${index}`,
        title: `No ${index}`,
      }));
      await setting.backend.fire(...many);
      const session = await setting.open();
      const all = session.panel.locator('[part=dismiss-all]');
      await waitUntil(async () => /\([1-9]/.test(await all.innerText()));
      const read = Number(/\d+/.exec(await all.innerText())?.[0]);
      expect(read).toBeGreaterThan(1);
      expect(read).toBeLessThan(20);
      await all.click();
      await session.bellSays(`Alerts: ${20 - read} open`);
      await session.button('Undo all').click();
      await session.bellSays('Alerts: 20 open');
      const dismissed = await follow(session);
      await all.click();
      await waitUntil(() => dismissed.length === read);
      await session.page.waitForTimeout(300);
      expect(new Set(dismissed).size).toBe(read);
      await session.bellSays(`Alerts: ${20 - read} open`);
    });

    it('is for one session too', async () => {
      const other = { session: 's-2' };
      await setting.backend.fire(KILLED, MEMORY, { ...DISK, ...other }, { ...MEMORY, ...other });
      const session = await setting.open({ session: '' });
      await session.alerts.nth(3).scrollIntoViewIfNeeded();
      await session.button('Dismiss all read (2): Session s-2').click();
      await session.bellSays('Alerts: 2 open');
      for (const title of ['Session restarted', 'High memory usage']) {
        await session.panel
          .locator('.group', { hasText: 'Session s-1' })
          .getByRole('button', { name: `Dismiss: ${title}` })
          .waitFor();
      }
    });
  });
});
