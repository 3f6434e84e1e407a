import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort, Program } from '../stack/support/program.js';
import { createTestDatabase } from '../support/database.js';
import type { TestDatabase } from '../support/database.js';
import { startIssuer } from '../support/server.js';
import type { TestIssuer } from '../support/server.js';

const run = promisify(execFile);

describe('The server and the command line, installed by pnpm', () => {
  let folder: string;
  let database: TestDatabase;
  let issuer: TestIssuer;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'session-alerts-pnpm-'));
    database = await createTestDatabase({ migrated: false });
    issuer = await startIssuer();
    const { packageManager } = JSON.parse(
      await readFile(join(import.meta.dirname, 'nest12-pnpm', 'package.json'), 'utf8'),
    ) as { packageManager: string };
    const packed = process.env['PACKED'] ?? '';
    const overrides = Object.fromEntries(
      (await readdir(packed)).map((file) => [file.replace(/-\d.*$/, ''), `file:${join(packed, file)}`]),
    );
    const manifest = { name: 'operations', private: true, packageManager, pnpm: { overrides } };
    await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
    const ours = ['session-alerts', 'session-alerts-server'];
    await run('npm', ['exec', '--yes', `--package=${packageManager}`, '--', 'pnpm', 'add', ...ours], {
      cwd: folder,
    });
  });
  afterAll(async () => {
    await issuer.close();
    await database.drop();
    await rm(folder, { recursive: true });
  });

  it('find all that they import', async () => {
    const port = await freePort();
    const env = {
      PATH: process.env['PATH'],
      DATABASE_URL: database.url,
      OIDC_ISSUER: issuer.issuer.url,
      HOST: '127.0.0.1',
      PORT: String(port),
    };
    const bin = join(folder, 'node_modules', '.bin');
    await run(join(bin, 'session-alerts'), ['migrate'], { env });
    const server = new Program('The server', join(bin, 'session-alerts-server'), [], { env });
    try {
      await server.until(async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).ok);
    } finally {
      await server.stop();
    }
  });
});
