import { Logger } from '@nestjs/common';
import { messagesOf } from 'nestjs-session-alerts/operations';
import { ConfigError } from './config.js';

/** How long requests in flight may take to finish (ms); below the 30 s that Kubernetes gives. */
const STOP_TIMEOUT = 25_000;

/** Of a fault that comes again and again no more is written. */
const MOST_FAULTS = 10;

/**
 * Ends the process cleanly on SIGTERM, Ctrl-C and a closed terminal, and, with exit code 1, on a fault that nobody
 * caught: `stop` finishes what is under way. Asked twice, or when that takes too long, it ends at once.
 */
export function runUntilStopped(stop: () => Promise<void>): void {
  const logger = new Logger('Process');
  let isStopping = false;
  let faults = 0;
  const end = (): void => {
    isStopping = true;
    setTimeout(() => process.exit(1), STOP_TIMEOUT).unref();
    stop().then(
      () => process.exit(faults > 0 ? 1 : 0),
      (error: unknown) => {
        process.stderr.write(`${explain(error)}\n`);
        process.exit(1);
      },
    );
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (isStopping) process.exit(1);
      end();
    });
  }
  // What is left half done by it is unknown: another process takes over.
  const onFault = (error: unknown): void => {
    faults += 1;
    if (faults <= MOST_FAULTS) {
      logger.error(`The server ends, as nobody caught: ${withoutSecrets(messagesOf(error))}`, stackOf(error));
    }
    if (!isStopping) end();
  };
  process.on('uncaughtException', onFault);
  process.on('unhandledRejection', onFault);
}

function stackOf(error: unknown): string | undefined {
  // Its first lines are the message once more.
  const frames = error instanceof Error ? /\n {4}at [^]*/.exec(error.stack ?? '')?.[0] : undefined;
  return frames === undefined ? undefined : withoutSecrets(frames.trim());
}

/** What errors of libraries quote: passwords in addresses, tokens and credentials in headers. */
function withoutSecrets(text: string): string {
  return text
    .replace(/:\/\/[^\s/?#]*@/g, '://…@')
    .replace(/\b(Bearer|Basic) +[\w.~+/=-]+/gi, '$1 …')
    .replace(/\beyJ[\w-]*\.[\w-]+(\.[\w-]*)?/g, '…');
}

/** What to tell the person who started the process: a sentence where one says what to do, else the stack. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof ConfigError) return error.message;
  const {
    code,
    port = 0,
    address = '',
  } = error as NodeJS.ErrnoException & { port?: number; address?: string };
  if (code === 'EADDRINUSE') {
    return `Port ${port} is in use already: end what uses it, or set PORT to a free one.`;
  }
  if (code === 'EACCES' && port > 0) {
    return `Port ${port} may not be used by this user: set PORT to one above 1023.`;
  }
  if (code === 'EADDRNOTAVAIL') return `${address} is no address of this machine: set HOST to one.`;
  return error.stack ?? error.message;
}
