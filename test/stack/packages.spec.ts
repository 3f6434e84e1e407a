import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// npm's registry may take its time.
jest.setTimeout(300_000);

const ROOT = join(import.meta.dirname, '..', '..');
const NAMES = [
  'nestjs-session-alerts',
  'session-alerts-panel',
  'session-alerts-server',
  'session-alerts',
] as const;
type Name = (typeof NAMES)[number];

/**
 * What of `attw` cannot be clean. The panel is for browsers and the server a program: both are ES modules alone, which
 * CommonJS cannot `require` before Node 20.19.
 */
const IGNORED_RULES: Partial<Record<Name, string>> = {
  'session-alerts-panel': 'cjs-resolves-to-esm',
  'session-alerts-server': 'cjs-resolves-to-esm',
};

/** What is served and never imported: it has no types. */
const SCRIPTS: Partial<Record<Name, string>> = { 'session-alerts-panel': 'push-worker.js' };

/** What `nest new` depends on, and TypeORM. */
const STARTER = [
  '@nestjs/common@12',
  '@nestjs/core@12',
  '@nestjs/platform-express@12',
  '@nestjs/typeorm@12',
  'pg@8',
  'reflect-metadata@0.2',
  'rxjs@7',
  'typeorm@1',
];

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
        const tarball = tarballOf(name);
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

  function tarballOf(name: Name): string {
    return join(folder, `${name}-${versionOf('.')}.tgz`);
  }

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

  it.each(NAMES)('%s is found by every resolver, with its types', (name) => {
    expect(complaintOf('publint', 'run', '--strict', tarballOf(name))).toBe('');
    const ignored = IGNORED_RULES[name];
    const rules = ignored === undefined ? [] : ['--ignore-rules', ignored];
    const excluded = SCRIPTS[name] === undefined ? [] : ['--exclude-entrypoints', SCRIPTS[name]];
    const asked = [tarballOf(name), ...rules, ...excluded];
    expect(complaintOf('attw', '--format', 'ascii', '--no-color', ...asked)).toBe('');
  });

  it('the module has the documents to which its README leads', () => {
    const { files, read } = packages.get('nestjs-session-alerts')!;
    const links = Array.from(read('README.md').matchAll(/\]\((?!https?:)([^)#]+)/g), ([, link]) => link!);
    expect(links.length).toBeGreaterThan(8);
    expect(files).toEqual(expect.arrayContaining(links));
  });

  describe('in what `nest new` makes, with TypeORM', () => {
    let app: string;

    beforeAll(() => {
      app = join(folder, 'app');
      mkdirSync(app);
      writeFileSync(join(app, 'package.json'), '{ "private": true }');
      install(...STARTER);
    });

    function install(...what: string[]): void {
      execFileSync('npm', ['install', '--no-audit', '--no-fund', ...what], { cwd: app, stdio: 'pipe' });
    }

    /** Every installed package's bytes, by its folder. */
    function installed(): Map<string, number> {
      const lock = readFileSync(join(app, 'node_modules', '.package-lock.json'), 'utf8');
      const { packages: all } = JSON.parse(lock) as { packages: object };
      return new Map(Object.keys(all).map((path) => [path, bytesOf(join(app, path))]));
    }

    /** What an installation adds. */
    function added(name: Name): { count: number; bytes: number } {
      const before = installed();
      install(tarballOf(name));
      const news = [...installed()].filter(([path]) => !before.has(path));
      return { count: news.length, bytes: news.reduce((sum, [, bytes]) => sum + bytes, 0) };
    }

    it('the panel is one package, and small', () => {
      const { count, bytes } = added('session-alerts-panel');
      expect(count).toBe(1);
      expect(bytes).toBeLessThan(200_000);
    });

    it.each(['session-alerts-panel', 'session-alerts-panel/element'])(
      '%s does no harm in Node, by `import` and by `require`',
      (name) => {
        const use = 'console.log(typeof SessionAlertsElement, typeof class extends SessionAlertsElement {})';
        for (const code of [
          `import { SessionAlertsElement } from '${name}'; ${use}`,
          `const { SessionAlertsElement } = require('${name}'); ${use}`,
        ]) {
          const type = code.startsWith('import') ? 'module' : 'commonjs';
          const said = execFileSync(process.execPath, [`--input-type=${type}`, '-e', code], {
            cwd: app,
            encoding: 'utf8',
          });
          expect(said).toBe('function function\n');
        }
      },
    );

    it('the module brings few packages, and little', () => {
      const { count, bytes } = added('nestjs-session-alerts');
      expect(count).toBeLessThanOrEqual(25);
      expect(bytes).toBeLessThanOrEqual(8_000_000);
    });

    it('the module compiles with all types checked and loads, by `import` and by `require`, without what is optional', () => {
      for (const name of ['@nestjs/swagger', '@opentelemetry/api', 'prom-client']) {
        expect(installed()).not.toContain(`node_modules/${name}`);
      }
      const source = `
        import { Module } from '@nestjs/common';
        import { AlertsMetrics, AlertsModule, alertsEntities, alertsMigrations } from 'nestjs-session-alerts';

        @Module({ imports: [AlertsModule.forRoot({ auth: { issuer: 'https://issuer.example' } })] })
        class App {}
        const metrics = (of: AlertsMetrics): Promise<string> => of.registry.metrics();
        console.log(App.name, metrics.name, alertsEntities.length + alertsMigrations.length > 0);
      `;
      for (const extension of ['cts', 'mts']) writeFileSync(join(app, `app.${extension}`), source);
      const options = [
        ...[
          '--module',
          'nodenext',
          '--target',
          'es2023',
          '--lib',
          'esnext',
          '--strict',
          '--skipLibCheck',
          'false',
        ],
        ...['--experimentalDecorators', '--emitDecoratorMetadata', '--ignoreConfig'],
        ...['--typeRoots', join(ROOT, 'node_modules', '@types'), '--types', 'node'],
      ];
      expect(complaintOf('tsc', ...options, join(app, 'app.cts'), join(app, 'app.mts'))).toBe('');
      for (const file of ['app.cjs', 'app.mjs']) {
        const said = execFileSync(process.execPath, [join(app, file)], { encoding: 'utf8' });
        expect(said).toBe('App metrics true\n');
      }
    });
  });
});

/** What one of our tools says where it does not agree; nothing where it does. */
function complaintOf(tool: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(join(ROOT, 'node_modules', '.bin', tool), args, {
    encoding: 'utf8',
  });
  return status === 0 ? '' : `${tool} ended with ${status}:\n${stdout}${stderr}`;
}

/** Of all files of a package, without those of packages inside of it. */
function bytesOf(folder: string): number {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.name !== 'node_modules')
    .map((entry) => join(folder, entry.name))
    .reduce((sum, path) => {
      const stat = statSync(path);
      return sum + (stat.isDirectory() ? bytesOf(path) : stat.size);
    }, 0);
}
