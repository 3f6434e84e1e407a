import { readdir, readFile, rm, writeFile } from 'node:fs/promises';

/** Leaves of the types those that can be imported: the others name packages which whoever installs the panel has not. */
const ENTRIES = ['panel', 'element', 'react', 'vue', 'svelte'];

const folder = new URL('dist/types/', import.meta.url);
const reached = new Set();
for (const entry of ENTRIES) await reach(`${entry}.d.ts`);
/** Whose comments are for who uses the panel; those of the others are for who builds it. */
const READ = [...ENTRIES, 'connection.types', 'framework.types', 'panel.types', 'settings-texts', 'texts'];

for (const file of await readdir(folder)) {
  const url = new URL(file, folder);
  if (reached.has(file)) await writeFile(url, trimmed(await readFile(url, 'utf8'), file));
  else await rm(url);
}

function trimmed(types, file) {
  const said = READ.includes(file.replace('.d.ts', ''))
    ? types
    : types.replace(/^ *\/\*\*.*?\*\/\n/gms, '').replace(/^ *private .*;\n/gm, '');
  return said.replace(/^(?: {4})+/gm, (indent) => ' '.repeat(indent.length / 4));
}

async function reach(file) {
  if (reached.has(file)) return;
  reached.add(file);
  const types = await readFile(new URL(file, folder), 'utf8');
  for (const [, name] of types.matchAll(/\bfrom '\.\/([^']+)\.js'/g)) await reach(`${name}.d.ts`);
}

await saySameOnce(new URL('dist/LICENSES.md', import.meta.url));

/** What several packages are under, letter for letter, stands below all their names. */
async function saySameOnce(file) {
  const [introduction, ...sections] = (await readFile(file, 'utf8')).split(/^(?=## .+ - .+\n)/m);
  const byText = new Map();
  for (const section of sections) {
    const end = section.indexOf('\n') + 1;
    const [name, text] = [section.slice(0, end), section.slice(end)];
    byText.set(text, [...(byText.get(text) ?? []), name]);
  }
  const merged = Array.from(byText, ([text, names]) => names.join('') + text);
  await writeFile(file, introduction + merged.join(''));
}
