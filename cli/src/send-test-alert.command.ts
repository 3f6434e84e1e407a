import type { Command } from 'commander';
import { clientToken, discoverTokenUrl } from './client-token.js';
import { CommandError } from './command-error.js';
import { requiredSecret } from './given-secret.js';
import { httpAddress, instanceAddresses } from './instance-addresses.js';
import { describeAnswer, postTestAlert } from './test-alert.js';
import type { Terminal } from './terminal.js';

interface SendTestAlertOptions {
  user: string;
  session: string;
  instance?: string;
  apiUrl?: string;
  issuer?: string;
  tokenUrl?: string;
  clientId: string;
  clientSecretFile?: string;
  resolve?: boolean;
  dryRun?: boolean;
  json?: boolean;
}

/** Keycloak's ids of users. */
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function addSendTestAlertCommand(program: Command, terminal: Terminal): void {
  program
    .command('send-test-alert')
    .summary("send the guide's test alert as Alertmanager would")
    .description(
      "Gets a token as Alertmanager does and posts the guide's test alert, then says what became of it. The client's " +
        'secret comes from a file or from the environment variable ALERTMANAGER_CLIENT_SECRET.',
    )
    .requiredOption('--user <id>', "Keycloak's id of the user to notify (not the user name)")
    .option('--session <name>', 'the session that the alert is about', 'test-session')
    .option('--instance <url>', 'address of the instance, such as https://renku.example.org')
    .option('--api-url <url>', "address of the API, where it is not the instance's /api/data")
    .option('--issuer <url>', "address of the issuer, where it is not the instance's /auth/realms/Renku")
    .option('--token-url <url>', "where tokens come from, where the issuer's discovery should not be asked")
    .option('--client-id <id>', "Alertmanager's client", 'alertmanager')
    .option('--client-secret-file <file>', 'file with its secret')
    .option('--resolve', 'end the test alert')
    .option('--dry-run', 'only ask what would become of it; nothing is stored')
    .option('--json', "print the server's answer as JSON")
    .addHelpText(
      'after',
      `
Examples:
  export ALERTMANAGER_CLIENT_SECRET=...
  session-alerts send-test-alert --instance https://renku.example.org --user 2c1d6a1e-5b0f-4a77-9e0b-6a1f0c9d2b22
  session-alerts send-test-alert --instance https://renku.example.org --user 2c1d6a1e-5b0f-4a77-9e0b-6a1f0c9d2b22 --resolve`,
    )
    .action(async ({ user, session, resolve = false, dryRun = false, ...options }: SendTestAlertOptions) => {
      const { apiUrl, issuer } = instanceAddresses(options);
      const clientSecret = requiredSecret(terminal.env, "the client's secret", {
        file: options.clientSecretFile,
        option: '--client-secret-file',
        variable: 'ALERTMANAGER_CLIENT_SECRET',
      });
      const givenTokenUrl =
        options.tokenUrl === undefined ? undefined : httpAddress('--token-url', options.tokenUrl);
      if (!UUID.test(user)) {
        terminal.stderr.write(
          `Keycloak's user ids look like 2c1d6a1e-5b0f-4a77-9e0b-6a1f0c9d2b22; "${user}" does not: a user name would reach nobody.\n`,
        );
      }

      const tokenUrl = givenTokenUrl ?? (await discoverTokenUrl(issuer));
      const token = await clientToken(tokenUrl, { clientId: options.clientId, clientSecret });
      terminal.stderr.write(`${tokenUrl} gave ${options.clientId} a token.\n`);
      const request = { user, session, resolve, dryRun };
      const answer = await postTestAlert(`${apiUrl}/webhooks/alertmanager`, token, request);
      const { isApplied, text } = describeAnswer(answer, request);
      if (options.json) terminal.stdout.write(`${JSON.stringify(answer)}\n`);
      else if (isApplied) terminal.stdout.write(`${text}\n`);
      if (!isApplied) throw new CommandError(text);
    });
}
