import { atLeast, atMost } from '../claims.js';
import type { Claim } from '../claims.js';
import { median } from '../statistics.js';
import { BATCH_USERS } from './held-streams.js';
import type { StreamMemory } from './held-streams.js';
import type { CpuShare } from './live-bench.js';
import type { LiveResults } from './live-results.js';

export function liveClaimsOf({ held, pages, polls }: LiveResults): Claim[] {
  const { ours, single, batch } = held;
  const streams = held.streams.toLocaleString('en');
  const clients = pages.clients.toLocaleString('en');
  const batchUsers = BATCH_USERS.toLocaleString('en');
  const known = polls.filter(({ kind }) => kind !== 'asks PostgreSQL');
  return [
    atMost(`${streams} streams: MB of memory a thousand`, 25, [memoryAThousand(ours, held.streams)]),
    atMost(`webhook answered to event in the page, ${streams} streams: ms, median`, 10, [
      single.sinceAnswered.p50,
    ]),
    atMost(`one webhook for ${batchUsers} users: ms from its answer until the last has it, median`, 150, [
      median(batch.sinceAnswered),
    ]),
    atLeast(`CPU of ${clients} pages that poll every second: of as many streams`, 30, [
      both(pages.cpu.polls) / both(pages.cpu.streams),
    ]),
    atLeast('the same without what the server costs with nobody there', 30, [
      (both(pages.cpu.polls) - both(pages.cpu.nobody)) / (both(pages.cpu.streams) - both(pages.cpu.nobody)),
    ]),
    atMost(
      `queries of polls that find nothing new (${known.map(({ kind }) => kind).join(', ')})`,
      0,
      known.map(({ queries }) => queries),
    ),
  ];
}

/** MB. */
export function memoryAThousand({ before, with: after }: StreamMemory, streams: number): number {
  return (after - before) / 1e6 / (streams / 1000);
}

export function both({ server, database }: CpuShare): number {
  return server + database;
}
