import type { Latencies } from './load-jobs.js';
import { percentile } from './statistics.js';

/** What is told of a series of latencies (ms); `undefined` where there are none. */
export function summaryOf(latencies: readonly number[]): Latencies | undefined {
  if (latencies.length === 0) return undefined;
  return {
    count: latencies.length,
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
    max: percentile(latencies, 1),
  };
}
