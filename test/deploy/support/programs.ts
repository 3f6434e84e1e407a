import { execFile, execFileSync, spawnSync } from 'node:child_process';

/** Runs a program to its end, and returns what it wrote to its standard output. */
export function run(program: string, ...args: string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', stdio: 'pipe' });
}

/** Whether a program ends with success, and all that it wrote. */
export function tryToRun(program: string, ...args: string[]): { isGood: boolean; output: string } {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  if (error) throw error;
  return { isGood: status === 0, output: stdout + stderr };
}

/** The same, while others run. */
export function tryToRunBeside(
  program: string,
  ...args: string[]
): Promise<{ isGood: boolean; output: string }> {
  return new Promise((resolve, reject) => {
    execFile(program, args, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') {
        reject(new Error(`${program} could not be run`, { cause: error }));
      } else resolve({ isGood: !error, output: stdout + stderr });
    });
  });
}
