import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UsageError } from './command-error.js';
import { givenSecret, requiredSecret } from './given-secret.js';

describe('A secret that is given', () => {
  let folder: string;
  let file: string;
  const named = { option: '--secret-file', variable: 'THE_SECRET' };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'given-secret-'));
    file = join(folder, 'secret');
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it.each([
    ['of an editor', 's3cret\n'],
    ['of another system', 's3cret\r\n'],
    ['of none', 's3cret'],
  ])('is read from a file with the line end %s', (_which, text) => {
    writeFileSync(file, text);
    expect(givenSecret({ THE_SECRET: 'another' }, { file, ...named })).toBe('s3cret');
  });

  it('comes from the environment where no file is named', () => {
    expect(givenSecret({ THE_SECRET: ' s3 cret ' }, { file: undefined, ...named })).toBe(' s3 cret ');
  });

  it('is none where nothing or nothing but emptiness is there', () => {
    expect(givenSecret({}, { file: undefined, ...named })).toBe(undefined);
    expect(givenSecret({ THE_SECRET: '' }, { file: undefined, ...named })).toBe(undefined);
    expect(() => requiredSecret({}, 'the secret', { file: undefined, ...named })).toThrow(
      'Give the secret: in the environment variable THE_SECRET, or in a file by --secret-file.',
    );
  });

  it.each([
    ['empty', ''],
    ['of two lines', 'one\ntwo\n'],
    ['with a NUL', 'one\0two'],
  ])('is not taken from a file that is %s', (_what, text) => {
    writeFileSync(file, text);
    expect(() => givenSecret({}, { file, ...named })).toThrow(UsageError);
  });

  it('is not repeated when it is refused', () => {
    expect(() => givenSecret({ THE_SECRET: 'one\ntwo' }, { file: undefined, ...named })).toThrow(
      /^THE_SECRET must hold the secret alone, on one line\.$/,
    );
  });

  it('is asked for again where the file cannot be read', () => {
    expect(() => givenSecret({}, { file: join(folder, 'none'), ...named })).toThrow(
      /^--secret-file must name a file/,
    );
  });
});
