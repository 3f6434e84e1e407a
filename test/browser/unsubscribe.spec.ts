import type { Browser } from 'playwright-core';
import { AlertsApi } from '../support/alerts.js';
import { execute } from '../support/database.js';
import { startTestServer } from '../support/server.js';
import type { TestServer } from '../support/server.js';
import { violations } from './support/axe.js';
import { launchBrowser } from './support/browser.js';

const JANE = { sub: 'jane', email: 'jane@example.org' };

let browser: Browser;
let server: TestServer;
let api: AlertsApi;

beforeAll(async () => {
  browser = await launchBrowser();
  server = await startTestServer({
    SMTP_URL: 'smtp://localhost:1',
    MAIL_FROM: 'alerts@example.org',
    PUBLIC_URL: 'https://alerts.example/api/data',
  });
  api = new AlertsApi(`${server.url}/api/data`, server.issuer);
});
afterAll(async () => {
  await browser.close();
  await server.close();
});

/** Turns e-mail on, and gives the address at which mail says that it is turned off. */
async function turnOn(): Promise<string> {
  const body = { channels: { email: { enabled: true } } };
  expect(await api.call('PUT', '/alerts/preferences', { as: JANE, body })).toMatchObject({ status: 200 });
  const [row] = await execute<{ key: string }>(
    server.databaseUrl,
    `SELECT details ->> 'key' AS key FROM session_alerts.delivery_targets WHERE user_id = 'jane'`,
  );
  return `${api.url}/alerts/unsubscribe?key=${Buffer.from('jane').toString('base64url')}.${row!.key}`;
}

async function isOn(): Promise<unknown> {
  const { body } = await api.call<{ channels: { email: { enabled: boolean } } }>(
    'GET',
    '/alerts/preferences',
    { as: JANE },
  );
  return body.channels.email.enabled;
}

describe('The page that turns e-mail off', () => {
  it.each([
    ['en-GB', 'light', 'Turn e-mail off', 'E-mail about alerts is turned off'],
    ['de-CH', 'dark', 'E-Mail ausschalten', 'E-Mail über Meldungen ist ausgeschaltet'],
    ['fr-CH', 'light', 'Désactiver l’e-mail', 'Les e-mails d’alerte sont désactivés'],
    ['it-CH', 'dark', 'Disattiva l’e-mail', 'Le e-mail sugli avvisi sono disattivate'],
  ] as const)(
    'does so by its button, with keys alone (%s, %s)',
    async (locale, colorScheme, button, done) => {
      const address = await turnOn();
      const context = await browser.newContext({
        locale,
        colorScheme,
        viewport: { width: 360, height: 640 },
      });
      try {
        const page = await context.newPage();
        const said: string[] = [];
        page.on('console', (message) => said.push(message.text()));
        await page.goto(address);
        expect(await violations(page)).toEqual([]);
        // The one style that it may have is there.
        const { maxWidth } = await page.locator('body').evaluate((body) => getComputedStyle(body));
        expect(maxWidth).not.toBe('none');
        expect(await isOn()).toBe(true);
        await page.keyboard.press('Tab');
        expect(
          await page.getByRole('button', { name: button }).evaluate((one) => one.matches(':focus-visible')),
        ).toBe(true);
        await page.keyboard.press('Enter');
        await page.getByRole('heading', { name: done }).waitFor();
        expect(await violations(page)).toEqual([]);
        expect(await isOn()).toBe(false);
        expect(said).toEqual([]);
        const pictures = process.env['SCREENSHOTS'];
        if (pictures) await page.screenshot({ path: `${pictures}/unsubscribed-${locale}.png` });
      } finally {
        await context.close();
      }
    },
  );
});
