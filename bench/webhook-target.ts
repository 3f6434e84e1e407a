import type { ServerName } from './target-process.js';
import type { Kind } from './webhook-bodies.js';

/** Webhooks of one size. Before they are counted each connection takes one to warm up. */
export interface WebhookPlan {
  /** Alerts in each. */
  size: number;
  connections: number;
  /** A multiple of the connections. */
  webhooks: number;
}

export function batchesOf({ connections, webhooks }: WebhookPlan): number {
  return connections + webhooks;
}

/** The servers, and the database without any. */
export type TargetName = ServerName | 'pgbench';

/** Something that webhooks are sent to, or what they come down to. */
export interface WebhookTarget {
  readonly name: TargetName;
  readonly databaseUrl: string;
  readonly serverPid?: number;
  /** Gets a phase ready and warms up; the returned function runs it and tells how long that took (ms). */
  prepare(plan: WebhookPlan, kind: Kind, firstBatch: number): Promise<() => Promise<number>>;
}
