import { claimsTable, introductionOf, table, whole } from '../report.js';
import { median } from '../statistics.js';
import { BATCH_USERS } from './held-streams.js';
import type { HeldStreams } from './held-streams.js';
import { both, liveClaimsOf, memoryAThousand } from './live-claims.js';
import type { LiveResults } from './live-results.js';
import { PAGE_KINDS } from './pages-cost.js';
import type { PagesCost } from './pages-cost.js';
import type { PollFigure } from './poll-cost.js';

/** The results as Markdown, as they stand in the documentation. */
export function liveReportOf(results: LiveResults): string {
  return [
    introductionOf(results, 'One run; CPU is what the kernel counted for the processes, in % of one core.'),
    ...memorySection(results.held),
    ...delaySection(results.held),
    ...pagesSection(results.pages),
    ...pollsSection(results.polls),
    '### Claims',
    claimsTable(liveClaimsOf(results)),
  ].join('\n\n');
}

function memorySection({ streams, ours, bare, idle }: HeldStreams): string[] {
  const [oursAThousand, bareAThousand] = [memoryAThousand(ours, streams), memoryAThousand(bare, streams)];
  const row = (name: string, memory: typeof ours, aThousand: number) => [
    name,
    tenths(memory.before / 1e6),
    tenths(memory.with / 1e6),
    tenths(aThousand),
    (aThousand / bareAThousand).toFixed(2),
  ];
  return [
    `### Memory of ${whole(streams)} streams, MB`,
    table(
      ['', 'without', 'with', 'a thousand', 'of bare'],
      [row('fastify', ours, oursAThousand), row('bare', bare, bareAThousand)],
    ),
    `While nothing changes they cost ${hundredths(idle.server)} % of a core, and PostgreSQL ${hundredths(idle.database)} %.`,
  ];
}

function delaySection({ streams, single, batch }: HeldStreams): string[] {
  const batchRow = (times: number[]) => [
    whole(times.length),
    tenths(median(times)),
    '',
    tenths(Math.max(...times)),
  ];
  const singleRow = ({ count, p50, p99, max }: typeof single.sinceSent) => [
    whole(count),
    tenths(p50),
    tenths(p99),
    tenths(max),
  ];
  const users = `${whole(BATCH_USERS)} users, until the last has it`;
  return [
    `### From the webhook to the page, ms, with ${whole(streams)} streams open`,
    table(
      ['a webhook for', 'since it was', 'webhooks', 'median', 'p99', 'most'],
      [
        ['one user', 'answered', ...singleRow(single.sinceAnswered)],
        ['one user', 'sent', ...singleRow(single.sinceSent)],
        [users, 'answered', ...batchRow(batch.sinceAnswered)],
        [users, 'sent', ...batchRow(batch.sinceSent)],
      ],
    ),
  ];
}

function pagesSection({ clients, seconds, cpu, answers }: PagesCost): string[] {
  return [
    `### ${whole(clients)} pages for ${seconds} s, an alert every second: CPU in % of a core`,
    table(
      ['pages', 'server', 'PostgreSQL', 'both', 'µs a page and second', 'of streams', 'answers'],
      PAGE_KINDS.map((kind) => {
        const share = cpu[kind];
        const isBase = kind === 'nobody';
        return [
          kind,
          hundredths(share.server),
          hundredths(share.database),
          hundredths(both(share)),
          isBase ? '' : tenths((both(share) * 10_000) / clients),
          isBase ? '' : tenths(both(share) / both(cpu.streams)),
          Object.entries(answers[kind] ?? {})
            .map(([status, count]) => `${whole(count)} × ${status}`)
            .join(', '),
        ];
      }),
    ),
  ];
}

function pollsSection(figures: PollFigure[]): string[] {
  const costs = figures.map(
    ({ serverCpu, databaseCpu }) => [median(serverCpu), median(databaseCpu)] as const,
  );
  const [askingServer = NaN, askingDatabase = NaN] = costs[0] ?? [];
  return [
    '### A poll: CPU time, µs',
    table(
      ['it', 'server', 'PostgreSQL', 'both', 'of one that asks', 'polls', 'queries'],
      figures.map(({ kind, polls, queries }, index) => {
        const [server = NaN, database = NaN] = costs[index] ?? [];
        const share = (server + database) / (askingServer + askingDatabase);
        return [
          kind,
          whole(server),
          whole(database),
          whole(server + database),
          share.toFixed(2),
          whole(polls),
          whole(queries),
        ];
      }),
    ),
  ];
}

function tenths(value: number): string {
  return value.toFixed(1);
}

function hundredths(value: number): string {
  return value.toFixed(2);
}
