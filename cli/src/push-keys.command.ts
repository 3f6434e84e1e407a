import { Option } from 'commander';
import type { Command } from 'commander';
import { makeVapidKeys } from 'nestjs-session-alerts/operations';
import { UsageError } from './command-error.js';
import { SecretFile } from './keycloak/secret-file.js';
import type { Terminal } from './terminal.js';

interface PushKeysOptions {
  secretOutput?: string;
  printSecret?: boolean;
  json?: boolean;
}

export function addPushKeysCommand(push: Command, terminal: Terminal): void {
  push
    .command('keys')
    .summary('make the keys by which browsers know the server')
    .description(
      'Makes a pair of keys for web push (VAPID, RFC 8292). Make them once: with new keys every browser that has ' +
        'subscribed has to do so again.',
    )
    .option('--secret-output <file>', 'write the private key to a file that only you may read')
    .addOption(new Option('--print-secret', 'print the private key').conflicts('secretOutput'))
    .option('--json', 'print {"public_key"}, with --print-secret {"public_key", "private_key"}')
    .addHelpText(
      'after',
      `
Example:
  session-alerts push keys --secret-output web-push-private-key >>server.env`,
    )
    .action(({ secretOutput, printSecret = false, json = false }: PushKeysOptions) => {
      if (secretOutput === undefined && !printSecret) {
        throw new UsageError(
          'Say where the private key goes: into a file by --secret-output, or --print-secret.',
        );
      }
      const file = secretOutput === undefined ? undefined : SecretFile.open(secretOutput);
      const { publicKey, privateKey } = makeVapidKeys();
      file?.write(`${privateKey}\n`);
      if (json) {
        const printed = { public_key: publicKey, ...(printSecret && { private_key: privateKey }) };
        terminal.stdout.write(`${JSON.stringify(printed)}\n`);
      } else {
        terminal.stdout.write(`WEB_PUSH_PUBLIC_KEY=${publicKey}\n`);
        if (printSecret) terminal.stdout.write(`${privateKey}\n`);
      }
      terminal.stderr.write(
        'Give the server the public key as WEB_PUSH_PUBLIC_KEY, the file of the private key as WEB_PUSH_PRIVATE_KEY_FILE, ' +
          'and an address at which you are reached as WEB_PUSH_SUBJECT. Where it had other keys before, every browser ' +
          'that has subscribed is told nothing any more, until its user turns web push on again.\n',
      );
    });
}
