import { existsSync } from 'node:fs';
import { CLUSTER_SETTINGS } from '../cluster.js';
import { disturbanceMeter, thisMachine } from '../machine.js';
import { Progress } from '../progress.js';
import { run } from '../run.js';
import { measureHeldStreams } from './held-streams.js';
import { checkLimits } from './limits.js';
import { LiveBench } from './live-bench.js';
import { liveReportOf } from './live-report.js';
import type { LiveResults } from './live-results.js';
import { readLiveOptions } from './options.js';
import { measurePagesCost } from './pages-cost.js';
import { measurePollCost } from './poll-cost.js';

/** How long each part takes on two cores (s). */
const EXPECTED = { streams: 90, pages: 145, polls: 25 };
const QUICK_EXPECTED = { streams: 50, pages: 40, polls: 8 };

const options = readLiveOptions(process.argv.slice(2));
const progress = new Progress(new Map(Object.entries(options.quick ? QUICK_EXPECTED : EXPECTED)));
let bench: LiveBench | undefined;

await run({
  progress,
  measure: () => {
    if (!existsSync('/proc/self/schedstat')) {
      throw new Error('This measures by /proc, so it needs Linux. Run it there, or in a Linux container.');
    }
    checkLimits(options.streams);
    return measure();
  },
  report: liveReportOf,
  stop: () => bench?.stop(),
  json: options.json,
});

async function measure(): Promise<LiveResults> {
  const disturbance = disturbanceMeter();
  bench = await LiveBench.start(options, progress);
  try {
    progress.begin('streams');
    const held = await measureHeldStreams(bench);
    progress.end('streams');
    progress.begin('pages');
    const pages = await measurePagesCost(bench);
    progress.end('pages');
    progress.begin('polls');
    const polls = await measurePollCost(bench);
    progress.end('polls');
    const { version } = bench.cluster;
    await bench.stop();
    const share = disturbance();
    return {
      machine: thisMachine(),
      postgres: version,
      settings: CLUSTER_SETTINGS,
      quick: options.quick,
      ...(share !== undefined && { disturbance: share }),
      held,
      pages,
      polls,
    };
  } finally {
    await bench.stop();
    progress.finish();
  }
}
