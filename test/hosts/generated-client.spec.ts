import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTestServer } from '../support/server.js';
import type { TestServer } from '../support/server.js';

describe('A client made from the description', () => {
  let server: TestServer;
  let folder: string;

  beforeAll(async () => {
    server = await startTestServer({}, { upkeep: false });
    folder = mkdtempSync(join(tmpdir(), 'session-alerts-client-'));
    cpSync(join(import.meta.dirname, 'generated-client'), folder, { recursive: true });
    npm('ci', '--no-audit', '--no-fund');
  });
  afterAll(async () => {
    await server.close();
    rmSync(folder, { recursive: true });
  });

  /** What a script of npm's says where it fails. */
  function npm(...args: string[]): string {
    try {
      execFileSync('npm', args, { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
      return '';
    } catch (error) {
      const { stdout, stderr } = error as { stdout: string; stderr: string };
      return `${stdout}${stderr}`;
    }
  }

  it('compiles, and takes our answers for what Renku says they are', async () => {
    const description = await fetch(`${server.url}/api/data/openapi.json`);
    writeFileSync(join(folder, 'openapi.json'), await description.text());
    expect(npm('run', 'generate')).toBe('');
    expect(npm('run', 'build')).toBe('');
  });
});
