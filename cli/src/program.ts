import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { messagesOf } from 'nestjs-session-alerts/operations';
import { CommandError, EXIT } from './command-error.js';
import { addConfigPrintCommand } from './config-print.command.js';
import { addDoctorCommand, DOCTOR_EXIT_CODES } from './doctor/doctor.command.js';
import { addKeycloakSetupCommand } from './keycloak-setup.command.js';
import { addMigrateCommand } from './migrate.command.js';
import { addPushKeysCommand } from './push-keys.command.js';
import { packageRoot } from './package-root.js';
import { addSendTestAlertCommand } from './send-test-alert.command.js';
import { addSendTestMessageCommand } from './send-test-message.command.js';
import type { Terminal } from './terminal.js';
import { trustMend } from './trust.js';

const EXIT_CODES = `  0  done
  1  not done, or the answer is no; the message says what to do
  2  the command line or the environment is not right; nothing was tried
  3  a neighbour could not be reached; the same command may succeed later`;

/** The command line with all its commands. */
export function createProgram(terminal: Terminal = process): Command {
  const program = new Command('session-alerts')
    .description(
      "The administrator's tools of session alerts: Prometheus's alerts, shown in people's sessions.",
    )
    .version(versionOfPackage())
    .exitOverride()
    .showHelpAfterError('Add --help to see what there is.')
    .configureOutput({
      writeOut: (text) => terminal.stdout.write(text),
      writeErr: (text) => terminal.stderr.write(text),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .addHelpText('afterAll', ({ command }) => endOfHelp(command));

  const keycloak = program.command('keycloak').description('what Keycloak needs for the webhook');
  addKeycloakSetupCommand(keycloak, terminal);
  addDoctorCommand(program, terminal);
  addSendTestAlertCommand(program, terminal);
  addSendTestMessageCommand(program, terminal);
  const push = program.command('push').description("what browsers' notices need");
  addPushKeysCommand(push, terminal);
  addMigrateCommand(program, terminal);
  const config = program.command('config').description("the administrators' configuration files");
  addConfigPrintCommand(config, terminal);
  return program;
}

/** Runs one command; returns what the process should exit with. It throws nothing. */
export async function runCommandLine(args: string[], terminal: Terminal = process): Promise<number> {
  try {
    await createProgram(terminal).parseAsync(args, { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    // Commander has said it already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    const said = messagesOf(error);
    const mend = trustMend(said);
    terminal.stderr.write(mend === undefined ? `${said}\n` : `${said}\n${mend}.\n`);
    return error instanceof CommandError ? error.exitCode : EXIT.failed;
  }
}

function endOfHelp(command: Command): string {
  return `
Exit codes:
${command.name() === 'doctor' ? DOCTOR_EXIT_CODES : EXIT_CODES}

Results go to standard output, progress and errors to standard error.`;
}

function versionOfPackage(): string {
  const { version } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as {
    version: string;
  };
  return version;
}
