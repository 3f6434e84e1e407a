import { Option } from 'commander';
import type { Command } from 'commander';
import { UsageError } from './command-error.js';
import { givenSecret, requiredSecret } from './given-secret.js';
import { httpAddress } from './instance-addresses.js';
import type { Administrator } from './keycloak/keycloak-login.js';
import type { SetupOutcome, SetupStep } from './keycloak/keycloak-setup.js';
import { kubectlSecretLine } from './keycloak/kubectl-secret.js';
import type { SecretSource } from './keycloak/kubectl-secret.js';
import { SecretFile } from './keycloak/secret-file.js';
import type { Terminal } from './terminal.js';

interface KeycloakSetupOptions {
  url: string;
  adminRealm: string;
  adminUser?: string;
  adminPasswordFile?: string;
  adminClient?: string;
  adminClientSecretFile?: string;
  realm: string;
  createRealm?: boolean;
  clientId?: string;
  webhookRole: string;
  adminRole: string;
  audience: string;
  secretFile?: string;
  rotateSecret?: boolean;
  secretOutput?: string;
  namespace: string;
  dryRun?: boolean;
  json?: boolean;
}

export function addKeycloakSetupCommand(keycloak: Command, terminal: Terminal): void {
  keycloak
    .command('setup')
    .summary("make a realm ready for Alertmanager's webhook")
    .description(
      "Makes a realm ready for Alertmanager's webhook: the client with its service account, its role and audience. " +
        'It changes only what is not so yet, and may be run again at any time.',
    )
    .requiredOption('--url <url>', 'address of Keycloak, with or without /auth')
    .option('--realm <name>', 'the realm of the instance', 'Renku')
    .option('--create-realm', 'make the realm where there is none')
    .option('--admin-user <name>', 'who sets it up; password in KEYCLOAK_ADMIN_PASSWORD, or in a file')
    .option('--admin-password-file <file>', 'file with the password')
    .addOption(
      new Option(
        '--admin-client <id>',
        'or a client that does; secret in KEYCLOAK_ADMIN_CLIENT_SECRET, or in a file',
      ).conflicts(['adminUser', 'adminPasswordFile']),
    )
    .option('--admin-client-secret-file <file>', "file with that client's secret")
    .option('--admin-realm <name>', 'the realm that knows the administrator', 'master')
    .option(
      '--client-id <id>',
      "Alertmanager's client (default: alertmanager, or alertmanager-webhook where that is there)",
    )
    .option('--webhook-role <name>', 'realm role that may post webhooks', 'alertmanager-webhook')
    .option('--admin-role <name>', "realm role that may change everybody's alerts", 'renku-admin')
    .option('--audience <name>', 'audience that the server asks for', 'renku')
    .option(
      '--secret-file <file>',
      "file with the client's secret, which may stand in ALERTMANAGER_CLIENT_SECRET too; else Keycloak makes one",
    )
    .addOption(new Option('--rotate-secret', 'have a new secret made').conflicts('secretFile'))
    .option(
      '--secret-output <file>',
      'write the secret to a file that only you may read, instead of printing it',
    )
    .option('--namespace <name>', 'namespace of Alertmanager, for the kubectl line', 'monitoring')
    .option('--dry-run', 'only say what would be done')
    .option('--json', 'print all of it as one JSON object')
    .addHelpText(
      'after',
      `
Examples:
  export KEYCLOAK_ADMIN_PASSWORD=...
  session-alerts keycloak setup --url https://renku.example.org/auth --admin-user admin --dry-run
  session-alerts keycloak setup --url https://renku.example.org/auth --admin-user admin
  session-alerts keycloak setup --url https://renku.example.org/auth --admin-user admin --rotate-secret --secret-output secret`,
    )
    .action((options: KeycloakSetupOptions) => setUp(options, terminal));
}

async function setUp(options: KeycloakSetupOptions, terminal: Terminal): Promise<void> {
  const { realm, clientId, webhookRole, adminRole, audience, json = false } = options;
  const { createRealm = false, dryRun = false, rotateSecret = false } = options;
  const url = httpAddress('--url', options.url);
  const administrator = administratorOf(options, terminal.env);
  const secret = rotateSecret
    ? undefined
    : givenSecret(terminal.env, {
        file: options.secretFile,
        option: '--secret-file',
        variable: 'ALERTMANAGER_CLIENT_SECRET',
      });
  const file =
    options.secretOutput === undefined || dryRun ? undefined : SecretFile.open(options.secretOutput);

  // Only this command needs Keycloak's client.
  const { logIn } = await import('./keycloak/keycloak-login.js');
  const { KeycloakSetup } = await import('./keycloak/keycloak-setup.js');
  const settings = {
    realm,
    createRealm,
    clientId,
    webhookRole,
    adminRole,
    audience,
    secret,
    rotateSecret,
    dryRun,
  };
  const print = (step: SetupStep): void => {
    if (!json) terminal.stdout.write(line(step, dryRun));
  };
  const run = async () => {
    const keycloak = await logIn(url, administrator);
    terminal.stderr.write(`Logged in to ${keycloak.baseUrl}.\n`);
    const setup = new KeycloakSetup(keycloak, settings, print);
    return { setup, outcome: await setup.run() };
  };
  const { setup, outcome } = await run().catch((error: unknown) => {
    file?.discard();
    throw error;
  });
  if (outcome.secret !== undefined) file?.write(outcome.secret);

  let issuer: string | undefined;
  try {
    if (outcome.secret !== undefined) issuer = await setup.checkToken(outcome.secret);
  } finally {
    // A new secret is handed over whatever else is wrong: the old one opens nothing any more.
    const handover = secretHandover(options, outcome, secret);
    terminal.stdout.write(
      json
        ? `${JSON.stringify({ dry_run: dryRun, realm, issuer, client_id: outcome.clientId, warnings: outcome.warnings, steps: outcome.steps, ...handover }, null, 2)}\n`
        : told(outcome, { issuer, ...handover }),
    );
  }
}

interface Handover {
  client_secret?: string;
  secret_file?: string;
  kubectl?: string;
}

/** What is to be done with what was made. */
function told(
  { clientId, warnings }: SetupOutcome,
  { issuer, client_secret: secret, kubectl }: Handover & { issuer: string | undefined },
): string {
  return [
    ...warnings.map((warning) => `\nwarning: ${warning}\n`),
    clientId === 'alertmanager'
      ? ''
      : `\nThe client is called ${clientId}: give --client-id ${clientId} to config print, send-test-alert and doctor.\n`,
    issuer === undefined ? '' : `\nThe server's OIDC_ISSUER is ${issuer}\n`,
    secret === undefined ? '' : `\nThe client's secret, which is not shown again: ${secret}\n`,
    kubectl === undefined ? '' : `\nStore it in Kubernetes:\n\n${kubectl}\n`,
  ].join('');
}

function administratorOf(
  { adminRealm, adminUser, adminClient, ...files }: KeycloakSetupOptions,
  env: NodeJS.ProcessEnv,
): Administrator {
  if (adminUser !== undefined) {
    const password = requiredSecret(env, `the password of ${adminUser}`, {
      file: files.adminPasswordFile,
      option: '--admin-password-file',
      variable: 'KEYCLOAK_ADMIN_PASSWORD',
    });
    return { realm: adminRealm, user: adminUser, password };
  }
  if (adminClient !== undefined) {
    const clientSecret = requiredSecret(env, `the secret of ${adminClient}`, {
      file: files.adminClientSecretFile,
      option: '--admin-client-secret-file',
      variable: 'KEYCLOAK_ADMIN_CLIENT_SECRET',
    });
    return { realm: adminRealm, clientId: adminClient, clientSecret };
  }
  throw new UsageError('Say who sets it up: --admin-user with a password, or --admin-client with a secret.');
}

function line({ what, state, changes }: SetupStep, dryRun: boolean): string {
  const done = { ok: 'ok', created: 'created', changed: 'changed' }[state];
  const would = { ok: 'ok', created: 'would be created', changed: 'would be changed' }[state];
  const details = changes.length > 0 ? ` (${changes.join('; ')})` : '';
  return `${(dryRun ? would : done).padEnd(dryRun ? 16 : 7)}  ${what}${details}\n`;
}

/** How the secret gets to Kubernetes; nothing where it is as it was and nobody asked for it. */
function secretHandover(
  { secretFile, secretOutput, namespace }: KeycloakSetupOptions,
  { steps, secret }: SetupOutcome,
  given: string | undefined,
): Handover {
  const state = steps.find(({ what }) => what === 'client secret')?.state ?? 'ok';
  if (secret === undefined || (state === 'ok' && secretOutput === undefined)) return {};
  const kubectl = (source: SecretSource): string =>
    kubectlSecretLine(source, { namespace, replace: state !== 'created' });
  if (secretOutput !== undefined) {
    return { secret_file: secretOutput, kubectl: kubectl({ file: secretOutput }) };
  }
  if (given === undefined) return { client_secret: secret, kubectl: kubectl({ literal: secret }) };
  return {
    kubectl: kubectl(
      secretFile === undefined ? { variable: 'ALERTMANAGER_CLIENT_SECRET' } : { file: secretFile },
    ),
  };
}
