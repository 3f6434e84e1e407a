import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MEMORY, setUp } from './support/setting.js';

describe('The panel', () => {
  const setting = setUp();

  it.each(['react', 'vue'])('works in a page of %s', async (framework) => {
    const script = await readFile(join(process.env['PANEL_BUILD'] ?? '', 'pages', `${framework}.js`), 'utf8');
    const streams: string[] = [];
    const session = await setting.open({
      prepare: (page) =>
        Promise.resolve(
          page.on('request', (request) => {
            if (request.url().includes('/alerts/stream')) streams.push(request.url());
          }),
        ),
      html: `<!doctype html>
        <html lang="en">
          <title>App</title>
          <div id="app"></div>
          <script type="module">${script.replaceAll('</script', String.raw`<\/script`)}</script>
        </html>`,
    });
    await session.bellSays('Alerts: none');
    // A page that draws itself again gives another function, which is no reason to connect anew.
    await session.page.getByText('Drawn 0 times').click();
    await session.page.getByText('Drawn 1 times').waitFor();
    await setting.backend.fire(MEMORY);
    await session.alert('High memory usage').waitFor();
    await session.button('Dismiss: High memory usage').click();
    await session.bellSays('Alerts: none');
    expect(streams).toHaveLength(1);
    expect(await setting.backend.openStreams()).toBe(1);
  });
});
