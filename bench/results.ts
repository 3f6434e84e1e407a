import type { BigFigures } from './big.js';
import type { HostileFigure } from './hostile.js';
import type { ListingFigure } from './listing.js';
import type { Machine } from './machine.js';
import type { OverloadFigure } from './overload.js';
import type { WalFigure } from './wal.js';
import type { WebhookFigure } from './webhook-figures.js';

/** All that a run found out; a part that was left out has none. */
export interface Results {
  machine: Machine;
  postgres: string;
  settings: Record<string, string>;
  quick: boolean;
  rounds: number;
  /** The share of the machine that other programs had meanwhile, where that is known. */
  disturbance?: number;
  webhooks?: WebhookFigure[];
  listing?: ListingFigure[];
  big?: BigFigures;
  overload?: OverloadFigure[];
  wal?: WalFigure[];
  hostile?: HostileFigure[];
}
