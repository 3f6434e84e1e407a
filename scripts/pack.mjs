import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

/**
 * Packs what `npm run build` has made, as it is published: node scripts/pack.mjs <folder>. In a checkout the packages
 * find each other as links; published they name each other's version. The command line carries the configuration.
 */
const root = join(import.meta.dirname, '..');
const PACKAGES = { '.': [], panel: ['LICENSE'], server: ['LICENSE'], cli: ['LICENSE', 'deploy'] };

const [target] = process.argv.slice(2);
if (target === undefined) {
  console.error('Name the folder to pack into: node scripts/pack.mjs <folder>');
  process.exit(2);
}
const folder = resolve(target);
mkdirSync(folder, { recursive: true });
const staging = mkdtempSync(join(tmpdir(), 'session-alerts-pack-'));
try {
  for (const [path, brought] of Object.entries(PACKAGES)) pack(path, brought);
} finally {
  rmSync(staging, { recursive: true });
}

/** @param brought what comes from the root */
function pack(path, brought) {
  const source = join(root, path);
  const staged = join(staging, path === '.' ? 'module' : path);
  const [{ files }] = npmPack(['--dry-run'], source);
  for (const file of files) copy(join(source, file.path), join(staged, file.path));
  for (const one of brought) copy(join(root, one), join(staged, one));
  const described = join(staged, 'custom-elements.json');
  // Laid out for a review here, it is read by programs there.
  if (existsSync(described))
    writeFileSync(described, JSON.stringify(JSON.parse(readFileSync(described, 'utf8'))));
  const manifest = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'));
  writeFileSync(join(staged, 'package.json'), `${JSON.stringify(asPublished(manifest), null, 1)}\n`);
  const [{ filename, size, unpackedSize }] = npmPack(['--pack-destination', folder], staged);
  console.log(`${filename}: ${size} bytes, ${unpackedSize} unpacked`);
}

function copy(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to, { recursive: true });
}

/** Without what is for a checkout only. */
function asPublished(manifest) {
  const checkout = ['scripts', 'devDependencies', 'workspaces', 'allowScripts'];
  const published = Object.fromEntries(Object.entries(manifest).filter(([name]) => !checkout.includes(name)));
  for (const [name, range] of Object.entries(published.dependencies ?? {})) {
    if (range === 'file:..') published.dependencies[name] = manifest.version;
  }
  return published;
}

function npmPack(args, cwd) {
  const said = execFileSync('npm', ['pack', '--json', '--ignore-scripts', ...args], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return JSON.parse(said);
}
