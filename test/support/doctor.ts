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
