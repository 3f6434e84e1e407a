import { closeAll, HttpConnection, jsonAs, openConnections } from './http-connection.js';
import { summaryOf } from './latencies.js';
import { ALERTS, WEBHOOKS } from './load-jobs.js';
import type { ClosedLoopResult, ListJob, PostJob } from './load-jobs.js';
import { WebhookTemplate } from './webhook-bodies.js';

export async function preparePosts(job: PostJob): Promise<() => Promise<ClosedLoopResult>> {
  const template = new WebhookTemplate(job.size, job.kind);
  const bodies = Array.from({ length: job.warmUp + job.webhooks }, (_, index) =>
    template.body(job.firstBatch + index),
  );
  const headers = jsonAs(job.webhookToken);
  const done = job.kind === 'resolved' ? 'resolved' : 'stored';
  const post = async (connection: HttpConnection, body: Buffer): Promise<void> => {
    const { status, text } = await connection.exchange('POST', WEBHOOKS, headers, body);
    // Every alert has to have done what its kind is for.
    if (status !== 200 || (JSON.parse(text) as Record<string, unknown>)[done] !== job.size) {
      throw new Error(
        `A webhook of ${job.size} ${job.kind} alerts was answered ${status} ${text.slice(0, 500)}`,
      );
    }
  };
  const connections = await openConnections(job.url, job.connections);
  await eachOnce(connections, bodies.slice(0, job.warmUp), post);
  return async () => {
    const result = await eachOnce(connections, bodies.slice(job.warmUp), post);
    await closeAll(connections);
    return result;
  };
}

export async function prepareLists(job: ListJob): Promise<() => Promise<ClosedLoopResult>> {
  // The bare server takes a user's word for who it is.
  const headers = job.users.map(({ id, token }) => ({ authorization: `Bearer ${token}`, 'x-user-id': id }));
  const connections = await openConnections(job.url, job.connections);
  return async () => {
    const result = await eachOnce(connections, headers, async (connection, asUser) => {
      const { status, text } = await connection.exchange('GET', ALERTS, asUser);
      if (status !== 200 || (JSON.parse(text) as unknown[]).length !== job.alerts) {
        throw new Error(`A listing was answered ${status} ${text.slice(0, 500)}`);
      }
    });
    await closeAll(connections);
    return result;
  };
}

/** Sends each item once, over the connection that is free first. */
async function eachOnce<Item>(
  connections: HttpConnection[],
  items: Item[],
  send: (connection: HttpConnection, item: Item) => Promise<void>,
): Promise<ClosedLoopResult> {
  const latencies: number[] = [];
  const queue = items.values();
  const startedAt = performance.now();
  await Promise.all(
    connections.map(async (connection) => {
      for (const item of queue) {
        const sentAt = performance.now();
        await send(connection, item);
        latencies.push(performance.now() - sentAt);
      }
    }),
  );
  return { elapsed: performance.now() - startedAt, latencies: summaryOf(latencies) };
}
