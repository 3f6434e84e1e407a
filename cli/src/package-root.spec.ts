import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { folderOfDeploy, packageRoot } from './package-root.js';

describe("The package's folder", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'package-root-'));
    writeFileSync(join(folder, 'package.json'), '{ "name": "a-host" }');
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it.each([
    ['source', ['src', 'doctor']],
    ['built', ['dist', 'src', 'doctor']],
  ])(
    'is found from where the code runs as %s, past a folder that says only what its files are',
    (_how, path) => {
      const root = join(folder, 'node_modules', 'session-alerts');
      const start = join(root, ...path);
      mkdirSync(start, { recursive: true });
      writeFileSync(join(root, 'package.json'), '{ "name": "session-alerts" }');
      writeFileSync(join(root, path[0]!, 'package.json'), '{ "type": "module" }');
      expect(packageRoot(start)).toBe(root);
    },
  );

  it('is nowhere else', () => {
    expect(() => packageRoot(folder)).toThrow(/install it again/);
  });

  it('has the configuration inside where it was packed, and beside it in a checkout', () => {
    const root = join(folder, 'cli');
    mkdirSync(root);
    expect(folderOfDeploy(root)).toBe(folder);
    mkdirSync(join(root, 'deploy'));
    expect(folderOfDeploy(root)).toBe(root);
  });
});
