import { createHmac } from 'node:crypto';
import { messagesOf } from '../../http/error-messages.js';
import { fetchAnswer } from '../../http/fetch-answer.js';
import { MessageRefusedError, RetryLaterError } from '../alert-channel.js';
import type { AlertChannel, AlertMessage } from '../alert-channel.js';
import { retryAfterIn } from './retry-after.js';

/** Where it is posted, and the secret by which it is signed: `whsec_` and base64. */
export interface WebhookAddress {
  url: string;
  secret: string;
}

const TIMEOUT = 15_000;
/** Bytes that are read of an answer. */
const LONGEST_ANSWER = 64 * 1024;
/** What says that this very message is none for the receiver; all else may be mended there. */
const REFUSALS = [400, 413, 415, 422];

/** Posts messages to one address, signed as Standard Webhooks (standardwebhooks.com) says. */
export class WebhookChannel implements AlertChannel {
  readonly name = 'webhook';

  /** @param now the time by which its messages are signed (ms since 1970) */
  constructor(
    private readonly address: WebhookAddress,
    private readonly now: () => number,
  ) {}

  async send(message: AlertMessage, signal: AbortSignal): Promise<void> {
    const { id, userId, createdDate, alerts } = message;
    const body = JSON.stringify({
      type: 'session_alerts.message',
      timestamp: createdDate.toISOString(),
      data: {
        user_id: userId,
        alerts: alerts.map(({ transition, alert, link }) => ({
          transition,
          ...alert,
          ...(link && { link }),
        })),
      },
    });
    const sentAt = String(Math.floor(this.now() / 1000));
    const { url, secret } = this.address;
    const answer = await fetchAnswer(
      url,
      { timeout: TIMEOUT, longest: LONGEST_ANSWER, signal },
      {
        method: 'POST',
        redirect: 'manual',
        headers: {
          'Content-Type': 'application/json',
          'User-Agent': 'session-alerts',
          'webhook-id': id,
          'webhook-timestamp': sentAt,
          'webhook-signature': signatureOf(secret, `${id}.${sentAt}.${body}`),
        },
        body,
      },
    ).catch((error: unknown) => {
      // Its path may be a secret.
      throw new RetryLaterError(messagesOf(error).replaceAll(url, new URL(url).origin), undefined, {
        cause: error,
      });
    });
    const { status, headers } = answer;
    if (status >= 200 && status < 300) return;
    const sentence = `the receiver answered ${status}`;
    if (REFUSALS.includes(status)) throw new MessageRefusedError(sentence);
    throw new RetryLaterError(sentence, retryAfterIn(headers));
  }
}

/** Version 1: HMAC-SHA256 with the secret's bytes. */
function signatureOf(secret: string, content: string): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  return `v1,${createHmac('sha256', key).update(content).digest('base64')}`;
}
