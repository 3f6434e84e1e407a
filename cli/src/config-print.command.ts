import { Argument } from 'commander';
import type { Command } from 'commander';
import { parseAllDocuments } from 'yaml';
import { CONFIGURATIONS, partsOf, readDeployFile, withAddresses, withClient } from './deploy-files.js';
import type { Configuration } from './deploy-files.js';
import { instanceAddresses } from './instance-addresses.js';
import { folderOfDeploy } from './package-root.js';
import type { Terminal } from './terminal.js';

interface ConfigPrintOptions {
  instance?: string;
  apiUrl?: string;
  issuer?: string;
  clientId: string;
  json?: boolean;
}

const NAMES = Object.keys(CONFIGURATIONS) as Configuration[];

export function addConfigPrintCommand(config: Command, terminal: Terminal): void {
  config
    .command('print')
    .summary("print a configuration file with your instance's address")
    .description(
      "Prints one of the administrators' configuration files, the ones that our tests run, with your instance's address.",
    )
    .addArgument(new Argument('<what>', 'the file').choices(NAMES))
    .argument('[part]', 'which of its files, where there are several; the first below where none is named')
    .option('--instance <url>', 'address of the instance, such as https://renku.example.org')
    .option('--api-url <url>', "address of the API, where it is not the instance's /api/data")
    .option('--issuer <url>', "address of the issuer, where it is not the instance's /auth/realms/Renku")
    .option('--client-id <id>', "Alertmanager's client in Keycloak", 'alertmanager')
    .option('--json', 'print it as JSON; several documents as a list')
    .addHelpText(
      'after',
      `
Parts:
${NAMES.map((what) => `  ${what.padEnd(18)}  ${partsOf(what).join(', ')}`).join('\n')}

Examples:
  session-alerts config print alertmanager --instance https://renku.example.org >alertmanager.yml
  session-alerts config print helm-values prometheus --instance https://renku.example.org >values.yaml`,
    )
    .action(
      (
        what: Configuration,
        part: string | undefined,
        { json = false, clientId, ...given }: ConfigPrintOptions,
      ) => {
        const file = withClient(readDeployFile(folderOfDeploy(), what, part), clientId);
        const text = withAddresses(file, () => instanceAddresses(given));
        terminal.stdout.write(json ? asJson(text) : text);
      },
    );
}

function asJson(text: string): string {
  const documents = parseAllDocuments(text).map((document) => document.toJS() as unknown);
  return `${JSON.stringify(documents.length === 1 ? documents[0] : documents, null, 2)}\n`;
}
