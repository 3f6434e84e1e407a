import { readFile } from 'node:fs/promises';
import type { BigFigures } from './big.js';
import type { HostileFigure } from './hostile.js';
import type { ListingFigure } from './listing.js';
import type { Machine } from './machine.js';
import type { OverloadFigure } from './overload.js';
import type { RevisionName } from './revision.js';
import { UsageError } from './usage-error.js';
import type { WalFigure } from './wal-figures.js';
import type { WebhookFigure } from './webhook-figures.js';

/** All that a run found out; a part that was left out has none. */
export interface Results {
  machine: Machine;
  postgres: string;
  settings: Record<string, string>;
  quick: boolean;
  rounds: number;
  /** What was measured, where git knows it. */
  now?: RevisionName;
  /** The commit that was measured too. */
  against?: string;
  /** Whether nothing was measured besides the two. */
  pair?: true;
  /** The share of the machine that other programs had meanwhile, where that is known. */
  disturbance?: number;
  webhooks?: WebhookFigure[];
  listing?: ListingFigure[];
  big?: BigFigures;
  overload?: OverloadFigure[];
  wal?: WalFigure[];
  hostile?: HostileFigure[];
  delivery?: WebhookFigure[];
}

/**
 * What an earlier run wrote as JSON.
 * @throws UsageError
 */
export async function readResults(file: string): Promise<Results> {
  try {
    const results = JSON.parse(await readFile(file, 'utf8')) as Partial<Results> | null;
    if (results?.machine !== undefined && results.rounds !== undefined) return results as Results;
  } catch (cause) {
    throw new UsageError(`${file} cannot be read: name a file that --json has written.`, { cause });
  }
  throw new UsageError(`${file} has no figures of this benchmark: name a file that --json has written.`);
}
