import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Bench } from './bench.js';
import { measureBig } from './big.js';
import { chartsOf } from './charts.js';
import { CLUSTER_SETTINGS } from './cluster.js';
import { measureDelivery } from './delivery.js';
import { checkDocument, fillDocument } from './document.js';
import { measureHostile } from './hostile.js';
import { measureListing } from './listing.js';
import { measureListingAgainst } from './listing-against.js';
import { disturbanceMeter, thisMachine } from './machine.js';
import { readOptions } from './options.js';
import type { Options, Part } from './options.js';
import { measureOverload } from './overload.js';
import { Progress } from './progress.js';
import { documentParts, placesOf, reportOf } from './report.js';
import { readResults } from './results.js';
import type { Results } from './results.js';
import { RevisionBuild, workingTree } from './revision.js';
import { run } from './run.js';
import { measureWal } from './wal.js';
import { measureWebhooks } from './webhooks.js';

/** How long each part takes on two cores (s): quick, and else a counted round, with what comes once. */
type Duration = { quick: number; round: number; once: number };
const EXPECTED: Record<Part, Duration> = {
  webhooks: { quick: 120, round: 170, once: 180 },
  listing: { quick: 15, round: 25, once: 200 },
  big: { quick: 11, round: 11, once: 0 },
  overload: { quick: 28, round: 0, once: 150 },
  wal: { quick: 20, round: 16, once: 40 },
  hostile: { quick: 110, round: 0, once: 220 },
  delivery: { quick: 30, round: 25, once: 40 },
};
/** The same beside another revision, where that is something else. */
const EXPECTED_AGAINST: Partial<Record<Part, Duration>> = {
  webhooks: { quick: 150, round: 120, once: 150 },
  listing: { quick: 15, round: 10, once: 20 },
  wal: { quick: 30, round: 24, once: 60 },
};

/** Of a round beside another revision, what is left without bare and floor. */
const SHARE_OF_PAIR: Partial<Record<Part, number>> = { webhooks: 0.35, listing: 0.7 };

const MEASURES = {
  webhooks: measureWebhooks,
  listing: (bench) => (bench.options.against === undefined ? measureListing : measureListingAgainst)(bench),
  big: measureBig,
  overload: measureOverload,
  wal: measureWal,
  hostile: measureHostile,
  delivery: measureDelivery,
} satisfies { [P in Part]: (bench: Bench) => Promise<Results[P]> };

const options = readOptions(process.argv.slice(2));
const progress = new Progress(planOf(options));
const against = options.against === undefined ? undefined : new RevisionBuild(options.against);
let bench: Bench | undefined;

await run({ progress, measure: results, report: reportOf, stop, json: options.json, keep });

async function results(): Promise<Results> {
  if (options.from !== undefined) return readResults(options.from);
  // Before all the work, not after it.
  if (options.document !== undefined) checkDocument(options.document, placesOf(options));
  return measure();
}

async function keep(results: Results): Promise<void> {
  const { charts, document } = options;
  if (charts !== undefined) {
    await mkdir(charts, { recursive: true });
    for (const [name, chart] of chartsOf(results)) await writeFile(join(charts, name), chart);
  }
  if (document !== undefined) fillDocument(document, documentParts(results));
}

async function measure(): Promise<Results> {
  const now = workingTree();
  const disturbance = disturbanceMeter();
  try {
    await against?.build((text) => {
      progress.step(text);
    });
    bench = await Bench.start(options, progress, against);
    const results: Results = {
      machine: thisMachine(),
      postgres: bench.cluster.version,
      settings: CLUSTER_SETTINGS,
      quick: options.quick,
      rounds: options.rounds,
      ...(now && { now }),
      ...(against && { against: against.commit }),
      ...(options.pair && { pair: true }),
    };
    for (const part of options.parts) {
      progress.begin(part);
      Object.assign(results, { [part]: await MEASURES[part](bench) });
      progress.end(part);
    }
    await stop();
    const share = disturbance();
    return { ...results, ...(share !== undefined && { disturbance: share }) };
  } finally {
    await stop();
    progress.finish();
  }
}

async function stop(): Promise<void> {
  await Promise.all([bench?.stop(), against?.remove()]);
}

function planOf({ parts, quick, rounds, against, pair }: Options): Map<Part, number> {
  return new Map(
    parts.map((part) => {
      const alone = EXPECTED[part];
      const expected = against === undefined ? alone : (EXPECTED_AGAINST[part] ?? alone);
      const share = pair ? (SHARE_OF_PAIR[part] ?? 1) : 1;
      return [part, quick ? expected.quick : expected.once + expected.round * rounds * share];
    }),
  );
}
