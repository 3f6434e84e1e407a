import { rm } from 'node:fs/promises';
import { createRequire } from 'node:module';

// Jest finds no source of a `.js` in a global teardown.
const { default: tearDownTestDatabase } = createRequire(__filename)(
  '../../support/database.teardown.ts',
) as typeof import('../../support/database.teardown.js');

/** Undoes what build.setup.ts did. */
export default async function removeBuild(): Promise<void> {
  await tearDownTestDatabase();
  const folder = process.env['PANEL_BUILD'];
  if (folder) await rm(folder, { recursive: true });
}
