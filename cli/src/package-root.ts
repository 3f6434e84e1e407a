import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const PACKAGE = 'session-alerts';

/**
 * The package's own folder, with package.json, whether this file runs as source or was built.
 * @param start where to look from, upwards
 * @throws Error the package is not complete
 */
export function packageRoot(start = import.meta.dirname): string {
  for (let folder = start; ; folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest)) {
      const { name } = JSON.parse(readFileSync(manifest, 'utf8')) as { name?: string };
      if (name === PACKAGE) return folder;
    }
    if (folder === dirname(folder))
      throw new Error(`${start} is in no folder of ${PACKAGE}: install it again`);
  }
}

/** The folder that has deploy/: the package's own, or in a checkout the one around it. */
export function folderOfDeploy(root = packageRoot()): string {
  return existsSync(join(root, 'deploy')) ? root : dirname(root);
}
