import { createServer } from 'node:http';
import type { RequestListener, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Command, CommanderError } from 'commander';
import { CommandError } from '../../cli/src/command-error.js';
import { addDoctorCommand } from '../../cli/src/doctor/doctor.command.js';
import type { Finding } from '../../cli/src/doctor/check.js';

export interface DoctorRun {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** Runs `session-alerts doctor` as its program does, in an environment that has nothing else. */
export async function runDoctor(
  args: string[],
  env: NodeJS.ProcessEnv = {},
  screen: { isTTY?: boolean } = {},
): Promise<DoctorRun> {
  const run: DoctorRun = { exitCode: 0, stdout: '', stderr: '' };
  const program = new Command('session-alerts').exitOverride().configureOutput({
    writeOut: (text) => (run.stdout += text),
    writeErr: (text) => (run.stderr += text),
  });
  addDoctorCommand(program, {
    env,
    stdout: { ...screen, write: (text: string) => (run.stdout += text) },
    stderr: { write: (text: string) => (run.stderr += text) },
  });
  try {
    await program.parseAsync(['doctor', ...args], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) run.exitCode = error.exitCode === 0 ? 0 : 2;
    else if (error instanceof CommandError) {
      run.stderr += error.message;
      run.exitCode = error.exitCode;
    } else throw error;
  }
  return run;
}

/** What doctor found, by its own `--json`. */
export async function doctorsFindings(args: string[], env?: NodeJS.ProcessEnv): Promise<Finding[]> {
  const { stdout, stderr } = await runDoctor([...args, '--json'], env);
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as Finding[];
}

/** What is neither ok nor left out, by its check. */
export function troubles(findings: Finding[]): Record<string, string> {
  return Object.fromEntries(
    findings
      .filter(({ status }) => status === 'wrong' || status === 'warning')
      .map(({ check, message, mend = '' }) => [check, `${message} >> ${mend}`]),
  );
}

export function notChecked(findings: Finding[]): Record<string, string> {
  return Object.fromEntries(
    findings.filter(({ status }) => status === 'not_checked').map(({ check, message }) => [check, message]),
  );
}

/** A program at a port of its own, for as long as `use` needs it. */
export async function withProgram<T>(answer: RequestListener, use: (url: string) => Promise<T>): Promise<T> {
  const program = createServer(answer);
  await new Promise<void>((resolve) => program.listen(0, '127.0.0.1', resolve));
  try {
    return await use(`http://127.0.0.1:${(program.address() as AddressInfo).port}`);
  } finally {
    const closed = new Promise((resolve) => program.close(resolve));
    program.closeAllConnections();
    await closed;
  }
}

export function answerJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}
