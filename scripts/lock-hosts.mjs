import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Writes the lock files of the applications in test/hosts for what their package.json say now. What is locked already
 * stays where it fits; delete a lock file to have the newest of all.
 */
const hosts = join(import.meta.dirname, '..', 'test', 'hosts');

for (const name of readdirSync(hosts)) {
  const folder = join(hosts, name);
  const file = join(folder, 'package.json');
  if (!existsSync(file)) continue;
  const { packageManager } = JSON.parse(readFileSync(file, 'utf8'));
  console.log(name);
  // No address of a registry: whoever installs has a registry of their own.
  if (packageManager === undefined)
    npm('install', '--package-lock-only', '--omit-lockfile-registry-resolved');
  else npm('exec', '--yes', `--package=${packageManager}`, '--', 'pnpm', 'install', '--lockfile-only');

  function npm(...args) {
    execFileSync('npm', args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  }
}
