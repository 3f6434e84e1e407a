import type { CpuShare, LiveBench } from './live-bench.js';
import type { ConnectOrder, OpenOrder, Polling, SingleOrder, StayOrder, Statuses } from './page-orders.js';

/** So many pages the machine carries as polls, with the load beside the server. */
const CLIENTS = 2_000;
const SECONDS = 30;
const QUICK_SECONDS = 6;
/** ms */
const POLL_EVERY = 1_000;
const ALERT_EVERY = 1_000;
const WARM_UP_SECONDS = 2;
const WARM_UP_USERS = 100;
const WARM_UP_WEBHOOKS = 500;

export const PAGE_KINDS = ['nobody', 'streams', 'polls', 'polls with If-None-Match'] as const;
export type PageKind = (typeof PAGE_KINDS)[number];

/** What the same pages cost, each kind for so long, while somebody gets an alert every second. */
export interface PagesCost {
  clients: number;
  seconds: number;
  cpu: Record<PageKind, CpuShare>;
  /** What the polls were answered; a page that still waits leaves its turn out. */
  answers: Partial<Record<PageKind, Statuses>>;
}

export async function measurePagesCost(bench: LiveBench): Promise<PagesCost> {
  const seconds = bench.options.quick ? QUICK_SECONDS : SECONDS;
  const users = bench.users.slice(0, CLIENTS);
  const databaseUrl = await bench.cluster.createDatabase('pages_cost');
  const answers: PagesCost['answers'] = {};
  const stay = (seconds: number, polling?: Polling) =>
    bench.pages.tell<StayOrder>({
      order: 'stay',
      webhookToken: bench.tokens.webhookToken,
      seconds,
      alertEvery: ALERT_EVERY,
      ...(polling && { polling }),
    });
  return bench.withServer('fastify', databaseUrl, async (server) => {
    const { url } = server;
    bench.progress.step('warming up, then nobody has a page open', 0);
    // Code that is run once a second stays slow for minutes, unlike what two thousand polls a second run.
    await bench.pages.tell<OpenOrder>({ order: 'open', url, users: users.slice(0, WARM_UP_USERS) });
    await bench.pages.tell<SingleOrder>({
      order: 'single',
      webhookToken: bench.tokens.webhookToken,
      webhooks: WARM_UP_WEBHOOKS,
    });
    await bench.pages.tell({ order: 'close' });
    await bench.pages.tell<ConnectOrder>({ order: 'connect', url, users: users.slice(0, 1) });
    const nobody = await bench.cpuDuring(server, stay(seconds));
    await bench.pages.tell({ order: 'close' });

    bench.progress.step(`${users.length} streams`, 0.25);
    await bench.pages.tell<OpenOrder>({ order: 'open', url, users });
    await stay(WARM_UP_SECONDS);
    const streams = await bench.cpuDuring(server, stay(seconds));
    await bench.pages.tell({ order: 'close' });

    await bench.pages.tell<ConnectOrder>({ order: 'connect', url, users });
    const poll = async (kind: PageKind, isConditional: boolean): Promise<CpuShare> => {
      const polling = { every: POLL_EVERY, isConditional };
      await stay(WARM_UP_SECONDS, polling);
      const staying = stay(seconds, polling);
      const cpu = await bench.cpuDuring(server, staying);
      answers[kind] = await staying;
      return cpu;
    };
    bench.progress.step(`${users.length} pages that poll every second`, 0.5);
    const polls = await poll('polls', false);
    bench.progress.step(`${users.length} pages that poll every second with If-None-Match`, 0.75);
    const conditional = await poll('polls with If-None-Match', true);
    await bench.pages.tell({ order: 'close' });
    const cpu = { nobody, streams, polls, 'polls with If-None-Match': conditional };
    return { clients: users.length, seconds, cpu, answers };
  });
}
