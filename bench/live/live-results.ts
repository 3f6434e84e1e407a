import type { Results } from '../results.js';
import type { HeldStreams } from './held-streams.js';
import type { PagesCost } from './pages-cost.js';
import type { PollFigure } from './poll-cost.js';

export type RunConditions = Pick<Results, 'machine' | 'postgres' | 'settings' | 'quick' | 'disturbance'>;

/** All that a run found out. */
export interface LiveResults extends RunConditions {
  held: HeldStreams;
  pages: PagesCost;
  polls: PollFigure[];
}
