import { rm } from 'node:fs/promises';

/** Undoes what build.setup.ts did. */
export default async function removeBuild(): Promise<void> {
  const folder = process.env['PANEL_BUILD'];
  if (folder) await rm(folder, { recursive: true });
}
