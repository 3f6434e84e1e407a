import { fetchAnswer } from '../../http/fetch-answer.js';
import type { Answer } from '../../http/fetch-answer.js';
import { messagesOf } from '../../http/error-messages.js';
import { webPush } from '../../http/optional-packages.cjs';
import type { WebPush } from '../../http/optional-packages.cjs';
import { isRecord } from '../../http/untyped.js';
import { wrong } from '../../options/option-checks.js';
import { gravityOf } from '../../alerts/gravity.js';
import { MessageRefusedError, RetryLaterError, TargetGoneError } from '../alert-channel.js';
import type { AlertChannel, AlertMessage } from '../alert-channel.js';
import { CRITICAL } from '../delivery-rules.js';
import { LONGEST_PAYLOAD, pushPayload, topicOf } from '../push-payload.js';
import { isPushService } from '../push-services.js';
import { publicKeyOf } from '../vapid-keys.js';
import { retryAfterIn } from './retry-after.js';

/** Who we are to push services (RFC 8292), and which there are. */
export interface WebPushSender {
  subject: string;
  publicKey: string;
  privateKey: string;
  services: readonly string[];
}

interface Subscription {
  endpoint: string;
  keys: { p256dh: string; auth: string };
}

const TIMEOUT = 15_000;
/** Bytes that are read of an answer. */
const LONGEST_ANSWER = 64 * 1024;
/** For a push service that takes less than the standard has it. */
const SHORTER_PAYLOAD = 1_000;
/** How long (s) a push service keeps a message for a browser that is off. Later, that something is over is no news. */
const KEPT_FOR = 24 * 3600;
const KEPT_FOR_OVER = 3600;

/** Shows notices in browsers that no page of ours is open in (RFC 8030), encrypted for them alone (RFC 8291). */
export class WebPushChannel implements AlertChannel {
  readonly name = 'web_push';
  private readonly encryption: WebPush;

  /** @throws Error web-push is missing, or the keys do not fit each other */
  constructor(private readonly sender: WebPushSender) {
    if (!webPush) {
      throw wrong(
        'delivery.webPush needs the package web-push, which is not installed: npm install web-push',
      );
    }
    if (publicKeyOf(sender.privateKey) !== sender.publicKey) {
      throw wrong(
        'delivery.webPush.publicKey is not that of delivery.webPush.privateKey: set both as `session-alerts push keys` made them',
      );
    }
    this.encryption = webPush;
  }

  async send(message: AlertMessage, signal: AbortSignal): Promise<void> {
    const subscription = subscriptionIn(message.details);
    // What was kept when the list was longer.
    if (!subscription || !isPushService(subscription.endpoint, this.sender.services)) {
      throw new TargetGoneError('the subscription is not one of a push service known here');
    }
    let answer = await this.post(message, subscription, LONGEST_PAYLOAD, signal);
    if (answer.status === 413) answer = await this.post(message, subscription, SHORTER_PAYLOAD, signal);
    expectTaken(answer, new URL(subscription.endpoint).origin);
  }

  private async post(
    message: AlertMessage,
    { endpoint, keys }: Subscription,
    longest: number,
    signal: AbortSignal,
  ): Promise<Answer> {
    const { href, origin } = new URL(endpoint);
    const { subject, publicKey, privateKey } = this.sender;
    const [gravest] = message.alerts;
    const isOver = gravest?.transition === 'over';
    const isUrgent = !isOver && gravityOf(gravest?.alert.severity ?? null) >= CRITICAL;
    const { headers, body } = this.encryption.generateRequestDetails(
      { endpoint: href, keys },
      pushPayload(message, longest),
      {
        vapidDetails: { subject, publicKey, privateKey },
        TTL: isOver ? KEPT_FOR_OVER : KEPT_FOR,
        urgency: isUrgent ? 'high' : 'normal',
        topic: topicOf(message),
      },
    );
    const sent = Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]);
    try {
      return await fetchAnswer(
        href,
        { timeout: TIMEOUT, longest: LONGEST_ANSWER, signal },
        { method: 'POST', redirect: 'manual', headers: sent, body },
      );
    } catch (error) {
      // Whoever knows the whole address could take it for their own.
      throw new RetryLaterError(messagesOf(error).replaceAll(href, origin));
    }
  }
}

/** @throws TargetGoneError, RetryLaterError, MessageRefusedError */
function expectTaken({ status, headers }: Answer, service: string): void {
  if (status >= 200 && status < 300) return;
  const sentence = `${service} answered ${status}`;
  switch (status) {
    case 404:
    case 410:
      throw new TargetGoneError(`${sentence}: the browser has given up its subscription`);
    case 413:
      throw new MessageRefusedError(`${sentence} also to a short message`);
    case 400:
    case 401:
    case 403:
      throw new MessageRefusedError(
        `${sentence}: look whether the VAPID keys are those with which people subscribed, and whether the subject is an address at which you are reached`,
      );
    case 408:
    case 425:
    case 429:
      throw new RetryLaterError(sentence, retryAfterIn(headers));
    default:
      if (status >= 400 && status < 500) throw new MessageRefusedError(sentence);
      throw new RetryLaterError(sentence, retryAfterIn(headers));
  }
}

function subscriptionIn({ endpoint, keys }: Readonly<Record<string, unknown>>): Subscription | undefined {
  if (typeof endpoint !== 'string' || !isRecord(keys)) return undefined;
  const { p256dh, auth } = keys;
  if (typeof p256dh !== 'string' || typeof auth !== 'string') return undefined;
  return { endpoint, keys: { p256dh, auth } };
}
