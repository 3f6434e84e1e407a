import { ConfigError } from './config.js';

/** How long requests in flight may take to finish (ms); below the 30 s that Kubernetes gives. */
const STOP_TIMEOUT = 25_000;

/**
 * Ends the process cleanly on SIGTERM, Ctrl-C and a closed terminal: `stop` finishes what is under way. Asked
 * twice, or when that takes too long, it ends at once.
 */
export function runUntilStopped(stop: () => Promise<void>): void {
  let isStopping = false;
  const onSignal = (): void => {
    if (isStopping) process.exit(1);
    isStopping = true;
    setTimeout(() => process.exit(1), STOP_TIMEOUT).unref();
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`${explain(error)}\n`);
        process.exit(1);
      },
    );
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, onSignal);
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
