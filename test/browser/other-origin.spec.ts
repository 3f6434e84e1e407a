import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { waitUntil } from '../support/server.js';
import { MEMORY, setUp } from './support/setting.js';

/** A page's own server, which knows of the API nothing but its address. */
async function servePage(api: string): Promise<Server> {
  const page = `<!doctype html>
    <html lang="en">
      <title>Elsewhere</title>
      <session-alerts api="${api}" session-name="s-1"></session-alerts>
      <script type="module">
        import '/session-alerts.js';
        document.querySelector('session-alerts').getToken = (options) => window.giveToken(options);
      </script>
    </html>`;
  const server = createServer((request, response) => {
    const name = /^\/([\w.-]+\.js)$/.exec(request.url ?? '')?.[1];
    response.setHeader('Content-Type', name ? 'text/javascript' : 'text/html');
    if (name) void readFile(join(process.env['PANEL_BUILD'] ?? '', name)).then((code) => response.end(code));
    else response.end(page);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return server;
}

describe('The panel in a page of another origin', () => {
  const setting = setUp();

  it('is told what is wrong where the API does not let it be read, and works where it does', async () => {
    await setting.backend.fire(MEMORY);
    const server = await servePage(`${setting.backend.url}/api/data`);
    const origin = `http://localhost:${(server.address() as AddressInfo).port}`;
    const page = await setting.browser.newPage();
    try {
      const warned: string[] = [];
      page.on('console', (message) => {
        if (message.text().includes('session-alerts>')) warned.push(message.text());
      });
      await page.exposeFunction('giveToken', () => setting.backend.token('ann'));
      await page.goto(`${origin}/`);
      await waitUntil(() => warned.length > 0);
      expect(warned).toEqual([
        expect.stringContaining(`does not let pages of ${origin} read it. Add that origin to CORS_ORIGINS`),
      ]);

      await setting.backend.stop();
      await setting.backend.start({ CORS_ORIGINS: origin });
      // The page need not be loaded again.
      const panel = page.getByRole('region', { name: 'Alerts' });
      await panel.getByRole('heading', { name: 'High memory usage' }).waitFor();
      await panel.getByRole('button', { name: 'Dismiss: High memory usage' }).click();
      await panel.getByText('No alerts').waitFor();
      expect(await setting.backend.openStreams()).toBe(1);
      expect(warned).toHaveLength(1);
    } finally {
      await page.close();
      server.close();
    }
  });
});
