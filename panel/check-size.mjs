import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';

/** Bytes, gzipped, that the panel may cost the page that it is put into. */
const LIMIT = 40_000;

const file = new URL('dist/session-alerts.js', import.meta.url);
const size = gzipSync(await readFile(file)).byteLength;
const message = `The panel weighs ${(size / 1000).toFixed(1)} kB gzipped; at most ${LIMIT / 1000} kB are allowed.`;
if (size > LIMIT) {
  console.error(message);
  process.exitCode = 1;
} else {
  console.log(message);
}
