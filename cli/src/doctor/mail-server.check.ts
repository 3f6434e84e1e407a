import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectSecurely } from 'node:tls';
import { createInterface } from 'node:readline';
import type { Interface } from 'node:readline';
import type { Examination } from './check.js';
import { reachingMend, reasonOf, TIMEOUT } from './neighbours.js';

/** What a server said, on however many lines (RFC 5321, section 4.2). */
interface Reply {
  code: number;
  lines: string[];
}

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/** Greets the mail server, turns on TLS, logs in and names the sender; no mail is sent. */
export async function checkMailServer(
  examination: Examination,
  { server, from }: { server: string; from: string },
): Promise<void> {
  const { protocol, hostname, port, username, password } = new URL(server);
  const isSecure = protocol === 'smtps:';
  const host = hostname.replace(/^\[|\]$/g, '');
  const address = { host, port: Number(port) || (isSecure ? 465 : 587) };
  let smtp: Conversation;
  try {
    smtp = await Conversation.begin(address, isSecure);
  } catch (error) {
    examination.wrong(
      'delivery.email',
      `${hostname}:${address.port} cannot be reached: ${reasonOf(error)}`,
      reachingMend(error, 'SMTP_URL'),
    );
    return;
  }
  try {
    let offers = await smtp.greet();
    if (!isSecure && offers.some((line) => /^STARTTLS$/i.test(line))) {
      await smtp.secure(host);
      offers = await smtp.greet();
    } else if (!isSecure && !LOOPBACK.test(hostname)) {
      examination.wrong(
        'delivery.email.tls',
        `${hostname}:${address.port} offers no STARTTLS, without which no mail goes there`,
        'Turn it on there, or set SMTP_URL to its port for TLS, smtps://host:465',
      );
      return;
    }
    examination.ok(
      'delivery.email',
      `${hostname}:${address.port} answers${smtp.isSecure ? ', with TLS' : ''}`,
    );
    if (username !== '') {
      const refusal = await smtp.logIn(decodeURIComponent(username), decodeURIComponent(password), offers);
      if (refusal !== undefined) {
        const mend = 'Correct user and password in SMTP_URL, or the password in SMTP_PASSWORD_FILE';
        examination.wrong('delivery.email.login', `It lets nobody in: ${refusal}`, mend);
        return;
      }
      examination.ok('delivery.email.login', 'user and password are right');
    }
    const sender = /<([^<>]+)>$/.exec(from)?.[1] ?? from;
    const { code, lines } = await smtp.say(`MAIL FROM:<${sender}>`);
    if (code === 250) examination.ok('delivery.email.sender', `it takes mail from ${sender}`);
    else {
      const mend = 'Set MAIL_FROM to an address for which this server sends mail';
      examination.wrong('delivery.email.sender', `It takes no mail from ${sender}: ${lines.join(' ')}`, mend);
    }
  } catch (error) {
    examination.wrong(
      'delivery.email',
      `${hostname}:${address.port} breaks off: ${reasonOf(error)}`,
      reachingMend(error, 'SMTP_URL'),
    );
  } finally {
    smtp.end();
  }
}

/** As much of SMTP (RFC 5321) as it takes to see whether mail would be taken. */
class Conversation {
  private lines: Interface;
  private replies: AsyncIterator<string>;

  private constructor(
    private socket: Socket,
    public isSecure: boolean,
  ) {
    this.lines = createInterface({ input: socket });
    this.replies = this.lines[Symbol.asyncIterator]();
  }

  static async begin(address: { host: string; port: number }, isSecure: boolean): Promise<Conversation> {
    const socket = isSecure
      ? connectSecurely({ ...address, servername: nameOf(address.host) })
      : connect(address);
    await ready(socket, isSecure ? 'secureConnect' : 'connect');
    const smtp = new Conversation(socket, isSecure);
    try {
      const { code, lines } = await smtp.reply();
      if (code !== 220) throw new Error(lines.join(' '));
      return smtp;
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }

  /** @returns what it offers, a line each */
  async greet(): Promise<string[]> {
    const { code, lines } = await this.say('EHLO session-alerts.invalid');
    if (code !== 250) throw new Error(lines.join(' '));
    return lines.slice(1);
  }

  /** @throws Error its certificate is not right */
  async secure(host: string): Promise<void> {
    const { code, lines } = await this.say('STARTTLS');
    if (code !== 220) throw new Error(lines.join(' '));
    this.lines.close();
    this.socket = connectSecurely({ socket: this.socket, servername: nameOf(host), host });
    await ready(this.socket, 'secureConnect');
    this.lines = createInterface({ input: this.socket });
    this.replies = this.lines[Symbol.asyncIterator]();
    this.isSecure = true;
  }

  /** @returns why it does not let us in */
  async logIn(user: string, password: string, offers: string[]): Promise<string | undefined> {
    const base64 = (text: string): string => Buffer.from(text).toString('base64');
    const ways = offers.find((line) => /^AUTH /i.test(line))?.toUpperCase() ?? '';
    let reply: Reply;
    if (/ PLAIN\b/.test(ways)) reply = await this.say(`AUTH PLAIN ${base64(`\0${user}\0${password}`)}`);
    else if (/ LOGIN\b/.test(ways)) {
      reply = await this.say('AUTH LOGIN');
      if (reply.code === 334) reply = await this.say(base64(user));
      if (reply.code === 334) reply = await this.say(base64(password));
    } else return 'it offers neither PLAIN nor LOGIN';
    return reply.code === 235 ? undefined : reply.lines.join(' ');
  }

  async say(command: string): Promise<Reply> {
    this.socket.write(`${command}\r\n`);
    return this.reply();
  }

  end(): void {
    this.socket.end('QUIT\r\n');
    this.socket.destroySoon();
  }

  private async reply(): Promise<Reply> {
    const lines: string[] = [];
    for (;;) {
      const next = await this.replies.next();
      if (next.done === true) throw new Error('it has closed the connection');
      const [, code, mark, text = ''] = /^(\d{3})([ -]?)(.*)$/.exec(next.value) ?? [];
      if (code === undefined) throw new Error('what answers there is no mail server');
      lines.push(text);
      if (mark !== '-') return { code: Number(code), lines };
    }
  }
}

/** TLS names no addresses. */
function nameOf(host: string): string {
  return /^[\d.]+$|:/.test(host) ? '' : host;
}

function ready(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  socket.setTimeout(TIMEOUT, () => socket.destroy(new Error(`it says nothing for ${TIMEOUT / 1000} s`)));
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once(event, () => {
      socket.off('error', reject);
      // What breaks later ends the lines.
      socket.on('error', () => undefined);
      resolve();
    });
  });
}
