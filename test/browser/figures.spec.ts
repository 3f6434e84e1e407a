import type { CDPSession, Page } from 'playwright-core';
import { waitUntil } from '../support/server.js';
import { MEMORY, setUp } from './support/setting.js';

/** What the page holds, once what it does not need is thrown away. */
async function held(
  devtools: CDPSession,
): Promise<{ heap: number; listeners: number; nodes: number; work: number }> {
  await devtools.send('HeapProfiler.enable');
  for (let time = 0; time < 3; time += 1) await devtools.send('HeapProfiler.collectGarbage');
  const { metrics } = await devtools.send('Performance.getMetrics');
  const value = (wanted: string): number => metrics.find(({ name }) => name === wanted)?.value ?? NaN;
  return {
    heap: value('JSHeapUsedSize'),
    listeners: value('JSEventListeners'),
    nodes: value('Nodes'),
    work: value('TaskDuration'),
  };
}

async function devtoolsOf(page: Page): Promise<CDPSession> {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Performance.enable');
  return devtools;
}

const MEGABYTE = 1_000_000;

describe('The panel costs the page', () => {
  const setting = setUp();

  it('nothing any more when it has gone, a hundred times', async () => {
    await setting.backend.fire(MEMORY);
    const session = await setting.open({ attributes: 'tab-count' });
    await session.bellSays('Alerts: 1 open');
    const attach = (times: number): Promise<void> =>
      session.page.evaluate(async (count) => {
        for (let time = 0; time < count; time += 1) {
          const panel = document.createElement('session-alerts');
          Object.assign(panel, { getToken: (window as unknown as { giveToken: unknown }).giveToken });
          document.querySelector('main')?.append(panel);
          await new Promise((resolve) => setTimeout(resolve, 30));
          panel.remove();
        }
      }, times);
    const devtools = await devtoolsOf(session.page);
    await attach(20);
    const before = await held(devtools);
    await attach(100);
    const after = await held(devtools);
    expect(after.heap - before.heap).toBeLessThan(MEGABYTE);
    expect(after.listeners - before.listeners).toBeLessThan(20);
    expect(after.nodes - before.nodes).toBeLessThan(200);
    await waitUntil(async () => (await setting.backend.openStreams()) === 1);
  });

  // Of each alert that ends, lit's `repeat` leaves an empty comment in the list.
  it('less than a megabyte after ten thousand updates', async () => {
    const session = await setting.open({
      prepare: (page) =>
        page.addInitScript(() => {
          const encoder = new TextEncoder();
          window.fetch = (address) =>
            Promise.resolve(
              !JSON.stringify(address).includes('/alerts/stream')
                ? new Response('', { status: 404 })
                : new Response(
                    new ReadableStream({
                      start: (stream) => {
                        Object.assign(window, {
                          tell: (alerts: unknown) => {
                            stream.enqueue(encoder.encode(`data: ${JSON.stringify(alerts)}\n\n`));
                          },
                        });
                      },
                    }),
                    { headers: { 'Content-Type': 'text/event-stream' } },
                  ),
            );
        }),
    });
    await session.page.waitForFunction(() => 'tell' in window);
    let told = 0;
    const update = async (times: number): Promise<void> => {
      await session.page.evaluate(
        async ([first = 0, count = 0]) => {
          const { tell } = window as unknown as { tell: (alerts: unknown) => void };
          for (let time = first; time < first + count; time += 1) {
            const words = { title: 'High memory usage', message: `Memory usage is at **${time}** bytes.` };
            tell([
              { id: 'a', severity: time % 2 ? 'warning' : 'critical', ...words },
              { id: `b-${time % 50}`, ...words },
            ]);
            if (time % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
          }
        },
        [told, times],
      );
      told += times;
      await session.alerts
        .getByText(`${told - 1}`)
        .first()
        .waitFor();
    };
    const devtools = await devtoolsOf(session.page);
    await update(1_000);
    const before = await held(devtools);
    await update(10_000);
    const after = await held(devtools);
    expect(after.heap - before.heap).toBeLessThan(MEGABYTE);
  });

  it('less than three hundredths of a core where fifty of them are idle', async () => {
    await setting.backend.fire(MEMORY);
    const session = await setting.open();
    await session.panel.waitFor();
    await session.page.evaluate(() => {
      for (let time = 0; time < 49; time += 1) {
        const panel = document.createElement('session-alerts');
        Object.assign(panel, { getToken: (window as unknown as { giveToken: unknown }).giveToken });
        document.querySelector('main')?.append(panel);
      }
    });
    await waitUntil(
      async () => (await session.page.getByRole('button', { name: 'Alerts: 1 open' }).count()) === 50,
    );
    const devtools = await devtoolsOf(session.page);
    await session.page.waitForTimeout(2_000);
    const before = await held(devtools);
    // Long enough for what is done again and again.
    await session.page.waitForTimeout(25_000);
    const { metrics } = await devtools.send('Performance.getMetrics');
    const work = (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? NaN) - before.work;
    expect(work / 25).toBeLessThan(0.03);
  });
});
