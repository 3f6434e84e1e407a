import { deliverySettings, messagesOf, publicKeyOf } from 'nestjs-session-alerts/operations';
import type { Examination } from './check.js';
import { ask, reachingMend, reasonOf, shown } from './neighbours.js';
import { checkMailServer } from './mail-server.check.js';

/** Names that nobody has (RFC 2606, RFC 6761), and those of this machine. */
const NOBODYS = /(?:^|\.)(?:example(?:\.(?:com|net|org))?|test|invalid|localhost|local)$/i;

/** What people are told by outside of the page, as far as the server's environment sets it. */
export async function checkDelivery(examination: Examination): Promise<void> {
  const { delivery } = examination.settings;
  const { email, webPush, webhook } = delivery;
  if (!email && !webPush && !webhook) return;
  try {
    deliverySettings(delivery);
  } catch (error) {
    const sentence = messagesOf(error).replace(/^AlertsModule: /, '');
    examination.wrong('delivery', 'The server does not start with these settings', sentence);
    return;
  }
  if (email) await checkMailServer(examination, email);
  if (webPush) checkPushKeys(examination, webPush);
  if (webhook) await checkReceiver(examination, webhook.url);
}

function checkPushKeys(
  examination: Examination,
  { subject, publicKey, privateKey }: { subject: string; publicKey: string; privateKey: string },
): void {
  if (publicKeyOf(privateKey) !== publicKey) {
    examination.wrong(
      'delivery.web_push.keys',
      'WEB_PUSH_PUBLIC_KEY is not that of the private key',
      'Set both as `session-alerts push keys` made them; new ones only where the old are lost, as every browser has to subscribe again',
    );
  } else {
    examination.ok('delivery.web_push.keys', 'public and private key fit each other');
  }
  const host = subject.startsWith('mailto:') ? subject.replace(/^.*@/, '') : new URL(subject).hostname;
  if (NOBODYS.test(host)) {
    examination.wrong(
      'delivery.web_push.subject',
      `Nobody is reached at ${host}: push services may refuse what comes from there`,
      'Set WEB_PUSH_SUBJECT to an address at which you are reached, mailto:… or https://…',
    );
  } else {
    examination.ok('delivery.web_push.subject', `push services write to ${host}`);
  }
}

/** Any answer shows that somebody is there: a message would be one that people read. */
async function checkReceiver(examination: Examination, url: string): Promise<void> {
  try {
    const { status } = await ask(examination, url);
    const message = `${shown(url)} answers (${status} to a GET); session-alerts send-test-message --channel webhook says whether it takes messages`;
    examination.ok('delivery.webhook', message);
  } catch (error) {
    examination.wrong(
      'delivery.webhook',
      `${shown(url)} cannot be reached: ${reasonOf(error)}`,
      reachingMend(error, 'DELIVERY_WEBHOOK_URL'),
    );
  }
}
