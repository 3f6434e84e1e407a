import { Argument, Option } from 'commander';
import type { Command } from 'commander';
import { parseAllDocuments } from 'yaml';
import { CONFIGURATIONS, HELM_CHARTS, readDeployFile, withAddresses } from './deploy-files.js';
import type { Configuration, HelmChart } from './deploy-files.js';
import { instanceAddresses } from './instance-addresses.js';
import { packageRoot } from './package-root.js';
import type { Terminal } from './terminal.js';

interface ConfigPrintOptions {
  instance?: string;
  apiUrl?: string;
  issuer?: string;
  chart: HelmChart;
  json?: boolean;
}

export function addConfigPrintCommand(config: Command, terminal: Terminal): void {
  config
    .command('print')
    .summary("print a configuration file with your instance's address")
    .description(
      "Prints one of the administrators' configuration files, the ones that our tests run, with your instance's address.",
    )
    .addArgument(new Argument('<what>', 'the file').choices(CONFIGURATIONS))
    .option('--instance <url>', 'address of the instance, such as https://renku.example.org')
    .option('--api-url <url>', "address of the API, where it is not the instance's /api/data")
    .option('--issuer <url>', "address of the issuer, where it is not the instance's /auth/realms/Renku")
    .addOption(
      new Option('--chart <name>', 'the Helm chart, for helm-values')
        .choices(HELM_CHARTS)
        .default(HELM_CHARTS[0]),
    )
    .option('--json', 'print it as JSON; several documents as a list')
    .addHelpText(
      'after',
      '\nExample:\n  session-alerts config print alertmanager --instance https://renku.example.org >alertmanager.yml',
    )
    .action((what: Configuration, { chart, json = false, ...given }: ConfigPrintOptions) => {
      const text = withAddresses(readDeployFile(packageRoot(), what, chart), () => instanceAddresses(given));
      terminal.stdout.write(json ? asJson(text) : text);
    });
}

function asJson(text: string): string {
  const documents = parseAllDocuments(text).map((document) => document.toJS() as unknown);
  return `${JSON.stringify(documents.length === 1 ? documents[0] : documents, null, 2)}\n`;
}
