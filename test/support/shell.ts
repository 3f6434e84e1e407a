import { spawn } from 'node:child_process';

/** How a script ended, and what it wrote. */
export interface ShellRun {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Runs lines of bash as somebody would who pastes them; `env` is all of its environment but PATH. */
export async function runInBash(script: string, env: NodeJS.ProcessEnv = {}): Promise<ShellRun> {
  const child = spawn('bash', ['-c', script], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const run: ShellRun = { status: null, stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (run.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (run.stderr += text));
  run.status = await new Promise((resolve, reject) => child.once('close', resolve).once('error', reject));
  return run;
}

/**
 * A text with some of its words replaced, wherever they stand.
 * @throws Error one of them does not occur
 */
export function replaceWords(text: string, words: Record<string, string>): string {
  return Object.entries(words).reduce((replaced, [from, to]) => {
    if (!replaced.includes(from)) throw new Error(`There is no ${from} to replace`);
    return replaced.replaceAll(from, () => to);
  }, text);
}
