import { Option } from 'commander';
import type { Command } from 'commander';
import { CommandError } from '../command-error.js';
import type { Terminal } from '../terminal.js';
import type { Finding } from './check.js';
import type { DoctorFlags } from './doctor-settings.js';
import { coloured, lineOf } from './report.js';

type DoctorOptions = DoctorFlags & { json?: boolean };

/** To doctor a neighbour out of reach is one more thing that is wrong. */
export const DOCTOR_EXIT_CODES = `  0  nothing is wrong; warnings count as nothing
  1  something is wrong; each finding says what mends it
  2  the command line is not right; nothing was tried`;

/** `session-alerts doctor`: walks along the chain, and says what is wrong with it. */
export function addDoctorCommand(program: Command, terminal: Terminal = process): void {
  program
    .command('doctor')
    .summary('walk along the chain and say what is wrong with it, and what mends it')
    .description(
      'Looks at every link from Prometheus to the server and changes nothing: settings, database, issuer, token, ' +
        'server, clocks, webhook (a dry run), Alertmanager, Prometheus, whether the watchdog alert arrives, and what tells ' +
        'people outside of the page: mail server, keys of web push, webhook. ' +
        'What it is not told of, it does not check. It reads the environment of the server (DATABASE_URL, ' +
        'OIDC_ISSUER, TOKEN_AUDIENCE, ALERTMANAGER_URLS and the others).',
    )
    .option('--instance <url>', 'address of the instance, such as https://renku.example.org')
    .addOption(
      new Option('--url, --api-url <url>', "address of the API, where it is not the instance's /api/data"),
    )
    .option(
      '--issuer <url>',
      "address of the issuer, else OIDC_ISSUER, else the instance's /auth/realms/Renku",
    )
    .option('--client-id <id>', "Alertmanager's client", 'alertmanager')
    .option('--client-secret-file <file>', 'file with its secret, else ALERTMANAGER_CLIENT_SECRET')
    .option('--alertmanager-url <url...>', 'addresses of all Alertmanagers, else ALERTMANAGER_URLS')
    .option('--prometheus-url <url>', 'address of Prometheus')
    .option('--json', 'print [{"check", "status", "message", "mend"}]')
    .addHelpText(
      'after',
      `
Example:
  export ALERTMANAGER_CLIENT_SECRET=...
  session-alerts doctor --instance https://renku.example.org \\
    --alertmanager-url http://localhost:9093 --prometheus-url http://localhost:9090`,
    )
    .action((options: DoctorOptions) => runDoctor(options, terminal));
}

async function runDoctor({ json = false, ...flags }: DoctorOptions, terminal: Terminal): Promise<void> {
  // Only this command needs TypeORM and YAML.
  const { readDoctorSettings } = await import('./doctor-settings.js');
  const { examine } = await import('./doctor.js');
  const settings = readDoctorSettings(flags, terminal.env);
  const hasColours = coloured(terminal);
  const print = (finding: Finding): void => {
    if (!json) terminal.stdout.write(lineOf(finding, hasColours));
  };
  const { findings } = await examine(settings, print);
  if (json) terminal.stdout.write(`${JSON.stringify(findings, null, 2)}\n`);
  const wrong = findings.filter(({ status }) => status === 'wrong').length;
  if (wrong > 0) {
    throw new CommandError(
      wrong === 1 ? 'One thing is wrong.' : `${wrong} things are wrong; begin with the first.`,
    );
  }
}
