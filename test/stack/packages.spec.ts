import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');
const NAMES = [
  'nestjs-session-alerts',
  'session-alerts-panel',
  'session-alerts-server',
  'session-alerts',
] as const;
type Name = (typeof NAMES)[number];

interface Manifest {
  version: string;
  dependencies?: Record<string, string>;
  bin?: Record<string, string>;
}

describe('The packages, as they are published', () => {
  let folder: string;
  let packages: Map<
    Name,
    { files: string[]; manifest: Manifest; read: (path: string) => string; size: number }
  >;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'session-alerts-packages-'));
    execFileSync(process.execPath, [join(ROOT, 'scripts', 'pack.mjs'), folder], { stdio: 'pipe' });
    packages = new Map(
      NAMES.map((name) => {
        const tarball = join(folder, `${name}-${versionOf('.')}.tgz`);
        const tar = (...args: string[]) =>
          execFileSync('tar', [...args], { encoding: 'utf8', maxBuffer: 16 * 1024 * 1024 });
        const listed = tar('-tvf', tarball).trim().split('\n');
        const read = (path: string) => tar('-xOf', tarball, `package/${path}`);
        return [
          name,
          {
            files: listed.map((line) => line.replace(/^.* package\//, '')),
            manifest: JSON.parse(read('package.json')) as Manifest,
            read,
            size: listed.reduce((sum, line) => sum + Number(line.split(/\s+/)[2]), 0),
          },
        ];
      }),
    );
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  function versionOf(path: string): string {
    return (JSON.parse(readFileSync(join(ROOT, path, 'package.json'), 'utf8')) as Manifest).version;
  }

  it('have one version', () => {
    expect(new Set(['.', 'server', 'cli', 'panel'].map(versionOf)).size).toBe(1);
  });

  it.each(NAMES)('%s has what it needs, and nothing of a checkout', (name) => {
    const { files, manifest } = packages.get(name)!;
    expect(files).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'package.json']));
    expect(
      files.filter((file) =>
        /\.map$|\.spec\.|tsconfig|(^|\/)demo\/|\.tsx?$/.test(file.replace(/\.d\.ts$/, '')),
      ),
    ).toEqual([]);
    expect(manifest).not.toHaveProperty('scripts');
    expect(manifest).not.toHaveProperty('devDependencies');
    const ours = Object.entries(manifest.dependencies ?? {}).filter(([dependency]) =>
      (NAMES as readonly string[]).includes(dependency),
    );
    for (const [, range] of ours) expect(range).toBe(manifest.version);
  });

  it("the command line's program runs by itself, and carries the configuration", () => {
    const { files, manifest, read } = packages.get('session-alerts')!;
    expect(read(manifest.bin!['session-alerts']!)).toMatch(/^#!\/usr\/bin\/env node\n/);
    const configuration = readdirSync(join(ROOT, 'deploy'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length + 1));
    expect(files).toEqual(expect.arrayContaining(configuration));
  });

  it("the server's program runs by itself", () => {
    const { manifest, read } = packages.get('session-alerts-server')!;
    expect(read(manifest.bin!['session-alerts-server']!)).toMatch(/^#!\/usr\/bin\/env node\n/);
  });

  it('the panel needs nothing, and is small', () => {
    const { manifest, size } = packages.get('session-alerts-panel')!;
    expect(manifest.dependencies).toBeUndefined();
    expect(size).toBeLessThan(200_000);
  });

  it('the module has the documents to which its README leads', () => {
    const { files, read } = packages.get('nestjs-session-alerts')!;
    const links = Array.from(read('README.md').matchAll(/\]\((?!https?:)([^)#]+)/g), ([, link]) => link!);
    expect(links.length).toBeGreaterThan(8);
    expect(files).toEqual(expect.arrayContaining(links));
  });
});
