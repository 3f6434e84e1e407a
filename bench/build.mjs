import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const build = join(root, 'node_modules', '.cache', 'session-alerts-bench');
const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');

/**
 * Builds the server and the benchmarks with plain tsc: what is measured is what ships. Returns where one of the
 * benchmarks' programs then is; ends the process where the build fails.
 */
export function built(program) {
  // Standard output is for the report alone.
  const { status } = spawnSync(process.execPath, [compiler, '-p', import.meta.dirname], {
    stdio: [0, 2, 2],
  });
  if (status !== 0) process.exit(status ?? 1);
  // Below node_modules the project's own package.json does not count.
  writeFileSync(join(build, 'package.json'), '{ "type": "module" }\n');
  nameModule();
  return join(build, 'bench', program);
}

/** The server finds the module by its name: here it is the one that was just built. */
function nameModule() {
  const folder = join(build, 'node_modules', 'nestjs-session-alerts');
  mkdirSync(folder, { recursive: true });
  const exports = { '.': './src/index.js', './operations': './src/operations.js' };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module', exports }));
  if (!existsSync(join(folder, 'src'))) symlinkSync(join('..', '..', 'src'), join(folder, 'src'));
}
