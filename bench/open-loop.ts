import { setTimeout as sleep } from 'node:timers/promises';
import { closeAll, HttpConnection, jsonAs, openConnections } from './http-connection.js';
import type { Answer } from './http-connection.js';
import { summaryOf } from './latencies.js';
import { ALERTS, WEBHOOKS } from './load-jobs.js';
import type { OverloadJob, OverloadResult, WatchJob, WatchResult } from './load-jobs.js';
import { WebhookTemplate } from './webhook-bodies.js';

/** So many requests of a watch may be under way at once. */
const WATCH_CONNECTIONS = 100;

/** ms between two looks at what is due. */
const TICK = 1;

export async function prepareOverload(job: OverloadJob): Promise<() => Promise<OverloadResult>> {
  const template = new WebhookTemplate(job.size, job.kind);
  const headers = jsonAs(job.webhookToken);
  const connections = await openConnections(job.url, job.connections);
  return async () => {
    const free = new FreeConnections(connections);
    const answers = new Answers(({ status }) => `${status}`);
    let batch = job.firstBatch;
    let unsent = 0;
    const startedAt = performance.now();
    await onSchedule(1000 / job.perSecond, AbortSignal.timeout(job.seconds * 1000), (dueAt) => {
      const sending = free.use((connection) =>
        connection.exchange('POST', WEBHOOKS, headers, template.body(batch++)),
      );
      if (sending) answers.expect(sending, dueAt);
      else unsent += 1;
    });
    await answers.all();
    const elapsed = performance.now() - startedAt;
    await closeAll(connections);
    const { 200: accepted = [], 503: refused = [], ...others } = answers.latencies;
    return {
      elapsed,
      accepted: summaryOf(accepted),
      refused: summaryOf(refused),
      others: countsOf(others),
      unsent,
    };
  };
}

export async function prepareWatch(job: WatchJob): Promise<(stopped: AbortSignal) => Promise<WatchResult>> {
  const template = new WebhookTemplate(job.size, job.kind);
  const connections = await openConnections(job.url, WATCH_CONNECTIONS);
  const asUser = { authorization: `Bearer ${job.user.token}`, 'x-user-id': job.user.id };
  const asAlertmanager = jsonAs(job.webhookToken);
  return async (stopped) => {
    const free = new FreeConnections(connections);
    const describe = ({ status, text }: Answer) =>
      status === 200 ? '200' : `${status} ${text.slice(0, 200)}`;
    const [listed, posted] = [new Answers(describe), new Answers(describe)];
    let batch = job.firstBatch;
    const list = onSchedule(job.listEvery, stopped, (dueAt) => {
      listed.expect(
        free.use((connection) => connection.exchange('GET', ALERTS, asUser)),
        dueAt,
      );
    });
    const post =
      job.postEvery === undefined
        ? undefined
        : onSchedule(job.postEvery, stopped, (dueAt) => {
            const body = template.body(batch++);
            posted.expect(
              free.use((one) => one.exchange('POST', WEBHOOKS, asAlertmanager, body)),
              dueAt,
            );
          });
    await Promise.all([list, post]);
    await Promise.all([listed.all(), posted.all()]);
    await closeAll(connections);
    const { 200: lists = [], ...listFailures } = listed.latencies;
    const { 200: posts = [], ...postFailures } = posted.latencies;
    return {
      listed: summaryOf(lists),
      posted: summaryOf(posts),
      failures: { ...countsOf(listFailures), ...countsOf(postFailures) },
    };
  };
}

/** Calls `launch` at fixed intervals (ms), for each moment that has come due, until it is stopped. */
async function onSchedule(
  interval: number,
  stopped: AbortSignal,
  launch: (dueAt: number) => void,
): Promise<void> {
  let dueAt = performance.now();
  while (!stopped.aborted) {
    for (; dueAt <= performance.now(); dueAt += interval) launch(dueAt);
    await sleep(TICK);
  }
}

class FreeConnections {
  private readonly free: HttpConnection[];

  constructor(connections: HttpConnection[]) {
    this.free = [...connections];
  }

  /** Sends over one that is free; `undefined` where there is none. */
  use(send: (connection: HttpConnection) => Promise<Answer>): Promise<Answer> | undefined {
    const connection = this.free.pop();
    return (
      connection &&
      send(connection).finally(() => {
        this.free.push(connection);
      })
    );
  }
}

/** What comes back, as it is described or with its error, with its latency since it was due. */
class Answers {
  readonly latencies: Record<string, number[]> = {};
  private readonly expected = new Set<Promise<void>>();

  constructor(private readonly describe: (answer: Answer) => string) {}

  expect(answer: Promise<Answer> | undefined, dueAt: number): void {
    if (!answer) {
      this.note('no free connection', dueAt);
      return;
    }
    const noted = answer
      .then(
        (answered) => this.describe(answered),
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      )
      .then((what) => {
        this.note(what, dueAt);
        this.expected.delete(noted);
      });
    this.expected.add(noted);
  }

  async all(): Promise<void> {
    await Promise.all(this.expected);
  }

  private note(what: string, dueAt: number): void {
    (this.latencies[what] ??= []).push(performance.now() - dueAt);
  }
}

function countsOf(latencies: Record<string, number[]>): Record<string, number> {
  return Object.fromEntries(Object.entries(latencies).map(([what, list]) => [what, list.length]));
}
