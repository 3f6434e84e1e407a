import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import PostalMime from 'postal-mime';
import type { Email } from 'postal-mime';
import { SMTPServer } from 'smtp-server';
import { selfSignedCertificate } from './certificate.js';

/** A mail as it came. */
export interface Mail extends Email {
  /** Headers and body, byte by byte. */
  raw: string;
  recipients: string[];
  /** Whether it came by TLS, and who had logged in. */
  isSecure: boolean;
  user: string | undefined;
}

/** What the server answers to a recipient or to a message, instead of taking it. */
export interface Refusal {
  code: number;
  text: string;
}

/** A mail server that speaks STARTTLS and AUTH, on a port of its own; it may go away and come back. */
export class MailServer {
  readonly mails: Mail[] = [];
  /** Log-ins that were refused. */
  refusedLogins = 0;
  user = 'alerts';
  password = 'p ä:@/%?pass';
  refuseRecipient: Refusal | undefined;
  refuseMessage: Refusal | undefined;
  /** Takes messages, and does not say so. */
  isSilent = false;
  private server: SMTPServer | undefined;
  private port = 0;

  private constructor(
    private readonly folder: string,
    private readonly tls: { key: string; cert: string },
    private readonly offersTls: boolean,
  ) {}

  /** Starts one; `tls: false` offers none. */
  static async start({ tls = true } = {}): Promise<MailServer> {
    const folder = await mkdtemp(join(tmpdir(), 'mail-server-'));
    const tlsOf = selfSignedCertificate('localhost', '127.0.0.1');
    await writeFile(join(folder, 'cert.pem'), tlsOf.cert);
    const server = new MailServer(folder, tlsOf, tls);
    await server.start();
    return server;
  }

  get connections(): number {
    return this.server?.connections.size ?? 0;
  }

  /** The file of its certificate, which nobody else vouches for. */
  get certificateFile(): string {
    return join(this.folder, 'cert.pem');
  }

  get certificate(): string {
    return this.tls.cert;
  }

  /** @param login with user and password, where it is true */
  url({ login = true, host = '127.0.0.1' } = {}): string {
    const [user, password] = [this.user, this.password].map(encodeURIComponent);
    return `smtp://${login ? `${user}:${password}@` : ''}${host}:${this.port}`;
  }

  async start(): Promise<void> {
    const server = new SMTPServer({
      ...this.tls,
      disabledCommands: this.offersTls ? [] : ['STARTTLS'],
      allowInsecureAuth: !this.offersTls,
      authOptional: !this.offersTls,
      logger: false,
      closeTimeout: 100,
      onAuth: ({ username, password }, _session, done) => {
        if (username === this.user && password === this.password) {
          done(null, { user: username });
        } else {
          this.refusedLogins += 1;
          done(new Error(`no login for ${username} with ${password}`));
        }
      },
      onRcptTo: (_address, _session, done) => {
        done(this.refuseRecipient && refusalOf(this.refuseRecipient));
      },
      onData: (stream, { secure, user, envelope }, done) => {
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('end', () => {
          const raw = Buffer.concat(chunks);
          void PostalMime.parse(raw).then((mail) => {
            if (this.refuseMessage) {
              done(refusalOf(this.refuseMessage));
              return;
            }
            this.mails.push({
              ...mail,
              raw: raw.toString(),
              recipients: envelope.rcptTo.map(({ address }) => address),
              isSecure: secure,
              user: typeof user === 'string' ? user : undefined,
            });
            if (!this.isSilent) done();
          });
        });
      },
    });
    // Connections that a client breaks off.
    server.on('error', () => undefined);
    await new Promise<void>((resolve) => server.listen(this.port, '0.0.0.0', resolve));
    this.port = (server.server.address() as AddressInfo).port;
    this.server = server;
  }

  /** Closes the port and every connection to it. */
  async stop(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    await new Promise<void>((resolve) => {
      if (server) server.close(resolve);
      else resolve();
    });
  }

  async close(): Promise<void> {
    await this.stop();
    await rm(this.folder, { recursive: true });
  }
}

function refusalOf({ code, text }: Refusal): Error {
  return Object.assign(new Error(text), { responseCode: code });
}
