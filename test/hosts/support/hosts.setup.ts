import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// Jest finds no source of a `.js` in a global setup.
const { default: setUpTestDatabase } = createRequire(__filename)(
  '../../support/database.setup.ts',
) as typeof import('../../support/database.setup.js');

/** Builds and packs the packages, and starts PostgreSQL. */
export default async function setUpHosts(_: unknown, { rootDir }: { rootDir: string }): Promise<void> {
  const build = spawnSync('npm', ['run', 'build'], { cwd: rootDir, encoding: 'utf8' });
  if (build.status !== 0) throw new Error(`The packages do not build:\n${build.stdout}${build.stderr}`);
  const packed = mkdtempSync(join(tmpdir(), 'session-alerts-packed-'));
  execFileSync(process.execPath, [join(rootDir, 'scripts', 'pack.mjs'), packed], { stdio: 'pipe' });
  process.env['PACKED'] = packed;
  await setUpTestDatabase();
}
