import type { AddressInfo } from 'node:net';
import PostalMime from 'postal-mime';
import { SMTPServer } from 'smtp-server';

/** A mail as the demo's page shows it. */
export interface SunkMail {
  to: string;
  subject: string;
  text: string;
  /** RFC 3339. */
  date: string;
}

const MOST_KEPT = 20;

/** Takes all mail that is sent to it on this machine, and delivers none. */
export class MailSink {
  /** The last first. */
  readonly mails: SunkMail[] = [];

  private readonly server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    logger: false,
    closeTimeout: 100,
    onData: (stream, { envelope }, done) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        PostalMime.parse(Buffer.concat(chunks)).then(
          ({ subject = '', text = '' }) => {
            const to = envelope.rcptTo.map(({ address }) => address).join(', ');
            this.mails.unshift({ to, subject, text, date: new Date().toISOString() });
            this.mails.length = Math.min(this.mails.length, MOST_KEPT);
            done();
          },
          (error: unknown) => {
            done(error instanceof Error ? error : new Error(String(error)));
          },
        );
      });
    },
  });

  /** Starts one on a free port of this machine's own. */
  static async start(): Promise<MailSink> {
    const sink = new MailSink();
    // Connections that the sender breaks off.
    sink.server.on('error', () => undefined);
    await new Promise<void>((resolve) => sink.server.listen(0, '127.0.0.1', resolve));
    return sink;
  }

  get url(): string {
    return `smtp://127.0.0.1:${(this.server.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.server.close(resolve);
    });
  }
}
