import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UsageError } from '../command-error.js';
import { SecretFile } from './secret-file.js';

describe('A file for a secret', () => {
  let folder: string;
  let path: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'secret-file-'));
    path = join(folder, 'secret');
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  function modeOf(file: string): number {
    return statSync(file).mode & 0o777;
  }

  it('is made for its owner alone, whatever the umask is', () => {
    const umask = process.umask(0);
    try {
      SecretFile.open(path).write('s3cret');
    } finally {
      process.umask(umask);
    }
    expect(readFileSync(path, 'utf8')).toBe('s3cret');
    expect(modeOf(path)).toBe(0o600);
  });

  it('loses what was in it before', () => {
    writeFileSync(path, 'a longer one than the next', { mode: 0o600 });
    SecretFile.open(path).write('next');
    expect(readFileSync(path, 'utf8')).toBe('next');
  });

  it('is as it was until there is a secret', () => {
    writeFileSync(path, 'the old one', { mode: 0o600 });
    SecretFile.open(path).discard();
    expect(readFileSync(path, 'utf8')).toBe('the old one');
    SecretFile.open(join(folder, 'new')).discard();
    expect(existsSync(join(folder, 'new'))).toBe(false);
  });

  it.each([0o640, 0o604, 0o620, 0o644])('is not taken with mode %o', (mode) => {
    writeFileSync(path, 'theirs');
    chmodSync(path, mode);
    expect(() => SecretFile.open(path)).toThrow(/chmod 600/);
    expect(readFileSync(path, 'utf8')).toBe('theirs');
    expect(modeOf(path)).toBe(mode);
  });

  it('is not taken through a symbolic link', () => {
    const target = join(folder, 'target');
    writeFileSync(target, 'theirs', { mode: 0o600 });
    symlinkSync(target, path);
    expect(() => SecretFile.open(path)).toThrow(/symbolic link/);
    expect(readFileSync(target, 'utf8')).toBe('theirs');
  });

  it('is not made through a symbolic link that leads nowhere', () => {
    symlinkSync(join(folder, 'nowhere'), path);
    expect(() => SecretFile.open(path)).toThrow(/symbolic link/);
    expect(existsSync(join(folder, 'nowhere'))).toBe(false);
  });

  it('is not taken with a second name', () => {
    writeFileSync(path, 'theirs', { mode: 0o600 });
    linkSync(path, join(folder, 'second'));
    expect(() => SecretFile.open(path)).toThrow(/another name/);
  });

  it('is no folder, and in a folder that is there', () => {
    mkdirSync(path);
    expect(() => SecretFile.open(path)).toThrow(UsageError);
    expect(() => SecretFile.open(join(folder, 'none', 'secret'))).toThrow(UsageError);
  });
});
