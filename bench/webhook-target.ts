import type { ServerName } from './target-process.js';
import type { Stored } from './stored.js';
import type { Kind } from './webhook-bodies.js';

/** How webhooks come: so many alerts in each, over so many connections at once. */
export interface WebhookShape {
  size: number;
  connections: number;
}

/** Webhooks of one shape. Before they are counted each connection takes one to warm up. */
export interface WebhookPlan extends WebhookShape {
  /** A multiple of the connections. */
  webhooks: number;
}

export function batchesOf({ connections, webhooks }: WebhookPlan): number {
  return connections + webhooks;
}

/** The servers, and the database without any: with our statements, and with the least. */
export type TargetName = ServerName | 'pgbench' | 'floorPgbench';

/** Those that do the least that any receiver must. */
export const FLOORS: TargetName[] = ['floor', 'floorPgbench'];

/** Something that webhooks are sent to, or what they come down to. */
export interface WebhookTarget {
  readonly name: TargetName;
  readonly serverPid?: number;
  readonly stored: Stored;
  /** Gets a phase ready and warms up; the returned function runs it and tells how long that took (ms). */
  prepare(plan: WebhookPlan, kind: Kind, firstBatch: number): Promise<() => Promise<number>>;
}
