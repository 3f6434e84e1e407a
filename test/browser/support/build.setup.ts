import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** Folder of the run's build, in the environment of the tests. */
const BUILD = 'PANEL_BUILD';

// Jest finds no source of a `.js` in a global setup.
const { default: setUpTestDatabase } = createRequire(__filename)(
  '../../support/database.setup.ts',
) as typeof import('../../support/database.setup.js');

/**
 * Builds panel, demo page and the tests' own pages for this run alone, where no other build gets in its way, and
 * starts PostgreSQL.
 */
export default async function setUpBuild(_: unknown, { rootDir }: { rootDir: string }): Promise<void> {
  const cache = join(rootDir, 'node_modules', '.cache');
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, 'session-alerts-panel-'));
  const vite = join(rootDir, 'node_modules', 'vite', 'bin', 'vite.js');
  for (const [config, outDir] of [
    ['panel/vite.config.mjs', folder],
    ['server/demo/page/vite.config.mjs', join(folder, 'demo')],
    ['test/browser/pages/vite.config.mjs', join(folder, 'pages')],
  ] as const) {
    const run = spawnSync(process.execPath, [vite, 'build', '-c', config, '--outDir', outDir], {
      cwd: rootDir,
      encoding: 'utf8',
    });
    if (run.status !== 0) {
      await rm(folder, { recursive: true });
      throw new Error(`The panel does not build:\n${run.stdout}${run.stderr}`, { cause: run.error });
    }
  }
  process.env[BUILD] = folder;
  await setUpTestDatabase();
}
