import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// Jest finds no source of a `.js` in a global setup.
const load = createRequire(__filename);
const { default: setUpTestDatabase } = load(
  '../../support/database.setup.ts',
) as typeof import('../../support/database.setup.js');
const { default: setUpBuild } = load(
  '../../stack/support/build.setup.ts',
) as typeof import('../../stack/support/build.setup.js');

/** Builds and packs the packages, and starts PostgreSQL. */
export default async function setUpHosts(globals: unknown, project: { rootDir: string }): Promise<void> {
  setUpBuild(globals, project);
  const packed = mkdtempSync(join(tmpdir(), 'session-alerts-packed-'));
  execFileSync(process.execPath, [join(project.rootDir, 'scripts', 'pack.mjs'), packed], { stdio: 'pipe' });
  process.env['PACKED'] = packed;
  await setUpTestDatabase();
}
