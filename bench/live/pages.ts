import { setTimeout as sleep } from 'node:timers/promises';
import { HttpConnection, jsonAs } from '../http-connection.js';
import { WEBHOOKS } from '../load-jobs.js';
import { webhookAbout } from '../webhook-bodies.js';
import type {
  Arrivals,
  AskOrder,
  BatchOrder,
  ConnectOrder,
  OpenOrder,
  PageOrder,
  PageReply,
  SingleOrder,
  StayOrder,
  Statuses,
} from './page-orders.js';
import { PollingPage } from './polling-page.js';
import { StreamingPage } from './streaming-page.js';

/** The process that has all the pages, and posts the webhooks that concern them: one clock sees both. */

/** How many pages open, or ask, at a time. */
const AT_A_TIME = 32;
/** ms between two looks at whose turn it is to poll. */
const TICK = 5;
/** ms after which an event counts as lost. */
const LOST_AFTER = 30_000;

let streaming: StreamingPage[] = [];
let polling: PollingPage[] = [];
let poster: HttpConnection | undefined;
let changes = 0;

async function open({ url, users }: OpenOrder): Promise<void> {
  poster = new HttpConnection(url);
  await eachOf(users, async (user) => {
    streaming.push(await StreamingPage.open(url, user));
  });
}

function connect({ url, users }: ConnectOrder): void {
  poster = new HttpConnection(url);
  polling = users.map((user) => new PollingPage(url, user));
}

async function close(): Promise<void> {
  for (const page of [...streaming, ...polling]) page.close();
  streaming = [];
  polling = [];
  await poster?.close();
}

async function postSingle({ webhookToken, webhooks }: SingleOrder): Promise<Arrivals> {
  const arrivals: Arrivals = { sinceSent: [], sinceAnswered: [] };
  // The first few warm up.
  for (let number = -20; number < webhooks; number++) {
    // Another user each time, from all over.
    const page = pageOf(number + 20, webhooks + 20);
    const times = await change([page], webhookToken);
    if (number < 0) continue;
    arrivals.sinceSent.push(times.arrivedAt - times.sentAt);
    arrivals.sinceAnswered.push(times.arrivedAt - times.answeredAt);
  }
  return arrivals;
}

async function postBatches({ webhookToken, users, repetitions }: BatchOrder): Promise<Arrivals> {
  const arrivals: Arrivals = { sinceSent: [], sinceAnswered: [] };
  const pages = Array.from({ length: users }, (_, number) => pageOf(number, users));
  for (let repetition = 0; repetition <= repetitions; repetition++) {
    const times = await change(pages, webhookToken);
    if (repetition === 0) continue;
    arrivals.sinceSent.push(times.arrivedAt - times.sentAt);
    arrivals.sinceAnswered.push(times.arrivedAt - times.answeredAt);
  }
  return arrivals;
}

/** Of `count` pages, evenly among all that stream, the one with that number. */
function pageOf(number: number, count: number): StreamingPage {
  const page = streaming[Math.floor((number * streaming.length) / count)];
  if (!page) throw new Error('No page is open');
  return page;
}

/** Opens or changes an alert of each page's user by one webhook, and waits until all pages show it. */
async function change(
  pages: StreamingPage[],
  webhookToken: string,
): Promise<{ sentAt: number; answeredAt: number; arrivedAt: number }> {
  const mark = `(change ${++changes})`;
  const arriving = Promise.all(pages.map((page) => page.next(mark)));
  const body = alertsFor(
    pages.map(({ user }) => user.id),
    mark,
  );
  const sentAt = performance.now();
  const [answeredAt, arrivedAt] = await Promise.all([
    post(body, pages.length, webhookToken).then(() => performance.now()),
    withTimeout(arriving.then((times) => Math.max(...times))),
  ]);
  return { sentAt, answeredAt, arrivedAt };
}

async function post(body: Buffer, alerts: number, webhookToken: string): Promise<void> {
  const answer = await poster?.exchange('POST', WEBHOOKS, jsonAs(webhookToken), body);
  if (answer?.status !== 200 || (JSON.parse(answer.text) as { stored: number }).stored !== alerts) {
    throw new Error(`A webhook was answered ${answer?.status ?? 0} ${answer?.text.slice(0, 500) ?? ''}`);
  }
}

function alertsFor(userIds: string[], mark: string): Buffer {
  const alerts = userIds.map((user) => ({
    user,
    session: `session-of-${user}`,
    description: `This session uses 91 % of its memory. Close notebooks that you do not need ${mark}.`,
    fingerprint: user.slice(0, 16),
  }));
  return Buffer.from(JSON.stringify(webhookAbout(alerts, 'firing')));
}

async function withTimeout<T>(work: Promise<T>): Promise<T> {
  const cancel = new AbortController();
  const lost = sleep(LOST_AFTER, undefined, { signal: cancel.signal }).then(() => {
    throw new Error(`An event did not reach its page within ${LOST_AFTER / 1000} s`);
  });
  try {
    return await Promise.race([work, lost]);
  } finally {
    cancel.abort();
    lost.catch(() => undefined);
  }
}

async function stay(order: StayOrder): Promise<Statuses> {
  const statuses: Statuses = {};
  const until = performance.now() + order.seconds * 1000;
  await Promise.all([alertNowAndThen(order, until), pollUntil(order, until, statuses)]);
  return statuses;
}

async function alertNowAndThen({ alertEvery, webhookToken }: StayOrder, until: number): Promise<void> {
  for (let dueAt = performance.now() + alertEvery / 2; dueAt < until; dueAt += alertEvery) {
    await sleep(Math.max(0, dueAt - performance.now()));
    const number = (changes * 7919) % Math.max(streaming.length, polling.length);
    const page = streaming[number];
    if (page) await change([page], webhookToken);
    else await post(alertsFor([polling[number]?.user.id ?? ''], `(change ${++changes})`), 1, webhookToken);
  }
}

/** Every page has its own moment in each interval, so that they do not come all at once. */
async function pollUntil({ polling: how }: StayOrder, until: number, statuses: Statuses): Promise<void> {
  if (!how) {
    await sleep(until - performance.now());
    return;
  }
  const asking = new Set<Promise<void>>();
  const failures: unknown[] = [];
  const startedAt = performance.now();
  let asked = 0;
  for (let now = startedAt; now < until && failures.length === 0; now = performance.now()) {
    const due = ((now - startedAt) / how.every) * polling.length;
    for (; asked < due; asked++) {
      const page = polling[asked % polling.length];
      // One that still waits asks again when its turn comes next.
      if (!page || page.isAsking) continue;
      const answered: Promise<void> = askOnce(page, how.isConditional, statuses)
        .catch((error: unknown) => void failures.push(error))
        .finally(() => asking.delete(answered));
      asking.add(answered);
    }
    await sleep(TICK);
  }
  await Promise.all(asking);
  if (failures.length > 0) throw failures[0];
}

async function ask({ isConditional }: AskOrder): Promise<Statuses> {
  const statuses: Statuses = {};
  await eachOf(polling, (page) => askOnce(page, isConditional, statuses));
  return statuses;
}

async function askOnce(page: PollingPage, isConditional: boolean, statuses: Statuses): Promise<void> {
  const status = await page.ask(isConditional);
  statuses[status] = (statuses[status] ?? 0) + 1;
}

async function eachOf<Item>(items: Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const queue = items.values();
  await Promise.all(
    Array.from({ length: AT_A_TIME }, async () => {
      for (const item of queue) await work(item);
    }),
  );
}

function obey(order: PageOrder): unknown {
  switch (order.order) {
    case 'open':
      return open(order);
    case 'connect':
      connect(order);
      return undefined;
    case 'single':
      return postSingle(order);
    case 'batch':
      return postBatches(order);
    case 'stay':
      return stay(order);
    case 'ask':
      return ask(order);
    case 'close':
      return close();
  }
}

async function reply(order: PageOrder): Promise<PageReply> {
  try {
    return { result: await obey(order) };
  } catch (error) {
    return { failure: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

process.on('message', (order: PageOrder) => {
  void reply(order).then((answer) => {
    if (process.connected) process.send?.(answer);
  });
});
process.on('disconnect', () => process.exit());
// A terminal's Ctrl-C is for the one who started us.
process.on('SIGINT', () => undefined);
