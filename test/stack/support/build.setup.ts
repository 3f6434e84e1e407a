import { spawnSync } from 'node:child_process';

/** Builds all packages, as who runs the server does. */
export default function setUpBuild(_: unknown, { rootDir }: { rootDir: string }): void {
  const run = spawnSync('npm', ['run', 'build'], { cwd: rootDir, encoding: 'utf8' });
  if (run.status !== 0) {
    throw new Error(`The packages do not build:\n${run.stdout}${run.stderr}`, { cause: run.error });
  }
}
