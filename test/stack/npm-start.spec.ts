import { join } from 'node:path';
import { waitUntil } from '../support/server.js';
import { freePort, Program } from './support/program.js';

const PROJECT = join(import.meta.dirname, '..', '..');

it('npm start ends with npm, also where npm alone is told to stop', async () => {
  const url = `http://127.0.0.1:${await freePort()}`;
  const npm = new Program('npm start', 'npm', ['start'], {
    cwd: PROJECT,
    env: {
      DATABASE_URL: 'postgresql://127.0.0.1:1/none',
      OIDC_ISSUER: 'http://127.0.0.1:1/auth/realms/Renku',
      PORT: new URL(url).port,
    },
  });
  await npm.until(async () => (await fetch(`${url}/healthz`)).ok);
  const server = Number(/"pid":(\d+)/.exec(npm.output)?.[1]);
  process.kill(npm.pid ?? NaN, 'SIGTERM');
  try {
    await waitUntil(() =>
      fetch(url).then(
        () => false,
        () => true,
      ),
    );
  } catch (error) {
    process.kill(server, 'SIGKILL');
    throw error;
  }
  await npm.ended;
});
