import { rootCertificates } from 'node:tls';
import { domainToASCII } from 'node:url';
import { isEmailAddress } from '../../auth/email-address.js';
import type { Nodemailer } from '../../http/optional-packages.cjs';
import { recordOf, textOf } from '../../http/untyped.js';
import type { EmailOptions } from '../../options/module-options.js';
import { MessageRefusedError, RetryLaterError } from '../alert-channel.js';
import type { AlertChannel, AlertMessage } from '../alert-channel.js';
import { writeUnsubscribeKey } from '../unsubscribe-key.js';
import { emailContents } from './email-contents.js';

/** ms, all of them below the time in which a message has to be sent. */
const CONNECTION_TIMEOUT = 10_000;
const GREETING_TIMEOUT = 10_000;
const DNS_TIMEOUT = 5_000;
const SOCKET_TIMEOUT = 15_000;
const TIMEOUT = 25_000;
/** How long (ms) a connection that nothing is sent by is kept. */
const IDLE_TIMEOUT = 60_000;
const CONNECTIONS = 5;
/** What ends in our settings, not in the recipient: that we must log in, or say who we are in another way (RFC 4954). */
const OF_LOGIN = [530, 534, 535, 538];

/** Sends mail by SMTP (RFC 5321), over connections that are kept for a while. */
export class EmailChannel implements AlertChannel {
  readonly name = 'email';
  private readonly sender: { name: string; address: string };
  /** What stands behind the `@` of our messages' ids. */
  private readonly domain: string;
  private readonly secrets: string[];
  private readonly transport;

  /** @param publicUrl where this API is for people outside */
  constructor(
    { server, from, ca }: EmailOptions,
    private readonly publicUrl: string,
    nodemailer: Pick<Nodemailer, 'createTransport'>,
  ) {
    const { protocol, hostname, port, username, password } = new URL(server);
    const [user, pass] = [username, password].map(decodeURIComponent) as [string, string];
    const host = hostname.replace(/^\[|\]$/g, '');
    this.sender = mailboxIn(from);
    const domain = this.sender.address.slice(this.sender.address.lastIndexOf('@') + 1);
    this.domain = domainToASCII(domain) || domain;
    this.secrets = [
      pass,
      Buffer.from(pass).toString('base64'),
      Buffer.from(`\0${user}\0${pass}`).toString('base64'),
    ];
    this.transport = nodemailer.createTransport({
      pool: true,
      host,
      port: Number(port) || (protocol === 'smtps:' ? 465 : 587),
      secure: protocol === 'smtps:',
      // Where mail does not leave the machine, TLS is used where it is offered.
      requireTLS: !isLoopback(host),
      tls: {
        rejectUnauthorized: true,
        minVersion: 'TLSv1.2',
        ...(ca !== undefined && { ca: [...rootCertificates, ca] }),
      },
      ...(user !== '' && { auth: { user, pass } }),
      maxConnections: CONNECTIONS,
      // One that the server has closed since is opened anew at once; what else fails is tried again later.
      maxRequeues: 1,
      connectionTimeout: CONNECTION_TIMEOUT,
      greetingTimeout: GREETING_TIMEOUT,
      dnsTimeout: DNS_TIMEOUT,
      socketTimeout: SOCKET_TIMEOUT,
      idleTimeout: IDLE_TIMEOUT,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
  }

  async send(message: AlertMessage, signal: AbortSignal): Promise<void> {
    const { address, key } = message.details;
    if (!isEmailAddress(address) || typeof key !== 'string') {
      throw new MessageRefusedError('no e-mail address is known of the user');
    }
    const { id, userId, beganWith, createdDate } = message;
    const turnOff = `${this.publicUrl}/alerts/unsubscribe?key=${writeUnsubscribeKey({ userId, secret: key })}`;
    const { subject, text, html } = emailContents(message, { address, turnOff });
    const earlier = beganWith !== undefined && this.messageId(beganWith);
    // Not AbortSignal.any: Node 20 loses it, with its time-out, to the garbage collector.
    const aborter = new AbortController();
    const abort = (): void => {
      aborter.abort();
    };
    const timer = setTimeout(abort, TIMEOUT);
    signal.addEventListener('abort', abort);
    try {
      signal.throwIfAborted();
      await this.transport.sendMail({
        from: this.sender,
        to: { name: '', address },
        messageId: this.messageId(id),
        date: createdDate,
        subject,
        text,
        html,
        ...(earlier !== false && { inReplyTo: earlier, references: earlier }),
        headers: {
          'Auto-Submitted': 'auto-generated',
          'List-Unsubscribe': { prepared: true, value: `<${turnOff}>` },
          'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
        },
        signal: aborter.signal,
      });
    } catch (error) {
      throw this.outcomeOf(error, address);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    }
  }

  close(): void {
    this.transport.close({ force: true });
  }

  private messageId(id: string): string {
    return `<${id}@${this.domain}>`;
  }

  /** What the server says may name the address or, in a bad one's words, what we have sent it: neither is passed on. */
  private outcomeOf(error: unknown, address: string): Error {
    const { code, command, responseCode, message } = recordOf(error);
    let said = textOf(message).replace(/\s+/g, ' ');
    for (const secret of [...this.secrets, address]) {
      if (secret !== '') said = said.replaceAll(secret, '…');
    }
    const status = typeof responseCode === 'number' ? responseCode : undefined;
    const isOfMessage = code === 'EMESSAGE' || (code === 'EENVELOPE' && command === 'RCPT TO');
    // It cannot even be asked for.
    const isNoAddress = code === 'EENVELOPE' && command === 'API';
    if (isNoAddress || (isOfMessage && status !== undefined && status >= 500 && !OF_LOGIN.includes(status))) {
      return new MessageRefusedError(`the mail server refuses it: ${said}`);
    }
    return new RetryLaterError(`mail cannot be sent: ${said || 'it has taken too long'}`);
  }
}

/** `name <address>`, or an address alone. */
function mailboxIn(from: string): { name: string; address: string } {
  const [, name = '', address = from] = /^(.*)<([^<>]+)>$/.exec(from) ?? [];
  return { name: name.trim().replace(/^"(.*)"$/, '$1'), address: address.trim() };
}

function isLoopback(host: string): boolean {
  return host.toLowerCase() === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
