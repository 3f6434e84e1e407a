import { readFileSync } from 'node:fs';
import { UsageError } from './command-error.js';

/**
 * A secret from the file that an option names, else from the environment, never from an argument, which every
 * process of the machine can read. `undefined` where neither is there.
 * @throws UsageError
 */
export function givenSecret(
  env: NodeJS.ProcessEnv,
  { file, option, variable }: { file: string | undefined; option: string; variable: string },
): string | undefined {
  const secret = file === undefined ? env[variable] : textOf(file, option);
  if (secret === undefined || (secret === '' && file === undefined)) return undefined;
  const from = file === undefined ? variable : `The file of ${option}`;
  if (secret === '') throw new UsageError(`${from} is empty: put the secret there.`);
  if (/\p{C}/u.test(secret)) throw new UsageError(`${from} must hold the secret alone, on one line.`);
  return secret;
}

/**
 * The same where there must be one.
 * @throws UsageError
 */
export function requiredSecret(
  env: NodeJS.ProcessEnv,
  what: string,
  source: { file: string | undefined; option: string; variable: string },
): string {
  const secret = givenSecret(env, source);
  if (secret === undefined) {
    throw new UsageError(
      `Give ${what}: in the environment variable ${source.variable}, or in a file by ${source.option}.`,
    );
  }
  return secret;
}

function textOf(file: string, option: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (cause) {
    throw new UsageError(`${option} must name a file that can be read`, { cause });
  }
}
