// Makes docs/panel.png, the picture in the README, from the demo's own page: npm run picture
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const root = fileURLToPath(new URL('..', import.meta.url));
const port = await freePort();
const demo = spawn(process.execPath, ['server/dist/demo/main.js'], {
  cwd: root,
  env: { ...process.env, PORT: `${port}` },
  stdio: ['ignore', 'pipe', 'inherit'],
});
const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
  args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
});
try {
  await once(demo.stdout, 'data');
  demo.stdout.resume();
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, colorScheme: 'light' });
  await page.goto(`http://localhost:${port}/`);
  for (const name of ['Disk low, two volumes', 'Memory high']) {
    await page.getByRole('button', { name, exact: true }).click();
    await page.getByRole('log').getByText(name).waitFor();
  }
  await page.getByText('High memory usage').first().waitFor();
  await page.screenshot({ path: `${root}docs/panel.png`, animations: 'disabled' });
} finally {
  await browser.close();
  demo.kill('SIGINT');
  await once(demo, 'exit');
}

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port: free } = probe.address();
  probe.close();
  return free;
}
