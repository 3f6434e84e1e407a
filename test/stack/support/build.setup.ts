import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Folder of the run's build, in the environment of the tests. */
const BUILD = 'STACK_BUILD';

/** Builds the server and the panel for this run alone, where it finds node_modules and no other build gets in its way. */
export default async function setUpBuild(_: unknown, { rootDir }: { rootDir: string }): Promise<void> {
  const cache = join(rootDir, 'node_modules', '.cache');
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, 'session-alerts-stack-'));
  for (const [what, tool, ...args] of [
    ['server', 'typescript/bin/tsc', '-p', 'tsconfig.build.json', '--outDir', folder],
    ['panel', 'vite/bin/vite.js', 'build', '-c', 'ui/vite.config.mjs', '--outDir', join(folder, 'ui')],
  ] as const) {
    const run = spawnSync(process.execPath, [join(rootDir, 'node_modules', tool), ...args], {
      cwd: rootDir,
      encoding: 'utf8',
    });
    if (run.status !== 0) {
      await rm(folder, { recursive: true });
      throw new Error(`The ${what} does not build:\n${run.stdout}${run.stderr}`, { cause: run.error });
    }
  }
  // Below node_modules the project's own package.json does not count.
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }\n');
  process.env[BUILD] = folder;
}
