import { readFileSync } from 'node:fs';
import { Option } from 'commander';
import type { Command } from 'commander';
import {
  isRecord,
  MessageRefusedError,
  messagesOf,
  parsedJson,
  sendTestMessage,
  TargetGoneError,
} from 'nestjs-session-alerts/operations';
import { CommandError, UnreachableError, UsageError } from './command-error.js';
import { serverConfig } from './server-environment.js';
import type { Terminal } from './terminal.js';

/** The channels that the server's environment may set: by which variable, and what took the message. */
const CHANNELS = {
  email: { variables: 'SMTP_URL, MAIL_FROM and PUBLIC_URL', option: 'email', receiver: 'The mail server' },
  web_push: {
    variables: 'WEB_PUSH_PUBLIC_KEY, WEB_PUSH_PRIVATE_KEY_FILE and WEB_PUSH_SUBJECT',
    option: 'webPush',
    receiver: 'The push service',
  },
  webhook: {
    variables: 'DELIVERY_WEBHOOK_URL and DELIVERY_WEBHOOK_SECRET_FILE',
    option: 'webhook',
    receiver: 'The webhook',
  },
} as const;
type Channel = keyof typeof CHANNELS;

interface SendTestMessageOptions {
  channel: Channel;
  to?: string;
  subscription?: string;
}

export function addSendTestMessageCommand(program: Command, terminal: Terminal): void {
  program
    .command('send-test-message')
    .summary('send a message outside of the page, by e-mail, web push or the webhook')
    .description(
      'Sends one test message by a channel as the server would, and says what became of it. It reads the environment of ' +
        'the server (SMTP_URL, WEB_PUSH_PUBLIC_KEY, DELIVERY_WEBHOOK_URL and the others), and needs no database.',
    )
    .addOption(
      new Option('--channel <name>', 'by which').choices(Object.keys(CHANNELS)).makeOptionMandatory(),
    )
    .option('--to <address>', 'of email: to whom')
    .option('--subscription <file>', "of web_push: file with a browser's PushSubscription as JSON")
    .addHelpText(
      'after',
      `
Examples:
  session-alerts send-test-message --channel email --to you@example.org
  session-alerts send-test-message --channel webhook
  session-alerts send-test-message --channel web_push --subscription subscription.json`,
    )
    .action(async (options: SendTestMessageOptions) => {
      const { channel } = options;
      const { variables, option, receiver } = CHANNELS[channel];
      const details = detailsOf(options);
      const { delivery } = serverConfig(terminal.env);
      if (!delivery[option]) {
        throw new UsageError(`${channel} is not set: set ${variables} as the server has them.`);
      }
      try {
        await sendTestMessage(delivery, { channel, details });
      } catch (error) {
        throw failureOf(error, receiver);
      }
      terminal.stdout.write(`${receiver} took the test message: look whether it has arrived.\n`);
    });
}

/** @throws UsageError */
function detailsOf({ channel, to, subscription }: SendTestMessageOptions): Record<string, unknown> {
  if ((to !== undefined) !== (channel === 'email')) {
    throw new UsageError('--to says to whom --channel email goes: give both or none.');
  }
  if ((subscription !== undefined) !== (channel === 'web_push')) {
    throw new UsageError('--subscription says to which browser --channel web_push goes: give both or none.');
  }
  if (to !== undefined) {
    if (!/^[^\s<>@]+@[^\s<>@]+$/.test(to))
      throw new UsageError('--to must be an address like you@example.org.');
    return { address: to, key: 'test' };
  }
  return subscription === undefined ? {} : subscriptionIn(subscription);
}

function subscriptionIn(file: string): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new UsageError('--subscription must name a file that can be read.', { cause });
  }
  const read = parsedJson(text);
  if (isRecord(read) && typeof read['endpoint'] === 'string' && isRecord(read['keys'])) return read;
  throw new UsageError(
    '--subscription must name a file with what JSON.stringify(subscription) says in a browser: endpoint and keys.',
  );
}

function failureOf(error: unknown, receiver: string): CommandError {
  const said = messagesOf(error);
  if (error instanceof TargetGoneError) {
    return new CommandError(`There is nobody to take it: ${said}.`);
  }
  if (error instanceof MessageRefusedError) {
    return new CommandError(`${receiver} refused the test message: ${said}.`);
  }
  if (/^AlertsModule: /.test(said)) return new UsageError(said);
  return new UnreachableError(`${receiver} did not take the test message: ${said}.`);
}
