import { readdir, readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';

/** Bytes, gzipped, that the panel may cost the page that it is put into, and what is loaded on demand besides, file by file. */
const LIMIT = 40_000;
const LIMIT_ON_DEMAND = 3_000;
const LIMIT_OF_SETTINGS = 5_000;
const ENTRY = 'session-alerts.js';

const folder = new URL('dist/', import.meta.url);
const loaded = new Set();
await load(ENTRY);
const others = (await readdir(folder)).filter((file) => file.endsWith('.js') && !loaded.has(file));

await check('The panel', [...loaded], LIMIT);
for (const file of others) {
  const isOfSettings = ['settings.js', 'settings-view.js'].includes(file);
  await check(file, [file], isOfSettings ? LIMIT_OF_SETTINGS : LIMIT_ON_DEMAND);
}

/** Notes a file and what it imports at once, not on demand. */
async function load(file) {
  if (loaded.has(file)) return;
  loaded.add(file);
  const code = await readFile(new URL(file, folder), 'utf8');
  for (const [, imported] of code.matchAll(/\b(?:from|import)\s*["'`]\.\/([^"'`]+)["'`]/g))
    await load(imported);
}

async function check(name, files, limit) {
  let size = 0;
  for (const file of files) size += gzipSync(await readFile(new URL(file, folder))).byteLength;
  const message = `${name} weighs ${(size / 1000).toFixed(1)} kB gzipped; at most ${limit / 1000} kB are allowed.`;
  if (size > limit) {
    console.error(message);
    process.exitCode = 1;
  } else {
    console.log(message);
  }
}
