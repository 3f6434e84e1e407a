/** How long requests in flight may take to finish (ms); below the 30 s that Kubernetes gives. */
const STOP_TIMEOUT = 25_000;

/**
 * Ends the process cleanly on SIGTERM and Ctrl-C: `stop` finishes what is under way. Asked twice, or when
 * that takes too long, it ends at once.
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
        process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}
