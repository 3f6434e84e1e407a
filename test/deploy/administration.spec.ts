import { randomUUID } from 'node:crypto';
import { guideBlocksOf } from '../support/administration-guide.js';
import { AlertsApi } from '../support/alerts.js';
import { startTestServer } from '../support/server.js';
import type { TestServer } from '../support/server.js';
import { replaceWords, runInBash } from '../support/shell.js';
import { PROJECT } from './support/files.js';

it.each(guideBlocksOf('checks').map(({ section, text }) => [section, text]))(
  'the check in "%s" of the administrators\' guide finds nothing wrong',
  async (_section, text) => {
    const { status, stdout, stderr } = await runInBash(`cd '${PROJECT}'\n${text}`);
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(stdout).toContain('SUCCESS');
  },
);

describe("The administrators' guide's requests", () => {
  let server: TestServer;
  let alerts: AlertsApi;
  beforeAll(async () => {
    server = await startTestServer();
    alerts = new AlertsApi(`${server.url}/api/data`, server.issuer);
  });
  afterAll(() => server.close());

  it.each(guideBlocksOf('requests').map(({ section, text }) => [section, text]))(
    'in "%s" store an alert, which its user sees until the same ends it',
    async (_section, text) => {
      const user = randomUUID();
      const script = replaceWords(text, {
        'https://your-renku-instance.com/auth/realms/Renku': server.issuer.url,
        'https://your-renku-instance.com': server.url,
        YOUR_CLIENT_SECRET: 'secret',
        KEYCLOAK_USER_ID: user,
      });

      const stored = await runInBash(script);
      expect({ status: stored.status, stderr: stored.stderr }).toEqual({ status: 0, stderr: '' });
      expect(stored.stdout).toContain('"stored":1');
      expect(await alerts.openAlerts(user)).toMatchObject([
        { title: 'A first alert', message: 'It was sent by hand.', session_name: 'first-session' },
      ]);

      const resolved = await runInBash(
        replaceWords(script, { '"status": "firing"': '"status": "resolved"' }),
      );
      expect(resolved.stdout).toContain('"resolved":1');
      expect(await alerts.openAlerts(user)).toEqual([]);
    },
  );
});
