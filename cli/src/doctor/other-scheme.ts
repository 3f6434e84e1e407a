import { createConnection } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectByTls } from 'node:tls';

/** How long (ms) it may take to find out. */
const TIMEOUT = 3_000;

type Scheme = 'http' | 'https';

/** What is asked by https speaks http, or the other way round. */
export class OtherSchemeError extends Error {
  constructor(
    readonly asked: Scheme,
    readonly spoken: Scheme,
    options: { cause: unknown },
  ) {
    super(`it speaks ${spoken}, not ${asked}`, options);
  }
}

/**
 * Whether only the scheme of an address is wrong, where asking there has failed.
 * @param cause with what it failed
 */
export async function otherSchemeAt(address: string, cause: unknown): Promise<OtherSchemeError | undefined> {
  const { protocol, hostname, port } = new URL(address);
  const host = hostname.replace(/^\[|\]$/g, '');
  if (protocol === 'https:') {
    const isHttp = await speaksHttp(host, Number(port || 443));
    return isHttp ? new OtherSchemeError('https', 'http', { cause }) : undefined;
  }
  const isHttps = await speaksTls(host, Number(port || 80));
  return isHttps ? new OtherSchemeError('http', 'https', { cause }) : undefined;
}

/** A certificate that nobody trusts shows it too. */
function speaksTls(host: string, port: number): Promise<boolean> {
  return answers((done) =>
    connectByTls({ host, port, rejectUnauthorized: false }, () => {
      done(true);
    }),
  );
}

function speaksHttp(host: string, port: number): Promise<boolean> {
  return answers((done) => {
    let said = '';
    return createConnection({ host, port }, function (this: Socket) {
      this.write(`HEAD / HTTP/1.1\r\nHost: ${host}:${port}\r\nConnection: close\r\n\r\n`);
    }).on('data', (chunk: Buffer) => {
      said += chunk.toString('latin1');
      // What speaks TLS may say so in http.
      if (said.length >= 12) done(/^HTTP\/1\.[01] (?!400)/.test(said));
    });
  });
}

/** Whether a connection is done well, in time. */
function answers(open: (done: (isSo: boolean) => void) => Socket): Promise<boolean> {
  return new Promise((resolve) => {
    const done = (isSo: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(isSo);
    };
    const no = (): void => {
      done(false);
    };
    const timer = setTimeout(no, TIMEOUT);
    const socket = open(done).on('error', no).on('close', no);
  });
}
