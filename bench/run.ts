import { writeFile } from 'node:fs/promises';
import type { Progress } from './progress.js';
import { UsageError } from './usage-error.js';

/** A benchmark as a program. */
export interface Run<Results> {
  progress: Progress;
  measure: () => Promise<Results>;
  report: (results: Results) => string;
  /** Ends all that it has started. */
  stop: () => Promise<void> | undefined;
  /** File for the results as JSON. */
  json: string | undefined;
  /** Does what else is to be done with them. */
  keep?: (results: Results) => Promise<void>;
}

/** Measures and prints the report; a signal stops what was started first, a second one does not wait for that. */
export async function run<Results>({
  progress,
  measure,
  report,
  stop,
  json,
  keep,
}: Run<Results>): Promise<void> {
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (stopping.signal.aborted) process.exit(130);
      stopping.abort();
      progress.finish();
      void Promise.resolve(stop()).finally(() => process.exit(130));
    });
  }
  try {
    const results = await measure();
    process.stdout.write(`${report(results)}\n`);
    if (json !== undefined) await writeFile(json, `${JSON.stringify(results, null, 2)}\n`);
    await keep?.(results);
  } catch (error) {
    // What fails while all is being stopped fails because of that.
    if (!stopping.signal.aborted) {
      progress.finish();
      process.stderr.write(`${textOf(error)}\n`);
      process.exitCode = 1;
    }
  }
}

function textOf(error: unknown): string {
  if (error instanceof UsageError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
