import { readdir, readFile, rm } from 'node:fs/promises';

/** Leaves of the types those that can be imported: the others name packages which whoever installs the panel has not. */
const ENTRIES = ['panel', 'element', 'react', 'vue', 'svelte'];

const folder = new URL('dist/types/', import.meta.url);
const reached = new Set();
for (const entry of ENTRIES) await reach(`${entry}.d.ts`);
for (const file of await readdir(folder)) {
  if (!reached.has(file)) await rm(new URL(file, folder));
}

async function reach(file) {
  if (reached.has(file)) return;
  reached.add(file);
  const types = await readFile(new URL(file, folder), 'utf8');
  for (const [, name] of types.matchAll(/\bfrom '\.\/([^']+)\.js'/g)) await reach(`${name}.d.ts`);
}
