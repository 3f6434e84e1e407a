import { closeSync, constants, fstatSync, ftruncateSync, openSync, unlinkSync, writeSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { UsageError } from '../command-error.js';

/**
 * A file for a secret, that only its owner may read. It is opened before there is a secret, so that none is made
 * that cannot be kept.
 */
export class SecretFile {
  private constructor(
    private readonly path: string,
    private readonly descriptor: number,
    private readonly isNew: boolean,
  ) {}

  /**
   * Opens the file, or makes it, with mode 0600. A symbolic link is not followed, and a file that others may read,
   * or that has another name too, is not taken.
   * @throws UsageError
   */
  static open(path: string): SecretFile {
    const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_WRONLY } = constants;
    try {
      return new SecretFile(path, openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600), true);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw notWritable(path, error);
    }
    let descriptor: number;
    try {
      descriptor = openSync(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ELOOP') {
        throw new UsageError(
          `--secret-output must not be a symbolic link: give the file that ${path} stands for.`,
        );
      }
      throw notWritable(path, error);
    }
    const problem = problemWith(fstatSync(descriptor), path);
    if (problem === undefined) return new SecretFile(path, descriptor, false);
    closeSync(descriptor);
    throw new UsageError(problem);
  }

  /** Replaces what is in the file, and closes it. */
  write(secret: string): void {
    ftruncateSync(this.descriptor, 0);
    writeSync(this.descriptor, secret, 0);
    closeSync(this.descriptor);
  }

  /** Leaves everything as it was before it was opened. */
  discard(): void {
    closeSync(this.descriptor);
    if (this.isNew) unlinkSync(this.path);
  }
}

function problemWith(file: Stats, path: string): string | undefined {
  if (!file.isFile()) return `--secret-output must be a file, which ${path} is not: give another.`;
  if (file.uid !== process.getuid?.())
    return `${path} is somebody else's: give another file as --secret-output.`;
  if ((file.mode & 0o077) !== 0) {
    return `Others may read ${path}: run "chmod 600" on it, or give another file as --secret-output.`;
  }
  if (file.nlink > 1) return `${path} has another name too: give another file as --secret-output.`;
  return undefined;
}

function notWritable(path: string, cause: unknown): UsageError {
  return new UsageError(`--secret-output must be a file that can be written, which ${path} is not`, {
    cause,
  });
}
